"""The ordinal model: against autograd, brute force and a simulated hidden quantity."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from dlnotes.scratch import ordinal

THETA = np.array([-1.3, 0.2, 2.5])


def exact(score, theta, label):
    """Return -log P(label) with eighty digits."""
    with localcontext(prec=80):
        below = [Decimal(0)]
        below += [1 / (1 + (-(Decimal(float(t)) - Decimal(float(score)))).exp()) for t in theta]
        below += [Decimal(1)]
        return float(-(below[label + 1] - below[label]).ln())


@pytest.mark.parametrize("score", [0.0, 1.7, -30.0, 45.0, 80.0])
@pytest.mark.parametrize("label", range(4))
def test_loss_is_that_of_eighty_digits_also_far_out(score, label):
    value, _, _ = ordinal.loss(np.array([score]), THETA, np.array([label]))
    assert value == pytest.approx(exact(score, THETA, label), rel=1e-12, abs=1e-33)


def test_close_thresholds_keep_their_digits():
    theta = np.array([0.0, 1e-9])
    value, _, _ = ordinal.loss(np.array([3.0]), theta, np.array([1]))
    assert value == pytest.approx(exact(3.0, theta, 1), rel=1e-12)


def test_gradients_are_autograd_s():
    rng = np.random.default_rng(0)
    score, labels = 3 * rng.standard_normal(50), rng.integers(4, size=50)
    value, by_score, by_theta = ordinal.loss(score, THETA, labels)
    s, t = (torch.tensor(a, requires_grad=True) for a in (score, THETA))
    inf = torch.tensor([torch.inf], dtype=torch.float64)
    ends = torch.cat([-inf, t, inf])
    below, above = (torch.sigmoid(ends[labels + k] - s) for k in (0, 1))
    expected = -(above - below).log().mean()
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(by_score, s.grad, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(by_theta, t.grad, rtol=1e-9, atol=1e-12)


def test_slopes_stay_finite_where_a_probability_is_zero_in_doubles():
    value, by_score, by_theta = ordinal.loss(np.array([1000.0]), THETA, np.array([0]))
    assert value == pytest.approx(1001.3)
    assert by_score.tolist() == [1.0]
    assert by_theta.tolist() == [-1.0, 0.0, 0.0]


def test_probabilities_are_shares_of_a_hidden_quantity_that_is_cut():
    rng = np.random.default_rng(1)
    hidden = 0.7 + rng.logistic(size=200_000)
    shares = np.bincount(np.searchsorted(THETA, hidden), minlength=4) / len(hidden)
    p = ordinal.probabilities(np.array([0.7]), THETA)[0]
    assert p.sum() == pytest.approx(1, abs=1e-15)
    assert (abs(shares - p) < 4 * np.sqrt(p * (1 - p) / len(hidden))).all()


def test_thresholds_increase_whatever_they_are_made_of():
    rng = np.random.default_rng(2)
    for _ in range(20):
        free = 5 * rng.standard_normal(6)
        theta = ordinal.thresholds(free)
        assert theta[0] == free[0]
        assert (np.diff(theta) > 0).all()
        np.testing.assert_allclose(np.diff(theta), np.log1p(np.exp(free[1:])), rtol=1e-9)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"must increase.*thresholds\(\)"):
        ordinal.probabilities(np.zeros(1), np.array([0.0, 0.0]))
    for label in (-1, 4):
        with pytest.raises(ValueError, match="from 0 to 3"):
            ordinal.loss(np.zeros(1), THETA, np.array([label]))
