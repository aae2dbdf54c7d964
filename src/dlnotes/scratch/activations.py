"""Activation functions and their slopes, as in ``torch.nn.functional``.

Each takes an array of any shape and works entry by entry; ``softmax`` works along the
last axis. A slope is the derivative with respect to the input. At a kink it is torch's:
0 for ReLU, the slope of the left side for leaky ReLU and ELU. Infinite inputs give the
limit; where there is none of that kind (GELU and SiLU at -inf: -inf times 0) nan, as in
torch.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def identity(z: Array) -> Array:
    """Return z: the activation of a linear layer."""
    return z


def identity_slope(z: Array) -> Array:
    """Return 1 everywhere."""
    return np.ones_like(z)


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), in (0, 1). Only exp(-|z|) is formed: it cannot overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    e = np.exp(-np.abs(z))
    value: Array = np.where(z >= 0, 1, e) / (1 + e)
    return value


def sigmoid_slope(z: Array) -> Array:
    """Return s (1 - s), at most 1/4. Written with s(-z), which 1 - s would round away."""
    return sigmoid(z) * sigmoid(-z)


def tanh(z: Array) -> Array:
    """Return tanh z = 2 sigmoid(2z) - 1, in (-1, 1)."""
    return np.tanh(z)


def tanh_slope(z: Array) -> Array:
    """Return 1 - tanh² z, at most 1. It is 4 s(2z) s(-2z), which does not round to 0."""
    return 4 * sigmoid_slope(2 * z)


def relu(z: Array) -> Array:
    """Return max(z, 0)."""
    return np.maximum(z, 0)


def relu_slope(z: Array) -> Array:
    """Return 1 where z > 0, else 0."""
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu(z: Array, negative_slope: Any = 0.01) -> Array:
    """Return z where z > 0, else ``negative_slope`` times z.

    A learned slope makes it PReLU, one drawn anew for each entry RReLU: a number or an
    array that broadcasts.

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 3.0]), 0.25).tolist()
    [-0.5, 3.0]
    """
    return np.where(z > 0, z, negative_slope * z)


def leaky_relu_slope(z: Array, negative_slope: Any = 0.01) -> Array:
    """Return 1 where z > 0, else ``negative_slope``."""
    return np.where(z > 0, 1.0, negative_slope)


def elu(z: Array, alpha: float = 1.0) -> Array:
    """Return z where z > 0, else alpha (exp(z) - 1). Smooth at 0 only for alpha = 1.

    The exponential sees min(z, 0): ``where`` evaluates both sides.
    """
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def elu_slope(z: Array, alpha: float = 1.0) -> Array:
    """Return 1 where z > 0, else alpha exp(z)."""
    return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0)))


_erfc: Callable[[Array], Array] = np.vectorize(math.erfc, otypes=[float])


def normal_cdf(z: Array) -> Array:
    """Return Φ(z), the share of a standard normal variable below z."""
    return _erfc(-z / math.sqrt(2)) / 2


def gelu(z: Array) -> Array:
    """Return z Φ(z): the exact form, torch's default, not the one with tanh."""
    with np.errstate(invalid="ignore"):
        return z * normal_cdf(z)


def gelu_slope(z: Array) -> Array:
    """Return Φ(z) + z φ(z), with the density φ(z) = exp(-z²/2) / √(2π)."""
    with np.errstate(invalid="ignore"):
        return normal_cdf(z) + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def silu(z: Array) -> Array:
    """Return z sigmoid(z), also called Swish."""
    with np.errstate(invalid="ignore"):
        return z * sigmoid(z)


def silu_slope(z: Array) -> Array:
    """Return s (1 + z (1 - s)) with s = sigmoid(z)."""
    with np.errstate(invalid="ignore"):
        return sigmoid(z) * (1 + z * sigmoid(-z))


def softmax(z: Array, temperature: float = 1.0) -> Array:
    """Return exp(z / T) over its sum along the last axis: positive, and 1 in sum.

    The largest entry is subtracted first, which cancels in the ratio and keeps exp from
    overflowing.

    Examples
    --------
    >>> softmax(np.array([1.0, 2.0, 3.0])).round(4).tolist()
    [0.09, 0.2447, 0.6652]
    >>> softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    z = z / temperature
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def log_softmax(z: Array) -> Array:
    """Return log softmax(z) = z - log Σ exp(z), without the logarithm of a rounded zero."""
    z = z - z.max(axis=-1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))


#: By name, the function and its slope.
ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "identity": (identity, identity_slope),
    "sigmoid": (sigmoid, sigmoid_slope),
    "tanh": (tanh, tanh_slope),
    "relu": (relu, relu_slope),
    "leaky_relu": (leaky_relu, leaky_relu_slope),
    "elu": (elu, elu_slope),
    "gelu": (gelu, gelu_slope),
    "silu": (silu, silu_slope),
}
