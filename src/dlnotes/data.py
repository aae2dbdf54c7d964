"""Small data sets that need no download, and their splits.

Nothing here knows about models. A set comes as `Splits`: training, validation and test
parts with the scaler fitted on the training part only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


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
        ``val``, ``test``, ``seed`` of `split`.

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
