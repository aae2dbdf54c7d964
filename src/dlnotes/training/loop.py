"""The training loop.

Nothing here knows about tasks, architectures or data sets, and there are no callbacks:
``after_backward`` is the one place where `fit` lets you in.
"""

import os
import time
from collections.abc import Callable
from math import hypot, isfinite, nan
from typing import Any, Literal

from torch import nn
from torch.optim import Optimizer

from dlnotes import runtime
from dlnotes.training import arguments
from dlnotes.training.evaluation import EVAL_BATCH, evaluate_feed
from dlnotes.training.feeds import Feed
from dlnotes.training.forward import loss_of, mode, output_of
from dlnotes.training.history import History
from dlnotes.training.losses import Loss
from dlnotes.training.means import Means
from dlnotes.training.metrics import Metric, Metrics, named, scores_of
from dlnotes.training.place import Device, Place, settle
from dlnotes.training.run import DivergedError, Run
from dlnotes.training.updates import Update


def fit(
    model: nn.Module,
    train: Any,
    val: Any = None,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    metrics: Metrics = (),
    scheduler: Any = None,
    scheduler_interval: Literal["epoch", "batch"] = "epoch",
    device: Device | None = None,
    amp: Literal["bf16", "fp16"] | None = None,
    clip_norm: float | None = None,
    after_backward: Callable[[nn.Module, int], None] | None = None,
    patience: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
    seed: int | None = None,
) -> History:
    """Train `model` in place and return what happened, epoch by epoch.

    Parameters
    ----------
    model : nn.Module
        Called with the inputs of a batch; returns one tensor. It is trained in the mode
        it is in, so that layers put into ``eval()`` stay so; a model that is in
        ``eval()`` as a whole is trained in ``train()`` and handed back in ``eval()``.
    train, val : Tensor, (Tensor, Tensor), Dataset, or iterable of batches
        A tensor alone is its own target. Tensors are moved to the device once, batches
        of other kinds one by one. What is iterated must start anew each epoch.
    loss : callable
        ``loss(output, target)``, the mean over the batch.
    optimizer : torch.optim.Optimizer
        Made from the model's parameters. ``fused=True`` costs nothing and is 1.3 to
        1.5 times faster than the default on small networks; ``amp="fp16"`` needs it to
        run without waiting for the GPU each step.
    epochs : int
        Passes over `train`, counting those of a resumed run.
    batch_size : int
        For `train` given as tensors or a ``Dataset``.
    metrics : str, callable, or several
        Names from `dlnotes.training.metrics` or functions ``(output, target) -> mean``, for
        training (while it goes on) and validation.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Stepped after each epoch or each update; ``ReduceLROnPlateau`` gets the
        validation loss.
    scheduler_interval : {"epoch", "batch"}
        Which of the two.
    device : torch.device or str, optional
        Without it: where the model is if that is an accelerator, else
        `runtime.pick_device`.
    amp : {"bf16", "fp16"}, optional
        Automatic mixed precision; fp16 with loss scaling. TF32 is left as
        `runtime.set_tf32` set it.
    clip_norm : float, optional
        Largest 2-norm of the gradient.
    after_backward : callable, optional
        ``after_backward(model, step)``, after ``backward`` and before clipping and the
        update; ``step`` counts updates from 0. The place to look at gradients or change them.
    patience : int, optional
        Stop after so many epochs without a smaller validation (else training) loss. The
        best epoch's weights are then restored, also if patience never ran out.
    checkpoint : path, optional
        A file written after every epoch, whole or not at all.
    resume : bool
        Go on from `checkpoint` where it exists; the numbers are those of a run that
        was never interrupted.
    progress : bool
        Show a progress bar.
    seed : int, optional
        For `runtime.seed_everything` and the order of tensors or a ``Dataset``.
        It does not reach the model's initial weights, which exist already.

    Returns
    -------
    History
        One row an epoch. Losses and metrics are means over samples, not over batches.

    Raises
    ------
    DivergedError
        If a loss or gradient is nan or infinite; the model has the weights of the last
        whole epoch.
    ValueError, TypeError
        If something does not fit; the message says what to change.
    FileExistsError
        If `checkpoint` exists and `resume` is False.
    OSError
        If the checkpoint cannot be written.

    Notes
    -----
    Any error after the first epoch carries the rows so far in its attribute ``history``.

    Ctrl-C ends the run: the history so far is returned, with the best epoch's weights.

    A profiler sees updates without torch's label ``Optimizer.step``, unless the optimizer
    has hooks or a scheduler.

    Under ``torchrun`` every process calls `fit` with the same data, in the same order,
    and computes its share of every batch, so that results are those of one process.
    Batch norm takes its statistics from that share.

    Examples
    --------
    >>> import torch
    >>> runtime.seed_everything(0)
    >>> x = torch.linspace(-1, 1, 64).unsqueeze(1)
    >>> model = nn.Linear(1, 1)
    >>> history = fit(
    ...     model,
    ...     (x, 3 * x + 1),
    ...     loss=nn.MSELoss(),
    ...     optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
    ...     epochs=50,
    ...     device="cpu",
    ...     progress=False,
    ... )
    >>> round(model.weight.item(), 2), round(model.bias.item(), 2)
    (3.0, 1.0)
    """
    arguments.check_counts(epochs=epochs, patience=patience, batch_size=batch_size)
    arguments.check_clip(clip_norm)
    arguments.check_model(model)
    arguments.check_loss(loss)
    arguments.check_optimizer(model, optimizer)
    arguments.check_scheduler(scheduler, scheduler_interval, optimizer)
    measures = named(metrics)
    processes = runtime.processes()
    place = settle(model, loss, optimizer, device=device, amp=amp, processes=processes)
    if seed is not None:
        runtime.seed_everything(seed + place.rank)
    seed = place.agree(seed)
    feed = Feed(train, place, batch_size, name="train", shuffle=True, seed=seed)
    held_out = None if val is None else Feed(val, place, EVAL_BATCH, name="val")
    arguments.check_one_cycle(scheduler, scheduler_interval, epochs, feed.length)

    parts = {"optimizer": optimizer, "scheduler": scheduler, "scaler": place.scaler}
    run = Run(model, parts, feed.batches, place, patience=patience, checkpoint=checkpoint)
    run.start(resume)
    update = Update(
        *(model, optimizer, scheduler, scheduler_interval),
        scaler=place.scaler,
        clip_norm=clip_norm,
        after_backward=after_backward,
        count=run.steps,
    )
    network = place.wrap(model)
    bar = _bar(progress and place.rank == 0, epochs, len(run.history), feed.length)
    with run.guarded(), bar, mode(model, training=True):
        for epoch in run.epochs(epochs):
            started, means = time.perf_counter(), Means()
            for x, y, samples, weight in feed:
                unseen = feed.known(y) if update.count == 0 else None
                with place.autocast:
                    output = output_of(network, x)
                    value = loss_of(loss, output, y, unseen)
                norms = update(value, weight)
                means.add(samples, [value.detach(), *scores_of(output, y, measures), *norms])
                bar.update()

            trained, norm = _trained(means, ["loss", *measures], epoch, place)
            validated = _validated(model, held_out, loss, measures, epoch)
            monitored = run.add(
                {"epoch": epoch, "step": update.count, **trained, **validated}
                | {"lr": float(update.lr), "grad_norm": norm}
                | {"seconds": time.perf_counter() - started}
            )
            update.end_epoch(monitored)
            run.save()
            bar.set_postfix_str(f"{run.history.monitor} {monitored:.4g}", refresh=False)
    return run.history


def _trained(
    means: Means, names: list[str], epoch: int, place: Place
) -> tuple[dict[str, float], float]:
    """Read the epoch's numbers, for the first time; return the means and the mean norm.

    Refuses nan and infinity.
    """
    if not means.sizes:
        raise ValueError(
            "train is empty: it yielded no batches"
            if epoch == 1
            else f"train yielded no batches in epoch {epoch}: it can be read only once; pass "
            "something that starts anew each epoch, e.g. a list of batches or a DataLoader"
        )
    rows = means.read()
    norms = [hypot(*row[len(names) :]) for row in rows]
    for batch, (row, norm) in enumerate(zip(rows, norms, strict=True), 1):
        _refuse(row[0], "loss", epoch, batch)
        if place.scaler is None:  # which skips updates that overflow
            _refuse(norm, "gradient's norm", epoch, batch)
    found = means.over([f"train_{name}" for name in names], rows, place)
    _refuse(found["train_loss"], "loss in another process", epoch)
    finite = [norm for norm in norms if isfinite(norm)]
    return found, sum(finite) / len(finite) if finite else nan


def _validated(
    model: nn.Module, feed: Feed | None, loss: Loss, metrics: dict[str, Metric], epoch: int
) -> dict[str, float]:
    """Return the means over the validation data, where there are any."""
    if feed is None:
        return {}
    scores = evaluate_feed(model, feed, loss, metrics, check=epoch == 1)
    _refuse(scores["loss"], "validation loss", epoch)
    return {f"val_{name}": score for name, score in scores.items()}


def _refuse(value: float, name: str, epoch: int, batch: int | None = None) -> None:
    if isfinite(value):
        return
    where = f"epoch {epoch}" if batch is None else f"epoch {epoch}, batch {batch}"
    raise DivergedError(
        f"the {name} is {value} in {where}; the model has the weights of the last whole epoch. "
        "Try a smaller learning rate or clip_norm, and look for nan in the data"
    )


def _bar(show: bool, epochs: int, done: int, batches: int | None) -> Any:
    from tqdm.auto import tqdm

    total = None if batches is None else epochs * batches
    first = 0 if batches is None else done * batches
    return tqdm(total=total, initial=first, unit="batch", disable=not show, dynamic_ncols=True)
