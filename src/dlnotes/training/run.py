"""What a run keeps: its history, its best and its last good weights, and its checkpoint."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch import Tensor, nn

from dlnotes.training import checkpoints
from dlnotes.training.history import History, Row
from dlnotes.training.place import Place

Weights = dict[str, Tensor]


class DivergedError(ValueError):
    """The loss or the gradient became nan or infinite."""


class Run:
    """A run of `model` that can stop and go on.

    `parts` are the objects beside the model that have a state (optimizer, scheduler,
    scaler; None where there is none); `train` may have a ``generator`` of its order.
    """

    def __init__(
        self,
        model: nn.Module,
        parts: dict[str, Any],
        train: Any,
        place: Place,
        *,
        patience: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.model, self.parts, self.place = model, parts, place
        self.generator = getattr(train, "generator", None)
        self.patience, self.checkpoint = patience, checkpoint
        self.history = History()
        self.good = self.best = weights_of(model)
        self.lowest = inf

    @property
    def steps(self) -> int:
        """The updates made in the epochs that are in the history."""
        return int(self.history.rows[-1]["step"]) if len(self.history) else 0

    def epochs(self, last: int) -> Iterator[int]:
        """Yield the epochs that are left, up to `last` or until patience runs out."""
        for epoch in range(len(self.history) + 1, last + 1):
            if self.patience and len(self.history) - self.history.best_epoch >= self.patience:
                self.history.stopped = "early"
                return
            yield epoch

    def add(self, row: Row) -> float:
        """Keep an epoch's row and weights; return the number that decides which is best."""
        self.history.rows.append(row)
        self.good = weights_of(self.model)
        monitored = row[self.history.monitor]
        if monitored < self.lowest:
            self.lowest, self.best = monitored, self.good
        return monitored

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Leave the model with the weights that it should have, however the run ends."""
        try:
            yield
        except KeyboardInterrupt:
            self.model.load_state_dict(self.best)
            self.history.stopped = "interrupted"
            if self.place.world > 1:
                raise  # the other processes are waiting for this one
        except Exception as error:
            if isinstance(error, DivergedError):
                self.model.load_state_dict(self.good)
            error.__dict__["history"] = self.history
            raise
        else:
            if self.patience:
                self.model.load_state_dict(self.best)

    def save(self) -> None:
        """Write the checkpoint, if there is one; every process calls it, the first one writes."""
        if self.checkpoint is None:
            return
        states = [checkpoints.random_state()] * self.place.world
        if self.place.world > 1:
            dist.all_gather_object(states, checkpoints.random_state())
        if self.place.rank > 0:
            return
        state = {
            "model": self.good,
            "best": self.best,
            "rows": self.history.rows,
            "order": None if self.generator is None else self.generator.get_state(),
            "random": states,
            "kinds": {name: type(part).__name__ for name, part in self.parts.items()},
            **{name: part and part.state_dict() for name, part in self.parts.items()},
        }
        checkpoints.save(self.checkpoint, state)

    def start(self, resume: bool) -> None:
        """Go back to where the checkpoint was written; from the beginning where there is none.

        Raises
        ------
        FileExistsError
            If there is a file and `resume` is False.
        FileNotFoundError
            If the file's folder does not exist.
        ValueError
            If the file is not a checkpoint of this model, optimizer and scheduler.
        """
        if self.checkpoint is None:
            return
        path = os.fspath(self.checkpoint)
        if not Path(path).exists():
            if not Path(path).absolute().parent.is_dir():
                raise FileNotFoundError(f"no folder for the checkpoint {path!r}: make it")
            return
        if not resume:
            raise FileExistsError(
                f"the checkpoint {path!r} exists: pass resume=True to go on from it, "
                "or delete it to start afresh"
            )
        state = checkpoints.load(path)
        self._check(state, path)
        self.model.load_state_dict(state["model"])
        for name, part in self.parts.items():
            if part is not None:
                part.load_state_dict(state[name])
        if state["order"] is not None and self.generator is not None:
            self.generator.set_state(state["order"])
        if len(state["random"]) == self.place.world:
            checkpoints.set_random_state(state["random"][self.place.rank])
        self.history, self.best = History(state["rows"]), state["best"]
        self.lowest = min((row[self.history.monitor] for row in self.history.rows), default=inf)
        self.good = weights_of(self.model)

    def _check(self, state: dict[str, Any], path: str) -> None:
        """Refuse the checkpoint of another run."""
        keys = {"model", "best", "rows", "order", "random", "kinds", *self.parts}
        if missing := keys - state.keys():
            raise ValueError(f"{path!r} is no checkpoint of fit: it lacks {sorted(missing)}")
        shapes = {name: tuple(value.shape) for name, value in self.good.items()}
        other = {name: tuple(value.shape) for name, value in state["model"].items()}
        if shapes != other:
            differ = sorted(n for n in shapes | other if shapes.get(n) != other.get(n))
            raise ValueError(
                f"{path!r} is a checkpoint of another model: {', '.join(differ)} differ; "
                "build the model that it was written with, or choose another path"
            )
        for name, part in self.parts.items():
            if state["kinds"][name] != type(part).__name__:
                raise ValueError(
                    f"{path!r} was written with {name} {state['kinds'][name]}, but this run "
                    f"has {type(part).__name__}: pass the same, or choose another path"
                )


def weights_of(model: nn.Module) -> Weights:
    """Return copies of all that `model` holds."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
