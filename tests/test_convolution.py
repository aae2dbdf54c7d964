"""Convolution and pooling against torch: values and gradients, any shape, padding, stride."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from dlnotes.scratch import convolution

SHAPES = st.tuples(*[st.integers(1, 3)] * 3, *[st.integers(3, 7)] * 2)
KERNELS = st.tuples(st.integers(1, 3), st.integers(1, 3))


def agree(ours, theirs):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


@given(SHAPES, KERNELS, st.integers(0, 2), st.integers(1, 3), st.integers(0, 99))
def test_conv2d_is_torch_with_its_gradients(shape, kernel, padding, stride, seed):
    samples, inputs, outputs, *sides = shape
    rng = np.random.default_rng(seed)
    drawn = [(samples, inputs, *sides), (outputs, inputs, *kernel), (outputs,)]
    x, weight, bias = (rng.normal(size=size) for size in drawn)
    given = [torch.tensor(v, requires_grad=True) for v in (x, weight, bias)]
    theirs = functional.conv2d(*given, padding=padding, stride=stride)
    agree(convolution.conv2d(x, weight, bias, padding, stride), theirs)
    dout = rng.normal(size=theirs.shape)
    theirs.backward(torch.tensor(dout))
    ours = convolution.conv2d_backward(dout, x, weight, padding, stride)
    for gradient, tensor in zip(ours, given, strict=True):
        agree(gradient, tensor.grad)
    sizes = [
        convolution.output_size(*pair, padding, stride) for pair in zip(sides, kernel, strict=True)
    ]
    assert list(theirs.shape[2:]) == sizes


@given(SHAPES, st.integers(1, 3), st.integers(0, 99), st.booleans())
def test_max_pool2d_is_torch_with_its_gradient(shape, size, seed, ties):
    rng = np.random.default_rng(seed)
    dims = (shape[0], shape[1], *shape[3:])
    x = rng.integers(0, 2, dims).astype(float) if ties else rng.normal(size=dims)
    given = torch.tensor(x, requires_grad=True)
    theirs = functional.max_pool2d(given, size)
    agree(convolution.max_pool2d(x, size), theirs)
    dout = rng.normal(size=theirs.shape)
    theirs.backward(torch.tensor(dout))
    agree(convolution.max_pool2d_backward(dout, x, size), given.grad)


def test_what_cannot_fit_says_what_to_change():
    image, weight = np.ones((1, 2, 3, 3)), np.ones((1, 1, 2, 2))
    with pytest.raises(ValueError, match="x has 2 channels and the weight reads 1"):
        convolution.conv2d(image, weight, np.zeros(1))
    with pytest.raises(ValueError, match="a kernel of 5 does not fit into 3 pixels"):
        convolution.output_size(3, 5)
    with pytest.raises(ValueError, match="stride must be positive"):
        convolution.output_size(3, 2, stride=0)
