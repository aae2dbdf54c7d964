"""Mean-field theory against closed forms, Gauss-Hermite quadrature, and networks really drawn."""

import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

from dlnotes.scratch import meanfield
from dlnotes.scratch.activations import ACTIVATIONS

RELU, TANH, IDENTITY = (ACTIVATIONS[name] for name in ("relu", "tanh", "identity"))
HE = math.sqrt(2)


def gauss_hermite(values, q, count=200):
    places, weights = hermegauss(count)
    return weights @ values(np.sqrt(q) * places) / math.sqrt(2 * math.pi)


@pytest.mark.parametrize("name", ["identity", "tanh", "sigmoid", "gelu", "silu"])
@pytest.mark.parametrize("q", [0.01, 1.0, 2.0])
@pytest.mark.parametrize("which", [0, 1])
def test_mean_is_that_of_gauss_hermite(name, q, which):
    f = ACTIVATIONS[name][which]
    found = meanfield.mean(f(np.sqrt(q) * meanfield.PLACES) ** 2)
    assert found == pytest.approx(gauss_hermite(lambda z: f(z) ** 2, q), rel=1e-8)


@pytest.mark.parametrize("q", [1e-100, 0.3, 1e100])
def test_relu_is_exact_at_every_scale(q):
    value, slope = (f(np.sqrt(q) * meanfield.PLACES) ** 2 for f in RELU)
    assert meanfield.mean(value) == pytest.approx(q / 2, rel=1e-12)
    assert meanfield.mean(slope) == pytest.approx(1 / 2, rel=1e-12)


def test_a_narrow_slope_is_still_found():
    """Largest gain of the explorer: the slope of tanh is a peak that is 0.1 wide."""
    q = meanfield.forward(TANH, 12.0, 30)[-1]
    fine = np.linspace(-8, 8, 200_001)
    density = np.exp(-(fine**2) / 2) / math.sqrt(2 * math.pi)
    exact = np.trapezoid(density * TANH[1](np.sqrt(q) * fine) ** 2, fine)
    found = meanfield.mean(TANH[1](np.sqrt(q) * meanfield.PLACES) ** 2)
    assert found == pytest.approx(exact, rel=2e-3)


def test_gains_that_keep_a_mean_square_of_one():
    known = {"identity": 1, "relu": HE, "tanh": 1.5925, "gelu": 1.5335, "silu": 1.6765}
    for name, gain in known.items():
        assert meanfield.fitted_gain(ACTIVATIONS[name]) == pytest.approx(gain, abs=5e-5)


def test_signals_of_known_networks():
    np.testing.assert_allclose(meanfield.forward(RELU, HE, 30), 2, rtol=1e-10)
    # tanh at gain 1 falls as a power of depth; at 5/3 it settles.
    slow = meanfield.forward(TANH, 1.0, 2000)
    assert math.sqrt(slow[-1]) == pytest.approx(1 / math.sqrt(2 * 2000), rel=0.02)
    settled = meanfield.forward(TANH, 5 / 3, 50)[-1]
    assert settled == pytest.approx(1.178, abs=5e-4)
    assert (5 / 3) ** 2 * meanfield.mean(
        TANH[1](math.sqrt(settled) * meanfield.PLACES) ** 2
    ) == pytest.approx(1.210, abs=5e-4)
    # nn.Linear: weights and biases of variance 1 / (3 n); q comes to 0.4 / n.
    n = 64
    default = meanfield.forward(RELU, 3**-0.5, 50, bias=(3 * n) ** -0.5)
    assert default[-1] == pytest.approx(0.4 / n, rel=1e-6)


def test_gradients_of_known_networks():
    q = np.full(6, 1.7)
    np.testing.assert_allclose(
        meanfield.backward(RELU, 1.0, q), 0.5 ** np.arange(5, -1, -1), rtol=1e-12
    )
    np.testing.assert_allclose(
        meanfield.backward(IDENTITY, 3.0, q), 9.0 ** np.arange(5, -1, -1), rtol=1e-12
    )
    # each layer counts at its own q, and the last one not at all
    q = np.array([0.5, 2.0, 9.0])
    factors = [gauss_hermite(lambda z: TANH[1](z) ** 2, v) for v in q[:2]]
    np.testing.assert_allclose(
        meanfield.backward(TANH, 1.0, q), [factors[0] * factors[1], factors[1], 1], rtol=1e-6
    )


def test_scatter_of_he_is_five_over_width_a_layer():
    n, layers = 64, np.arange(30)
    q = meanfield.forward(RELU, HE, 30)
    signals, gradients = meanfield.scatter(RELU, HE, q, n)
    np.testing.assert_allclose(signals.std**2, (5 * layers + 2) / n, rtol=1e-9)
    np.testing.assert_allclose(signals.shift, -(5 * layers + 2) / (2 * n), rtol=1e-9)
    np.testing.assert_allclose(gradients.std**2, 5 * layers[::-1] / n, rtol=1e-9)
    np.testing.assert_allclose(gradients.shift, -5 * layers[::-1] / (2 * n), rtol=1e-9)


def test_there_is_no_scatter_where_first_order_fails():
    for name, gain, width in (("gelu", 1.6, 64), ("silu", 2.0, 64), ("tanh", 12.0, 64)):
        q = meanfield.forward(ACTIVATIONS[name], gain, 20)
        assert meanfield.scatter(ACTIVATIONS[name], gain, q, width) is None
    q = meanfield.forward(RELU, HE, 20)
    assert meanfield.scatter(RELU, HE, q, 10) is None
    assert meanfield.scatter(RELU, HE, q, 16) is not None


def drawn(activation, gain, depth, width, bias, networks=400, seed=5):
    """Return the mean squares of signals and gradients, each (networks, depth)."""
    value, slope = activation
    random = np.random.default_rng(seed)

    def unit():
        x = random.standard_normal((networks, width))
        return x / np.sqrt((x**2).mean(axis=1, keepdims=True))

    x, pre, weights = unit(), [], []
    for _ in range(depth):
        weights.append(random.standard_normal((networks, width, width)) * gain / math.sqrt(width))
        offset = bias * random.standard_normal((networks, width))
        pre.append((weights[-1] @ x[..., None])[..., 0] + offset)
        x = value(pre[-1])
    gradients = [unit()]
    for k in range(depth - 1, 0, -1):
        down = (gradients[-1][:, None] @ weights[k])[:, 0]
        gradients.append(down * slope(pre[k - 1]))
    return [(np.stack(v, axis=1) ** 2).mean(axis=2) for v in (pre, gradients[::-1])]


@pytest.mark.parametrize(
    ("name", "gain", "width", "with_biases"),
    [
        ("identity", 1.0, 16, False),
        ("relu", HE, 32, False),
        ("relu", 1.0, 16, False),
        ("relu", 3**-0.5, 32, True),
        ("tanh", 1.0, 32, False),
        ("tanh", 5 / 3, 16, False),
        ("tanh", 4.0, 64, False),
        ("sigmoid", 1.0, 16, True),
        ("sigmoid", 10.1, 64, False),
    ],
)
def test_networks_lie_where_theory_expects_them(name, gain, width, with_biases):
    """Median and spread of 400 networks, and 19 of 20 within two standard deviations."""
    activation, depth = ACTIVATIONS[name], 20
    bias = (3 * width) ** -0.5 if with_biases else 0.0
    q = meanfield.forward(activation, gain, depth, bias)
    means = [q, meanfield.backward(activation, gain, q)]
    scatter = meanfield.scatter(activation, gain, q, width, bias)
    found = drawn(activation, gain, depth, width, bias)
    for seen, mean, (shift, std), ends in zip(found, means, scatter, (1, 0), strict=True):
        log = np.log(seen / mean)[:, ends : depth - 1 + ends]  # the top gradient is exact
        shift, std = (v[ends : depth - 1 + ends] for v in (shift, std))
        np.testing.assert_allclose(np.median(log, axis=0), shift, atol=0.6 * std.max())
        np.testing.assert_allclose(log.std(axis=0), std, rtol=0.3)
        inside = (np.abs(log - shift) < 2 * std).mean(axis=0)
        assert inside.min() > 0.87
        assert 0.9 < inside.mean() < 0.985


def test_noise_of_signals_is_carried_into_the_gradients():
    """The spread to 5 %, in networks where a third of it comes from signals that differ."""
    gain, depth, width = 1.1, 20, 64
    q = meanfield.forward(TANH, gain, depth)
    down = meanfield.backward(TANH, gain, q)
    signals, gradients = meanfield.scatter(TANH, gain, q, width)
    runs = [drawn(TANH, gain, depth, width, 0.0, networks=200, seed=s) for s in range(6)]
    forward, backward = (np.concatenate(part) for part in zip(*runs, strict=True))
    of_gradients = np.log(backward / down).std(axis=0)[:-1] / gradients.std[:-1]
    np.testing.assert_allclose(of_gradients, 1, atol=0.05)
    assert of_gradients.mean() == pytest.approx(1, abs=0.02)
    # The mean sinks as far as the noise itself makes it sink, and is damped on the way
    mean = np.log(forward / q).mean(axis=0)
    np.testing.assert_allclose(mean, signals.shift, atol=0.15 * signals.std.max())
