"""Layers for which training and use differ, or the batch matters, as in ``torch.nn``.

Arrays are float64 of shape (samples, features). What a layer needs on the way back, and
what it remembers from batch to batch, is returned and passed, never kept.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlnotes.scratch import backprop

Array = npt.NDArray[np.float64]


def dropout(x: Array, p: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Drop each entry with probability p, and scale the others by 1 / (1 - p).

    This is the inverted form: the expectation stays x, so that in use the layer is left
    out. The variance that it adds is x² p / (1 - p).

    Returns
    -------
    out, factor : array of the shape of x
        ``out = x * factor`` with factors 0 or 1 / (1 - p); the gradient at x is that at
        out times the same factor.

    Source: `Srivastava et al. 2014 <https://jmlr.org/papers/v15/srivastava14a.html>`_.

    Examples
    --------
    >>> out, factor = dropout(np.ones(4), 0.5, np.random.default_rng(0))
    >>> out.tolist()
    [2.0, 0.0, 0.0, 0.0]
    """
    if not 0 <= p < 1:
        raise ValueError(f"p must be the share that is dropped, at least 0 and below 1, got {p:g}")
    factor = (rng.random(x.shape) >= p) / (1 - p)
    return x * factor, factor


class Running(NamedTuple):
    """What batch normalisation remembers of its batches: a mean and a variance a feature."""

    mean: Array
    var: Array


def running(features: int) -> Running:
    """Return the memory of a layer that has seen nothing: means 0, variances 1."""
    return Running(np.zeros(features), np.ones(features))


def batch_norm(
    x: Array,
    gamma: Array | float,
    beta: Array | float,
    memory: Running,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Array, Running]:
    """Normalise with mean and variance of the batch, as in training; return the new memory.

    Normalised is with the variance divided by N. Remembered is the one divided by N - 1,
    and `momentum` is the share of the *new* value, not of the old.
    The gradients are those of `dlnotes.scratch.backprop.batch_norm_backward`.
    Source: `Ioffe & Szegedy 2015 <https://arxiv.org/abs/1502.03167>`_.

    Examples
    --------
    >>> out, memory = batch_norm(np.array([[1.0], [3.0]]), 1.0, 0.0, running(1), eps=0.0)
    >>> out.tolist(), memory.mean.tolist(), memory.var.round(6).tolist()
    ([[-1.0], [1.0]], [0.2], [1.1])
    """
    if len(x) < 2:
        raise ValueError("a batch of one sample has no variance: use batches of two or more")
    new = Running(
        (1 - momentum) * memory.mean + momentum * x.mean(0),
        (1 - momentum) * memory.var + momentum * x.var(0, ddof=1),
    )
    return backprop.batch_norm(x, gamma, beta, eps), new


def batch_norm_in_use(
    x: Array, gamma: Array | float, beta: Array | float, memory: Running, eps: float = 1e-5
) -> Array:
    """Normalise with what was remembered, as after ``eval()``: each sample for itself."""
    return gamma * (x - memory.mean) / np.sqrt(memory.var + eps) + beta


def layer_norm(x: Array, gamma: Array | float, beta: Array | float, eps: float = 1e-5) -> Array:
    """Normalise each sample over its features: batch norm turned by 90 degrees.

    There is no memory, and training and use are the same.
    Source: `Ba et al. 2016 <https://arxiv.org/abs/1607.06450>`_.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0]]), 1.0, 0.0, eps=0.0).tolist()
    [[-1.0, 1.0]]
    """
    out: Array = gamma * backprop.batch_norm(x.T, 1.0, 0.0, eps).T + beta
    return out


def layer_norm_backward(
    dout: Array, x: Array, gamma: Array | float, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients of `layer_norm` with respect to x, gamma and beta."""
    dx, _, _ = backprop.batch_norm_backward((dout * gamma).T, x.T, 1.0, eps)
    normalised = layer_norm(x, 1.0, 0.0, eps)
    return dx.T, (dout * normalised).sum(0), dout.sum(0)
