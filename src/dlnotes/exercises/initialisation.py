"""The exercises of chapter 05, initialisation. Weights have shape (out, in)."""

import itertools
from collections.abc import Callable
from math import ceil, log, prod, sqrt
from typing import Any

import numpy as np

from dlnotes.exercises import Check, Lab

# The bound of a uniform distribution that gives the weights the variance gain²/fan_in.
bound = Check(
    cases=[(64, 1.0), (100, sqrt(2)), (5, 0.5)],
    right=lambda fan_in, gain: gain * sqrt(3 / fan_in),
    mistakes={
        "This is the standard deviation: a uniform distribution reaches further than that.": (
            lambda fan_in, gain: gain / sqrt(fan_in)
        ),
        "The variance (b - a)²/12 is about the whole width: here that is from -c to c.": (
            lambda fan_in, gain: gain * sqrt(12 / fan_in)
        ),
        "This is the square of the bound.": lambda fan_in, gain: 3 * gain**2 / fan_in,
        "The gain enters the variance squared, so the bound as it is.": (
            lambda fan_in, gain: sqrt(3 * gain / fan_in)
        ),
        "The 6 under Kaiming's root has the gain of ReLU in it: here the gain comes on top.": (
            lambda fan_in, gain: gain * sqrt(6 / fan_in)
        ),
    },
)


def _slopes(weights: Any, x: Any, delta: Any, gate: Any = None, turned: bool = True) -> Any:
    """Return the mean square of the slopes of each layer of ReLUs, the first layer first."""
    sums, h = [], x
    for w in weights:
        sums.append(h @ w.T)
        h = np.maximum(sums[-1], 0)
    gate = gate or (lambda z: z > 0)
    squares = [(delta**2).mean()]
    for w, z in zip(weights[:0:-1], sums[-2::-1], strict=True):
        delta = (delta @ (w if turned else w.T)) * gate(z)
        squares.append((delta**2).mean())
    return np.array(squares[::-1])


def _last(weights: Any, x: Any) -> Any:
    for w in weights[:-1]:
        x = np.maximum(x @ w.T, 0)
    return x @ weights[-1].T


def _network(seed: int, *sizes: int) -> Any:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(m, n)) * sqrt(2 / n) for n, m in itertools.pairwise(sizes)]
    return weights, rng.normal(size=(7, sizes[0])), rng.normal(size=(7, sizes[-1]))


# The central loop, backwards: mean squares of the slopes, by hand.
slope_squares = Check(
    cases=[_network(0, 4, 5, 5, 3), _network(1, 6, 6, 6, 6), _network(2, 3, 8, 2)],
    right=_slopes,
    mistakes={
        "The ReLU passes the slope only where its sum is positive.": (
            lambda weights, x, delta: _slopes(weights, x, delta, gate=np.ones_like)
        ),
        "The first layer comes first in the answer.": (
            lambda weights, x, delta: _slopes(weights, x, delta)[::-1]
        ),
        "These are root mean squares.": lambda weights, x, delta: np.sqrt(
            _slopes(weights, x, delta)
        ),
        "The ReLU's slope is 1 or 0: it does not multiply by its input.": (
            lambda weights, x, delta: _slopes(weights, x, delta, gate=lambda z: np.maximum(z, 0))
        ),
        "After the last layer there is no ReLU: delta passes as it is.": (
            lambda weights, x, delta: _slopes(weights, x, delta * (_last(weights, x) > 0))
        ),
        "The slopes of the last layer's sums belong to the answer, too.": (
            lambda weights, x, delta: _slopes(weights, x, delta)[:-1]
        ),
    },
)

# The gain of a leaky ReLU, in closed form.
leaky_gain = Check(
    cases=[(0.0,), (0.01,), (0.2,), (0.5,), (-0.5,)],
    right=lambda a: sqrt(2 / (1 + a**2)),
    mistakes={
        "The mean square takes the square of the slope a.": lambda a: sqrt(2 / (1 + abs(a))),
        "This is the factor on the mean square that the gain has to make up for.": (
            lambda a: (1 + a**2) / 2
        ),
        "This is the square of the gain.": lambda a: 2 / (1 + a**2),
        "The two halves of the mean square add, and both are positive.": (
            lambda a: sqrt(2 / (1 - a**2))
        ),
        "Each side has half of the draws.": lambda a: sqrt(1 / (1 + a**2)),
        "This is ReLU's gain: the negative side passes something too.": lambda a: sqrt(2),
    },
)

# The width at which two standard deviations of log q stay within a factor.
width_needed = Check(
    cases=[(30, 2.0), (10, 2.0), (100, 1.5)],
    right=lambda layer, factor: ceil(20 * (layer - 1) / log(factor) ** 2),
    mistakes={
        "This takes one standard deviation, not two.": (
            lambda layer, factor: ceil(5 * (layer - 1) / log(factor) ** 2)
        ),
        "The scatter is that of log q: compare it with the logarithm of the factor.": (
            lambda layer, factor: ceil(20 * (layer - 1) / factor**2)
        ),
        "The first layer has no ReLU in front of it: it adds no scatter.": (
            lambda layer, factor: ceil(20 * layer / log(factor) ** 2)
        ),
        "Square the whole condition: the width stands under a root.": (
            lambda layer, factor: ceil(2 * sqrt(5 * (layer - 1)) / log(factor))
        ),
        "A width is a whole number: round up.": (
            lambda layer, factor: 20 * (layer - 1) / log(factor) ** 2
        ),
        "Rounded down, the width is just too small.": (
            lambda layer, factor: int(20 * (layer - 1) / log(factor) ** 2)
        ),
    },
)


def _prior(result: Any, counts: Any) -> str:
    biases = np.asarray(result, dtype=float)
    if biases.shape != counts.shape:
        return f"One bias for each class: shape {counts.shape}, and this has {biases.shape}."
    if not np.isfinite(biases).all():
        return "The answer holds inf or nan."
    odds = np.exp(biases - biases.max())
    found = odds / odds.sum()
    off = np.abs(found - counts / counts.sum()).max()
    return "" if off < 1e-6 else f"A probability after the softmax is off by {off:.2g}."


# Biases of the last layer with which a network without information gives the class shares.
prior_bias = Check(
    cases=[(np.array([90.0, 10.0]),), (np.array([5.0, 20.0, 75.0]),)],
    judge=_prior,
    right=lambda counts: np.log(counts / counts.sum()),
    mistakes={
        "A probability after the softmax is off by 0.21.": lambda counts: counts / counts.sum(),
        "One bias for each class: shape (2,), and this has ().": lambda counts: 0.0,
        "A probability after the softmax is off by 0.4.": lambda counts: np.zeros_like(counts),
        "The answer holds inf or nan.": lambda counts: np.full_like(counts, np.nan),
    },
)

# The factor on a residual branch that lets q grow by so much in so many blocks.
branch = Check(
    cases=[(30, 2.0), (10, 4.0), (1, 2.0)],
    right=lambda blocks, growth: sqrt(growth ** (1 / blocks) - 1),
    mistakes={
        "The growth multiplies from block to block: it does not add.": (
            lambda blocks, growth: sqrt((growth - 1) / blocks)
        ),
        "This is the square of the factor.": lambda blocks, growth: growth ** (1 / blocks) - 1,
        "In one block the mean square grows by 1 + a², not by (1 + a)².": (
            lambda blocks, growth: sqrt(growth ** (1 / blocks)) - 1
        ),
        "This leaves out what the skip itself carries.": (
            lambda blocks, growth: sqrt(growth ** (1 / blocks))
        ),
    },
)


def _accuracies(least: float, runs: int) -> Callable[..., str]:
    def judge(result: Any) -> str:
        values = np.asarray(result, dtype=float)
        if values.ndim != 1:
            return f"Give a list of accuracies, one for each seed: this has shape {values.shape}."
        if len(values) < runs:
            return f"Give the accuracies of at least {runs} seeds."
        if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
            return "Accuracies lie between 0 and 1."
        low = int((values <= least).sum())
        return f"{low} of {len(values)} seeds are not above {least}: chance is 0.1." if low else ""

    return judge


def _repaired(result: Any) -> str:
    """Judge accuracies and, network by network, the root mean squares of hidden layers."""
    accuracies, sizes = result
    for layer, size in enumerate(np.asarray(sizes, dtype=float).T, start=1):
        for value in size:
            if not 0.5 <= value <= 2:  # nan is not
                return (
                    f"After the repair the root mean square of the sums in hidden layer {layer} "
                    f"is {value:.2g}. Look at each layer behind those already repaired."
                )
    return _accuracies(0.4, 3)(accuracies)


# Open: validation accuracies of a hundred layers without normalisation.
hundred = Check(
    judge=_accuracies(0.4, 5),
    right=lambda: [0.88, 0.75, 0.9, 0.87, 0.8],
    mistakes={
        "Give the accuracies of at least 5 seeds.": lambda: [0.9],
        "1 of 5 seeds are not above 0.4: chance is 0.1.": lambda: [0.9, 0.4, 0.9, 0.8, 0.9],
        "Give a list of accuracies, one for each seed: this has shape (1, 5).": lambda: [[0.9] * 5],
        "Accuracies lie between 0 and 1.": lambda: [90, 91, 92, 93, 94],
    },
)


# ---- the lab ---------------------------------------------------------------------

Z = np.linspace(-12, 12, 24_001)  # where a standard normal density is looked at


def _mean(values: Any) -> float:
    """Return the mean over a standard normal z of values on the grid Z."""
    density = np.exp(-(Z**2) / 2) / sqrt(2 * np.pi)
    return float((values * density).sum() * (Z[1] - Z[0]))


def softsign(z: Any) -> Any:
    """Return z / (1 + |z|)."""
    return z / (1 + abs(z))


def softsign_slope(z: Any) -> Any:
    """Return 1 / (1 + |z|)²."""
    return 1 / (1 + abs(z)) ** 2


def mish(z: Any) -> Any:
    """Return z tanh(log(1 + exp(z)))."""
    return z * np.tanh(np.logaddexp(0, z))


def mish_slope(z: Any) -> Any:
    """Return the derivative of `mish`."""
    t = np.tanh(np.logaddexp(0, z))
    return t + z * (1 - t**2) / (1 + np.exp(-z))


def _gain(f: Any) -> float:
    return float(_mean(f(Z) ** 2) ** -0.5)


def _reaction(f: Any, step: float = 1e-4) -> float:
    ends = [_mean(f(np.exp(sign * step / 2) * Z) ** 2) for sign in (-1, 1)]
    return log(ends[1] / ends[0]) / (2 * step)


def _squares(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def _units(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).uniform(size=shape)


def _orthogonal(z: Any) -> Any:
    q, r = np.linalg.qr(z)
    return q * np.sign(np.diag(r))


_SHAPES = [((10, 64),), ((16, 3, 5, 5),), ((8, 4, 3),)]
_NORMAL = [(_squares(0, 4, 9),), (_squares(1, 10, 3),)]
_UNIFORM = [(_units(0, 4, 9),), (_units(1, 10, 3),)]

lab = Lab(
    fans=Check(
        cases=_SHAPES,
        parts=("fan_in", "fan_out"),
        right=lambda shape: (prod(shape[1:]), shape[0] * prod(shape[2:])),
        mistakes={
            "fan_in and fan_out are swapped: the first size of a weight is that of the "
            "outputs.": lambda shape: (shape[0] * prod(shape[2:]), prod(shape[1:])),
            "A unit of a convolution reads every place of its kernel.": (
                lambda shape: (shape[1], shape[0])
            ),
            "fan_in is right. Each place of the kernel feeds another output, too.": (
                lambda shape: (prod(shape[1:]), shape[0])
            ),
        },
    ),
    xavier_normal=Check(
        cases=_NORMAL,
        right=lambda z: z * sqrt(2 / sum(z.shape)),
        mistakes={
            "This multiplies by the variance: it needs the standard deviation.": (
                lambda z: z * 2 / sum(z.shape)
            ),
            "This looks at one of the two fans only.": lambda z: z / sqrt(z.shape[1]),
            "The two fans enter by their mean, not by their sum.": lambda z: z / sqrt(sum(z.shape)),
            "That is how far the uniform weights reach: the normal ones have the standard "
            "deviation.": lambda z: z * sqrt(6 / sum(z.shape)),
            "This has the variance of Kaiming's weights.": lambda z: z * sqrt(2 / z.shape[1]),
        },
    ),
    xavier_uniform=Check(
        cases=_UNIFORM,
        right=lambda u: (2 * u - 1) * sqrt(6 / sum(u.shape)),
        mistakes={
            "These weights are all positive: first move the draws to both sides of 0.": (
                lambda u: u * sqrt(6 / sum(u.shape))
            ),
            "This takes the standard deviation for the bound.": (
                lambda u: (2 * u - 1) * sqrt(2 / sum(u.shape))
            ),
            "The middle is at 0, and the draws reach only half as far as they should.": (
                lambda u: (u - 0.5) * sqrt(6 / sum(u.shape))
            ),
            "The two fans enter by their mean, not by their sum.": (
                lambda u: (2 * u - 1) * sqrt(3 / sum(u.shape))
            ),
            "This has the variance of Kaiming's weights.": (
                lambda u: (2 * u - 1) * sqrt(6 / u.shape[1])
            ),
        },
    ),
    kaiming_normal=Check(
        cases=_NORMAL,
        right=lambda z: z * sqrt(2 / z.shape[1]),
        mistakes={
            "fan_in is the size that the inputs have: a weight has shape (out, in).": (
                lambda z: z * sqrt(2 / z.shape[0])
            ),
            "This multiplies by the variance: it needs the standard deviation.": (
                lambda z: z * 2 / z.shape[1]
            ),
            "This is right for a linear layer: ReLU takes half.": lambda z: z / sqrt(z.shape[1]),
            "This has the variance of Xavier's weights.": lambda z: z * sqrt(2 / sum(z.shape)),
        },
    ),
    kaiming_uniform=Check(
        cases=_UNIFORM,
        right=lambda u: (2 * u - 1) * sqrt(6 / u.shape[1]),
        mistakes={
            "This takes the standard deviation for the bound.": (
                lambda u: (2 * u - 1) * sqrt(2 / u.shape[1])
            ),
            "fan_in is the size that the inputs have: a weight has shape (out, in).": (
                lambda u: (2 * u - 1) * sqrt(6 / u.shape[0])
            ),
            "This is what nn.Linear does by default.": lambda u: (2 * u - 1) / sqrt(u.shape[1]),
            "This is right for a linear layer: ReLU takes half.": (
                lambda u: (2 * u - 1) * sqrt(3 / u.shape[1])
            ),
            "The middle is at 0, and the draws reach only half as far as they should.": (
                lambda u: (u - 0.5) * sqrt(6 / u.shape[1])
            ),
            "These weights are all positive: first move the draws to both sides of 0.": (
                lambda u: u * sqrt(6 / u.shape[1])
            ),
        },
    ),
    orthogonal=Check(
        cases=[(_squares(3, 5, 5),), (_squares(4, 6, 4),)],
        right=_orthogonal,
        mistakes={
            "The columns are orthonormal, and their signs are those that QR happens to give.": (
                lambda z: np.linalg.qr(z)[0]
            ),
            "This is R: the orthogonal factor is Q.": lambda z: np.linalg.qr(z)[1],
            "The signs of R's diagonal are right; they are used the wrong way round.": (
                lambda z: -_orthogonal(z)
            ),
            "This scales the columns, and they are not orthonormal.": (
                lambda z: z / np.linalg.norm(z, axis=0)
            ),
        },
    ),
    gain=Check(
        cases=[(softsign,), (mish,), (np.sin,)],
        right=_gain,
        mistakes={
            "This is the mean square of f(z): the gain has to make up for it.": (
                lambda f: _mean(f(Z) ** 2)
            ),
            "The mean square is right: the gain multiplies weights, not squares.": (
                lambda f: 1 / _mean(f(Z) ** 2)
            ),
            "This is the root mean square of f(z): the gain has to make up for it.": (
                lambda f: _mean(f(Z) ** 2) ** 0.5
            ),
            "This takes the variance of f(z), and what the next layer sees is its mean "
            "square.": lambda f: (_mean(f(Z) ** 2) - _mean(f(Z)) ** 2) ** -0.5,
        },
        rtol=1e-5,
    ),
    chi=Check(
        cases=[(softsign, softsign_slope), (mish, mish_slope)],
        right=lambda f, slope: _gain(f) ** 2 * _mean(slope(Z) ** 2),
        mistakes={
            "The mean of the squares is not the square of the mean.": (
                lambda f, slope: _gain(f) ** 2 * _mean(slope(Z)) ** 2
            ),
            "The gain is missing.": lambda f, slope: _mean(slope(Z) ** 2),
            "This has f where the slope belongs: that gives 1 for every activation.": (
                lambda f, slope: 1.0
            ),
            "The gain enters squared.": lambda f, slope: _gain(f) * _mean(slope(Z) ** 2),
        },
        rtol=1e-5,
    ),
    reaction=Check(
        cases=[(softsign,), (mish,), (np.sin,)],
        right=_reaction,
        mistakes={
            "The gain is missing: without it q' is not 1 at q = 1.": (
                lambda f: _reaction(f) / _gain(f) ** 2
            ),
            "This compares with a change of the root of q, not of q.": lambda f: 2 * _reaction(f),
            "The fraction is upside down.": lambda f: 1 / _reaction(f),
        },
        rtol=1e-3,
    ),
    squared_relu=Check(
        right=lambda: 2,
        mistakes={
            "That is ReLU itself.": lambda: 1,
            "The activation is squared once more when its mean square is taken, and q is a "
            "square already.": lambda: 4,
        },
    ),
    dropout_gain=Check(
        cases=[(0.0,), (0.2,), (0.5,)],
        right=lambda p: sqrt(2 * (1 - p)),
        mistakes={
            "Dropout does not take from the mean square: what it keeps is made larger.": (
                lambda p: sqrt(2 / (1 - p))
            ),
            "This is right without dropout.": lambda p: sqrt(2),
            "This is the square of the gain.": lambda p: 2 * (1 - p),
            "What is kept is divided by 1 - p, so its square by (1 - p)².": (
                lambda p: sqrt(2) * (1 - p)
            ),
            "p is the share that is dropped.": lambda p: sqrt(2 * p),
        },
    ),
    dropout_growth=Check(
        cases=[(0.2, 20), (0.5, 10)],
        right=lambda p, layers: (1 - p) ** -layers,
        mistakes={
            "This adds up what multiplies.": lambda p, layers: 1 + layers * p / (1 - p),
            "It grows: each layer divides by the share that is kept.": (
                lambda p, layers: (1 - p) ** layers
            ),
            "This is the factor of the root mean square.": (
                lambda p, layers: (1 - p) ** (-layers / 2)
            ),
        },
    ),
    repair=Check(
        judge=_repaired,
        right=lambda: ([0.75, 0.78, 0.8], [[1.0, 0.9, 1.1]] * 3),
        mistakes={
            "Give the accuracies of at least 3 seeds.": lambda: ([0.8], [[1.0]]),
            "3 of 3 seeds are not above 0.4: chance is 0.1.": (
                lambda: ([0.1, 0.1, 0.12], [[1.0, 1.0]] * 3)
            ),
            "Accuracies lie between 0 and 1.": lambda: ([np.nan, 0.8, 0.8], [[1.0]] * 3),
            "After the repair the root mean square of the sums in hidden layer 2 is 0.03. Look at "
            "each layer behind those already repaired.": (
                lambda: ([0.8, 0.8, 0.8], [[1.0, 1.0], [1.0, 0.03], [1.0, 1.0]])
            ),
            "After the repair the root mean square of the sums in hidden layer 1 is nan. Look at "
            "each layer behind those already repaired.": lambda: ([0.8] * 3, [[np.nan]] * 3),
        },
    ),
)
