"""The straight line that is best for a loss, found exactly and not step by step.

Each function takes points and returns the slope and intercept of the line whose errors,
prediction minus target, have the lowest sum of losses. Without an intercept the line goes
through the origin. Where several lines are best, one of them is returned.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Line = tuple[float, float]  # slope and intercept


def least_squares(x: Array, y: Array, intercept: bool = True) -> Line:
    """Return the line of the lowest mean squared error.

    Parameters
    ----------
    x, y : arrays of shape (points,)
        Inputs and targets.
    intercept : bool
        Whether the line may miss the origin.

    Raises
    ------
    ValueError
        If the shapes differ, a number is not finite, or no line is determined: all inputs
        alike, or without an intercept all of them 0.

    Examples
    --------
    >>> least_squares([0.0, 1.0, 2.0], [1.0, 3.0, 8.0])
    (3.5, 0.5)
    """
    x, y = _points(x, y, intercept)
    x_mean, y_mean = (x.mean(), y.mean()) if intercept else (0.0, 0.0)
    slope = ((x - x_mean) * (y - y_mean)).sum() / ((x - x_mean) ** 2).sum()
    return float(slope), float(y_mean - slope * x_mean)


def least_absolute(x: Array, y: Array, intercept: bool = True) -> Line:
    """Return the line of the lowest mean absolute error. Arguments as in `least_squares`.

    The sum of absolute errors is convex and made of flat pieces, so a corner is lowest; at a
    corner as many errors are 0 as there are coefficients. All lines through two points (one
    point and the origin) are tried. Through the origin the slope is the median of y / x with
    weights abs(x).

    Examples
    --------
    >>> least_absolute([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 30.0])
    (1.0, 0.0)
    """
    x, y = _points(x, y, intercept)
    if intercept:
        i, j = np.triu_indices(len(x), 1)
        i, j = i[x[i] != x[j]], j[x[i] != x[j]]
        slopes = (y[j] - y[i]) / (x[j] - x[i])
        offsets = y[i] - slopes * x[i]
    else:
        slopes = y[x != 0] / x[x != 0]
        offsets = np.zeros_like(slopes)
    sums = np.abs(slopes[:, None] * x + offsets[:, None] - y).sum(1)
    best = int(np.argmax(sums <= sums.min() * (1 + 1e-12)))  # the first, but for rounding
    return float(slopes[best]), float(offsets[best])


def least_huber(x: Array, y: Array, delta: float = 1.0, intercept: bool = True) -> Line:
    """Return the line of the lowest mean Huber loss. Other arguments as in `least_squares`.

    The slope of a Huber loss is made of straight pieces. Through the origin its zero is found
    between two corners. Else the same gives the best intercept for each slope of the line,
    and Newton's method the slope, within a bracket: a step that leaves the bracket is
    replaced by its middle. On the right piece one step ends it.

    Raises
    ------
    ValueError
        Also if `delta` is not positive.

    Examples
    --------
    >>> slope, intercept = least_huber([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 40.0])
    >>> round(slope, 3), round(intercept, 3)
    (1.5, -0.5)
    """
    x, y = _points(x, y, intercept)
    if not delta > 0:
        raise ValueError(f"delta must be positive, got {delta}")
    if not intercept:
        return _zero(x, y, delta), 0.0

    # Beyond these slopes the errors of two points with different x differ by more than 2
    # delta: all but one x pull fully, those to the left one way and those to the right the
    # other.
    ends = np.unique(x)
    reach = (np.ptp(y) + 2 * delta) / np.diff(ends).min()
    low, high = -reach, reach
    slope, _ = least_squares(x, y)
    while True:
        offset = _zero(np.ones_like(x), y - slope * x, delta)
        error = slope * x + offset - y
        pull = float((np.clip(error, -delta, delta) * x).sum())
        near = x[np.abs(error) < delta]
        curvature = float(((near - near.mean()) ** 2).sum()) if near.size else 0.0
        newton = slope - pull / curvature if curvature > 0 else np.inf
        if abs(pull) <= 1e-12 * delta * np.abs(x).sum() or high - low <= 1e-15 * reach:
            break
        low, high = (low, slope) if pull > 0 else (slope, high)
        slope = newton if low < newton < high else (low + high) / 2
    if low < newton < high:  # what rounding has left
        slope = newton
    return float(slope), _zero(np.ones_like(x), y - slope * x, delta)


def _zero(a: Array, v: Array, delta: float) -> float:
    """Return a t at which Σ a clip(a t - v, ±delta), which never falls, is 0."""
    a, v = a[a != 0], v[a != 0]
    corners = np.sort(np.concatenate([(v - delta) / a, (v + delta) / a]))
    heights = (a * np.clip(np.outer(corners, a) - v, -delta, delta)).sum(1)
    k = int(np.argmax(heights >= 0))  # never the first: there every term is at its lowest
    share = heights[k] / (heights[k] - heights[k - 1])
    return float(corners[k] - share * (corners[k] - corners[k - 1]))


def _points(x: Any, y: Any, intercept: bool) -> tuple[Array, Array]:
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must have the same shape (points,), got {x.shape}, {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("x and y must be finite")
    if intercept and len(np.unique(x)) < 2:
        raise ValueError("a line with an intercept needs two points with different x")
    if not intercept and not x.any():
        raise ValueError("a line through the origin needs a point with x other than 0")
    return x, y
