"""Surfaces against autograd: values and gradients of both array kinds, minima, windows."""

import numpy as np
import pytest
import torch

from dlnotes.surfaces import SURFACES, Surface, ravine

ALL = [*SURFACES.values(), ravine(1.0), ravine(100.0), ravine(9.0, 30.0)]
IDS = [*SURFACES, "ravine-1", "ravine-100", "ravine-turned"]
every_surface = pytest.mark.parametrize("surface", ALL, ids=IDS)

# The definitions once more, each written for one point in another way than in the package.
BY_HAND = {
    "wave": lambda x: x * x * torch.sin(x),
    "plateau": lambda x: -torch.expm1(-x * x / 2),
    "bowl": lambda x, y: torch.hypot(x, y) ** 2,
    "ravine": lambda x, y: 0.5 * x * x + 10 * y * y,
    "saddle": lambda x, y: 0.5 * x**2 + 0.25 * (y**2 - 1) ** 2 - 0.25,
    "rosenbrock": lambda x, y: torch.square(1 - x) + torch.square(10 * (y - x * x)),
    "beale": lambda x, y: (
        (1.5 - x * (1 - y)) ** 2 + (2.25 - x * (1 - y * y)) ** 2 + (2.625 - x * (1 - y**3)) ** 2
    ),
    "himmelblau": lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
}


def points(surface: Surface, shape: tuple[int, ...] = (40,)) -> np.ndarray:
    """Points spread over the window, the same ones every time."""
    low, high = np.array(surface.window).T
    return np.random.default_rng(0).uniform(low, high, (*shape, surface.dim))


@pytest.mark.parametrize("name", SURFACES)
def test_value_is_the_published_formula(name):
    where = torch.from_numpy(points(SURFACES[name]))
    expected = BY_HAND[name](*where.unbind(-1))
    torch.testing.assert_close(SURFACES[name].value(where), expected, rtol=1e-12, atol=1e-12)


@every_surface
def test_gradient_is_that_of_autograd(surface):
    where = torch.from_numpy(points(surface)).requires_grad_()
    (expected,) = torch.autograd.grad(surface.value(where).sum(), where)
    torch.testing.assert_close(surface.grad(where.detach()), expected, rtol=1e-12, atol=1e-12)


@every_surface
@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (0,)])
def test_any_leading_shape_and_either_kind_of_array(surface, shape):
    where = points(surface, shape)
    value, grad = surface.value(where), surface.grad(where)
    assert np.shape(value) == shape
    assert grad.shape == where.shape
    tensor = torch.from_numpy(where)
    assert isinstance(surface.value(tensor), torch.Tensor)
    np.testing.assert_allclose(surface.value(tensor).numpy(), value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(surface.grad(tensor).numpy(), grad, rtol=1e-12, atol=1e-12)


@every_surface
def test_gradient_keeps_the_dtype_of_a_tensor(surface):
    where = torch.from_numpy(points(surface)).float()
    assert surface.grad(where).dtype == surface.value(where).dtype == torch.float32


@every_surface
def test_minima_are_stationary_with_positive_curvature(surface):
    for minimum in surface.minima:
        where = torch.tensor(minimum, dtype=torch.float64)
        assert surface.grad(where).abs().max() < 1e-12
        hessian = torch.autograd.functional.hessian(surface.value, where)
        assert torch.linalg.eigvalsh(hessian).min() > 1e-3


@every_surface
def test_minima_are_all_of_them_lowest_first(surface):
    values = [float(surface.value(np.array(m))) for m in surface.minima]
    assert values == pytest.approx(sorted(values), abs=1e-12)
    # On a grid over the window, a point lower than its neighbours is next to a minimum.
    axes = [np.linspace(low, high, 201) for low, high in surface.window]
    grid = surface.value(np.stack(np.meshgrid(*axes, indexing="ij"), -1))
    found = set()
    inner = (slice(1, -1),) * surface.dim
    lowest = np.ones_like(grid[inner], dtype=bool)
    for axis in range(surface.dim):
        for way in (1, -1):
            lowest &= grid[inner] < np.roll(grid, way, axis)[inner]
    for index in np.argwhere(lowest):
        where = np.array([axis[i + 1] for axis, i in zip(axes, index, strict=True)])
        where = torch.from_numpy(where)
        for _ in range(50):  # Newton: from a neighbour to the minimum itself
            hessian = torch.autograd.functional.hessian(surface.value, where)
            if torch.linalg.eigvalsh(hessian).min() <= 0:
                break
            where = where - torch.linalg.solve(hessian, surface.grad(where))
        else:
            found.add(tuple(np.round(where.numpy(), 6) + 0.0))
    assert found == {tuple(np.round(m, 6) + 0.0) for m in surface.minima}


@every_surface
def test_window_holds_the_start_and_the_minima(surface):
    assert len(surface.window) == len(surface.start) == surface.dim
    for point in (surface.start, *surface.minima):
        for x, (low, high) in zip(point, surface.window, strict=True):
            assert low < x < high


def test_registry_is_by_name():
    assert all(name == surface.name for name, surface in SURFACES.items())


def test_condition_is_the_condition_number():
    hessian = torch.autograd.functional.hessian(
        ravine(37.0).value, torch.zeros(2, dtype=torch.float64)
    )
    assert float(torch.linalg.cond(hessian)) == pytest.approx(37.0)


def test_angle_turns_the_valley_with_its_start_and_leaves_the_condition():
    turned, straight = ravine(37.0, 30.0), ravine(37.0)
    zero = torch.zeros(2, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(turned.value, zero)
    values, vectors = torch.linalg.eigh(hessian)
    np.testing.assert_allclose(values, [1, 37], rtol=1e-12)
    along = vectors[:, 0] * vectors[0, 0].sign()
    np.testing.assert_allclose(along, [np.sqrt(3) / 2, 0.5], rtol=1e-12)  # counterclockwise
    start, before = np.array(turned.start), np.array(straight.start)
    assert turned.value(start) == pytest.approx(straight.value(before))
    assert start @ along.numpy() == pytest.approx(before[0])


def test_impossible_angle_is_named():
    with pytest.raises(ValueError, match="angle must be a finite number of degrees"):
        ravine(angle=float("inf"))


@pytest.mark.parametrize("condition", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_condition_is_named(condition):
    with pytest.raises(ValueError, match="condition must be a positive finite number"):
        ravine(condition)
