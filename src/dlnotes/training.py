"""The training loop, and evaluation and prediction with the same care.

Nothing here knows about tasks, architectures or data sets, and there are no callbacks:
``after_backward`` is the one place where `fit` lets you in.
"""

import os
import time
from collections.abc import Callable, Iterable
from math import hypot, inf, isfinite
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from dlnotes import checkpoint as files
from dlnotes import faults, placement, runtime
from dlnotes.evaluation import EVAL_BATCH, Metrics, batch_scores, evaluate_batches, mode
from dlnotes.evaluation import evaluate as evaluate  # beside fit, where one looks for them
from dlnotes.evaluation import predict as predict
from dlnotes.faults import Loss
from dlnotes.history import History
from dlnotes.metrics import Metric, named
from dlnotes.placement import Device
from dlnotes.tally import Tally

Weights = dict[str, Tensor]


class DivergedError(ValueError):
    """The loss or the gradient became nan or infinite."""


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
        Names from `dlnotes.metrics` or functions ``(output, target) -> mean``, for
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
        update; `step` counts updates from 0. The place to look at gradients or change them.
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

    Any error after the first epoch carries the rows so far in its attribute ``history``.

    Notes
    -----
    Ctrl-C ends the run: the history so far is returned, with the best epoch's weights.

    A profiler sees updates without torch's label ``Optimizer.step``, unless the optimizer
    has hooks or a scheduler.

    Under ``torchrun`` every process calls `fit` with the same data, in the same order,
    and computes its share of every batch, so that results are those of one process.
    Batch norm takes its statistics from that share.

    Examples
    --------
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
    rank, world = runtime.processes()
    faults.check_numbers(epochs, clip_norm, patience, batch_size)
    faults.check_model(model)
    faults.check_loss(loss)
    faults.check_optimizer(model, optimizer)
    faults.check_scheduler(scheduler, scheduler_interval, optimizer)
    measures = named(metrics)
    device = placement.move(model, optimizer, loss, device)
    autocast, scaler = placement.precision(amp, device)
    if seed is not None:
        runtime.seed_everything(seed + rank)
    order = placement.shared_seed(seed, world)
    train = placement.prepare(train, batch_size, device, shuffle=True, seed=order)
    val = None if val is None else placement.prepare(val, EVAL_BATCH, device, name="val")
    batches = len(train) if hasattr(train, "__len__") else None
    faults.check_one_cycle(scheduler, scheduler_interval, epochs, batches)

    history, parts = History(), {"optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
    best = None
    if checkpoint is not None:
        history, best = files.resume_run(checkpoint, resume, model, parts, train)
    good = _weights(model)
    best = best or good
    lowest = min((row[history.monitor] for row in history.rows), default=inf)
    source = placement.name_of(train, "train")
    parameters = [p for p in model.parameters() if p.requires_grad]
    network = nn.parallel.DistributedDataParallel(model) if world > 1 else model
    update = _update_of(optimizer)
    step = int(history.rows[-1]["step"]) if len(history) else 0
    bar = _bar(progress and rank == 0, epochs, len(history), batches)
    try:
        with bar, mode(model, training=True):
            for epoch in range(len(history) + 1, epochs + 1):
                if patience and len(history) - history.best_epoch >= patience:
                    history.stopped = "early"
                    break
                started, tally = time.perf_counter(), Tally()
                for batch in train:
                    x, y, share = placement.part(batch, rank, world, device, source)
                    with autocast:
                        known = y if source else train.y  # all targets, where they are at hand
                        check = known if epoch == 1 and not tally.sizes else None
                        output, value = faults.forward(network, loss, x, y, check)
                    mean = value if world == 1 else value * share  # DDP averages over processes
                    for p in parameters:  # as zero_grad() does, without its profiling wrapper
                        p.grad = None
                    if scaler is None:
                        mean.backward()
                    else:
                        scaler.scale(mean).backward()
                        scaler.unscale_(optimizer)
                    if after_backward is not None:
                        after_backward(model, step)
                    norms = _norms(parameters, clip_norm)
                    if scaler is None:
                        update()
                    else:
                        scaler.step(optimizer)
                        scaler.update()
                    lr = float(optimizer.param_groups[0]["lr"])
                    if scheduler_interval == "batch":
                        _advance(scheduler, optimizer)
                    scores = batch_scores(value, output, y, measures)
                    tally.add(x.shape[0] if share else 0, scores + norms)
                    step += 1
                    bar.update()

                row = _close(tally, measures, epoch, amp, world, device)
                if val is not None:
                    row |= _validate(
                        model, val, loss, measures, epoch, device, autocast, rank, world
                    )
                row = {"epoch": epoch, "step": step, **row, "lr": lr}
                row["grad_norm"] = row.pop("grad_norm")
                row["seconds"] = time.perf_counter() - started
                history.rows.append(row)
                good = _weights(model)
                if row[history.monitor] < lowest:
                    lowest, best = row[history.monitor], good
                if scheduler_interval == "epoch":
                    _advance(scheduler, optimizer, row[history.monitor])
                if checkpoint is not None:
                    files.save_run(checkpoint, history, good, best, parts, train)
                bar.set_postfix_str(f"{history.monitor} {row[history.monitor]:.4g}", refresh=False)
    except KeyboardInterrupt:
        model.load_state_dict(best)
        history.stopped = "interrupted"
        if world > 1:
            raise  # the other processes are waiting for this one
    except Exception as error:
        if isinstance(error, DivergedError):
            model.load_state_dict(good)
        error.__dict__["history"] = history
        raise
    if patience:
        model.load_state_dict(best)
    return history


def _validate(
    model: nn.Module,
    data: Iterable[Any],
    loss: Loss,
    metrics: dict[str, Metric],
    epoch: int,
    *rest: Any,
) -> dict[str, float]:
    scores = evaluate_batches(model, data, loss, metrics, *rest, check=epoch == 1)
    if not isfinite(scores["loss"]):
        raise DivergedError(_diverged(epoch, None, "validation loss", scores["loss"]))
    return {f"val_{name}": value for name, value in scores.items()}


def _close(
    tally: Tally,
    metrics: dict[str, Metric],
    epoch: int,
    amp: str | None,
    world: int,
    device: torch.device,
) -> dict[str, float]:
    """Read the epoch's numbers, for the first time, and refuse nan and infinity."""
    if not tally.sizes:
        raise ValueError(
            "train is empty: it yielded no batches"
            if epoch == 1
            else f"train yielded no batches in epoch {epoch}: it can be read only once; pass "
            "something that starts anew each epoch, e.g. a list of batches or a DataLoader"
        )
    rows = tally.read()
    norms = [hypot(*row[1 + len(metrics) :]) for row in rows]
    for batch, (row, norm) in enumerate(zip(rows, norms, strict=True)):
        if not isfinite(row[0]):
            raise DivergedError(_diverged(epoch, batch, "loss", row[0]))
        if not isfinite(norm) and amp != "fp16":  # whose scaler skips updates that overflow
            raise DivergedError(_diverged(epoch, batch, "gradient's norm", norm))
    means = tally.means([f"train_{name}" for name in ("loss", *metrics)], rows, world, device)
    if not isfinite(means["train_loss"]):
        raise DivergedError(_diverged(epoch, None, "loss in another process", means["train_loss"]))
    finite = [norm for norm in norms if isfinite(norm)]
    return means | {"grad_norm": sum(finite) / len(finite) if finite else float("nan")}


def _diverged(epoch: int, batch: int | None, name: str, value: float) -> str:
    where = f"epoch {epoch}" if batch is None else f"epoch {epoch}, batch {batch + 1}"
    return (
        f"the {name} is {value} in {where}; the model has the weights of the last whole epoch. "
        "Try a smaller learning rate or clip_norm, and look for nan in the data"
    )


def _norms(parameters: list[nn.Parameter], clip: float | None) -> list[Tensor]:
    """Return the gradient's norm in pieces, one a tensor, or whole where it is clipped.

    Putting the pieces together on the host, once an epoch, is the cheapest public way:
    4 % of W4, against 11 % for one number a batch and 25 % for ``get_total_norm``.
    """
    if clip is not None:
        return [nn.utils.clip_grad_norm_(parameters, clip).detach()]
    return [vector_norm(g) for p in parameters if (g := p.grad) is not None]


def _update_of(optimizer: Optimizer) -> Callable[[], Any]:
    """Return ``optimizer.step`` without torch's wrapper, where that has nothing to do.

    The wrapper labels the step for profilers and runs its hooks: 25 microseconds, 8 % of W2.
    A step that a scheduler or anyone else has wrapped once more is taken as it is, and so
    is every step while there are hooks, of this optimizer or of all.
    """
    outer: Any = type(optimizer).step
    torchs = Optimizer.profile_hook_step(outer).__code__
    if "step" in vars(optimizer) or getattr(outer, "__code__", None) is not torchs:
        return optimizer.step
    inner = outer.__wrapped__
    handles = [
        register(lambda *_: None)
        for register in (
            *(optimizer.register_step_pre_hook, optimizer.register_step_post_hook),
            *(register_optimizer_step_pre_hook, register_optimizer_step_post_hook),
        )
    ]
    hooks = [handle.hooks_dict_ref() for handle in handles]
    for handle in handles:
        handle.remove()
    return lambda: optimizer.step() if any(hooks) else inner(optimizer)


def _weights(model: nn.Module) -> Weights:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _bar(show: bool, epochs: int, done: int, batches: int | None) -> Any:
    from tqdm.auto import tqdm

    total = None if batches is None else epochs * batches
    first = 0 if batches is None else done * batches
    return tqdm(total=total, initial=first, unit="batch", disable=not show, dynamic_ncols=True)


def _advance(scheduler: Any, optimizer: Optimizer, monitored: float | None = None) -> None:
    if scheduler is None:
        return
    if monitored is not None and isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(monitored)
    else:
        scheduler.step()
    faults.check_lr(optimizer)
