"""Losses against torch: values and gradients, property-based and at the extremes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F  # noqa: N812  as torch's documentation writes it

from dlnotes.scratch import losses

numbers = arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4).map(lambda v: round(v, 6)))
truths = arrays(np.float64, (3, 4), elements=st.sampled_from([0.0, 1.0]))
shares = arrays(np.float64, (3, 4), elements=st.floats(0.01, 0.99))
labels = arrays(np.int64, (3,), elements=st.integers(0, 3))


def agrees(ours, function, first, atol=1e-12):
    tensor = torch.tensor(first, requires_grad=True)
    value = function(tensor)
    value.backward()
    assert ours[0] == pytest.approx(value.item(), rel=1e-11, abs=atol)
    np.testing.assert_allclose(ours[1], tensor.grad.numpy(), rtol=1e-10, atol=atol)


@given(numbers, numbers)
def test_errors_of_numbers(a, b):
    t = torch.tensor(b)
    agrees(losses.mse(a, b), lambda x: F.mse_loss(x, t), a)
    agrees(losses.mae(a, b), lambda x: F.l1_loss(x, t), a)
    agrees(losses.huber(a, b, 2.5), lambda x: F.huber_loss(x, t, delta=2.5), a)
    agrees(losses.huber(a, b, 2.5), lambda x: 2.5 * F.smooth_l1_loss(x, t, beta=2.5), a)


@given(numbers, numbers, st.floats(0.05, 0.95))
def test_pinball_is_its_definition(a, b, q):
    def by_torch(x):
        r = torch.tensor(b) - x
        return torch.where(r > 0, q * r, torch.where(r < 0, (q - 1) * r, 0 * r)).mean()

    agrees(losses.pinball(a, b, q), by_torch, a)


def test_pinball_is_least_at_the_quantile():
    y = np.arange(11.0)
    cost = [losses.pinball(np.full(11, c), y, 0.8)[0] for c in y]
    assert int(np.argmin(cost)) == 8


@given(numbers, truths, st.floats(0.1, 20))
def test_binary_cross_entropy(z, y, weight):
    t = torch.tensor(y)
    agrees(losses.bce_with_logits(z, y), lambda x: F.binary_cross_entropy_with_logits(x, t), z)
    agrees(
        losses.bce_with_logits(z, y, weight),
        lambda x: F.binary_cross_entropy_with_logits(
            x, t, pos_weight=torch.tensor(weight, dtype=torch.float64)
        ),
        z,
    )


@given(numbers, labels, st.floats(0, 0.5))
def test_cross_entropy(z, classes, smoothing):
    t = torch.tensor(classes)
    agrees(
        losses.cross_entropy(z, classes, smoothing),
        lambda x: F.cross_entropy(x, t, label_smoothing=smoothing),
        z,
    )


@given(numbers, arrays(np.float64, (3, 4), elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_kl_divergence(log_q, p):
    agrees(
        losses.kl_divergence(log_q, p),
        lambda x: F.kl_div(x, torch.tensor(p), reduction="batchmean"),
        log_q,
    )


@given(arrays(np.float64, (5,), elements=st.floats(-3, 3).filter(lambda v: abs(v - 1) > 1e-6)))
def test_margins(m):
    agrees(losses.hinge(m), lambda x: F.relu(1 - x).mean(), m)
    assert losses.zero_one(m) == np.mean([v <= 0 for v in m])


@given(
    arrays(np.float64, (3, 4), elements=st.floats(-30, 30)),
    truths,
    st.sampled_from([0.0, 1.0, 2.0, 5.0]),
)
def test_focal(z, y, gamma):
    def by_torch(x):
        ce = F.binary_cross_entropy_with_logits(x, torch.tensor(y), reduction="none")
        return ((1 - torch.exp(-ce)) ** gamma * ce).mean()

    # 1 - exp(-ce) rounds: the oracle, not ours, is good to 1e-12 here
    agrees(losses.focal(z, y, gamma), by_torch, z, atol=1e-10)


def test_focal_uses_the_exponent_of_its_paper():
    z, y = np.array([0.3, -2.0]), np.array([1.0, 0.0])
    for ours, theirs in zip(losses.focal(z, y), losses.focal(z, y, 2.0), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@given(shares, truths)
def test_dice(p, y):
    def by_torch(x):
        t = torch.tensor(y)
        return 1 - 2 * (x * t).sum() / (x.sum() + t.sum())

    agrees(losses.dice(p, y), by_torch, p)


@given(*[arrays(np.float64, (3, 4), elements=st.floats(-5, 5).map(lambda v: round(v, 3)))] * 3)
def test_triplet(a, p, n):
    gaps = np.linalg.norm(a - p, axis=1) - np.linalg.norm(a - n, axis=1) + 1
    lengths = np.concatenate([np.linalg.norm(a - p, axis=1), np.linalg.norm(a - n, axis=1)])
    if np.abs(gaps).min() < 1e-6 or lengths.min() < 1e-3:
        return  # a kink
    agrees(
        losses.triplet(a, p, n),
        lambda x: F.triplet_margin_loss(x, torch.tensor(p), torch.tensor(n), eps=0.0),
        a,
    )


def test_triplet_of_equal_points_has_no_slope():
    zeros = np.zeros((2, 3))
    value, slope = losses.triplet(zeros, zeros, zeros)
    assert value == 1.0
    np.testing.assert_array_equal(slope, 0)


@given(numbers)
def test_what_the_generator_lowers(z):
    agrees(losses.generator_loss(z), lambda x: -F.logsigmoid(x).mean(), z)
    agrees(losses.generator_loss(z, saturating=True), lambda x: F.logsigmoid(-x).mean(), z)


@pytest.mark.parametrize("loss", [losses.mse, losses.mae, losses.huber])
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"shape \(5, 1\) and target \(5,\): make them equal"):
        loss(np.zeros((5, 1)), np.zeros(5))
