"""Where a run happens: its device, its precision, and this process among how many."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from dlnotes import runtime

Device = torch.device | str


@dataclass(frozen=True)
class Place:
    """A device, the context that a network runs in there, and the processes that share a run."""

    device: torch.device
    autocast: AbstractContextManager[Any]
    scaler: Any = None
    rank: int = 0
    world: int = 1

    def share(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, int, float]:
        """Put this process's part of a batch on the device.

        Returns ``(x, y, samples, weight)``; the weight is 1 on average over processes. A
        process for which nothing is left gets one sample that does not count, because all
        must take part in every update.
        """
        samples, weight = x.shape[0], 1.0
        if self.world > 1:
            whole = samples
            low, high = self.rank * whole // self.world, (self.rank + 1) * whole // self.world
            samples = high - low
            weight = samples * self.world / whole
            x, y = (t[low:high] if samples else t[:1] for t in (x, y))
        if x.device != self.device or y.device != self.device:
            x, y = x.to(self.device, non_blocking=True), y.to(self.device, non_blocking=True)
        return x, y, samples, weight

    def agree(self, seed: int | None) -> int | None:
        """Return one seed for the order of samples in all processes."""
        if self.world == 1 or seed is not None:
            return seed
        drawn = [int(torch.randint(2**31, ()))]
        dist.broadcast_object_list(drawn)
        return drawn[0]

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return what to call in training: `model`, averaging gradients over processes."""
        return nn.parallel.DistributedDataParallel(model) if self.world > 1 else model


def settle(
    model: nn.Module,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    *,
    device: Device | None = None,
    amp: str | None = None,
    processes: tuple[int, int] = (0, 1),
) -> Place:
    """Move model, loss and optimizer state, once; return where to.

    Without `device`: where the model is if that is an accelerator, else
    `runtime.pick_device`.

    Raises
    ------
    ValueError
        If there is no such device here, or `amp` is unknown.
    """
    if amp not in ("bf16", "fp16", None):
        raise ValueError(f"amp must be 'bf16', 'fp16' or None, got {amp!r}")
    here = device_of(model)
    if device is None:
        device = here if here.type != "cpu" else runtime.pick_device()
    device = find(device)
    model.to(device)
    if isinstance(loss, nn.Module):
        loss.to(device)
    if optimizer is not None and optimizer.state and here != device:
        optimizer.load_state_dict(optimizer.state_dict())  # casts the state to its parameters
    if amp is None:
        return Place(device, nullcontext(), None, *processes)
    autocast = torch.autocast(device.type, torch.bfloat16 if amp == "bf16" else torch.float16)
    scaler = torch.amp.GradScaler(device.type) if amp == "fp16" else None
    return Place(device, autocast, scaler, *processes)


def find(device: Device) -> torch.device:
    """Return the device that `device` names, with its number, if it is here.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    try:
        return torch.empty(0, device=torch.device(device)).device
    except (RuntimeError, AssertionError, TypeError) as error:  # a build without CUDA asserts
        raise ValueError(
            f"there is no device {str(device)!r} here: leave device out to take the best one "
            f"({runtime.pick_device()})"
        ) from error


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter or buffer; the CPU if it has none."""
    tensor = next(iter(model.parameters()), next(iter(model.buffers()), torch.empty(0)))
    return tensor.device
