"""Layers against torch: values, gradients, memory, and 200 steps of training."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlnotes.scratch import backprop, layers

STEPS = 200
SIZES = st.tuples(st.integers(2, 7), st.integers(2, 5))


def agree(ours, theirs):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


def drawn(size, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(2, 3, size), *rng.normal(size=(2, size[1]))


@given(SIZES, st.integers(0, 99), st.floats(0.01, 1), st.sampled_from([1e-5, 1e-2]))
def test_batch_norm_is_torch_in_training_and_in_use(size, seed, momentum, eps):
    x, gamma, beta = drawn(size, seed)
    norm = nn.BatchNorm1d(size[1], eps, momentum).double()
    norm.weight.data, norm.bias.data = torch.tensor(gamma), torch.tensor(beta)
    memory = layers.running(size[1])
    for k in range(3):
        out, memory = layers.batch_norm(x + k, gamma, beta, memory, momentum, eps)
        agree(out, norm(torch.tensor(x + k)))
        agree(memory.mean, norm.running_mean)
        agree(memory.var, norm.running_var)
    used = layers.batch_norm_in_use(x, gamma, beta, memory, eps)
    agree(used, norm.eval()(torch.tensor(x)))
    alone = layers.batch_norm_in_use(x[:1], gamma, beta, memory, eps)
    np.testing.assert_allclose(alone, used[:1], rtol=1e-12)


@given(SIZES, st.integers(0, 99), st.sampled_from([1e-5, 1e-2]))
def test_layer_norm_is_torch_with_its_gradients(size, seed, eps):
    x, gamma, beta = drawn(size, seed)
    dout = np.random.default_rng(seed + 1).normal(size=size)
    given = [torch.tensor(v, requires_grad=True) for v in (x, gamma, beta)]
    theirs = nn.functional.layer_norm(given[0], (size[1],), given[1], given[2], eps)
    theirs.backward(torch.tensor(dout))
    agree(layers.layer_norm(x, gamma, beta, eps), theirs)
    for ours, tensor in zip(layers.layer_norm_backward(dout, x, gamma, eps), given, strict=True):
        agree(ours, tensor.grad)


def test_dropout_keeps_the_mean_and_adds_the_variance_that_it_says():
    x, p = np.full(200_000, 3.0), 0.2
    out, factor = layers.dropout(x, p, np.random.default_rng(0))
    assert set(factor) == {0.0, 1.25}
    np.testing.assert_array_equal(out, x * factor)
    assert out.mean() == pytest.approx(3, rel=0.01)
    assert out.var() == pytest.approx(9 * p / (1 - p), rel=0.02)
    assert (factor == 0).mean() == pytest.approx(p, rel=0.02)  # p is what is dropped


def test_masks_are_drawn_anew_entry_by_entry():
    rng = np.random.default_rng(0)
    first, second = (layers.dropout(np.ones((50, 40)), 0.5, rng)[1] for _ in range(2))
    assert (first != second).any()
    assert len(np.unique(first, axis=0)) == 50  # samples do not share a mask
    np.testing.assert_array_equal(layers.dropout(np.ones(9), 0.0, rng)[0], np.ones(9))


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_a_share_that_cannot_be_dropped_is_refused(p):
    with pytest.raises(ValueError, match="p must be the share that is dropped"):
        layers.dropout(np.ones(3), p, np.random.default_rng(0))


def test_a_batch_of_one_is_refused_as_in_torch():
    with pytest.raises(ValueError, match="use batches of two or more"):
        layers.batch_norm(np.ones((1, 3)), np.ones(3), np.zeros(3), layers.running(3))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm1d(3)(torch.ones(1, 3))


def test_training_with_all_three_is_torch_for_200_steps():
    """x -> W -> batch norm -> dropout -> V -> layer norm -> squared error, plain descent."""
    rng = np.random.default_rng(0)
    w, v = rng.normal(size=(4, 6)), rng.normal(size=(6, 3))
    g1, b1, g2, b2 = np.ones(6), np.zeros(6), np.ones(3), np.zeros(3)
    params = [w, g1, b1, v, g2, b2]
    theirs = [nn.Parameter(torch.tensor(p)) for p in params]
    norm = nn.BatchNorm1d(6).double()
    norm.weight, norm.bias = theirs[1], theirs[2]
    optimizer = torch.optim.SGD(theirs, lr=0.05)
    memory = layers.running(6)
    masks = np.random.default_rng(1)
    for _ in range(STEPS):
        x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
        w, g1, b1, v, g2, b2 = params
        h = x @ w
        n, memory = layers.batch_norm(h, g1, b1, memory)
        d, factor = layers.dropout(n, 0.3, masks)
        z = d @ v
        out = layers.layer_norm(z, g2, b2)
        dz, dg2, db2 = layers.layer_norm_backward(2 * (out - y) / y.size, z, g2)
        dh, dg1, db1 = backprop.batch_norm_backward((dz @ v.T) * factor, h, g1)
        grads = [x.T @ dh, dg1, db1, d.T @ dz, dg2, db2]
        params = [p - 0.05 * grad for p, grad in zip(params, grads, strict=True)]

        hidden = norm(torch.tensor(x) @ theirs[0]) * torch.tensor(factor)
        predicted = nn.functional.layer_norm(hidden @ theirs[3], (3,), theirs[4], theirs[5])
        optimizer.zero_grad()
        nn.functional.mse_loss(predicted, torch.tensor(y)).backward()
        optimizer.step()
        for ours, tensor in zip(params, theirs, strict=True):
            agree(ours, tensor)
    agree(memory.mean, norm.running_mean)
    agree(memory.var, norm.running_var)
    _, g1, b1, *_ = params
    agree(layers.batch_norm_in_use(h, g1, b1, memory), norm.eval()(torch.tensor(h)))
