"""Where the code runs and where its random numbers come from.

Nothing here knows about models, data or training.
"""

import atexit
import os
import random

import numpy as np
import torch
import torch.distributed as dist


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


def set_tf32(enabled: bool) -> None:
    """Choose whether NVIDIA GPUs may round float32 products to TF32's 10-bit mantissa.

    TF32 is several times faster from the Ampere generation on and has a relative error
    of about 1e-3 a product. torch's own defaults are mixed: off for matrix products,
    on for cuDNN's convolutions. The course's numbers are made without it. Nothing
    changes on other devices
    (`PyTorch: CUDA semantics <https://docs.pytorch.org/docs/stable/notes/cuda.html>`_).

    Parameters
    ----------
    enabled : bool
        For matrix products and convolutions alike.

    Examples
    --------
    >>> set_tf32(False)
    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    torch.set_float32_matmul_precision("high" if enabled else "highest")
    torch.backends.cudnn.allow_tf32 = enabled


def processes() -> tuple[int, int]:
    """Return the rank of this process and how many there are: (0, 1) outside ``torchrun``.

    Under ``torchrun`` the first call joins the process group, over NCCL where each
    process has a CUDA device of its own (and takes it) and over gloo otherwise.

    Examples
    --------
    >>> processes()
    (0, 1)
    """
    if not dist.is_available():
        return 0, 1
    if not dist.is_initialized():
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return 0, 1
        here = int(os.environ.get("LOCAL_RANK", "0"))
        own_gpu = torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if own_gpu and torch.cuda.is_available():
            torch.cuda.set_device(here)
            dist.init_process_group("nccl")
        else:
            dist.init_process_group("gloo")
        atexit.register(dist.destroy_process_group)
    return dist.get_rank(), dist.get_world_size()
