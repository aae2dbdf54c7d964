"""Four small problems: what a chapter of the course trains, more or less."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from dlnotes import data

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Workload:
    """A problem, its network and how it is trained; the validation part is used each epoch."""

    name: str
    title: str
    network: Callable[[], nn.Module]
    train: Pair
    val: Pair
    optimizer: Callable[..., torch.optim.Optimizer]
    loss: nn.Module
    batch_size: int
    epochs: int

    def loaders(self, val_batch_size: int | None = None) -> tuple[Iterable[Any], Iterable[Any]]:
        """Return torch's own loaders: shuffled batches, and validation, by default in one go."""
        from torch.utils.data import DataLoader, TensorDataset

        train = DataLoader(TensorDataset(*self.train), self.batch_size, shuffle=True)
        return train, DataLoader(TensorDataset(*self.val), val_batch_size or len(self.val[0]))


def adam(parameters: Iterable[nn.Parameter], fused: bool = True) -> torch.optim.Optimizer:
    """Return Adam as W1 and W3 use it."""
    return torch.optim.Adam(parameters, lr=1e-3, fused=True if fused else None)


def momentum(parameters: Iterable[nn.Parameter], fused: bool = True) -> torch.optim.Optimizer:
    """Return SGD with momentum as W2 uses it."""
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9, fused=True if fused else None)


def sgd(parameters: Iterable[nn.Parameter], fused: bool = True) -> torch.optim.Optimizer:
    """Return plain SGD as W4 uses it."""
    return torch.optim.SGD(parameters, lr=0.01, fused=True if fused else None)


def mlp(*widths: int) -> nn.Sequential:
    """Return linear layers of these widths with ReLU between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn() -> nn.Sequential:
    """Return two convolutions with pooling and a linear layer, for 28×28 images."""
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(16 * 7 * 7, 10)),
    )


def _tabular() -> tuple[Pair, Pair]:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(2500, 20, generator=draw)
    y = (x @ torch.randn(20, 4, generator=draw)).argmax(1)
    return (x[:2000], y[:2000]), (x[2000:], y[2000:])


def _images() -> tuple[Pair, Pair]:
    draw = torch.Generator().manual_seed(0)
    y = torch.randint(0, 10, (2400,), generator=draw)
    patterns = torch.randn(10, 1, 28, 28, generator=draw)
    x = patterns[y] + 2 * torch.randn(2400, 1, 28, 28, generator=draw)
    return (x[:2000], y[:2000]), (x[2000:], y[2000:])


def _line() -> tuple[Pair, Pair]:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(150, 1, generator=draw)
    y = 3 * x + 1 + 0.1 * torch.randn(150, 1, generator=draw)
    return (x[:100], y[:100]), (x[100:], y[100:])


def workloads() -> dict[str, Workload]:
    """Return the four by name."""
    digits, entropy = data.digits(), nn.CrossEntropyLoss()
    found = [
        Workload(
            *("W1", "2000×20 table, MLP 20-64-128-4, Adam", lambda: mlp(20, 64, 128, 4)),
            *(*_tabular(), adam, entropy, 64, 20),
        ),
        Workload(
            *("W2", "digits, MLP 64-128-10, SGD with momentum", lambda: mlp(64, 128, 10)),
            *((digits.train.x, digits.train.y), (digits.val.x, digits.val.y)),
            *(momentum, entropy, 32, 20),
        ),
        Workload("W3", "2000 images of 28×28, CNN, Adam", cnn, *_images(), adam, entropy, 64, 2),
        Workload(
            *("W4", "100 samples, line of two parameters, SGD", lambda: nn.Linear(1, 1)),
            *(*_line(), sgd, nn.MSELoss(), 10, 100),
        ),
    ]
    return {w.name: w for w in found}
