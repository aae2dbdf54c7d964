"""Files that hold a run so that it can go on: written whole or not at all.

`save` and `load` take any plain state; `save_run` and `resume_run` know what `training.fit`
needs to go on as if it had never stopped.
"""

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from dlnotes import runtime
from dlnotes.history import History


def save(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write `state` so that `path` holds either the old or the new file, never a part.

    The new file is written beside the old one, forced to the disk, and renamed over it.

    Raises
    ------
    OSError
        If it cannot be written; an older file is then still whole.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder, "run.pt"), {"epoch": 3})
    ...     load(Path(folder, "run.pt"))
    {'epoch': 3}
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        part.unlink(missing_ok=True)
        old = "; the older checkpoint there is whole" if path.exists() else ""
        raise OSError(
            f"cannot write the checkpoint {str(path)!r}: {error}{old}. "
            "Free some space or choose another path"
        ) from error
    if os.name == "posix":  # the rename itself must reach the disk too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `save` wrote, on the CPU, running no code that the file may hold.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a checkpoint, or holds more than tensors and plain values.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint {os.fspath(path)!r}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{os.fspath(path)!r} is not a checkpoint that can be read") from error
    if not isinstance(state, dict):
        raise ValueError(f"{os.fspath(path)!r} holds a {type(state).__name__}, not a checkpoint")
    return state


def random_state() -> dict[str, Any]:
    """Return the state of the global generators of Python, NumPy and torch."""
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Put back what `random_state` returned; CUDA's only where the devices are as many."""
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all(state["cuda"])


def save_run(
    path: str | os.PathLike[str],
    history: History,
    weights: dict[str, Tensor],
    best: dict[str, Tensor],
    parts: dict[str, Any],
    train: Any,
) -> None:
    """Write all that `resume_run` needs; every process calls it and the first one writes.

    `parts` are the objects beside the model that have a state (optimizer, scheduler,
    scaler; None where there is none); `train` may have a ``generator`` of its order.
    """
    generator = getattr(train, "generator", None)
    rank, world = runtime.processes()
    states = [random_state()] * world
    if world > 1:
        dist.all_gather_object(states, random_state())
    if rank > 0:
        return
    save(
        path,
        {
            "model": weights,
            "best": best,
            "rows": history.rows,
            "order": None if generator is None else generator.get_state(),
            "random": states,
            **{name: part and part.state_dict() for name, part in parts.items()},
            "kinds": {name: type(part).__name__ for name, part in parts.items()},
        },
    )


def resume_run(
    path: str | os.PathLike[str],
    resume: bool,
    model: nn.Module,
    parts: dict[str, Any],
    train: Any,
) -> tuple[History, dict[str, Tensor] | None]:
    """Put a run back to where `save_run` wrote it; return its history and best weights.

    Where there is no file, the history is empty and there are no weights.

    Raises
    ------
    FileExistsError
        If there is a file and `resume` is False.
    FileNotFoundError
        If the file's folder does not exist.
    ValueError
        If the file is not a checkpoint of this model, optimizer and scheduler.
    """
    if not Path(path).exists():
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"no folder for the checkpoint {os.fspath(path)!r}: make it")
        return History(), None
    if not resume:
        raise FileExistsError(
            f"the checkpoint {os.fspath(path)!r} exists: pass resume=True to go on from it, "
            "or delete it to start afresh"
        )
    state = load(path)
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
    rank, world = runtime.processes()
    if len(state["random"]) == world:
        set_random_state(state["random"][rank])
    return History(state["rows"]), state["best"]
