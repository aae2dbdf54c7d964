"""Ordered classes: one score, cut by thresholds (the proportional odds model).

A hidden quantity, score + logistic noise, is cut at thresholds θ₁ < ... < θ_{K-1}; the
class says between which two it lies, so P(y ≤ k) = sigmoid(θ_{k+1} - score) with classes
from 0. Source: `McCullagh 1980 <https://doi.org/10.1111/j.2517-6161.1980.tb01109.x>`_.
"""

import numpy as np
import numpy.typing as npt

from dlnotes.scratch.activations import sigmoid

Array = npt.NDArray[np.float64]


def thresholds(free: Array) -> Array:
    """Make increasing thresholds of any numbers: the first one, then gaps softplus(free) > 0.

    Examples
    --------
    >>> thresholds(np.array([-1.0, 0.0, 0.0])).round(2).tolist()
    [-1.0, -0.31, 0.39]
    """
    return np.cumsum(np.concatenate([free[:1], np.logaddexp(0, free[1:])]))


def probabilities(score: Array, theta: Array) -> Array:
    """Return P(y = k) of scores ``(samples,)``, shape ``(samples, classes)``.

    Examples
    --------
    >>> probabilities(np.array([0.0]), np.array([-1.0, 0.0, 1.0])).round(2).tolist()
    [[0.27, 0.23, 0.23, 0.27]]
    """
    return np.exp(_log_probabilities(*_edges(score, theta), _widths(theta)))


def loss(score: Array, theta: Array, labels: npt.NDArray[np.int_]) -> tuple[float, Array, Array]:
    """Return the mean of -log P(y = label), and its gradients by scores and thresholds.

    With upper and lower edge u = θ_{y+1} - score, l = θ_y - score the slope of a sample by
    its score is 1 - sigmoid(u) - sigmoid(l): it never exceeds 1 in size.

    Parameters
    ----------
    score : array
        Shape ``(samples,)``.
    theta : array
        Increasing, shape ``(classes - 1,)``.
    labels : array of int
        From 0, shape ``(samples,)``.

    Raises
    ------
    ValueError
        If thresholds do not increase, or a label is no class.

    Examples
    --------
    >>> value, slopes, _ = loss(np.zeros(2), np.array([-1.0, 1.0]), np.array([0, 1]))
    >>> round(value, 3), slopes.round(3).tolist()
    (1.043, [0.366, 0.0])
    """
    labels = np.asarray(labels)
    if len(labels) and not (labels.min() >= 0 and labels.max() <= len(theta)):
        raise ValueError(f"labels must be from 0 to {len(theta)}, one more class than thresholds")
    n, row = len(labels), np.arange(len(labels))
    lower, upper = (edge[row, labels] for edge in _edges(score, theta))
    width = _widths(theta)[labels]
    # Of log(sigmoid(u) - sigmoid(l)): by u it is sigmoid(-u) + w, by l it is -sigmoid(l) - w.
    w = np.exp(-width) / -np.expm1(-width)
    by_edge = np.zeros((n, len(theta) + 2))
    by_edge[row, labels + 1] -= sigmoid(-upper) + w
    by_edge[row, labels] += sigmoid(lower) + w
    value = -_log_probabilities(lower, upper, width).mean()
    slopes = 1 - sigmoid(upper) - sigmoid(lower)
    return float(value), slopes / n, by_edge.sum(0)[1:-1] / n


def _edges(score: Array, theta: Array) -> tuple[Array, Array]:
    """Return where each class begins and ends, seen from each score."""
    if not (np.diff(theta) > 0).all():
        raise ValueError(f"thresholds must increase, got {theta}: make them with thresholds()")
    ends = np.concatenate([[-np.inf], theta, [np.inf]]) - np.asarray(score, float)[:, None]
    return ends[:, :-1], ends[:, 1:]


def _widths(theta: Array) -> Array:
    """Return u - l of each class: of thresholds alone, since score + gap would lose digits."""
    return np.diff(theta, prepend=-np.inf, append=np.inf)


def _log_probabilities(lower: Array, upper: Array, width: Array) -> Array:
    """log(sigmoid(u) - sigmoid(l)) = log sigmoid(u) + log sigmoid(-l) + log(1 - e^(l-u))."""
    return -np.logaddexp(0, -upper) - np.logaddexp(0, lower) + np.log(-np.expm1(-width))
