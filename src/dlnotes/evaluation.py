"""What a model gives for data: losses, metrics and outputs, in ``eval()`` mode.

Nothing here trains.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from dlnotes import faults, placement
from dlnotes.batches import Batches
from dlnotes.faults import Loss
from dlnotes.metrics import Metric, as_scalar, named
from dlnotes.placement import Device
from dlnotes.tally import Tally

EVAL_BATCH = 1024  # validating in few large batches is about a tenth of W1's time cheaper

Metrics = str | Metric | Iterable[str | Metric]


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
    faults.check_model(model)
    faults.check_loss(loss)
    faults.check_numbers(1, None, None, batch_size)
    place = placement.move(model, None, loss, device or placement.device_of(model))
    batches = placement.prepare(data, batch_size, place, name="data")
    return evaluate_batches(model, batches, loss, named(metrics), place, nullcontext())


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
    faults.check_model(model)
    faults.check_numbers(1, None, None, batch_size)
    place = placement.move(model, None, None, device or placement.device_of(model))
    outputs = []
    with mode(model, training=False), torch.inference_mode():
        for batch in placement.prepare(data, batch_size, place, name="data"):
            x = faults.check_pair(batch, "data")[0].to(place, non_blocking=True)
            output = faults.forward(model, None, x, x, None)[0]
            if not isinstance(output, Tensor):
                raise TypeError(f"the model returned a {type(output).__name__}, not a tensor")
            outputs.append(output)
    if not outputs:
        raise ValueError("data is empty: it yielded no batches")
    return torch.cat(outputs).cpu().clone()  # a clone, for use outside inference mode


def evaluate_batches(
    model: nn.Module,
    data: Iterable[Any],
    loss: Loss,
    metrics: dict[str, Metric],
    device: torch.device,
    autocast: AbstractContextManager[Any],
    rank: int = 0,
    world: int = 1,
    *,
    check: bool = True,
) -> dict[str, float]:
    """Return what `evaluate` does for batches that are prepared, of all processes.

    `check` looks at the first batch for what torch would take in silence.
    """
    tally, source = Tally(), placement.name_of(data, "val")
    with mode(model, training=False), torch.inference_mode():
        for batch in data:
            x, y, share = placement.part(batch, rank, world, device, source)
            with autocast:
                known = data.y if isinstance(data, Batches) else y
                unseen = known if check and not tally.sizes else None
                output, value = faults.forward(model, loss, x, y, unseen)
            tally.add(x.shape[0] if share else 0, batch_scores(value, output, y, metrics))
    if not tally.sizes:
        raise ValueError(
            "the data to evaluate is empty: it yielded no batches; if it can be read only once, "
            "pass something that starts anew, e.g. a list of batches or a DataLoader"
        )
    return tally.means(["loss", *metrics], tally.read(), world, device)


def batch_scores(
    value: Tensor, output: Tensor, y: Tensor, metrics: dict[str, Metric]
) -> list[Tensor]:
    """Return loss and metrics of a batch, still on the device."""
    if not metrics:
        return [value.detach()]
    with torch.no_grad():
        found = [as_scalar(f(output, y), name, y.device) for name, f in metrics.items()]
    return [value.detach(), *found]


@contextmanager
def mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """Put `model` into ``train()`` or ``eval()``, and each layer back into its own mode after.

    A model that is in ``train()`` already is left alone: layers in it that were put into
    ``eval()`` are frozen on purpose.
    """
    modes = [(module, module.training) for module in model.modules()]
    if not (training and model.training):
        model.train(training)
    try:
        yield
    finally:
        for module, before in modes:
            module.training = before
