"""Mini-batches sliced from tensors on the device.

Nothing here knows about data sets or models.
"""

import copy
from collections.abc import Iterable, Iterator
from itertools import islice
from math import prod

import torch
from torch import Tensor

DEVICE_SHARE = 0.5  # of a device's free memory that `Batches.to` lets the data take
GATHERED = 2**16  # input values that `Batches` copies at a time: a quarter of a MiB stays in cache


class Batches:
    """Mini-batches sliced from tensors, in a new order each epoch.

    Each iteration is one epoch: it draws a permutation on the CPU, so that the same
    seed gives the same order on every device, and slices it. That is about a
    hundred times cheaper than collating sample by sample in a ``DataLoader``.

    Parameters
    ----------
    x : Tensor
        Inputs, shape ``(samples, ...)``.
    y : Tensor, optional
        Targets, shape ``(samples, ...)``. Without them the inputs are the targets,
        as an autoencoder needs.
    batch_size : int
        Samples in a batch.
    shuffle : bool
        Draw a new order each epoch; otherwise keep the order of `x`.
    drop_last : bool
        Drop a last batch that is shorter than the others.
    seed : int, optional
        Of the order. Without it one is drawn from torch's global generator, so that
        ``seed_everything`` fixes it too.

    Raises
    ------
    TypeError
        If `x` or `y` is not a tensor.
    ValueError
        If their lengths differ, there are no samples, or `batch_size` is not positive.

    Examples
    --------
    >>> batches = Batches(torch.arange(5), batch_size=2, shuffle=False)
    >>> [x.tolist() for x, y in batches]
    [[0, 1], [2, 3], [4]]
    >>> len(batches)
    3
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor | None = None,
        batch_size: int = 32,
        *,
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int | None = None,
    ) -> None:
        for name, value in (("x", x), ("y", x if y is None else y)):
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"{name} must be a tensor, not {type(value).__name__}: "
                    f"convert it, e.g. torch.as_tensor({name}, dtype=torch.float32)"
                )
            if value.ndim == 0:
                raise ValueError(f"{name} must have a first axis of samples, but it is a scalar")
        if y is not None and len(x) != len(y):
            raise ValueError(f"x has {len(x)} samples and y has {len(y)}: they must be equal")
        if len(x) == 0:
            raise ValueError("there are no samples: x has length 0")
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
        if drop_last and len(x) < batch_size:
            raise ValueError(
                f"drop_last leaves no batch: {len(x)} samples are fewer than "
                f"batch_size={batch_size}; choose a smaller batch_size"
            )
        self.x, self.y = x, x if y is None else y
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last
        self.pin = False
        self.generator = generator_of(seed)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(len(self.x), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the pairs (x, y) of one epoch."""
        pairs = self._gathered() if self.shuffle else _cut(self.x, self.y, self.batch_size)
        for x, y in islice(pairs, len(self)):
            yield (x.pin_memory(), y.pin_memory()) if self.pin else (x, y)

    def _gathered(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.x), generator=self.generator)
        order = order.to(self.x.device, non_blocking=True)
        # Gathering many small batches at once takes a tenth off W4.
        values = max(1, prod(self.x.shape[1:]))  # of one sample
        at_once = max(1, GATHERED // (self.batch_size * values))
        for part in torch.split(order, self.batch_size * at_once):
            x, y = self.x.index_select(0, part), self.y.index_select(0, part)
            yield from _cut(x, y, self.batch_size)

    def to(self, device: torch.device | str) -> "Batches":
        """Return these batches with their data on `device`, in the same order.

        Data that would take more than half of a CUDA device's free memory stays where
        it is; its batches are then pinned, so that they can be copied without waiting.
        """
        device, moved = torch.device(device), copy.copy(self)  # shares the generator
        if device.type == "cuda" and self.x.device.type == "cpu":
            size = self.x.nbytes + (0 if self.y is self.x else self.y.nbytes)
            if size > DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
                moved.pin = True
                return moved
        moved.x = self.x.to(device)
        moved.y = moved.x if self.y is self.x else self.y.to(device)
        return moved


def _cut(x: Tensor, y: Tensor, size: int) -> Iterable[tuple[Tensor, Tensor]]:
    if len(x) <= size:
        return [(x, y)]
    return zip(torch.split(x, size), torch.split(y, size), strict=True)


def generator_of(seed: int | None) -> torch.Generator:
    """Return the generator of an order of samples; without a seed one is drawn from torch's."""
    return torch.Generator().manual_seed(int(torch.randint(2**31, ()) if seed is None else seed))
