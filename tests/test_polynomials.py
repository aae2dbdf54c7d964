"""Fits with a penalty against scikit-learn, their conditions, and theory against simulation."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso, Ridge

from dlnotes.scratch import polynomials


def samples(count: int, seed: int = 0):
    """Yield features of a polynomial, the targets of three samples, and a strength."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        degree = int(rng.integers(1, 11))
        n = int(rng.integers(degree + 3, 50))
        x = rng.uniform(-1, 1, n)
        features = polynomials.legendre(x, degree)
        yield features, np.sin(np.pi * x) + rng.normal(size=(3, n)), 10 ** rng.uniform(-3, 0)


def test_legendre_is_that_of_numpy_with_mean_square_one():
    x, weights = np.polynomial.legendre.leggauss(20)
    features = polynomials.legendre(x, 12)
    scale = np.sqrt(2 * np.arange(13) + 1)
    np.testing.assert_allclose(
        features, np.polynomial.legendre.legvander(x, 12) * scale, rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(
        features.T @ (features * weights[:, None]) / 2, np.eye(13), atol=1e-13
    )
    assert polynomials.legendre(x, 0).tolist() == [[1.0]] * 20


def test_ridge_is_that_of_scikit_learn():
    for features, y, strength in samples(40):
        ours = polynomials.ridge(features, y, strength)
        theirs = Ridge(alpha=strength * y.shape[1], solver="svd").fit(features[:, 1:], y.T)
        np.testing.assert_allclose(ours[:, 1:], theirs.coef_, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(ours[:, 0], theirs.intercept_, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(polynomials.ridge(features, y[1], strength), ours[1], rtol=1e-9)


def test_without_a_penalty_ridge_is_least_squares_and_past_that_the_smallest():
    for features, y, _ in samples(20, seed=1):
        expected = np.linalg.pinv(features) @ y.T
        np.testing.assert_allclose(polynomials.ridge(features, y), expected.T, atol=1e-8)
        few = features[:3], y[:, :3]
        smallest = (np.linalg.pinv(few[0]) @ few[1].T).T
        np.testing.assert_allclose(polynomials.ridge(*few), smallest, atol=1e-8)


def test_lasso_is_that_of_scikit_learn():
    zeros = 0
    for features, y, strength in samples(60, seed=2):
        ours = polynomials.lasso(features, y, strength)
        for c, targets in zip(ours, y, strict=True):
            theirs = Lasso(alpha=strength, tol=1e-14, max_iter=1_000_000)
            theirs.fit(features[:, 1:], targets)
            np.testing.assert_allclose(c[1:], theirs.coef_, rtol=1e-6, atol=1e-8)
            np.testing.assert_allclose(c[0], theirs.intercept_, rtol=1e-6, atol=1e-8)
            zeros += int((c == 0).sum())
    assert zeros > 100


def test_lasso_meets_the_conditions_of_its_minimum_exactly():
    for features, y, strength in samples(60, seed=3):
        for c, targets in zip(polynomials.lasso(features, y, strength), y, strict=True):
            slopes = features.T @ (features @ c - targets) / len(targets)
            used = c[1:] != 0
            assert abs(slopes[0]) < 1e-11
            np.testing.assert_allclose(
                slopes[1:][used], -strength * np.sign(c[1:][used]), atol=1e-11
            )
            assert (np.abs(slopes[1:][~used]) <= strength * (1 + 1e-8)).all()


def coordinate_descent(features, y, strength, rounds):
    gram, moments = features.T @ features / len(y), features.T @ y / len(y)
    c = np.zeros(len(gram))
    for _ in range(rounds):
        for k in range(len(c)):
            pull = moments[k] - gram[k] @ c + gram[k, k] * c[k]
            c[k] = np.sign(pull) * max(abs(pull) - strength * (k > 0), 0) / gram[k, k]
    return c


def test_lasso_is_where_coordinate_descent_ends():
    for features, y, strength in samples(10, seed=4):
        if np.linalg.cond(features) < 20:
            expected = coordinate_descent(features, y[0], strength, 5000)
            ours = polynomials.lasso(features, y[0], strength)
            np.testing.assert_allclose(ours, expected, atol=1e-10)


def test_lasso_of_features_that_are_alike_or_too_many():
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(12), rng.normal(size=(12, 30))])
    twice = np.column_stack([x[:, :3], x[:, 2]])
    for features in (x, twice):
        for strength in (0.3, 0.03):
            y = rng.normal(size=12)
            c = polynomials.lasso(features, y, strength)
            theirs = Lasso(alpha=strength, tol=1e-12, max_iter=1_000_000).fit(features[:, 1:], y)
            ours, known = (
                ((y - features @ one) ** 2).mean() / 2 + strength * np.abs(one[1:]).sum()
                for one in (c, np.r_[theirs.intercept_, theirs.coef_])
            )
            assert ours == pytest.approx(known, rel=1e-8)


def test_orthonormal_features_show_the_filter_and_the_threshold():
    # The chapter's two pictures of a penalty: s / (s + λ), here with s = 1, and a threshold.
    rng = np.random.default_rng(6)
    basis = np.linalg.qr(np.column_stack([np.ones(20), rng.normal(size=(20, 6))]))[0] * 20**0.5
    basis *= np.sign(basis[0, 0])
    free = polynomials.ridge(basis, y := rng.normal(size=20))
    small = polynomials.ridge(basis, y, 0.25)
    np.testing.assert_allclose(small, np.r_[free[0], free[1:] / 1.25], atol=1e-12)
    some = polynomials.lasso(basis, y, 0.1)
    expected = np.sign(free[1:]) * np.maximum(np.abs(free[1:]) - 0.1, 0)
    np.testing.assert_allclose(some, np.r_[free[0], expected], atol=1e-12)


@pytest.mark.parametrize("strength", [0.0, 0.02])
def test_expected_errors_are_those_of_many_samples(strength):
    rng = np.random.default_rng(7)
    x, places = np.linspace(-1, 1, 25), np.linspace(-1, 1, 77)
    features, tested = polynomials.legendre(x, 6), polynomials.legendre(places, 6)
    signal, truth = (np.exp(v) + 5 * v**9 for v in (x, places))  # more than degree 6 can give
    y = signal + 0.4 * rng.normal(size=(20_000, 25))
    fits = polynomials.ridge(features, y, strength)
    measured = polynomials.measured_errors(fits, y, features, tested, truth, 0.4)
    expected = polynomials.expected_errors(features, signal, tested, truth, 0.4, strength)
    np.testing.assert_allclose(measured, expected, rtol=0.02)
    errors = ((fits @ tested.T - truth) ** 2).mean() + 0.16
    assert measured.test == pytest.approx(errors, rel=1e-12)
    assert expected.test == expected.noise + expected.bias + expected.variance


@pytest.mark.parametrize("degree", [0, 3, 9])
def test_least_squares_at_fixed_inputs_has_the_textbook_errors(degree):
    x = polynomials.legendre(np.linspace(-1, 1, 20) ** 3, degree)
    signal = x.sum(1)
    found = polynomials.expected_errors(x, signal, x, signal, noise=0.3)
    share = (degree + 1) / 20
    np.testing.assert_allclose(
        [found.training, found.test], [0.09 * (1 - share), 0.09 * (1 + share)]
    )
    assert found.bias == pytest.approx(0, abs=1e-20)


def test_effective_coefficients_are_the_sum_over_curvatures():
    for features, _, strength in samples(20, seed=8):
        rest = features[:, 1:] - features[:, 1:].mean(0)
        s = np.linalg.eigvalsh(rest.T @ rest / len(rest))
        expected = 1 + (s / (s + strength)).sum()
        assert polynomials.effective_coefficients(features, strength) == pytest.approx(expected)


@pytest.mark.parametrize("fit", [polynomials.ridge, polynomials.lasso])
@pytest.mark.parametrize(
    ("features", "y", "strength", "message"),
    [
        (np.ones((3, 1)), np.ones(2), 0.1, r"y \(..., points\), got \(3, 1\) and \(2,\)"),
        (np.ones(3), np.ones(3), 0.1, r"shape \(points, coefficients\)"),
        (np.ones((3, 1)), 1.0, 0.1, r"got \(3, 1\) and \(\)"),
        (np.ones((3, 0)), np.ones(3), 0.1, r"got \(3, 0\)"),
        (np.ones((3, 1)), np.ones(3), -0.1, "strength must not be negative, got -0.1"),
        (np.ones((3, 1)), np.ones(3), float("nan"), "strength must not be negative, got nan"),
    ],
)
def test_what_cannot_be_fitted_is_refused(fit, features, y, strength, message):
    with pytest.raises(ValueError, match=message):
        fit(features, y, strength)


@pytest.mark.parametrize(("x", "degree"), [([[0.0]], 2), ([0.0], -1)])
def test_features_need_a_list_of_inputs_and_a_degree(x, degree):
    with pytest.raises(ValueError, match=r"x must have shape \(points,\) and degree be at least 0"):
        polynomials.legendre(x, degree)
