r"""Least squares by gradient descent, with all samples at each step or with batches.

The loss of the weights w on N samples is the mean squared error

.. math:: L(w) = \frac1N \sum_i (x_i \cdot w - y_i)^2, \qquad
          \nabla L(w) = \frac2N X^\top (Xw - y), \qquad
          H = \frac2N X^\top X.

There is no separate intercept: put a column of ones into ``x``. The weights may have
leading axes, one entry a run, so that one call evaluates many runs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlnotes.scratch.optimizers import descend, gd

Array = Any  # numpy.ndarray; torch tensors work in loss and grad too


def loss(w: Array, x: Array, y: Array) -> Array:
    """Return the mean squared error.

    Parameters
    ----------
    w : array of shape (..., features)
        Weights.
    x : array of shape (samples, features)
        Inputs.
    y : array of shape (samples,)
        Targets.

    Returns
    -------
    array of shape (...)
        In the squared unit of `y`.

    Examples
    --------
    >>> float(loss(np.array([1.0]), np.array([[1.0], [2.0]]), np.array([2.0, 4.0])))
    2.5
    """
    return ((w @ x.T - y) ** 2).mean(-1)


def grad(w: Array, x: Array, y: Array) -> Array:
    """Return the gradient of `loss` with respect to `w`, with the shape of `w`.

    Examples
    --------
    >>> grad(np.array([1.0]), np.array([[1.0], [2.0]]), np.array([2.0, 4.0])).tolist()
    [-5.0]
    """
    return 2 / len(x) * (w @ x.T - y) @ x


def hessian(x: Array) -> Array:
    """Return the matrix of second derivatives of `loss`, of shape (features, features).

    It does not depend on the weights or the targets.

    Examples
    --------
    >>> hessian(np.array([[1.0], [2.0]])).tolist()
    [[5.0]]
    """
    return 2 / len(x) * x.T @ x


def fit(x: Array, y: Array, lr: float, steps: int) -> Array:
    """Train from zero weights by full-batch gradient descent.

    Parameters
    ----------
    x : array of shape (samples, features)
        Inputs.
    y : array of shape (samples,)
        Targets.
    lr : float
        Learning rate, positive. Training diverges at or above 2 divided by the largest
        eigenvalue of `hessian`.
    steps : int
        Number of updates, not negative.

    Returns
    -------
    array of shape (steps + 1, features)
        The weights before the first step and after each.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `lr` or `steps` is out of range.

    Examples
    --------
    >>> fit(np.array([[1.0], [2.0]]), np.array([2.0, 4.0]), lr=0.1, steps=2)[:, 0].tolist()
    [0.0, 1.0, 1.5]
    """
    if np.ndim(x) != 2 or np.shape(y) != (len(x),):
        raise ValueError(
            "x must have shape (samples, features) and y (samples,), "
            f"got {np.shape(x)} and {np.shape(y)}"
        )
    if not lr > 0:
        raise ValueError(f"lr must be positive, got {lr}")
    if steps < 0:
        raise ValueError(f"steps must not be negative, got {steps}")
    return descend(lambda w: grad(w, x, y), np.zeros(np.shape(x)[1]), gd(), lr, steps)


def sgd(x: Array, y: Array, lr: Array, batch_size: int, epochs: int, seeds: Sequence[int]) -> Array:
    """Train from zero weights with mini-batches: every learning rate with every seed.

    The samples are shuffled before each epoch, by ``default_rng(seed).permutation``, and
    dealt out in batches; a short last batch is kept. A run has the same batches at each
    learning rate.

    Parameters
    ----------
    x : array of shape (samples, features)
        Inputs.
    y : array of shape (samples,)
        Targets.
    lr : array of shape (rates,)
        Learning rates, positive.
    batch_size : int
        Samples for each update, from 1 to all of them.
    epochs : int
        Passes over the data, not negative.
    seeds : sequence of int
        One for each run.

    Returns
    -------
    array of shape (epochs + 1, rates, seeds, features)
        The weights before the first epoch and after each; inf or nan in runs that diverge.

    Raises
    ------
    ValueError
        If `lr` is not one-dimensional and positive, or `batch_size` or `epochs` is out of
        range.

    Examples
    --------
    >>> x, y = np.array([[1.0], [2.0]]), np.array([2.0, 4.0])
    >>> sgd(x, y, lr=[0.1], batch_size=2, epochs=2, seeds=[0]).ravel().tolist()
    [0.0, 1.0, 1.5]
    """
    rates = np.asarray(lr, dtype=float)
    if rates.ndim != 1 or not (rates > 0).all():
        raise ValueError(f"lr must be a list of positive learning rates, got {lr}")
    if not 1 <= batch_size <= len(x):
        raise ValueError(f"batch_size must be from 1 to {len(x)}, got {batch_size}")
    if epochs < 0:
        raise ValueError(f"epochs must not be negative, got {epochs}")
    generators = [np.random.default_rng(seed) for seed in seeds]
    w = np.zeros((len(rates), len(generators), np.shape(x)[1]))
    path = [w]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(epochs):
            order = np.array([generator.permutation(len(x)) for generator in generators])
            for first in range(0, len(x), batch_size):
                batch = order[:, first : first + batch_size]  # shape (seeds, batch_size)
                error = (x[batch] * w[:, :, None]).sum(-1) - y[batch]
                # Sums, not matrix products: they round alike with any number of threads.
                w = w - rates[:, None, None] * 2 * (error[..., None] * x[batch]).mean(-2)
            path.append(w)
    return np.stack(path)
