"""Figures that more than one cell draws: one function a kind of figure.

Each function takes the axes to draw on and returns them, so that figures can be
composed. None of them shows, saves or seeds anything, or changes a setting; the
look comes from the style sheet: ``plt.style.use("dlnotes.course")``.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dlnotes.scratch import regression
from dlnotes.surfaces import Surface

CONTOUR_GREY = "#8a93a0"  #: The colour of level lines and of what stands behind the data.


def grid(surface: Surface, points: int = 201) -> tuple[Any, Any, Any]:
    """Evaluate a 2-D surface on its window.

    Parameters
    ----------
    surface : Surface
        With ``dim == 2``.
    points : int
        Grid points along each axis.

    Returns
    -------
    (ndarray, ndarray, ndarray)
        x and y of shape ``(points,)`` and the values of shape ``(points, points)``,
        rows running along y.

    Raises
    ------
    ValueError
        If the surface has one input.

    Examples
    --------
    >>> from dlnotes import surfaces
    >>> x, y, z = grid(surfaces.bowl(), points=3)
    >>> z.tolist()
    [[12.5, 6.25, 12.5], [6.25, 0.0, 6.25], [12.5, 6.25, 12.5]]
    """
    if surface.dim != 2:
        raise ValueError(f"{surface.name} has {surface.dim} input: draw it with plots.curve")
    x, y = (np.linspace(*side, points) for side in surface.window)
    return x, y, surface.value(np.stack(np.meshgrid(x, y), -1))


def curve(ax: Axes, surface: Surface, **line: Any) -> Axes:
    """Draw a 1-D surface over its window; `line` goes to ``Axes.plot``.

    Raises
    ------
    ValueError
        If the surface has two inputs.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from dlnotes import surfaces
    >>> ax = curve(plt.figure().add_subplot(), surfaces.wave())
    >>> len(ax.lines)
    1
    """
    if surface.dim != 1:
        raise ValueError(f"{surface.name} has {surface.dim} inputs: draw it with plots.contours")
    x = np.linspace(*surface.window[0], 401)
    ax.plot(x, surface.value(x[:, None]), **{"color": "#333333", "zorder": 2, **line})
    ax.set(xlabel="$x$", ylabel="$f(x)$", xlim=surface.window[0])
    return ax


def contours(ax: Axes, surface: Surface, levels: int = 10) -> Axes:
    """Draw the contour lines of a 2-D surface and a star at each known minimum.

    The levels are spaced evenly in the square root of the height above the lowest
    grid value, so that they do not pile up on steep walls.

    Raises
    ------
    ValueError
        If the surface has one input.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from dlnotes import surfaces
    >>> ax = contours(plt.figure().add_subplot(), surfaces.himmelblau())
    >>> len(ax.lines[0].get_xdata())
    4
    """
    x, y, z = grid(surface)
    low, high = z.min(), z.max()
    heights = low + (high - low) * np.linspace(0, 1, levels + 2)[1:-1] ** 2
    ax.contour(x, y, z, heights, colors=CONTOUR_GREY, linewidths=0.7, linestyles="solid")
    lowest = np.array(surface.minima)
    ax.plot(lowest[:, 0], lowest[:, 1], "*", markersize=9, color="#333333", zorder=4)
    ax.set(xlabel="$x$", ylabel="$y$", xlim=surface.window[0], ylim=surface.window[1])
    ax.grid(visible=False)
    return ax


def path(ax: Axes, points: Any, surface: Surface, *, every: int = 1, **line: Any) -> Axes:
    """Draw a descent path on axes that hold `curve` or `contours`.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    points : ndarray
        Shape ``(steps + 1, dim)``, as returned by ``scratch.optimizers.descend``.
    surface : Surface
        The function that was descended on.
    every : int
        Mark every so many points.
    **line
        Goes to ``Axes.plot``, for example ``label``.

    Raises
    ------
    ValueError
        If `points` has another shape.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from dlnotes import surfaces
    >>> ax = plt.figure().add_subplot()
    >>> ax = path(ax, np.array([[3.6], [3.7]]), surfaces.wave())
    >>> ax.lines[0].get_xdata().tolist()
    [3.6, 3.7]
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != surface.dim:
        raise ValueError(f"points must have shape (steps + 1, {surface.dim}), got {points.shape}")
    height = surface.value(points) if surface.dim == 1 else points[:, 1]
    style = {"marker": "o", "markersize": 3.5, "linewidth": 1.3, "zorder": 3, **line}
    (drawn,) = ax.plot(points[:, 0], height, markevery=every, **style)
    ax.plot(
        points[0, 0],
        height[0],
        "s",
        markersize=7,
        color=drawn.get_color(),
        markeredgecolor="white",
        zorder=5,
    )
    return ax


def band(ax: Axes, x: Any, runs: Any, **line: Any) -> Axes:
    """Draw the median of several runs and shade from the smallest to the largest.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : array of shape (n,)
        Shared positions.
    runs : array of shape (runs, n)
        One row a run, for example one a seed.
    **line
        Goes to ``Axes.plot``, for example ``label``.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = band(plt.figure().add_subplot(), [0, 1], [[1, 2], [3, 4], [8, 9]])
    >>> ax.lines[0].get_ydata().tolist()
    [3.0, 4.0]
    """
    x, runs = np.asarray(x), np.asarray(runs)
    if runs.ndim != 2 or runs.shape[1:] != x.shape:
        raise ValueError(f"runs must have shape (runs, {len(x)}) to fit x, got {runs.shape}")
    (drawn,) = ax.plot(x, np.median(runs, axis=0), **line)
    low, high = runs.min(axis=0), runs.max(axis=0)
    ax.fill_between(x, low, high, color=drawn.get_color(), alpha=0.2, linewidth=0)
    return ax


def least_squares(ax: Axes, x: Any, y: Any) -> Axes:
    """Draw contours of the mean squared error of a line over intercept and slope.

    A star marks the minimum. The levels are spaced evenly in the logarithm of the loss.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : array of shape (samples, 2)
        Inputs, the first column all ones.
    y : array of shape (samples,)
        Targets.

    Raises
    ------
    ValueError
        If `x` has not two columns.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> ax = least_squares(plt.figure().add_subplot(), x, np.array([1.0, 3.5, 4.5]))
    >>> ax.lines[0].get_xydata().round(6).tolist()
    [[1.25, 1.75]]
    """
    if np.ndim(x) != 2 or np.shape(x)[1] != 2:
        raise ValueError(f"x must have shape (samples, 2), got {np.shape(x)}")
    best = np.linalg.lstsq(x, y)[0]
    a, b = (np.linspace(middle - 5, middle + 5, 201) for middle in best)
    heights = regression.loss(np.stack(np.meshgrid(a, b), -1), x, y)
    lowest = max(float(heights.min()), 1e-3)
    levels = np.geomspace(1.05, 100, 9) * lowest
    ax.contour(a, b, heights, levels, colors=CONTOUR_GREY, linewidths=0.8)
    ax.plot(*best, "*", markersize=9, color="#333333", zorder=4)
    ax.set(xlabel="intercept", ylabel="slope")
    ax.grid(visible=False)
    return ax


def regions(
    ax: Axes, function: Any, window: Any, *, border: float = 0.0, points: int = 201
) -> Axes:
    """Shade the plane by a function of two inputs, and draw where it crosses a border.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    function : callable
        Takes an array of shape ``(n, 2)``, returns n values.
    window : ((low, high), (low, high))
        Of x and y.
    border : float
        The value between the two sides: 0 for a logit, 0.5 for a probability.
    points : int
        Grid points along each axis.

    Raises
    ------
    ValueError
        If the function does not return one value a point.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().add_subplot()
    >>> ax = regions(ax, lambda p: p[:, 0] - p[:, 1], ((0, 1), (0, 1)))
    >>> len(ax.collections)
    2
    """
    x, y = (np.linspace(low, high, points) for low, high in window)
    at = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    values = np.asarray(function(at))
    if values.size != len(at):
        raise ValueError(
            f"function must return one value for each of {len(at)} points, got {values.shape}"
        )
    above = (values.reshape(points, points) > border).astype(float)
    ax.contourf(x, y, above, levels=[-0.5, 0.5, 1.5], colors=["C0", "C1"], alpha=0.18)
    ax.contour(x, y, values.reshape(points, points), [border], colors="#333333", linewidths=1.2)
    ax.set(xlim=window[0], ylim=window[1])
    ax.grid(visible=False)
    return ax
