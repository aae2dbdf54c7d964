"""Best lines against their definition: linear programming, torch, and lines nearby."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch.nn import functional as F  # noqa: N812  as torch's documentation writes it

from dlnotes.scratch import lines

WITH_AND_WITHOUT = pytest.mark.parametrize("intercept", [True, False])


def samples(count: int, seed: int = 0):
    """Yield points about y = x, the last of which is anywhere, and a delta."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        x = rng.uniform(-2, 2, rng.integers(3, 22))
        y = x + 0.4 * rng.normal(size=len(x))
        x[-1], y[-1] = rng.uniform([-8, -6], [8, 6]).round(1)
        yield x, y, 10 ** rng.uniform(-1, 1)


def columns(x, intercept):
    return np.column_stack([x, np.ones_like(x)][: 1 + intercept])


@WITH_AND_WITHOUT
def test_least_squares_is_that_of_numpy(intercept):
    for x, y, _ in samples(50):
        expected = np.linalg.lstsq(columns(x, intercept), y)[0]
        found = lines.least_squares(x, y, intercept)
        np.testing.assert_allclose(found[: 1 + intercept], expected, rtol=1e-9, atol=1e-12)
        assert intercept or found[1] == 0


@WITH_AND_WITHOUT
def test_least_absolute_is_the_solution_of_the_linear_program(intercept):
    # Lowest Σ u + v, with line - point = u - v and both at least 0.
    for x, y, _ in samples(50, seed=1):
        a, n = columns(x, intercept), len(x)
        solved = linprog(
            np.r_[np.zeros(a.shape[1]), np.ones(2 * n)],
            A_eq=np.hstack([a, -np.eye(n), np.eye(n)]),
            b_eq=y,
            bounds=[(None, None)] * a.shape[1] + [(0, None)] * (2 * n),
        )
        slope, offset = lines.least_absolute(x, y, intercept)
        assert np.abs(slope * x + offset - y).sum() == pytest.approx(solved.fun, rel=1e-9)
        np.testing.assert_allclose([slope, offset][: 1 + intercept], solved.x[: 1 + intercept])


def test_least_absolute_through_the_origin_is_the_weighted_median():
    for x, y, _ in samples(50, seed=2):
        order = np.argsort(y / x)
        half = np.cumsum(np.abs(x)[order]) >= np.abs(x).sum() / 2
        assert lines.least_absolute(x, y, False)[0] == (y / x)[order][np.argmax(half)]


@WITH_AND_WITHOUT
def test_huber_has_gradient_zero_in_torch(intercept):
    # The loss is convex: where its gradient is 0 it is lowest.
    for x, y, delta in samples(300, seed=3):
        found = lines.least_huber(x, y, delta, intercept)
        line = torch.tensor(found, dtype=torch.float64, requires_grad=True)
        prediction = line[0] * torch.tensor(x) + line[1]
        F.huber_loss(prediction, torch.tensor(y), delta=delta, reduction="sum").backward()
        left = line.grad.numpy()[: 1 + intercept]
        np.testing.assert_allclose(left, 0, atol=1e-12 * delta * (1 + np.abs(x).sum()))


@WITH_AND_WITHOUT
def test_huber_lies_between_the_other_two(intercept):
    for x, y, _ in samples(50, seed=4):
        far = lines.least_huber(x, y, 1e3, intercept)
        np.testing.assert_allclose(far, lines.least_squares(x, y, intercept), rtol=1e-9, atol=1e-12)
        near = lines.least_huber(x, y, 1e-9, intercept)
        np.testing.assert_allclose(near, lines.least_absolute(x, y, intercept), atol=1e-6)


@pytest.mark.parametrize("name", ["least_squares", "least_absolute", "least_huber"])
def test_points_on_a_line_give_that_line(name):
    x = np.array([0.0, 1.0, 1.0, 3.0, 0.0])
    found = getattr(lines, name)(x, 2 * x - 1)
    np.testing.assert_allclose(found, (2, -1), rtol=1e-12)
    np.testing.assert_allclose(getattr(lines, name)(x, 2 * x, intercept=False), (2, 0), rtol=1e-12)


def test_where_many_lines_are_best_one_of_them_is_returned():
    x, y = np.array([-1.0, -1.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
    for found in (lines.least_absolute(x, y), lines.least_huber(x, y, 0.1)):
        at = np.array([-1, 1]) * found[0] + found[1]
        assert ((at >= -1e-12) & (at <= 1 + 1e-12)).all()


@pytest.mark.parametrize("name", ["least_squares", "least_absolute", "least_huber"])
@pytest.mark.parametrize(
    ("x", "y", "intercept", "message"),
    [
        ([1.0, 2.0], [1.0], True, r"same shape \(points,\), got \(2,\), \(1,\)"),
        ([[1.0]], [[1.0]], True, r"same shape \(points,\)"),
        ([1.0, np.nan], [1.0, 2.0], True, "must be finite"),
        ([1.0, 1.0], [1.0, 2.0], True, "two points with different x"),
        ([], [], True, "two points with different x"),
        ([0.0, 0.0], [1.0, 2.0], False, "a point with x other than 0"),
    ],
)
def test_points_that_determine_no_line_are_refused(name, x, y, intercept, message):
    with pytest.raises(ValueError, match=message):
        getattr(lines, name)(x, y, intercept=intercept)


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_delta_must_be_positive(delta):
    with pytest.raises(ValueError, match="delta must be positive, got"):
        lines.least_huber([0.0, 1.0], [0.0, 1.0], delta)
