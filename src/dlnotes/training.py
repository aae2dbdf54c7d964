"""The training loop, and evaluation and prediction with the same care.

Nothing here knows about tasks, architectures or data sets, and there are no callbacks:
``after_backward`` is the one place where `fit` lets you in.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import fsum, isfinite
from pathlib import Path
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from dlnotes import checkpoint as files
from dlnotes import faults, runtime
from dlnotes.data import Batches, as_batches
from dlnotes.faults import Loss
from dlnotes.history import History
from dlnotes.metrics import Metric, as_scalar, named

EVAL_BATCH = 1024  # validating in few large batches is about a tenth of W1's time cheaper

Device = torch.device | str
Metrics = str | Metric | Iterable[str | Metric]
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
    device = _move(model, optimizer, loss, device)
    autocast, scaler = _precision(amp, device)
    if seed is not None:
        runtime.seed_everything(seed + rank)
    train = _prepare(train, batch_size, device, shuffle=True, seed=_shared(seed, world))
    val = None if val is None else _prepare(val, EVAL_BATCH, device, name="val")
    batches = len(train) if hasattr(train, "__len__") else None
    if batches:
        faults.check_one_cycle(scheduler, scheduler_interval, epochs, batches)

    history = History()
    good = best = _weights(model)
    if checkpoint is not None:
        parts = {"optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
        if (rows := _resume(checkpoint, resume, model, parts, train)) is not None:
            history, best = History(rows[0]), rows[1]
            good = _weights(model)

    parameters = [p for p in model.parameters() if p.requires_grad]
    network = nn.parallel.DistributedDataParallel(model) if world > 1 else model
    step = int(history.rows[-1]["step"]) if len(history) else 0
    bar = _bar(progress and rank == 0, epochs, len(history), batches)
    try:
        with bar, _training(model):
            for epoch in range(len(history) + 1, epochs + 1):
                if patience and len(history) - history.best_epoch >= patience:
                    history.stopped = "early"
                    break
                started = time.perf_counter()
                tally, norms = _Tally(), []
                for batch in train:
                    x, y, share = _part(batch, rank, world, device, "train")
                    with autocast:
                        output, value = _forward(network, loss, x, y)
                    if not tally.rows:
                        faults.check_first(loss, output, value, y, getattr(train, "y", y))
                    for p in parameters:  # as zero_grad() does, without its profiling wrapper
                        p.grad = None
                    mean = value if world == 1 else value * share  # DDP averages over processes
                    if scaler is None:
                        mean.backward()
                    else:
                        scaler.scale(mean).backward()
                        scaler.unscale_(optimizer)
                    if after_backward is not None:
                        after_backward(model, step)
                    norms.append(_norms(parameters, clip_norm))
                    if scaler is None:
                        optimizer.step()
                    else:
                        scaler.step(optimizer)
                        scaler.update()
                    lr = float(optimizer.param_groups[0]["lr"])
                    if scheduler is not None and scheduler_interval == "batch":
                        scheduler.step()
                        faults.check_lr(optimizer)
                    tally.add(len(x) if share else 0, value, output, y, measures)
                    step += 1
                    bar.update()

                row: dict[str, float] = {"epoch": epoch, "step": step}
                row |= _close(tally, norms, measures, epoch, scaler is not None, world, device)
                if val is not None:
                    scores = _evaluate(model, val, loss, measures, device, autocast, rank, world)
                    if not isfinite(scores["loss"]):
                        raise DivergedError(_diverged(epoch, None, "val_loss", scores["loss"]))
                    row |= {f"val_{name}": value for name, value in scores.items()}
                row |= {"lr": lr, "grad_norm": row.pop("grad_norm")}
                row["seconds"] = time.perf_counter() - started
                history.rows.append(row)
                good = _weights(model)
                if history.best_epoch == epoch:
                    best = good
                if scheduler is not None and scheduler_interval == "epoch":
                    _step_epoch(scheduler, row[history.monitor])
                    faults.check_lr(optimizer)
                if checkpoint is not None and rank == 0:
                    _save(checkpoint, history, good, best, parts, train)
                bar.set_postfix_str(f"{history.monitor} {row[history.monitor]:.4g}")
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
    place = torch.device(device) if device is not None else _device_of(model)
    model.to(place)
    if isinstance(loss, nn.Module):
        loss.to(place)
    batches = _prepare(data, batch_size, place, name="data")
    return _evaluate(model, batches, loss, named(metrics), place, nullcontext())


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
    place = torch.device(device) if device is not None else _device_of(model)
    model.to(place)
    outputs = []
    with _evaluating(model), torch.inference_mode():
        for batch in _prepare(data, batch_size, place, name="data"):
            x = faults.check_pair(batch, "data")[0].to(place, non_blocking=True)
            output = _forward(model, None, x, x)[0]
            if not isinstance(output, Tensor):
                raise TypeError(f"the model returned a {type(output).__name__}, not a tensor")
            outputs.append(output)
    if not outputs:
        raise ValueError("data is empty: it yielded no batches")
    return torch.cat(outputs).cpu().clone()  # a clone, for use outside inference mode


def _evaluate(
    model: nn.Module,
    data: Iterable[Any],
    loss: Loss,
    metrics: dict[str, Metric],
    device: torch.device,
    autocast: AbstractContextManager[Any],
    rank: int = 0,
    world: int = 1,
) -> dict[str, float]:
    tally = _Tally()
    with _evaluating(model), torch.inference_mode():
        for batch in data:
            x, y, share = _part(batch, rank, world, device, "val")
            with autocast:
                output, value = _forward(model, loss, x, y)
            if not tally.rows:
                faults.check_first(loss, output, value, y, getattr(data, "y", y))
            tally.add(len(x) if share else 0, value, output, y, metrics)
    if not tally.rows:
        raise ValueError("the data to evaluate is empty: it yielded no batches")
    return tally.means(tally.read(), ["loss", *metrics], world, device)


class _Tally:
    """Numbers of an epoch that stay on the device until its end."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.rows: list[list[Tensor]] = []

    def add(
        self, size: int, value: Tensor, output: Tensor, y: Tensor, metrics: dict[str, Metric]
    ) -> None:
        row = [value.detach()]
        if metrics:
            with torch.no_grad():
                row += [as_scalar(f(output, y), name, y.device) for name, f in metrics.items()]
        self.sizes.append(size)
        self.rows.append(row)

    def read(self) -> list[list[float]]:
        """Return one list a column; waits for the device once each."""
        return [torch.stack(column).tolist() for column in zip(*self.rows, strict=True)]

    def means(
        self, columns: list[list[float]], names: list[str], world: int, device: torch.device
    ) -> dict[str, float]:
        """Return means over samples, of all processes."""
        pairs = [[(n, v) for n, v in zip(self.sizes, c, strict=True) if n] for c in columns]
        sums = [fsum(n * v for n, v in pair) for pair in pairs] + [float(sum(self.sizes))]
        if world > 1:
            total = torch.tensor(sums, dtype=torch.float64, device=device)
            dist.all_reduce(total)
            sums = total.tolist()
        return {name: s / sums[-1] for name, s in zip(names, sums[:-1], strict=True)}


def _close(
    tally: _Tally,
    norms: list[Tensor],
    metrics: dict[str, Metric],
    epoch: int,
    scaled: bool,
    world: int,
    device: torch.device,
) -> dict[str, float]:
    """Read the epoch's numbers, for the first time, and refuse nan and infinity."""
    if not tally.rows:
        raise ValueError(
            "train is empty: it yielded no batches"
            if epoch == 1
            else f"train yielded no batches in epoch {epoch}: it can be read only once; pass "
            "something that starts anew each epoch, e.g. a list of batches or a DataLoader"
        )
    columns = tally.read()
    norm = nn.utils.rnn.pad_sequence(norms, batch_first=True).norm(dim=1).tolist()
    if scaled:  # the scaler skips updates whose gradient overflows: no fault, no part of the mean
        norm = [n for n in norm if isfinite(n)]
    bad = faults.first_bad([("loss", columns[0]), ("gradient norm", norm)])
    row = tally.means(columns, [f"train_{name}" for name in ("loss", *metrics)], world, device)
    if bad is not None or not isfinite(row["train_loss"]):
        batch, name, value = bad or (None, "loss", row["train_loss"])
        raise DivergedError(_diverged(epoch, batch, name, value))
    return row | {"grad_norm": fsum(norm) / len(norm) if norm else float("nan")}


def _diverged(epoch: int, batch: int | None, name: str, value: float) -> str:
    where = f"epoch {epoch}" if batch is None else f"epoch {epoch}, batch {batch + 1}"
    return (
        f"the {name} is {value} in {where}; the model has the weights of the last whole epoch. "
        "Try a smaller learning rate or clip_norm, and look for nan in the data"
    )


def _forward(network: nn.Module, loss: Loss | None, x: Tensor, y: Tensor) -> tuple[Any, Any]:
    try:
        output = network(x)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        explained = faults.model_failed(error, network, x)
        if explained is error:
            raise
        raise explained from error
    if loss is None:
        return output, None
    try:
        return output, loss(output, y)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        explained = faults.loss_failed(error, loss, output, y)
        if explained is error:
            raise
        raise explained from error


def _norms(parameters: list[nn.Parameter], clip: float | None) -> Tensor:
    """Return the gradient's norm in one piece or one a tensor (the cheapest public way)."""
    if clip is not None:
        return nn.utils.clip_grad_norm_(parameters, clip).detach().reshape(1)
    grads = [p.grad for p in parameters if p.grad is not None]
    return torch.stack([torch.linalg.vector_norm(g) for g in grads])


def _part(
    batch: Any, rank: int, world: int, device: torch.device, name: str
) -> tuple[Tensor, Tensor, float]:
    """Put this process's part of a batch on the device; its weight is 1 on average.

    A process for which nothing is left gets one sample of weight 0, because all
    must take part in every update.
    """
    x, y = faults.check_pair(batch, name)
    share = 1.0
    if world > 1:
        n = len(x)
        low, high = rank * n // world, (rank + 1) * n // world
        share = (high - low) * world / n
        x, y = (t[low:high] if share else t[:1] for t in (x, y))
    return x.to(device, non_blocking=True), y.to(device, non_blocking=True), share


def _prepare(
    data: Any,
    batch_size: int,
    device: torch.device,
    *,
    shuffle: bool = False,
    seed: int | None = None,
    name: str = "train",
) -> Iterable[Any]:
    from torch.utils.data.distributed import DistributedSampler

    batches = as_batches(data, batch_size, shuffle=shuffle, seed=seed, name=name)
    if isinstance(getattr(batches, "sampler", None), DistributedSampler):
        raise ValueError(
            f"{name} splits its samples over the processes, and so does fit: "
            "pass a loader without DistributedSampler"
        )
    return batches.to(device) if isinstance(batches, Batches) else batches


def _shared(seed: int | None, world: int) -> int | None:
    """Return one seed for the order of samples in all processes."""
    if world == 1 or seed is not None:
        return seed
    drawn = [int(torch.randint(2**31, ()))]
    dist.broadcast_object_list(drawn)
    return drawn[0]


def _device_of(model: nn.Module) -> torch.device:
    tensor = next(iter(model.parameters()), next(iter(model.buffers()), torch.empty(0)))
    return tensor.device


def _move(
    model: nn.Module, optimizer: Optimizer, loss: Loss, device: Device | None
) -> torch.device:
    """Move model, optimizer state and loss, once; return where to."""
    here = _device_of(model)
    if device is None:
        device = here if here.type != "cpu" else runtime.pick_device()
    device = torch.device(device)
    model.to(device)
    if isinstance(loss, nn.Module):
        loss.to(device)
    if optimizer.state and here != device:
        optimizer.load_state_dict(optimizer.state_dict())  # casts the state to its parameters
    return device


def _precision(amp: str | None, device: torch.device) -> tuple[AbstractContextManager[Any], Any]:
    """Return the autocast context, and a gradient scaler where fp16 needs one."""
    if amp is None:
        return nullcontext(), None
    if amp not in ("bf16", "fp16"):
        raise ValueError(f"amp must be 'bf16', 'fp16' or None, got {amp!r}")
    dtype = torch.bfloat16 if amp == "bf16" else torch.float16
    scaler = torch.amp.GradScaler(device.type) if amp == "fp16" else None
    return torch.autocast(device.type, dtype), scaler


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Put `model` into ``eval()``, and each of its layers back into its own mode afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _training(model: nn.Module) -> Iterator[None]:
    """Put a model that is in ``eval()`` as a whole into ``train()``, and back afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    if not model.training:
        model.train()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _weights(model: nn.Module) -> Weights:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _bar(show: bool, epochs: int, done: int, batches: int | None) -> Any:
    from tqdm.auto import tqdm

    total = None if batches is None else epochs * batches
    first = 0 if batches is None else done * batches
    return tqdm(total=total, initial=first, unit="batch", disable=not show, dynamic_ncols=True)


def _step_epoch(scheduler: Any, monitored: float) -> None:
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        scheduler.step(monitored)
    else:
        scheduler.step()


def _save(
    path: str | os.PathLike[str],
    history: History,
    weights: Weights,
    best: Weights,
    parts: dict[str, Any],
    train: Any,
) -> None:
    generator = getattr(train, "generator", None)
    files.save(
        path,
        {
            "model": weights,
            "best": best,
            "rows": history.rows,
            "order": None if generator is None else generator.get_state(),
            "random": files.random_state(),
            **{name: part and part.state_dict() for name, part in parts.items()},
            "kinds": {name: type(part).__name__ for name, part in parts.items()},
        },
    )


def _resume(
    path: str | os.PathLike[str],
    resume: bool,
    model: nn.Module,
    parts: dict[str, Any],
    train: Any,
) -> tuple[list[dict[str, float]], Weights] | None:
    """Put a run back to where its checkpoint was written; None where there is none."""
    if not Path(path).exists():
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"no folder for the checkpoint {os.fspath(path)!r}: make it")
        return None
    if not resume:
        raise FileExistsError(
            f"the checkpoint {os.fspath(path)!r} exists: pass resume=True to go on from it, "
            "or delete it to start afresh"
        )
    state = files.load(path)
    missing = {"model", "best", "rows", "order", "random", "kinds", *parts} - state.keys()
    if missing:
        raise ValueError(f"{os.fspath(path)!r} is no checkpoint of fit: it lacks {sorted(missing)}")
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    other = {name: tuple(value.shape) for name, value in state["model"].items()}
    if shapes != other:
        differ = sorted(n for n in shapes | other if shapes.get(n) != other.get(n))
        raise ValueError(
            f"{os.fspath(path)!r} is a checkpoint of another model: {', '.join(differ)} differ; "
            "build the model that it was written with, or choose another path"
        )
    for name, part in parts.items():
        if state["kinds"][name] != type(part).__name__:
            raise ValueError(
                f"{os.fspath(path)!r} was written with {name} {state['kinds'][name]}, but this run "
                f"has {type(part).__name__}: pass the same, or choose another path"
            )
    model.load_state_dict(state["model"])
    for name, part in parts.items():
        if part is not None:
            part.load_state_dict(state[name])
    if state["order"] is not None and getattr(train, "generator", None) is not None:
        train.generator.set_state(state["order"])
    files.set_random_state(state["random"])
    return state["rows"], state["best"]
