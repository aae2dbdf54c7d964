"""What a model gives for data: losses, metrics and outputs, in ``eval()`` mode.

Nothing here trains.
"""

from typing import Any

import torch
from torch import Tensor, nn

from dlnotes.training.arguments import check_counts, check_loss, check_model
from dlnotes.training.feeds import Feed
from dlnotes.training.forward import loss_of, mode, output_of
from dlnotes.training.losses import Loss
from dlnotes.training.means import Means
from dlnotes.training.metrics import Metric, Metrics, named, scores_of
from dlnotes.training.place import Device, device_of, settle

EVAL_BATCH = 1024  # validating in few large batches is about a tenth of W1's time cheaper


def evaluate(
    model: nn.Module,
    data: Any,
    *,
    loss: Loss,
    metrics: Metrics = (),
    batch_size: int = EVAL_BATCH,
    device: Device | None = None,
) -> dict[str, float]:
    """Return the mean loss and metrics of `model` over `data`, weighted by batch size.

    The model is in ``eval()`` meanwhile; each layer's own mode is restored. It stays
    on its device, unless `device` says otherwise. See `fit` for the arguments.

    Examples
    --------
    >>> data = torch.zeros(3, 1), torch.full((3, 1), 2.0)
    >>> evaluate(nn.Identity(), data, loss=nn.MSELoss(), metrics="mae")
    {'loss': 4.0, 'mae': 2.0}
    """
    check_model(model)
    check_loss(loss)
    check_counts(batch_size=batch_size)
    place = settle(model, loss, device=device or device_of(model))
    return evaluate_feed(model, Feed(data, place, batch_size, name="data"), loss, named(metrics))


def predict(
    model: nn.Module, data: Any, *, batch_size: int = EVAL_BATCH, device: Device | None = None
) -> Tensor:
    """Return the outputs of `model` for the inputs in `data`, on the CPU.

    Parameters
    ----------
    model : nn.Module
        In ``eval()`` meanwhile; each layer's own mode is restored.
    data : Tensor, (Tensor, Tensor), Dataset, or iterable of batches
        Targets are left aside.
    batch_size : int
        Samples at a time, where `data` does not say.
    device : torch.device or str, optional
        The model's own if not given.

    Examples
    --------
    >>> predict(nn.Flatten(), torch.zeros(5, 2, 3)).shape
    torch.Size([5, 6])
    """
    check_model(model)
    check_counts(batch_size=batch_size)
    place = settle(model, device=device or device_of(model))
    outputs = []
    with mode(model, training=False), torch.inference_mode():
        for x, *_ in Feed(data, place, batch_size, name="data"):
            output = output_of(model, x)
            if not isinstance(output, Tensor):
                raise TypeError(f"the model returned a {type(output).__name__}, not a tensor")
            outputs.append(output)
    if not outputs:
        raise ValueError("data is empty: it yielded no batches")
    return torch.cat(outputs).cpu().clone()  # a clone, for use outside inference mode


def evaluate_feed(
    model: nn.Module, feed: Feed, loss: Loss, metrics: dict[str, Metric], *, check: bool = True
) -> dict[str, float]:
    """Return what `evaluate` does for data that is on its place, of all processes.

    `check` looks at the first batch for what torch would take in silence.
    """
    means = Means()
    with mode(model, training=False), torch.inference_mode():
        for x, y, samples, _ in feed:
            unseen = feed.known(y) if check and not means.sizes else None
            with feed.place.autocast:
                output = output_of(model, x)
                value = loss_of(loss, output, y, unseen)
            means.add(samples, [value, *scores_of(output, y, metrics)])
    if not means.sizes:
        raise ValueError(
            f"{feed.name} is empty: it yielded no batches; if it can be read only once, pass "
            "something that starts anew, e.g. a list of batches or a DataLoader"
        )
    return means.over(["loss", *metrics], means.read(), feed.place)
