"""Where a model and its batches go: device, precision, and share of each process.

Nothing here trains.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from dlnotes import faults, runtime
from dlnotes.batches import Batches, as_batches

Device = torch.device | str


def part(
    batch: Any, rank: int, world: int, device: torch.device, name: str | None
) -> tuple[Tensor, Tensor, float]:
    """Put this process's part of a batch on the device; its weight is 1 on average.

    A process for which nothing is left gets one sample of weight 0, because all
    must take part in every update. `name` says whose batch it is in errors; None stands
    for `Batches`, whose pairs need no check.
    """
    x, y = batch if name is None else faults.check_pair(batch, name)
    share = 1.0
    if world > 1:
        n = x.shape[0]
        low, high = rank * n // world, (rank + 1) * n // world
        share = (high - low) * world / n
        x, y = (t[low:high] if share else t[:1] for t in (x, y))
    if x.device != device or y.device != device:
        x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
    return x, y, share


def name_of(data: Any, name: str) -> str | None:
    """Return what `part` takes as its name for batches of `data`."""
    return None if isinstance(data, Batches) else name


def prepare(
    data: Any,
    batch_size: int,
    device: torch.device,
    *,
    shuffle: bool = False,
    seed: int | None = None,
    name: str = "train",
) -> Iterable[Any]:
    """Return `data` as something that yields batches each epoch, on the device if it is small."""
    from torch.utils.data.distributed import DistributedSampler

    batches = as_batches(data, batch_size, shuffle=shuffle, seed=seed, name=name)
    if isinstance(getattr(batches, "sampler", None), DistributedSampler):
        raise ValueError(
            f"{name} splits its samples over the processes, and so does fit: "
            "pass a loader without DistributedSampler"
        )
    return batches.to(device) if isinstance(batches, Batches) else batches


def shared_seed(seed: int | None, world: int) -> int | None:
    """Return one seed for the order of samples in all processes."""
    if world == 1 or seed is not None:
        return seed
    drawn = [int(torch.randint(2**31, ()))]
    dist.broadcast_object_list(drawn)
    return drawn[0]


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter or buffer; the CPU if it has none."""
    tensor = next(iter(model.parameters()), next(iter(model.buffers()), torch.empty(0)))
    return tensor.device


def move(
    model: nn.Module, optimizer: Optimizer | None, loss: Any, device: Device | None
) -> torch.device:
    """Move model, optimizer state and loss, once; return where to."""
    here = device_of(model)
    if device is None:
        device = here if here.type != "cpu" else runtime.pick_device()
    device = torch.device(device)
    model.to(device)
    if isinstance(loss, nn.Module):
        loss.to(device)
    if optimizer is not None and optimizer.state and here != device:
        optimizer.load_state_dict(optimizer.state_dict())  # casts the state to its parameters
    return device


def precision(amp: str | None, device: torch.device) -> tuple[AbstractContextManager[Any], Any]:
    """Return the autocast context, and a gradient scaler where fp16 needs one."""
    if amp is None:
        return nullcontext(), None
    if amp not in ("bf16", "fp16"):
        raise ValueError(f"amp must be 'bf16', 'fp16' or None, got {amp!r}")
    dtype = torch.bfloat16 if amp == "bf16" else torch.float16
    scaler = torch.amp.GradScaler(device.type) if amp == "fp16" else None
    return torch.autocast(device.type, dtype), scaler
