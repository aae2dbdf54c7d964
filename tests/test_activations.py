"""Activations against torch: values and slopes, property-based and at the extremes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F  # noqa: N812  as torch's documentation writes it

from dlnotes.scratch import activations

TORCH = {
    "identity": lambda z: z * 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
}
every_one = pytest.mark.parametrize("name", TORCH)
moderate = arrays(np.float64, (7,), elements=st.floats(-30, 30))
CLOSE = {"rtol": 1e-12, "atol": 1e-15}


def by_torch(function, z):
    tensor = torch.tensor(z, requires_grad=True)
    value = function(tensor)
    value.sum().backward()
    return value.detach().numpy(), tensor.grad.numpy()


def test_all_are_compared():
    assert set(TORCH) == set(activations.ACTIVATIONS)


@every_one
@given(z=moderate)
def test_values_and_slopes_are_those_of_torch(name, z):
    for ours, theirs in zip(activations.ACTIVATIONS[name], by_torch(TORCH[name], z), strict=True):
        # torch forms 1 - s and 1 - tanh², which keep 16 decimals and not 16 digits.
        np.testing.assert_allclose(ours(z), theirs, rtol=1e-12, atol=4e-16 * 30)


@every_one
def test_extremes_are_those_of_torch(name):
    z = np.array([-np.inf, -1e4, -1e-300, -0.0, 0.0, 1e-300, 1e4, np.inf])
    value, slope = activations.ACTIVATIONS[name]
    theirs, theirs_slope = by_torch(TORCH[name], z)
    np.testing.assert_allclose(value(z), theirs, **CLOSE)
    finite = np.isfinite(z)  # at infinity torch multiplies 0 by inf where the limit exists
    np.testing.assert_allclose(slope(z)[finite], theirs_slope[finite], **CLOSE)


def test_slopes_do_not_round_to_zero_before_they_are():
    assert activations.sigmoid_slope(np.array([40.0]))[0] == pytest.approx(math.exp(-40))
    assert activations.tanh_slope(np.array([-20.0]))[0] == pytest.approx(4 * math.exp(-40))


@given(z=moderate, slope=st.floats(0, 2))
def test_leaky_relu_with_any_slope(z, slope):
    value, gradient = by_torch(lambda t: F.leaky_relu(t, slope), z)
    np.testing.assert_allclose(activations.leaky_relu(z, slope), value, **CLOSE)
    np.testing.assert_allclose(activations.leaky_relu_slope(z, slope), gradient, **CLOSE)


def test_leaky_relu_with_learned_slopes_is_prelu():
    z, slopes = np.linspace(-2, 2, 12).reshape(4, 3), np.array([0.1, 0.25, 0.9])
    expected = F.prelu(torch.from_numpy(z), torch.from_numpy(slopes)).numpy()
    np.testing.assert_allclose(activations.leaky_relu(z, slopes), expected, **CLOSE)


@given(z=moderate, alpha=st.floats(0.1, 3))
def test_elu_with_any_alpha(z, alpha):
    value, gradient = by_torch(lambda t: F.elu(t, alpha), z)
    np.testing.assert_allclose(activations.elu(z, alpha), value, **CLOSE)
    np.testing.assert_allclose(activations.elu_slope(z, alpha), gradient, rtol=1e-11, atol=1e-15)


@given(z=arrays(np.float64, (2, 3), elements=st.floats(-1e4, 1e4)))
def test_softmax_along_the_last_axis(z):
    tensor = torch.from_numpy(z)
    np.testing.assert_allclose(activations.softmax(z), tensor.softmax(-1).numpy(), **CLOSE)
    np.testing.assert_allclose(
        activations.softmax(z, 3.0), (tensor / 3).softmax(-1).numpy(), rtol=1e-11, atol=1e-15
    )
    np.testing.assert_allclose(
        activations.log_softmax(z), tensor.log_softmax(-1).numpy(), rtol=1e-12, atol=1e-11
    )


@every_one
def test_the_argument_is_left_alone(name):
    z = np.linspace(-3, 3, 7)
    for function in activations.ACTIVATIONS[name]:
        function(z)
    np.testing.assert_array_equal(z, np.linspace(-3, 3, 7))
