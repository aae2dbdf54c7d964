"""What feeds a run: data of any kind as batches, each checked and put on its place.

Nothing here knows about models.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from torch import Tensor

from dlnotes.training.batches import Batches, generator_of
from dlnotes.training.place import Place


class Feed:
    """Batches of `data` on `place`, from the start each time they are iterated.

    Yields ``(x, y, samples, weight)``, see `Place.share`. Tensors are moved to the device
    once, batches of other kinds one by one; `name` is what messages call the data.
    """

    def __init__(
        self,
        data: Any,
        place: Place,
        batch_size: int,
        *,
        name: str,
        shuffle: bool = False,
        seed: int | None = None,
    ) -> None:
        from torch.utils.data.distributed import DistributedSampler

        batches = as_batches(data, batch_size, shuffle=shuffle, seed=seed, name=name)
        if isinstance(getattr(batches, "sampler", None), DistributedSampler):
            raise ValueError(
                f"{name} splits its samples over the processes, and so does fit: "
                "pass a loader without DistributedSampler"
            )
        self.sliced = isinstance(batches, Batches)
        self.batches = batches.to(place.device) if isinstance(batches, Batches) else batches
        self.place, self.name = place, name
        self.length = _length(batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, int, float]]:
        """Yield the batches of one epoch."""
        for batch in self.batches:
            x, y = batch if self.sliced else pair_of(batch, self.name)
            yield self.place.share(x, y)

    def known(self, y: Tensor) -> Tensor:
        """Return all targets where they are at hand, else those of the batch, `y`."""
        return self.batches.y if isinstance(self.batches, Batches) else y


def _length(batches: Any) -> int | None:
    try:
        return len(batches)
    except TypeError:  # a generator, or a loader of a stream, which has __len__ all the same
        return None


def pair_of(batch: Any, name: str) -> tuple[Tensor, Tensor]:
    """Return the pair (x, y) of a batch; a lone tensor is its own target.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If there are not as many inputs as targets.
    """
    if isinstance(batch, Tensor):
        return batch, batch
    if isinstance(batch, tuple | list) and len(batch) == 1:
        return pair_of(batch[0], name)
    if not (isinstance(batch, tuple | list) and len(batch) == 2):
        raise TypeError(f"{name} yields {_describe(batch)}: a batch must be a pair (x, y)")
    x, y = batch
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        raise TypeError(f"{name} yields {_describe(batch)}: x and y must be tensors")
    if x.shape[:1] != y.shape[:1]:
        raise ValueError(f"{name} yields {len(x)} inputs with {len(y)} targets: they must match")
    return x, y


def _describe(batch: Any) -> str:
    if isinstance(batch, tuple | list):
        return f"a {type(batch).__name__} of {', '.join(type(b).__name__ for b in batch)}"
    return f"a {type(batch).__name__}"


def as_batches(
    data: Any, batch_size: int, *, shuffle: bool, seed: int | None = None, name: str = "train"
) -> Iterable[Any]:
    """Turn what a caller may pass as data into something that yields batches each epoch.

    A tensor or a pair ``(x, y)`` of tensors becomes `Batches`, and so does a
    ``TensorDataset``; any other ``Dataset`` becomes a ``DataLoader``; an iterable of
    batches is returned as it is.

    Raises
    ------
    TypeError
        If `data` is none of these, or an iterator, which could be read only once.
    ValueError
        If it is empty.

    Examples
    --------
    >>> import torch
    >>> len(list(as_batches((torch.zeros(5, 2), torch.zeros(5)), 2, shuffle=True)))
    3
    """
    from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

    if isinstance(data, TensorDataset) and len(data.tensors) in (1, 2):
        data = tuple(data.tensors)
    if isinstance(data, Tensor):
        data = (data,)
    if isinstance(data, tuple | list) and data and all(isinstance(t, Tensor) for t in data):
        if len(data) > 2:
            raise TypeError(
                f"{name} holds {len(data)} tensors: pass a pair (x, y), or a DataLoader "
                "that yields pairs"
            )
        x, y = data if len(data) == 2 else (data[0], None)
        return Batches(x, y, batch_size, shuffle=shuffle, seed=seed)
    if isinstance(data, Dataset):
        if isinstance(data, IterableDataset):
            return DataLoader(data, batch_size)
        if len(data) == 0:  # type: ignore[arg-type]  # a map-style Dataset has a length
            raise ValueError(f"{name} is empty: the Dataset has no samples")
        generator = None if seed is None else generator_of(seed)
        return DataLoader(data, batch_size, shuffle=shuffle, generator=generator)
    if isinstance(data, Iterator):
        raise TypeError(
            f"{name} is a {type(data).__name__}, which gives its batches once only: pass "
            "something that can be read again each epoch, e.g. list(...), Batches or a DataLoader"
        )
    if not isinstance(data, Iterable) or isinstance(data, dict | str | np.ndarray):
        raise TypeError(
            f"{name} must be a tensor, a pair (x, y) of tensors, a Dataset or an iterable of "
            f"batches, not {type(data).__name__}; torch.as_tensor converts arrays"
        )
    if getattr(data, "__len__", None) is not None and len(data) == 0:  # type: ignore[arg-type]
        raise ValueError(f"{name} is empty: it has no batches")
    return data
