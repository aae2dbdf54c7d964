"""Where the code runs and where its random numbers come from.

Nothing here knows about models, data or training.
"""

import random

import numpy as np
import torch


def pick_device() -> torch.device:
    """Return the best device that is here: CUDA, then XPU, then MPS, then the CPU.

    Examples
    --------
    >>> pick_device().type in {"cuda", "xpu", "mps", "cpu"}
    True
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        return torch.device("xpu")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators, on every device.

    The same seed gives the same numbers on one machine and one version of the
    libraries. torch does not promise equal numbers across versions or devices
    (`PyTorch: Reproducibility <https://docs.pytorch.org/docs/stable/notes/randomness.html>`_).

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, the range that NumPy takes.

    Raises
    ------
    TypeError
        If `seed` is not an integer.
    ValueError
        If `seed` is outside the range.

    Examples
    --------
    >>> seed_everything(3)
    >>> first = torch.rand(2)
    >>> seed_everything(3)
    >>> torch.equal(first, torch.rand(2))
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be an integer, not {type(seed).__name__}: pass e.g. seed=0")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be between 0 and 2**32 - 1, got {seed}")
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002  chapters may use code that draws from it
    torch.manual_seed(int(seed))
