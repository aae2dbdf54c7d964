"""Files that hold a state so that a run can go on: written whole or not at all.

Nothing here knows what a run is.
"""

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch


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
