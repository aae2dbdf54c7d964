"""Small data sets that need no download, their splits, and mini-batches on the device.

Nothing here knows about models. A set comes as `Splits`: training, validation and test
parts with the scaler fitted on the training part only.
"""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

DEVICE_SHARE = 0.5  # of a device's free memory that `Batches.to` lets the data take
GATHERED = 2**20  # input values that `Batches` copies at a time


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
        if seed is None:
            seed = int(torch.randint(2**31, ()))
        self.generator = torch.Generator().manual_seed(seed)

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
        # Gathering many small batches at once takes a tenth off W4; the bound keeps the copy small.
        at_once = max(1, GATHERED // (self.batch_size * prod(self.x.shape[1:])))
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
            size = sum(t.numel() * t.element_size() for t in (self.x, self.y))
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
        generator = None if seed is None else torch.Generator().manual_seed(seed)
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


class Pair(NamedTuple):
    """Inputs and targets of one part of a data set."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Scaler:
    """Standardise columns: ``(x - mean) / std``, with the numbers of the training part.

    Examples
    --------
    >>> scaler = Scaler.fit(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    >>> scaler.apply(torch.tensor([[3.0, 6.0]])).tolist()
    [[1.0, 1.0]]
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def fit(cls, x: Tensor) -> "Scaler":
        """Take mean and (population) standard deviation of each column; 1 for a constant one."""
        std = x.std(0, correction=0)
        return cls(x.mean(0), torch.where(std > 0, std, torch.ones_like(std)))

    def apply(self, x: Tensor) -> Tensor:
        """Return the standardised `x`."""
        return (x - self.mean) / self.std

    def undo(self, x: Tensor) -> Tensor:
        """Return `x` in its original units."""
        return x * self.std + self.mean


@dataclass(frozen=True)
class Splits:
    """The three parts of a data set and the names of its columns and classes.

    ``train``, ``val`` and ``test`` are pairs ``(x, y)``. ``scaler`` and
    ``target_scaler`` are what was applied to x and y, or None.
    """

    train: Pair
    val: Pair
    test: Pair
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...] = ()
    scaler: Scaler | None = None
    target_scaler: Scaler | None = None

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(getattr(self, name).x)}" for name in _PARTS)
        kind = f"{len(self.target_names)} classes" if self.target_names else "regression"
        features = prod(self.train.x.shape[1:])
        return f"Splits({sizes}; {features} feature{'s' * (features != 1)}, {kind})"


_PARTS = ("train", "val", "test")


def split(
    x: Tensor,
    y: Tensor,
    *,
    val: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    scale: bool = True,
    feature_names: Iterable[str] = (),
    target_names: Iterable[str] = (),
) -> Splits:
    """Split into training, validation and test parts without leaking between them.

    Integer targets are classes: each part gets the same shares of them. The scaler
    is fitted on the training part. Targets that are not integers are scaled too.

    Parameters
    ----------
    x, y : Tensor
        Inputs ``(samples, ...)`` and targets ``(samples, ...)``.
    val, test : float
        Shares of the samples, above 0; together below 1.
    seed : int
        Of the split.
    scale : bool
        Standardise inputs and real-valued targets.
    feature_names, target_names : iterable of str
        Names of the columns of x and of the classes.

    Raises
    ------
    ValueError
        If the shares are out of range, or a class has too few samples to be split.

    Examples
    --------
    >>> split(torch.rand(50, 3), torch.arange(50) % 2, target_names=["a", "b"])
    Splits(train 30, val 10, test 10; 3 features, 2 classes)
    """
    from sklearn.model_selection import train_test_split

    if not (val > 0 and test > 0 and val + test < 1):
        raise ValueError(f"val and test must be above 0 and sum to less than 1, got {val}, {test}")
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} samples and y has {len(y)}: they must be equal")
    classes = y.numpy() if not y.is_floating_point() else None
    every = np.arange(len(x))
    rest, in_test = train_test_split(every, test_size=test, random_state=seed, stratify=classes)
    in_train, in_val = train_test_split(
        rest,
        test_size=val / (1 - test),
        random_state=seed,
        stratify=None if classes is None else classes[rest],
    )
    parts = [Pair(x[i], y[i]) for i in (in_train, in_val, in_test)]
    scaler = Scaler.fit(parts[0].x) if scale else None
    target_scaler = Scaler.fit(parts[0].y) if scale and classes is None else None
    parts = [
        Pair(scaler.apply(a) if scaler else a, target_scaler.apply(b) if target_scaler else b)
        for a, b in parts
    ]
    names = tuple(str(name) for name in feature_names)
    train, held_out, unseen = parts
    classes_named = tuple(map(str, target_names))
    return Splits(train, held_out, unseen, names, classes_named, scaler, target_scaler)


def _from_sklearn(bunch: Any, classes: bool, **options: Any) -> Splits:
    x = torch.tensor(bunch.data, dtype=torch.float32)
    y = torch.tensor(bunch.target, dtype=torch.int64 if classes else torch.float32)
    names = bunch.target_names if classes else ()
    y = y if classes else y.unsqueeze(1)
    return split(x, y, feature_names=bunch.feature_names, target_names=names, **options)


def digits(*, images: bool = False, **options: Any) -> Splits:
    """Load scikit-learn's 1797 handwritten digits of 8×8 pixels, ten classes.

    Pixels are divided by their largest value, 16; nothing is fitted.

    Parameters
    ----------
    images : bool
        Return inputs ``(samples, 1, 8, 8)`` for convolutions instead of ``(samples, 64)``.
    **options
        `val`, `test`, `seed` of `split`.

    Examples
    --------
    >>> digits()
    Splits(train 1077, val 360, test 360; 64 features, 10 classes)
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    bunch.data = bunch.data / 16
    splits = _from_sklearn(bunch, True, scale=False, **options)
    if not images:
        return splits
    shaped = [Pair(p.x.reshape(-1, 1, 8, 8), p.y) for p in (splits.train, splits.val, splits.test)]
    return replace(splits, train=shaped[0], val=shaped[1], test=shaped[2])


def breast_cancer(**options: Any) -> Splits:
    """Load scikit-learn's breast cancer set: 569 samples, 30 features, two classes.

    Takes the options of `split`.

    Examples
    --------
    >>> breast_cancer().target_names
    ('malignant', 'benign')
    """
    from sklearn.datasets import load_breast_cancer

    return _from_sklearn(load_breast_cancer(), True, **options)


def diabetes(**options: Any) -> Splits:
    """Load scikit-learn's diabetes set: 442 patients, 10 features, progression after a year.

    Inputs and targets ``(samples, 1)`` are standardised; ``target_scaler.undo`` gives
    the original units. Takes the options of `split`.

    Examples
    --------
    >>> diabetes()
    Splits(train 264, val 89, test 89; 10 features, regression)
    """
    from sklearn.datasets import load_diabetes

    return _from_sklearn(load_diabetes(scaled=False), False, **options)


def _positive(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"{name} must be positive, got {value}")


def spirals(
    n: int = 300, *, arms: int = 2, noise: float = 0.1, turns: float = 1.0, seed: int = 0
) -> Splits:
    """Make points on interleaved spiral arms in the plane, one class an arm.

    Parameters
    ----------
    n : int
        Number of points over all arms.
    arms : int
        Number of arms and classes.
    noise : float
        Standard deviation of the normal noise on both coordinates; the radius is at most 1.
    turns : float
        How often an arm winds round the origin.
    seed : int
        Of the points and of the split.

    Examples
    --------
    >>> spirals(100, arms=4)
    Splits(train 60, val 20, test 20; 2 features, 4 classes)
    """
    _positive(n=n, arms=arms)
    draw = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % arms
    radius = torch.rand(n, generator=draw).sqrt()
    angle = 2 * torch.pi * (turns * radius + y / arms)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    x = x + noise * torch.randn(n, 2, generator=draw)
    names = [f"arm {k}" for k in range(arms)]
    return split(x, y, seed=seed, scale=False, feature_names=["x1", "x2"], target_names=names)


def noisy_sine(n: int = 100, *, noise: float = 0.1, seed: int = 0) -> Splits:
    """Make ``y = sin(x) + noise`` for x uniform on [-π, π]; shapes ``(samples, 1)``.

    Parameters
    ----------
    n : int
        Number of samples.
    noise : float
        Standard deviation of the normal noise.
    seed : int
        Of the samples and of the split.

    Examples
    --------
    >>> noisy_sine()
    Splits(train 60, val 20, test 20; 1 feature, regression)
    """
    _positive(n=n)
    draw = torch.Generator().manual_seed(seed)
    x = torch.pi * (2 * torch.rand(n, 1, generator=draw) - 1)
    y = x.sin() + noise * torch.randn(n, 1, generator=draw)
    return split(x, y, seed=seed, scale=False, feature_names=["x"])


def phone_prices(**options: Any) -> Splits:
    """Split the phones of `dlnotes.phones.table`: 20 features, four price classes.

    Takes the options of `split`.

    Examples
    --------
    >>> phone_prices()
    Splits(train 1200, val 400, test 400; 20 features, 4 classes)
    """
    from dlnotes import phones

    frame = phones.table()
    x = torch.tensor(frame[list(phones.FEATURES)].to_numpy(), dtype=torch.float32)
    y = torch.tensor(frame[phones.TARGET].to_numpy(), dtype=torch.int64)
    return split(x, y, feature_names=phones.FEATURES, target_names=phones.CLASSES, **options)
