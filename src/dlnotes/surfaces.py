"""Test functions to descend on, in one and two dimensions, each with its exact gradient.

A surface is plain data: two functions and the facts that a figure needs. The
functions accept NumPy arrays and torch tensors of shape ``(..., dim)``, so one
definition serves contour plots, descent paths and checks against autograd.
Nothing here knows about optimizers or figures.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

Array = Any  # a numpy.ndarray or a torch.Tensor; a surface returns the kind it was given


class Surface(NamedTuple):
    """One test function.

    Attributes
    ----------
    name : str
        The identifier in `SURFACES` and in the descent explorer.
    formula : str
        The definition in TeX.
    dim : int
        Number of inputs, 1 or 2.
    value : callable
        Maps points of shape ``(..., dim)`` to values of shape ``(...)``.
    grad : callable
        Maps points of shape ``(..., dim)`` to gradients of the same shape.
    minima : tuple of tuple of float
        Every local minimum inside `window`, the lowest first.
    window : tuple of (float, float)
        Sensible axis limits, one pair for each input.
    start : tuple of float
        A starting point that shows what is typical of the function.
    """

    name: str
    formula: str
    dim: int
    value: Callable[[Array], Array]
    grad: Callable[[Array], Array]
    minima: tuple[tuple[float, ...], ...]
    window: tuple[tuple[float, float], ...]
    start: tuple[float, ...]


def _lib(x: Array) -> Any:
    return torch if isinstance(x, torch.Tensor) else np


def _stack(x: Array, *parts: Array) -> Array:
    return torch.stack(parts, -1) if isinstance(x, torch.Tensor) else np.stack(parts, -1)


def wave() -> Surface:
    """Return f(x) = x² sin x, with a shallow, a deep and a flat place on one line.

    Its gradient is f'(x) = 2x sin x + x² cos x. The origin has gradient zero and
    is no minimum: f behaves like x³ there.

    Examples
    --------
    >>> round(float(wave().grad(np.array([3.6]))[0]), 2)
    -14.81
    """

    def value(x: Array) -> Array:
        t = x[..., 0]
        return t**2 * _lib(x).sin(t)

    def grad(x: Array) -> Array:
        return 2 * x * _lib(x).sin(x) + x**2 * _lib(x).cos(x)

    return Surface(
        "wave",
        r"x^2 \sin x",
        1,
        value,
        grad,
        # tan x = -x/2, solved to double precision
        minima=((5.086985094102270,), (-2.288929728103415,)),
        window=((-6.5, 6.5),),
        start=(3.6,),
    )


def plateau() -> Surface:
    """Return f(x) = 1 - exp(-x²/2): one minimum at 0, and flat ground away from it.

    Its gradient is x exp(-x²/2). It is largest at |x| = 1 and falls below 10⁻³
    beyond |x| = 4.1.

    Examples
    --------
    >>> round(float(plateau().grad(np.array([1.0]))[0]), 4)
    0.6065
    """

    def value(x: Array) -> Array:
        return 1 - _lib(x).exp(-(x[..., 0] ** 2) / 2)

    def grad(x: Array) -> Array:
        return x * _lib(x).exp(-(x**2) / 2)

    return Surface(
        "plateau",
        r"1 - e^{-x^2/2}",
        1,
        value,
        grad,
        minima=((0.0,),),
        window=((-5.0, 5.0),),
        start=(3.5,),
    )


def bowl() -> Surface:
    """Return f(x, y) = x² + y², equally steep in every direction.

    The Hessian is 2I, so gradient descent converges exactly when 0 < lr < 1.

    Examples
    --------
    >>> bowl().grad(np.array([1.0, -2.0])).tolist()
    [2.0, -4.0]
    """

    def value(p: Array) -> Array:
        return p[..., 0] ** 2 + p[..., 1] ** 2

    def grad(p: Array) -> Array:
        return 2 * p

    return Surface(
        "bowl",
        r"x^2 + y^2",
        2,
        value,
        grad,
        minima=((0.0, 0.0),),
        window=((-2.5, 2.5), (-2.5, 2.5)),
        start=(-2.0, 1.5),
    )


def ravine(condition: float = 20.0, angle: float = 0.0) -> Surface:
    """Return f(x, y) = (u² + condition · v²) / 2, a valley along the x axis, or turned.

    u and v are x and y, turned by `angle` with the valley. The Hessian has the
    eigenvalues 1 and `condition`, so `condition` is the condition number (for values of
    at least 1), whatever the angle. The start turns with the valley.

    Parameters
    ----------
    condition : float
        Curvature across the valley divided by curvature along it; positive.
    angle : float
        Of the valley with the x axis, in degrees, counterclockwise.

    Raises
    ------
    ValueError
        If `condition` is not a positive finite number or `angle` is not finite.

    Examples
    --------
    >>> ravine(10.0).grad(np.array([1.0, 1.0])).tolist()
    [1.0, 10.0]
    >>> ravine(10.0, angle=90.0).grad(np.array([1.0, 1.0])).round(12).tolist()
    [10.0, 1.0]
    """
    if not (np.isfinite(condition) and condition > 0):
        raise ValueError(f"condition must be a positive finite number, got {condition}")
    if not np.isfinite(angle):
        raise ValueError(f"angle must be a finite number of degrees, got {angle}")
    cos, sin = float(np.cos(np.deg2rad(angle))), float(np.sin(np.deg2rad(angle)))

    def along_and_across(p: Array) -> tuple[Array, Array]:
        x, y = p[..., 0], p[..., 1]
        return cos * x + sin * y, cos * y - sin * x

    def value(p: Array) -> Array:
        u, v = along_and_across(p)
        return (u**2 + condition * v**2) / 2

    def grad(p: Array) -> Array:
        u, v = along_and_across(p)
        return _stack(p, cos * u - condition * sin * v, sin * u + condition * cos * v)

    return Surface(
        "ravine",
        rf"\tfrac12 (x^2 + {condition:g}\,y^2)"
        + (rf"\ \text{{turned by }} {angle:g}^\circ" if angle else ""),
        2,
        value,
        grad,
        minima=((0.0, 0.0),),
        window=((-2.5, 2.5), (-2.5, 2.5) if angle else (-1.25, 1.25)),
        start=(-2.0 * cos - 0.8 * sin, 0.8 * cos - 2.0 * sin),
    )


def saddle() -> Surface:
    """Return f(x, y) = x²/2 + y⁴/4 - y²/2: a saddle at 0 between two minima.

    At the origin the Hessian has the eigenvalues 1 and -1. The minima are at
    (0, ±1), where f = -1/4, so that a path which leaves the saddle has somewhere
    to go. A start with y = 0 exactly is on the ridge and ends in the saddle.

    Examples
    --------
    >>> saddle().grad(np.array([0.0, 0.0])).tolist()
    [0.0, 0.0]
    """

    def value(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        return x**2 / 2 + y**4 / 4 - y**2 / 2

    def grad(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        return _stack(p, x, y**3 - y)

    return Surface(
        "saddle",
        r"\tfrac12 x^2 + \tfrac14 y^4 - \tfrac12 y^2",
        2,
        value,
        grad,
        minima=((0.0, 1.0), (0.0, -1.0)),
        window=((-2.0, 2.0), (-1.6, 1.6)),
        start=(-1.8, 0.01),
    )


def rosenbrock() -> Surface:
    """Return f(x, y) = (1 - x)² + 100 (y - x²)², a curved, flat-bottomed valley.

    Source: H. H. Rosenbrock, `An automatic method for finding the greatest or
    least value of a function <https://doi.org/10.1093/comjnl/3.3.175>`_ (1960).

    Examples
    --------
    >>> rosenbrock().grad(np.array([0.0, 0.0])).tolist()
    [-2.0, 0.0]
    """

    def value(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    def grad(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        return _stack(p, -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2))

    return Surface(
        "rosenbrock",
        r"(1 - x)^2 + 100 (y - x^2)^2",
        2,
        value,
        grad,
        minima=((1.0, 1.0),),
        window=((-2.0, 2.0), (-1.0, 3.0)),
        start=(-1.2, 1.0),
    )


def beale() -> Surface:
    """Return Beale's function: a flat floor with sharp walls; minimum at (3, 0.5).

    f(x, y) = (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)².
    Source: E. M. L. Beale, *On an iterative method for finding a local minimum
    of a function of more than one variable* (1958).

    Examples
    --------
    >>> float(beale().value(np.array([3.0, 0.5])))
    0.0
    """
    targets = (1.5, 2.25, 2.625)

    def value(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        return sum((c - x + x * y**k) ** 2 for k, c in enumerate(targets, 1))

    def grad(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        residuals = [c - x + x * y**k for k, c in enumerate(targets, 1)]
        dx = sum(2 * r * (y**k - 1) for k, r in enumerate(residuals, 1))
        dy = sum(2 * r * x * k * y ** (k - 1) for k, r in enumerate(residuals, 1))
        return _stack(p, dx, dy)

    return Surface(
        "beale",
        r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        2,
        value,
        grad,
        minima=((3.0, 0.5),),
        window=((-1.0, 4.5), (-1.5, 1.5)),
        start=(0.5, -1.0),
    )


def himmelblau() -> Surface:
    """Return f(x, y) = (x² + y - 11)² + (x + y² - 7)²: four minima of equal depth.

    Source: D. M. Himmelblau, *Applied Nonlinear Programming* (1972).

    Examples
    --------
    >>> float(himmelblau().value(np.array([3.0, 2.0])))
    0.0
    """

    def value(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def grad(p: Array) -> Array:
        x, y = p[..., 0], p[..., 1]
        a, b = x**2 + y - 11, x + y**2 - 7
        return _stack(p, 4 * x * a + 2 * b, 2 * a + 4 * y * b)

    return Surface(
        "himmelblau",
        r"(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        2,
        value,
        grad,
        minima=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286170),
            (3.584428340330492, -1.848126526964404),
        ),
        window=((-5.5, 5.5), (-5.5, 5.5)),
        start=(0.0, 0.0),
    )


#: Every surface by its name, with its parameters as they are by default.
SURFACES: dict[str, Surface] = {
    s.name: s
    for s in (
        wave(), plateau(), bowl(), ravine(), saddle(), rosenbrock(), beale(), himmelblau(),
    )
}  # fmt: skip
