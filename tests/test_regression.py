"""Least squares from scratch against torch and against the closed form."""

import re

import numpy as np
import pytest
import torch

from dlnotes.scratch import regression


@pytest.fixture
def line():
    rng = np.random.default_rng(5)
    x = np.stack([np.ones(40), rng.normal(size=40)], axis=1)
    return x, x @ np.array([1.0, -2.0]) + 0.1 * rng.normal(size=40)


def test_loss_gradient_and_hessian_agree_with_autograd(line):
    x, y = (torch.tensor(a) for a in line)
    w = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.mse_loss(x @ w, y)
    (gradient,) = torch.autograd.grad(loss, w)
    hessian = torch.autograd.functional.hessian(
        lambda w: torch.nn.functional.mse_loss(x @ w, y), w.detach()
    )
    w_ = w.detach().numpy()
    np.testing.assert_allclose(regression.loss(w_, *line), loss.item(), rtol=1e-13)
    np.testing.assert_allclose(regression.grad(w_, *line), gradient.numpy(), rtol=1e-12)
    np.testing.assert_allclose(regression.hessian(line[0]), hessian.numpy(), rtol=1e-12)


def test_leading_axes_are_runs(line):
    w = np.random.default_rng(6).normal(size=(3, 4, 2))
    one_by_one = [regression.grad(row, *line) for row in w.reshape(-1, 2)]
    np.testing.assert_allclose(
        regression.grad(w, *line), np.reshape(one_by_one, w.shape), rtol=1e-12
    )
    assert regression.loss(w, *line).shape == (3, 4)


def test_fit_follows_torch_sgd(line):
    x, y = (torch.tensor(a) for a in line)
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(25):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(x @ w, y).backward()
        optimizer.step()
    path = regression.fit(*line, lr=0.1, steps=25)
    assert path.shape == (26, 2)
    np.testing.assert_allclose(path[-1], w.detach().numpy(), rtol=1e-12)


def test_fit_converges_below_two_over_the_largest_eigenvalue_and_not_above(line):
    edge = 2 / np.linalg.eigvalsh(regression.hessian(line[0])).max()
    best = np.linalg.lstsq(*line)[0]
    below = regression.fit(*line, lr=0.99 * edge, steps=2000)[-1]
    above = regression.fit(*line, lr=1.01 * edge, steps=2000)[-1]
    np.testing.assert_allclose(below, best, rtol=1e-9)
    assert np.linalg.norm(above - best) > 1e6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lr": 0.0}, "lr must be positive"),
        ({"lr": float("nan")}, "lr must be positive"),
        ({"steps": -1}, "steps must not be negative"),
        ({"x": np.ones(40)}, "x must have shape"),
        ({"y": np.ones((40, 1))}, "got (40, 2) and (40, 1)"),
    ],
)
def test_bad_input_says_what_to_change(line, change, words):
    arguments = {"x": line[0], "y": line[1], "lr": 0.1, "steps": 2, **change}
    with pytest.raises(ValueError, match=re.escape(words)):
        regression.fit(**arguments)


def test_no_steps_leave_the_zero_weights():
    assert regression.fit(np.ones((3, 2)), np.ones(3), lr=0.1, steps=0).tolist() == [[0.0, 0.0]]


def by_hand(x, y, lr, batch_size, epochs, seed):
    rng, w = np.random.default_rng(seed), np.zeros(x.shape[1])
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for first in range(0, len(x), batch_size):
            batch = order[first : first + batch_size]
            w = w - lr * regression.grad(w, x[batch], y[batch])
    return w


@pytest.mark.parametrize("batch_size", [1, 16, 40])  # 16 leaves a short last batch of 8
def test_sgd_is_the_plain_loop_for_every_rate_and_seed(line, batch_size):
    path = regression.sgd(*line, lr=[0.01, 0.05], batch_size=batch_size, epochs=3, seeds=[4, 9, 2])
    assert path.shape == (4, 2, 3, 2)
    for i, lr in enumerate([0.01, 0.05]):
        for j, seed in enumerate([4, 9, 2]):
            expected = by_hand(*line, lr, batch_size, 3, seed)
            np.testing.assert_allclose(path[-1, i, j], expected, rtol=1e-12)
    np.testing.assert_array_equal(path[0], 0)


def test_sgd_with_all_samples_is_fit(line):
    path = regression.sgd(*line, lr=[0.1], batch_size=40, epochs=7, seeds=[0])
    np.testing.assert_allclose(path[:, 0, 0], regression.fit(*line, 0.1, 7), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lr": 0.1}, "lr must be a list of positive learning rates, got 0.1"),
        ({"lr": [0.1, 0.0]}, "lr must be a list of positive"),
        ({"batch_size": 0}, "batch_size must be from 1 to 40, got 0"),
        ({"batch_size": 41}, "batch_size must be from 1 to 40, got 41"),
        ({"epochs": -1}, "epochs must not be negative"),
    ],
)
def test_sgd_says_what_to_change(line, change, words):
    arguments = {"lr": [0.1], "batch_size": 4, "epochs": 1, "seeds": [0], **change}
    with pytest.raises(ValueError, match=re.escape(words)):
        regression.sgd(*line, **arguments)
