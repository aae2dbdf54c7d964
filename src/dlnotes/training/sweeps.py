"""Many training runs of one model as one batched computation.

Runs that differ in seed and learning rate share every operation: their parameters are
stacked along a leading axis and ``torch.func.vmap`` carries it through model, loss and
gradient; `scratch.optimizers` take one learning rate a run. On a small network that is
several times faster than the runs one after the other, and gives the same numbers.
"""

import inspect
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from dlnotes import runtime
from dlnotes.scratch.optimizers import Optimizer
from dlnotes.training.arguments import check_counts, check_loss
from dlnotes.training.batches import Batches, generator_of
from dlnotes.training.forward import loss_of, mode, output_of
from dlnotes.training.inplace import in_place
from dlnotes.training.losses import Loss
from dlnotes.training.metrics import Metric, Metrics, named
from dlnotes.training.place import find
from dlnotes.training.stacks import Stack, losses_per_run

if TYPE_CHECKING:
    import pandas as pd

CHUNK_VALUES = 2**25  # parameters of all runs in a chunk: 128 MiB in float32, and as much a moment


def sweep(
    model: Callable[..., nn.Module],
    train: tuple[Tensor, Tensor],
    val: tuple[Tensor, Tensor] | None = None,
    *,
    loss: Loss,
    optimizer: Callable[..., Optimizer],
    grid: Mapping[str, Iterable[Any]],
    epochs: int,
    seeds: Iterable[int] = range(5),
    batch_size: int = 32,
    metrics: Metrics = (),
    schedule: Callable[[int], float] | None = None,
    chunk: int | None = None,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> "pd.DataFrame":
    """Train every combination of `grid` and `seeds`; return one row a run and epoch.

    A run of seed s has the numbers, up to rounding, of ::

        seed_everything(s)
        network = model()
        fit(network, Batches(x, y, batch_size, seed=s), val, ...)

    so runs of one seed share initial weights and the order of samples. Dropout draws
    other masks than `fit` would, for each run its own. A run that diverges goes on with nan.

    Parameters
    ----------
    model : callable
        Returns a new network; called once for each seed.
    train, val : (Tensor, Tensor)
        Inputs and targets.
    loss : callable
        ``loss(output, target)``, the mean over the batch.
    optimizer : callable
        Returns an update rule, e.g. ``scratch.optimizers.adam``.
    grid : mapping of str to iterable
        ``"lr"``, ``"batch_size"``, and names of arguments of `optimizer` and `model`,
        each with its values. Learning rates and seeds are batched; every combination of
        the others is a batch of its own.
    epochs : int
        Passes over `train`.
    seeds : iterable of int
        One run each for every combination.
    batch_size : int
        Where `grid` does not hold it.
    metrics : str, callable, or several
        As for `fit`; measured on `val`.
    schedule : callable, optional
        ``schedule(step)``, the factor on the learning rate at update ``step``, from 0.
    chunk : int, optional
        Most runs at a time; by default as many as keep their parameters below 128 MiB.
    device : torch.device or str, optional
        `runtime.pick_device` if not given.
    progress : bool
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        Columns: those of `grid`, ``seed``, ``epoch`` (from 1), ``train_loss``, and with
        `val` ``val_loss`` and ``val_<metric>``.

    Raises
    ------
    ValueError, TypeError
        If the grid names something unknown or is empty, a learning rate is negative, or
        the model cannot be batched (see `torch.func
        <https://docs.pytorch.org/docs/stable/func.ux_limitations.html>`_): it reads a
        number with ``.item()``, branches on values, or has a recurrent layer of torch.

    Examples
    --------
    >>> from dlnotes.scratch.optimizers import gd
    >>> x = torch.linspace(-1, 1, 64).unsqueeze(1)
    >>> frame = sweep(
    ...     lambda: nn.Linear(1, 1),
    ...     (x, 3 * x + 1),
    ...     loss=nn.MSELoss(),
    ...     optimizer=gd,
    ...     grid={"lr": [0.001, 0.1]},
    ...     seeds=range(3),
    ...     epochs=10,
    ...     device="cpu",
    ...     progress=False,
    ... )
    >>> last = frame[frame["epoch"] == 10]
    >>> float(last.groupby("lr")["train_loss"].median().idxmin())
    0.1
    """
    import pandas as pd
    from tqdm.auto import tqdm

    if not isinstance(grid, Mapping):
        raise TypeError(f'grid must be a mapping like {{"lr": [0.01, 0.1]}}, got {grid!r}')
    values = {name: _several(f"grid[{name!r}]", column) for name, column in grid.items()}
    for size in values.get("batch_size", [batch_size]):
        check_counts(epochs=epochs, chunk=chunk, batch_size=size)
    check_loss(loss)
    seeds, measures = _several("seeds", seeds), named(metrics)
    _check_grid(values, seeds, model, optimizer)
    place = find(runtime.pick_device() if device is None else device)
    task = _Task(
        _pair(train, "train", place),
        None if val is None else _pair(val, "val", place),
        loss.to(place) if isinstance(loss, nn.Module) else loss,
        *(epochs, measures, schedule),
    )
    others = [name for name in values if name != "lr"]
    combinations = list(itertools.product(*(values[name] for name in others)))
    rows: list[dict[str, Any]] = []
    total = len(combinations) * len(values["lr"]) * len(seeds) * epochs
    with tqdm(total=total, unit="epoch", disable=not progress, dynamic_ncols=True) as bar:
        for combination in combinations:
            fixed = dict(zip(others, combination, strict=True))
            size = fixed.get("batch_size", batch_size)
            rule = in_place(optimizer, **_arguments(optimizer, fixed))
            networks = {}
            for seed in seeds:
                runtime.seed_everything(seed)
                networks[seed] = model(**_arguments(model, fixed)).to(place)
            _try(networks[seeds[0]], task, size)
            runs = [{**fixed, "lr": lr, "seed": s} for lr in values["lr"] for s in seeds]
            count = sum(p.numel() for p in networks[seeds[0]].parameters())
            at_once = chunk or max(1, CHUNK_VALUES // max(1, count))
            for first in range(0, len(runs), at_once):
                part = runs[first : first + at_once]
                stack = Stack([networks[run["seed"]] for run in part])
                rows += _train(task, part, stack, rule, size, bar)
    columns = [*values, "seed", "epoch"]
    frame = pd.DataFrame(rows)
    frame = frame[columns + [c for c in frame.columns if c not in columns]]
    return frame.sort_values(columns, ignore_index=True)


@dataclass(frozen=True)
class _Task:
    """What all runs of a sweep share."""

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor] | None
    loss: Loss
    epochs: int
    metrics: dict[str, Metric]
    schedule: Callable[[int], float] | None


def _train(
    task: _Task,
    runs: list[dict[str, Any]],
    stack: Stack,
    rule: Optimizer,
    size: int,
    bar: Any,
) -> list[dict[str, Any]]:
    """Train `runs` together and return their rows."""
    (x, y), val = task.train, task.val
    dtype = next(iter(stack.params.values())).dtype
    rates = torch.tensor([float(run["lr"]) for run in runs], dtype=dtype, device=x.device)
    orders = {run["seed"]: generator_of(run["seed"]) for run in runs}
    losses_of = losses_per_run(task.loss, [y] if val is None else [y, val[1]])
    scores = {name: vmap(metric, in_dims=(0, None)) for name, metric in task.metrics.items()}

    state, step, rows = rule.init(stack.params), 0, []
    for epoch in range(1, task.epochs + 1):
        total = torch.zeros_like(rates)
        order = {seed: torch.randperm(len(x), generator=draw) for seed, draw in orders.items()}
        samples = torch.stack([order[run["seed"]] for run in runs]).to(x.device)
        with mode(stack.base, training=True):
            for index in torch.split(samples, size, dim=1):
                try:
                    losses = losses_of(stack.outputs(x[index]), y[index])
                except (RuntimeError, ValueError, IndexError, NotImplementedError) as error:
                    raise ValueError(
                        "the model works alone but cannot be batched over runs: "
                        f"{str(error).splitlines()[0]} Train it with fit, one run after the other"
                    ) from error
                lr = rates if task.schedule is None else rates * task.schedule(step)
                grads = stack.gradients(losses)
                with torch.no_grad():
                    params, state = rule.update(grads, state, stack.params, lr)
                stack.params = {name: value.requires_grad_() for name, value in params.items()}
                total.add_(losses.detach(), alpha=index.shape[1] / len(x))
                step += 1
        columns = [("train_loss", total)]
        if val is not None:
            with mode(stack.base, training=False), torch.inference_mode():
                output = stack.outputs_for_all(val[0])
                targets = val[1].expand(len(runs), *val[1].shape)
                columns.append(("val_loss", losses_of(output, targets)))
                columns += [(f"val_{k}", score(output, val[1])) for k, score in scores.items()]
        numbers = [(name, column.tolist()) for name, column in columns]  # once an epoch
        for k, run in enumerate(runs):
            rows.append({**run, "epoch": epoch, **{name: column[k] for name, column in numbers}})
        bar.update(len(runs))
    return rows


def _try(network: nn.Module, task: _Task, size: int) -> None:
    """Refuse what does not fit, at one batch; batch norm's statistics stay as they are."""
    x, y = task.train
    with mode(network, training=False):
        loss_of(task.loss, output_of(network, x[:size]), y[:size], y)


def _arguments(function: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `values` that `function` takes by name."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in values.items() if name in known}


def _several(name: str, given: Any) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        one = f"range({given})" if name == "seeds" else f"[{given!r}]"
        raise TypeError(f"{name} must hold several values, got {given!r}: pass e.g. {one}")
    return list(given)


def _check_grid(
    values: dict[str, list[Any]],
    seeds: list[int],
    model: Callable[..., nn.Module],
    optimizer: Callable[..., Optimizer],
) -> None:
    if isinstance(model, nn.Module):
        raise TypeError("model must be a function that returns a new network: pass lambda: ...")
    if inspect.isclass(optimizer) or not callable(optimizer):  # torch.optim.Adam; adam()
        raise TypeError(
            "optimizer must be a function that returns an update rule: pass e.g. "
            "scratch.optimizers.adam, without calling it"
        )
    if "lr" not in values:
        raise ValueError('the grid needs learning rates: add "lr"')
    if not seeds:
        raise ValueError("seeds is empty: pass e.g. range(5)")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds repeat: {seeds}")
    known = {"lr", "batch_size"}
    known |= inspect.signature(optimizer).parameters.keys()
    known |= inspect.signature(model).parameters.keys()
    for name, column in values.items():
        if name not in known:
            raise ValueError(
                f"the grid names {name!r}, which neither the optimizer nor the model takes: "
                f"choose from {sorted(known)}"
            )
        if not column:
            raise ValueError(f"the grid has no values for {name!r}")
    for rate in values["lr"]:
        if not 0 <= float(rate) < math.inf:
            raise ValueError(f"a learning rate must be finite and not negative, got {rate}")


def _pair(pair: Any, name: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return inputs and targets on the device; refuse what is not tensors of one length."""
    if not (isinstance(pair, tuple | list) and len(pair) == 2):
        raise TypeError(f"{name} must be a pair (x, y) of tensors, not {type(pair).__name__}")
    moved = Batches(*pair).to(device)
    return moved.x, moved.y
