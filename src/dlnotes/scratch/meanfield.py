"""Mean-field theory of a deep random network: how large signals and gradients are, by layer.

A layer is z' = W f(z) + b, with independent weights and biases of mean 0. In a wide layer z
is normal, so its mean square q tells all; from q follow the layers after it. The theory is
exact as the width goes to infinity; `scatter` says how far one network of finite width is off.

All layers are equally wide. ``gain`` is √(width · Var(w)), ``bias`` the standard deviation
of the biases. An activation is a pair of functions, as in `scratch.activations.ACTIVATIONS`.
Sources: `Poole et al. 2016 <https://arxiv.org/abs/1606.05340>`_, `Schoenholz et al. 2017
<https://arxiv.org/abs/1611.01232>`_.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Activation = tuple[Callable[..., Array], Callable[..., Array]]

#: Where E[F(g)], g standard normal, is summed up, and with what weights. Equal steps converge
#: exponentially for smooth F; no place is the kink of ReLU, and every place has its mirror
#: image, so for ReLU the sum is exact.
PLACES = np.arange(-255, 256, 2) / 32
#: The weight of each of `PLACES`.
SHARES = np.exp(-(PLACES**2) / 2) / np.sqrt(2 * np.pi) / 16

#: Variance that one layer may add to a logarithm before first order fails, about 7 units
#: with a slope. Up to it 19 of 20 networks lie within 2 standard deviations.
MOST_NOISE = 0.4


def mean(values: Array) -> float:
    """Return E[F(g)] for a standard normal g, from the values of F at `PLACES`.

    Examples
    --------
    >>> round(mean(PLACES**2), 12), round(mean(PLACES**4), 9)
    (1.0, 3.0)
    """
    return float(SHARES @ values)


def fitted_gain(activation: Activation) -> float:
    """Return the gain 1 / √E[f(g)²]: it keeps a mean square of 1, once that is reached.

    Whether a network that starts elsewhere gets there is another question.

    Examples
    --------
    >>> from dlnotes.scratch.activations import ACTIVATIONS
    >>> [round(fitted_gain(ACTIVATIONS[name]), 4) for name in ("relu", "tanh", "gelu")]
    [1.4142, 1.5925, 1.5335]
    """
    return 1 / math.sqrt(mean(activation[0](PLACES) ** 2))


def forward(activation: Activation, gain: float, depth: int, bias: float = 0.0) -> Array:
    """Return the mean square of the pre-activations of each layer, shape (depth,).

    The input has mean square 1, so q is gain² + bias² in the first layer and
    gain² E[f(√q g)²] + bias² in the next one.

    Examples
    --------
    >>> from dlnotes.scratch.activations import ACTIVATIONS
    >>> forward(ACTIVATIONS["relu"], 1.0, 4).round(6).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    q = [gain**2 + bias**2]
    for _ in range(depth - 1):
        q.append(gain**2 * mean(activation[0](np.sqrt(q[-1]) * PLACES) ** 2) + bias**2)
    return np.array(q)


def backward(activation: Activation, gain: float, q: Array) -> Array:
    """Return the mean square of the gradient by the pre-activations of each layer.

    It is 1 in the last layer; one layer down it has the factor gain² E[f'(√q g)²].

    Examples
    --------
    >>> from dlnotes.scratch.activations import ACTIVATIONS
    >>> backward(ACTIVATIONS["relu"], 1.0, np.ones(4)).round(6).tolist()
    [0.125, 0.25, 0.5, 1.0]
    """
    factors = [gain**2 * mean(activation[1](np.sqrt(v) * PLACES) ** 2) for v in q[:-1]]
    return np.asarray(np.cumprod([1.0, *reversed(factors)])[::-1], dtype=np.float64)


class Scatter(NamedTuple):
    """How log(measured / predicted mean square) is distributed over networks, by layer."""

    shift: Array
    std: Array


def scatter(
    activation: Activation, gain: float, q: Array, width: int, bias: float = 0.0
) -> tuple[Scatter, Scatter] | None:
    """Return the scatter of signals and of gradients among networks of some width.

    To first order in 1/width each layer adds noise, which the later layers keep or damp as
    they do any difference in q. With He's weights every ReLU layer adds a variance of
    5/width to log q, and a shift of minus half of that. None is returned where first order
    is not enough: where a layer amplifies differences (GELU and SiLU), or where so few units
    have a slope that a layer's noise in the gradient is above `MOST_NOISE`. The shift is that
    of the noise alone; what it leaves out stays below about a quarter of the standard
    deviation.

    Source: for ReLU `Hanin & Rolnick 2018 <https://arxiv.org/abs/1803.01719>`_.

    Examples
    --------
    >>> from dlnotes.scratch.activations import ACTIVATIONS
    >>> relu = ACTIVATIONS["relu"]
    >>> _, gradients = scatter(relu, 2**0.5, forward(relu, 2**0.5, 11), width=50)
    >>> (gradients.std**2).round(6).tolist()[:3], round(float(gradients.shift[0]), 6)
    ([1.0, 0.9, 0.8], -0.5)
    """
    layers = [_Noise.of(activation, gain, v, width, bias) for v in q[:-1]]
    if any(at.slope > 1 + 1e-9 or at.gradient > MOST_NOISE for at in layers):
        return None

    # Forward: x' = a x + e, with x = log(measured / predicted q) of the layer's units.
    shift, variance = [0.0], [0.0]
    for at in layers:
        shift.append(at.slope * shift[-1] - at.signal / 2)
        variance.append(at.slope**2 * variance[-1] + at.signal)
    # A layer of finite width shows the mean square of its own sample of units.
    signals = Scatter(np.array(shift) - 1 / width, np.sqrt(np.array(variance) + 2 / width))

    # Backward: log(measured / predicted) is reach · x + the noise of all layers above.
    down, own, reach, noise = [0.0], [0.0], 0.0, 0.0
    for k in reversed(range(len(layers))):
        at = layers[k]
        noise += at.gradient + reach**2 * at.signal + 2 * reach * at.shared
        reach = at.gradient_slope + reach * at.slope
        down.append(down[-1] + at.gradient_slope * shift[k] - at.gradient / 2)
        own.append(noise + reach**2 * variance[k])
    return signals, Scatter(np.array(down[::-1]), np.sqrt(np.array(own[::-1])))


class _Noise(NamedTuple):
    """What one layer of finite width does to log q and to the log of the gradient."""

    slope: float  # d log q' / d log q
    gradient_slope: float  # d log E[f'²] / d log q
    signal: float  # variance added to log q'
    gradient: float  # variance added to the log of the gradient's mean square
    shared: float  # covariance of the two

    @classmethod
    def of(cls, activation: Activation, gain: float, q: float, width: int, bias: float) -> "_Noise":
        value, slope = (f(np.sqrt(q) * PLACES) ** 2 for f in activation)
        u, v = value / mean(value), slope / mean(slope)
        weights = 1 - bias**2 / (gain**2 * mean(value) + bias**2)  # the weights' share of q'
        by_log_q = (PLACES**2 - 1) / 2  # d E[F(√q g)] / d log q = E[F(√q g) (g² - 1) / 2]
        return cls(
            slope=weights * mean(u * by_log_q),
            gradient_slope=mean(v * by_log_q),
            signal=weights**2 * (mean(u**2) - 1) / width,
            gradient=(3 * mean(v**2) - 1) / width,
            shared=weights * (mean(u * v) - 1) / width,
        )
