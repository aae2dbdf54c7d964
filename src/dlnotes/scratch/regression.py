r"""Least squares by gradient descent: the smallest model whose loss has everything.

The loss of the weights w on N samples is the mean squared error

.. math:: L(w) = \frac1N \sum_i (x_i \cdot w - y_i)^2, \qquad
          \nabla L(w) = \frac2N X^\top (Xw - y), \qquad
          H = \frac2N X^\top X.

There is no separate intercept: put a column of ones into `x`. The weights may have
leading axes, one entry a run, so that one call evaluates many runs.
"""

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
