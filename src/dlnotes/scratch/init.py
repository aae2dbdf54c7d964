"""Initial weights, as in ``torch.nn.init``: how wide to draw them, and drawing them.

A weight matrix has shape (out, in), as in ``nn.Linear``: fan_in is its second size. Each
scheme is a standard deviation; a uniform distribution with that deviation reaches √3
times as far.
"""

import math

import torch
from torch import Tensor

#: What keeps the mean square of N(0, 1) inputs, g² E[f(z)²] = 1. Only for ReLU and the
#: identity is it exact at every scale; for tanh and sigmoid see the chapter.
GAINS = {"identity": 1.0, "relu": math.sqrt(2)}


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (fan_in, fan_out): the terms in the sum of a unit, and the units it feeds.

    Examples
    --------
    >>> fans((10, 64)), fans((16, 3, 5, 5))
    ((64, 10), (75, 400))
    """
    field = math.prod(shape[2:])  # the places of a convolution's kernel
    return shape[1] * field, shape[0] * field


def xavier_std(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    """Return gain √(2 / (fan_in + fan_out)), between what forward and backward ask for.

    Source: `Glorot & Bengio 2010 <https://proceedings.mlr.press/v9/glorot10a.html>`_.
    """
    return gain * math.sqrt(2 / (fan_in + fan_out))


def kaiming_std(fan_in: int, gain: float = math.sqrt(2)) -> float:
    """Return gain / √fan_in; √2 makes up for the half that ReLU takes.

    Source: `He et al. 2015 <https://arxiv.org/abs/1502.01852>`_.
    """
    return gain / math.sqrt(fan_in)


def linear_bound(fan_in: int) -> float:
    """Return 1 / √fan_in: ``nn.Linear`` draws weights and biases uniformly up to it.

    Its source calls ``kaiming_uniform_(a=√5)``, which comes to a variance of
    1 / (3 fan_in): a sixth of Kaiming's for ReLU.
    """
    return 1 / math.sqrt(fan_in)


def normal(shape: tuple[int, ...], std: float, generator: torch.Generator | None = None) -> Tensor:
    """Draw from a normal distribution with mean 0."""
    return std * torch.randn(shape, generator=generator)


def uniform(shape: tuple[int, ...], std: float, generator: torch.Generator | None = None) -> Tensor:
    """Draw from a uniform distribution with mean 0 and standard deviation `std`.

    Examples
    --------
    >>> bool(uniform((1000,), 1.0).abs().max() <= math.sqrt(3))
    True
    """
    reach = std * math.sqrt(3)
    return torch.empty(shape).uniform_(-reach, reach, generator=generator)


def orthogonal(
    shape: tuple[int, ...], gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Draw a matrix with orthonormal rows (or columns, if there are fewer of them).

    Sizes before the last two count independent matrices. The QR decomposition alone is not
    uniform over such matrices: its signs must be those of the diagonal of R.
    Source: `Saxe et al. 2014 <https://arxiv.org/abs/1312.6120>`_.
    """
    rows, columns = shape[-2:]
    drawn = torch.randn(shape, generator=generator)
    q, r = torch.linalg.qr(drawn if rows >= columns else drawn.mT)
    q = q * torch.sign(torch.diagonal(r, dim1=-2, dim2=-1)).unsqueeze(-2)
    weight: Tensor = gain * (q if rows >= columns else q.mT)
    return weight
