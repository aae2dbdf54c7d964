"""Numbers that pile up on the device during an epoch and are read once, at its end.

Reading a number waits for the device: done after every batch, it stalls a GPU.
"""

from collections.abc import Sequence
from itertools import islice

import torch
import torch.distributed as dist
from torch import Tensor

from dlnotes.training.place import Place

BLOCK = 4096  # scalars that may lie about singly; a CUDA scalar takes 512 bytes


class Means:
    """One row of scalars a batch, with the number of samples that it stands for.

    Examples
    --------
    >>> means = Means()
    >>> means.add(3, [torch.tensor(1.0)])
    >>> means.add(1, [torch.tensor(5.0)])
    >>> means.over(["loss"], means.read())
    {'loss': 2.0}
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.widths: list[int] = []
        self.pending: list[Tensor] = []
        self.blocks: list[Tensor] = []

    def add(self, samples: int, scalars: Sequence[Tensor]) -> None:
        """Keep the scalars of a batch; nothing waits for the device."""
        self.sizes.append(samples)
        self.widths.append(len(scalars))
        self.pending += scalars
        if len(self.pending) >= BLOCK:
            self._pack()

    def _pack(self) -> None:
        if self.pending:
            self.blocks.append(torch.stack(self.pending))
            self.pending = []

    def read(self) -> list[list[float]]:
        """Return the rows as numbers: the one time that the device is waited for."""
        self._pack()
        numbers = iter([number for block in self.blocks for number in block.tolist()])
        return [list(islice(numbers, width)) for width in self.widths]

    def over(
        self, names: Sequence[str], rows: list[list[float]], place: Place | None = None
    ) -> dict[str, float]:
        """Return the means of the first columns over samples, those of all processes."""
        sums = [
            sum(n * row[k] for n, row in zip(self.sizes, rows, strict=True) if n)
            for k in range(len(names))
        ]
        sums.append(float(sum(self.sizes)))
        if place is not None and place.world > 1:
            total = torch.tensor(sums, dtype=torch.float64, device=place.device)
            dist.all_reduce(total)
            sums = total.tolist()
        return {name: value / sums[-1] for name, value in zip(names, sums, strict=False)}
