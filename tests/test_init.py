"""Initial weights against torch.nn.init: same draws, same numbers."""

import math

import pytest
import torch
from torch import nn

from dlnotes.scratch import init

SHAPES = [(64, 32), (10, 64), (3, 3)]
every_shape = pytest.mark.parametrize("shape", SHAPES)


def drawn(function, *arguments):
    torch.manual_seed(3)
    return function(*arguments)


def test_gains_and_defaults_are_those_of_torch():
    linear, relu = (nn.init.calculate_gain(name) for name in ("linear", "relu"))
    assert {"identity": linear, "relu": relu} == init.GAINS
    assert init.xavier_std(3, 5) == init.xavier_std(3, 5, linear)
    assert init.kaiming_std(7) == init.kaiming_std(7, relu)


@pytest.mark.parametrize("shape", [*SHAPES, (16, 3, 5, 5), (8, 4, 3)])
def test_fans_are_those_of_torch(shape):
    assert init.fans(shape) == nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@every_shape
@pytest.mark.parametrize("gain", [1.0, 5 / 3])
def test_xavier_is_that_of_torch(shape, gain):
    std = init.xavier_std(*init.fans(shape), gain)
    ours, theirs = (
        drawn(init.normal, shape, std),
        drawn(nn.init.xavier_normal_, torch.empty(shape), gain),
    )
    torch.testing.assert_close(ours, theirs)
    ours = drawn(init.uniform, shape, std)
    torch.testing.assert_close(ours, drawn(nn.init.xavier_uniform_, torch.empty(shape), gain))


@every_shape
def test_kaiming_is_that_of_torch(shape):
    std = init.kaiming_std(init.fans(shape)[0], init.GAINS["relu"])
    relu = {"nonlinearity": "relu"}
    ours = drawn(init.normal, shape, std)
    torch.testing.assert_close(
        ours, drawn(lambda: nn.init.kaiming_normal_(torch.empty(shape), **relu))
    )
    ours = drawn(init.uniform, shape, std)
    torch.testing.assert_close(
        ours, drawn(lambda: nn.init.kaiming_uniform_(torch.empty(shape), **relu))
    )


@every_shape
def test_linear_bound_is_that_of_nn_linear(shape):
    bound = init.linear_bound(shape[1])
    ours = drawn(init.uniform, shape, bound / math.sqrt(3))
    layer = drawn(nn.Linear, shape[1], shape[0])
    torch.testing.assert_close(ours, layer.weight.detach())
    assert layer.bias.detach().abs().max() <= bound


@every_shape
def test_orthogonal_is_that_of_torch(shape):
    ours = drawn(init.orthogonal, shape, 1.5)
    torch.testing.assert_close(ours, drawn(nn.init.orthogonal_, torch.empty(shape), 1.5))
    small = ours if shape[0] <= shape[1] else ours.T
    torch.testing.assert_close(small @ small.T, 2.25 * torch.eye(min(shape)))


def test_orthogonal_matrices_in_a_batch_are_those_drawn_one_by_one():
    for shape in ((8, 4), (4, 4)):  # sizes at which torch draws in blocks
        one = torch.stack([init.orthogonal(shape, 1.5, torch.Generator().manual_seed(7))])
        many = init.orthogonal((4, *shape), 1.5, torch.Generator().manual_seed(7))
        torch.testing.assert_close(many[:1], one)
        torch.testing.assert_close(many.mT @ many, 2.25 * torch.eye(4).expand(4, 4, 4))
    wide = init.orthogonal((4, 3, 5))
    torch.testing.assert_close(wide @ wide.mT, torch.eye(3).expand(4, 3, 3))


def test_a_generator_decides_the_draw():
    for draw in (
        lambda g: init.normal((3, 2), 1.0, g),
        lambda g: init.uniform((3, 2), 1.0, g),
        lambda g: init.orthogonal((3, 2), 1.0, g),
    ):
        one, two = (draw(torch.Generator().manual_seed(5)) for _ in range(2))
        torch.testing.assert_close(one, two, rtol=0, atol=0)
