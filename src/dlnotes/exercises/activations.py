"""The exercises of chapter 04, activations."""

from collections.abc import Callable
from itertools import pairwise
from math import ceil, exp, log, sqrt
from typing import Any

import numpy as np
import torch
from torch import nn

from dlnotes import data
from dlnotes.exercises import Check, Lab
from dlnotes.scratch import activations

Z = np.array([-6.0, -1.3, -0.2, 0.4, 1.1, 5.0])


def _sigmoid(z: Any) -> Any:
    return activations.sigmoid(np.asarray(z))


# Where a sigmoid goes that is applied again and again, and by what an error shrinks there.
iterated = Check(
    right=lambda: (0.6590461, 0.2247044),
    mistakes={
        "0 does not stay: the sigmoid of 0 is ½.": lambda: (0.5, 0.25),
        "The limit is right. The chain does not stay at 0, where the slope is largest.": (
            lambda: (0.6590461, 0.25)
        ),
        "The limit is right. An output near 1 needs a large input, and the input is the limit.": (
            lambda: (0.6590461, 0.0)
        ),
        "The limit must be its own sigmoid, and this number is not.": lambda: (1.0, 0.0),
    },
    parts=("limit", "slope"),
    rtol=1e-3,
)


def _back(
    weights: Any,
    sums: Any,
    slope: Callable[..., Any],
    delta: Any,
    transposed: bool = False,
    first: bool = False,
    above: bool = False,
) -> Any:
    if first:
        delta = delta * slope(sums[-1])
    norms = [np.linalg.norm(delta)]
    for w, z in zip(reversed(weights), reversed(sums[1:] if above else sums[:-1]), strict=True):
        delta = (delta @ (w.T if transposed else w)) * slope(z)
        norms.append(np.linalg.norm(delta))
    return np.array(norms[::-1])


def _deep(seed: int, layers: int, units: int, samples: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(units, units)) / sqrt(units) for _ in range(layers - 1)]
    sums = [rng.normal(size=(samples, units)) for _ in range(layers)]
    return weights, sums, activations.tanh_slope, rng.normal(size=(samples, units))


# The gradient on its way back, layer by layer.
signals_back = Check(
    cases=[_deep(0, 3, 4, 5), _deep(1, 5, 3, 2)],
    right=_back,
    mistakes={
        "The weights are transposed: on the way back, row k of W belongs to what comes in.": (
            lambda weights, sums, slope, delta: _back(weights, sums, slope, delta, transposed=True)
        ),
        "The slopes are missing: each layer multiplies by them too.": (
            lambda weights, sums, slope, delta: _back(weights, sums, np.ones_like, delta)
        ),
        "The weights are missing: each layer multiplies by them too.": (
            lambda weights, sums, slope, delta: _back(
                [np.eye(len(w)) for w in weights], sums, slope, delta
            )
        ),
        "The order is reversed: the first layer comes first.": (
            lambda weights, sums, slope, delta: _back(weights, sums, slope, delta)[::-1]
        ),
        "The slope of the last layer is in delta already.": (
            lambda weights, sums, slope, delta: _back(weights, sums, slope, delta, first=True)
        ),
        "The slopes are those of the layer above: each belongs to the layer that is reached.": (
            lambda weights, sums, slope, delta: _back(weights, sums, slope, delta, above=True)
        ),
        "These are squares: take the root.": (
            lambda weights, sums, slope, delta: _back(weights, sums, slope, delta) ** 2
        ),
        "The slope is taken at f(z), and it belongs at z.": (
            lambda weights, sums, slope, delta: _back(
                weights, list(map(np.tanh, sums)), slope, delta
            )
        ),
    },
)

# The dial at which a leaky ReLU with the slope a keeps the gradient's length.
critical_gain = Check(
    cases=[(0.0,), (0.01,), (0.25,), (1.0,), (-0.5,)],
    right=lambda a: sqrt(2 / (1 + a**2)),
    mistakes={
        "This balances the mean slope; the mean of its square is wanted.": (lambda a: 2 / (1 + a)),
        "This is g²: take the root.": lambda a: 2 / (1 + a**2),
        "The fraction is upside down: a smaller slope needs larger weights.": (
            lambda a: sqrt((1 + a**2) / 2)
        ),
        "Half of the inputs are negative: each side counts one half.": (
            lambda a: 1 / sqrt(1 + a**2)
        ),
        "The slope of the negative side enters as its square.": lambda a: sqrt(2 / (1 + a)),
        "This is the balance of ReLU: here the left side lets something through.": (
            lambda a: sqrt(2)
        ),
    },
)

# The temperature at which the larger of two scores gets a given probability.
temperature = Check(
    cases=[(2.0, 0.9), (1.0, 0.75), (0.1, 0.6)],
    right=lambda gap, p: gap / log(p / (1 - p)),
    mistakes={
        "This is 1 / T.": lambda gap, p: log(p / (1 - p)) / gap,
        "The sign is flipped: a temperature is positive.": lambda gap, p: gap / log((1 - p) / p),
        "Divide by the logarithm of the ratio of both probabilities, not of one of them.": (
            lambda gap, p: -gap / log(p)
        ),
        "The logarithm is missing: the ratio of the probabilities is exp(gap / T).": (
            lambda gap, p: gap / (p / (1 - p))
        ),
        "This logarithm has the base 10, and exp belongs to the natural one.": (
            lambda gap, p: gap / log(p / (1 - p)) * log(10)
        ),
    },
)


def _probabilities(seed: int, samples: int, classes: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(samples, classes))
    return activations.softmax(z), rng.normal(size=(samples, classes))


# The Jacobian of softmax, times a vector, for a batch.
softmax_back = Check(
    cases=[_probabilities(0, 3, 4), _probabilities(1, 2, 5)],
    right=lambda p, v: p * (v - (p * v).sum(axis=1, keepdims=True)),
    mistakes={
        "This sums over the batch: each sample has its own softmax.": (
            lambda p, v: p * (v - (p * v).sum(axis=0, keepdims=True))
        ),
        "This is the diagonal only: each score moves every probability.": (
            lambda p, v: p * (1 - p) * v
        ),
        "The factor p in front is missing.": lambda p, v: v - (p * v).sum(axis=1, keepdims=True),
        "This subtracts the sum of v: each entry counts with its probability.": (
            lambda p, v: p * (v - v.sum(axis=1, keepdims=True))
        ),
        "The sign of the second term is flipped.": (
            lambda p, v: p * (v + (p * v).sum(axis=1, keepdims=True))
        ),
    },
)


def _judge_challenge(results: Any) -> str:
    if len(results) != 3 or str(results[2]) not in {"ahead", "behind", "undecided"}:
        return 'Two lists and a verdict are expected: "ahead", "behind" or "undecided".'
    try:
        mine, tanh = (np.asarray(values, dtype=float).ravel() for values in results[:2])
    except ValueError:  # of entries of different lengths, as those of a pair are
        return "Hand over the accuracies only, without the rate that `tuned` returns with them."
    if len(mine) != len(tanh) or len(mine) < 12:
        return "Two lists of equal length are expected, at least twelve accuracies each."
    both = np.concatenate([mine, tanh])
    if not ((both >= 0) & (both <= 1)).all():
        return "An accuracy lies between 0 and 1."
    if np.median(tanh) < 0.8:
        return "This tanh network is not at its best: choose its rate first."
    if np.array_equal(mine, tanh):
        return "Both lists are the same: did each run with its own function?"
    ahead, behind = int((mine > tanh).sum()), int((mine < tanh).sum())
    needed = ceil(5 * len(mine) / 6)
    said = "ahead" if ahead >= needed else "behind" if behind >= needed else "undecided"
    if str(results[2]) == said:
        return ""
    return (
        f"Yours is better on {ahead} of {len(mine)} seeds and tanh on {behind}: "
        "read the rule again."
    )


_TANH = [0.93, 0.94, 0.92, 0.91, 0.93, 0.95, 0.9, 0.94, 0.93, 0.92, 0.91, 0.94]

# A function against tanh at depth 10, as measured by the learner.
challenge = Check(
    judge=_judge_challenge,
    right=lambda: ([0.94] * 12, _TANH, "undecided"),
    mistakes={
        'Two lists and a verdict are expected: "ahead", "behind" or "undecided".': (
            lambda: ([0.94] * 12, _TANH)
        ),
        "Two lists of equal length are expected, at least twelve accuracies each.": (
            lambda: ([0.95, 0.96], [0.93, 0.94], "ahead")
        ),
        "Hand over the accuracies only, without the rate that `tuned` returns with them.": (
            lambda: ((0.1, np.array([0.94] * 12)), (0.3, np.array(_TANH)), "undecided")
        ),
        "An accuracy lies between 0 and 1.": lambda: ([95.0] * 12, [93.0] * 12, "ahead"),
        "This tanh network is not at its best: choose its rate first.": (
            lambda: ([0.95] * 12, [0.2] * 12, "ahead")
        ),
        "Both lists are the same: did each run with its own function?": (
            lambda: (_TANH, _TANH, "undecided")
        ),
        "Yours is better on 8 of 12 seeds and tanh on 1: read the rule again.": (
            lambda: ([0.94] * 12, _TANH, "ahead")
        ),
        "Yours is better on 0 of 12 seeds and tanh on 12: read the rule again.": (
            lambda: ([0.5] * 12, _TANH, "undecided")
        ),
    },
)


# ---- the lab: new functions, a new gain, three sick networks ------------------------------


def _softplus(z: Any) -> Any:
    return np.logaddexp(0, z)


def _mish_slope(z: Any, inner: bool = True, product: bool = True) -> Any:
    t = np.tanh(_softplus(z))
    return t * product + z * (1 - t**2) * (_sigmoid(z) if inner else 1)


def _hard_tanh(z: Any) -> tuple[Any, Any]:
    return np.clip(z, -1, 1), (np.abs(z) < 1) * 1.0


def _squared_relu(z: Any) -> tuple[Any, Any]:
    return np.maximum(z, 0) ** 2, 2 * np.maximum(z, 0)


def _hard_swish(z: Any) -> tuple[Any, Any]:
    slope = np.where(np.abs(z) < 3, (2 * z + 3) / 6, (z > 0) * 1.0)
    return z * np.clip(z + 3, 0, 6) / 6, slope


def _celu(z: Any, alpha: float) -> tuple[Any, Any]:
    left = np.minimum(z, 0) / alpha
    return np.where(z > 0, z, alpha * np.expm1(left)), np.where(z > 0, 1, np.exp(left))


def _as_tanh(w: Any, b: Any, v: Any, c: Any) -> tuple[Any, ...]:
    return w / 2, b / 2, v / 2, c + v.sum(axis=1) / 2


_NOT_AS_TANH: dict[str, Callable[..., Any]] = {
    "What the output lost by centring must go into its bias: σ = ½ + ….": (
        lambda w, b, v, c: (w / 2, b / 2, v / 2, c)
    ),
    "The output weights must shrink too: tanh is twice as high.": (
        lambda w, b, v, c: (w / 2, b / 2, v, c + v.sum(axis=1) / 2)
    ),
    "Divide instead of multiplying: σ(z) is tanh of z / 2, not of 2z.": (
        lambda w, b, v, c: (2 * w, 2 * b, v / 2, c + v.sum(axis=1) / 2)
    ),
    "The biases of the hidden layer belong to z as well.": (
        lambda w, b, v, c: (w / 2, b, v / 2, c + v.sum(axis=1) / 2)
    ),
    "The shift of the output has the wrong sign.": (
        lambda w, b, v, c: (w / 2, b / 2, v / 2, c - v.sum(axis=1) / 2)
    ),
    "These are the four of the sigmoid network, unchanged.": lambda w, b, v, c: (w, b, v, c),
}


def _judge_as_tanh(result: Any, *given: Any) -> str:
    # The four are not unique: a hidden unit may change its sign, and units their places.
    if not isinstance(result, (tuple, list)) or len(result) != 4:
        return "Four arrays are expected: w, b, v and c."
    parts = [np.asarray(part, dtype=float) for part in result]
    for name, part, old in zip("wbvc", parts, given, strict=True):
        if part.shape != old.shape:
            return f"{name}: the shape is {part.shape}, and {old.shape} is expected."
    x = np.random.default_rng(0).normal(size=(100, given[0].shape[1])) * 2

    def tanh_network(w: Any, b: Any, v: Any, c: Any) -> Any:
        return np.tanh(x @ w.T + b) @ v.T + c

    found, wanted = tanh_network(*parts), tanh_network(*_as_tanh(*given))
    if np.allclose(found, wanted, rtol=0, atol=1e-5):  # forgives single precision
        return ""
    for message, wrong in _NOT_AS_TANH.items():
        if np.allclose(found, tanh_network(*wrong(*given)), rtol=0, atol=1e-5):
            return message
    gap = np.abs(found - wanted).max()
    return f"On random inputs the two networks differ by up to {gap:.2g}."


def _two_layers(seed: int, inputs: int, units: int, outputs: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    shapes = ((units, inputs), (units,), (outputs, units), (outputs,))
    return tuple(rng.normal(size=shape) for shape in shapes)


def _asleep(w: Any, b: Any) -> Any:
    return float((b + np.abs(w).sum(axis=1) <= 0).mean())


def _units(seed: int, units: int, inputs: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(units, inputs)), rng.normal(size=units) * 2 - 1.5


# The best sum of the first two units is exactly 0, in floating point too.
_EDGE = (
    np.array([[0.5, 0.25], [1.0, -1.0], [0.5, 0.5], [0.25, -0.5]]),
    np.array([-0.75, -2.0, -0.75, -1.5]),
)


def _stuck(slopes: Any, tol: float) -> float:
    return float((np.abs(slopes) < tol).all(axis=0).mean())


# The last five: two with a small mean, one whose signs cancel, one of exactly tol, one of zeros.
_SLOPES = np.array(
    [
        [0.50, 0.01, -0.10, 0.00, 0.02, 0.00, 0.00, 0.30, 0.05, 0.00],
        [0.60, 0.02, -0.08, 0.90, 0.03, 0.00, 0.12, -0.30, 0.05, 0.00],
        [0.01, 0.03, -0.06, 0.80, -0.01, 0.12, 0.00, 0.00, 0.05, 0.00],
    ]
)


def _sine_moments(q: float) -> tuple[float, float]:
    return (1 - exp(-2 * q)) / 2, (1 + exp(-2 * q)) / 2


def _sine_chi(g: float, rounds: int = 2000, weights: bool = True) -> float:
    q = 1.0
    for _ in range(rounds):
        q = (g**2 if weights else 1) * _sine_moments(q)[0]
    return g**2 * _sine_moments(q)[1]


FAULTS = {"A": "inputs", "B": "bias", "C": "rate"}


def patient(name: str) -> tuple[nn.Sequential, Any, Any, float]:
    """Return one of three networks that do not learn, its inputs, labels and learning rate.

    Two hidden layers of 64 ReLUs for the digits, with g = √2, for plain SGD in batches of
    32. One has biases of -1, one inputs a hundred times too large, one a rate ten times
    too large; "A", "B" and "C" say not which.
    """
    fault = FAULTS[name]
    x, y = data.digits().train
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inputs, units in pairwise([64, 64, 64, 10]):
        linear = nn.Linear(inputs, units)
        nn.init.normal_(linear.weight, std=sqrt(2 / inputs))
        nn.init.constant_(linear.bias, -1.0 if fault == "bias" and units == 64 else 0.0)
        layers += [linear, nn.ReLU()]
    x = x.to(torch.get_default_dtype()) * (100.0 if fault == "inputs" else 1.0)
    return nn.Sequential(*layers[:-1]), x, y, 1.0 if fault == "rate" else 0.1


def _judge_diagnosis(words: Any) -> str:
    given = [str(word) for word in words]
    if len(given) != len(FAULTS) or not set(given) <= set(FAULTS.values()):
        return 'Three words are expected, for A, B and C: "bias", "inputs" or "rate".'
    wrong = [name for name, word in zip(FAULTS, given, strict=True) if FAULTS[name] != word]
    if not wrong:
        return ""
    return f"Look again at {wrong[0]}: what is unusual before the first step, and what after some?"


def _judge_repaired(accuracies: Any) -> str:
    given = np.asarray(accuracies, dtype=float).ravel()
    if given.shape != (3,):
        return f"Three accuracies are expected, and there are {given.size}."
    if not ((given >= 0) & (given <= 1)).all():
        return "An accuracy lies between 0 and 1."
    sick = [name for name, value in zip(FAULTS, given, strict=True) if value < 0.9]
    return f"Still sick: {', '.join(sick)}. A healthy one gets 0.9 within ten epochs." * bool(sick)


_FAR = np.array([-1000.0, -40.0, -1.0, 0.0, 2.0, 1000.0])

lab = Lab(
    log_sigmoid=Check(
        cases=[(_FAR,), (Z,)],
        right=lambda z: -np.logaddexp(0, -z),
        mistakes={
            "Far to the left the answer is about z, and this is -inf: the exponential has "
            "overflowed, or what stands in the logarithm has rounded to 0.": lambda z: _quiet(
                lambda z: np.log(1 / (1 + np.exp(-z))), z
            ),
            "Far to the right this is nan: an exponential has overflowed, and inf / inf is no "
            "number.": lambda z: _quiet(lambda z: np.log(np.exp(z) / (1 + np.exp(z))), z),
            "Far to the right the answer is about 0, and this is -inf: the exponential has "
            "overflowed.": lambda z: _quiet(lambda z: z - np.log(1 + np.exp(z)), z),
            "The sign is flipped: the logarithm of a probability is not positive.": (
                lambda z: np.logaddexp(0, -z)
            ),
            "This is the logarithm of 1 - σ(z).": lambda z: -np.logaddexp(0, z),
            "This is the sigmoid, without its logarithm.": _sigmoid,
        },
    ),
    softplus_slope=Check(
        cases=[(Z,), (_FAR,)],
        right=_sigmoid,
        mistakes={
            "This is the slope of the sigmoid, not of softplus.": (
                lambda z: _sigmoid(z) * _sigmoid(-z)
            ),
            "The inner derivative is missing: exp(z) has the slope exp(z).": (
                lambda z: _sigmoid(-z)
            ),
            "This is softplus itself.": _softplus,
            "This overflows: exp(1000) is inf, and inf / inf is nan.": lambda z: _quiet(
                lambda z: np.exp(z) / (1 + np.exp(z)), z
            ),
        },
    ),
    softsign_slope=Check(
        cases=[(Z,)],
        right=lambda z: 1 / (1 + np.abs(z)) ** 2,
        mistakes={
            "The quotient rule has the square of the denominator.": lambda z: 1 / (1 + np.abs(z)),
            "The slope of |z| is missing for negative z: this grows without bound near -1.": (
                lambda z: 1 / (1 + z) ** 2
            ),
            "This is softsign itself.": lambda z: z / (1 + np.abs(z)),
            "Softsign rises everywhere: its slope is positive to the left, too.": (
                lambda z: np.sign(z) / (1 + np.abs(z)) ** 2
            ),
        },
    ),
    mish=Check(
        cases=[(Z,), (_FAR,)],
        right=lambda z: z * np.tanh(_softplus(z)),
        mistakes={
            "The factor z is missing.": lambda z: np.tanh(_softplus(z)),
            "This is SiLU.": lambda z: z * _sigmoid(z),
            "The softplus is missing.": lambda z: z * np.tanh(z),
            "exp(1000) overflows, and nan comes out: np.logaddexp(0, z) is log(1 + exp(z)).": (
                lambda z: _quiet(
                    lambda z: z * ((1 + np.exp(z)) ** 2 - 1) / ((1 + np.exp(z)) ** 2 + 1), z
                )
            ),
        },
    ),
    mish_slope=Check(
        cases=[(Z,)],
        right=_mish_slope,
        mistakes={
            "The product rule has two terms: this is the first.": (lambda z: np.tanh(_softplus(z))),
            "The product rule has two terms: this is the second.": (
                lambda z: _mish_slope(z, product=False)
            ),
            "The innermost slope is missing: that of softplus.": (
                lambda z: _mish_slope(z, inner=False)
            ),
            "The factor z of the second term is missing.": lambda z: (
                np.tanh(_softplus(z)) + (1 - np.tanh(_softplus(z)) ** 2) * _sigmoid(z)
            ),
        },
    ),
    hard_tanh=Check(
        cases=[(Z,)],
        right=_hard_tanh,
        parts=("value", "slope"),
        mistakes={
            "The value must be cut on the left, too.": (
                lambda z: (np.minimum(z, 1), (np.abs(z) < 1) * 1.0)
            ),
            "The value is right. This is the slope of tanh: here the pieces are straight.": (
                lambda z: (_hard_tanh(z)[0], 1 - np.tanh(z) ** 2)
            ),
            "The value is right. A straight piece has one slope, not one for each z.": (
                lambda z: (_hard_tanh(z)[0], 1 - _hard_tanh(z)[0] ** 2)
            ),
            "The two are swapped.": lambda z: _hard_tanh(z)[::-1],
        },
    ),
    squared_relu=Check(
        cases=[(Z,)],
        right=_squared_relu,
        parts=("value", "slope"),
        mistakes={
            "The negative side must be cut off before it is squared.": lambda z: (z**2, 2 * z),
            "The value is right. On the left it is constant: what is its slope there?": (
                lambda z: (_squared_relu(z)[0], 2 * z)
            ),
            "The value is right. This is the slope of ReLU: the square has one as well.": (
                lambda z: (_squared_relu(z)[0], (z > 0) * 1.0)
            ),
            "The two are swapped.": lambda z: _squared_relu(z)[::-1],
        },
    ),
    hard_swish=Check(
        cases=[(Z,)],
        right=_hard_swish,
        parts=("value", "slope"),
        mistakes={
            "The value is right. The product rule has two terms: the gate moves as well.": (
                lambda z: (_hard_swish(z)[0], np.clip(z + 3, 0, 6) / 6)
            ),
            "The value is right. Where the gate is cut off it stands still.": (
                lambda z: (_hard_swish(z)[0], (2 * z + 3) / 6)
            ),
            "This is the gate: the factor z is missing.": (
                lambda z: (np.clip(z + 3, 0, 6) / 6, (np.abs(z) < 3) / 6)
            ),
            "This is SiLU, which this function imitates with straight pieces.": (
                lambda z: (activations.silu(z), activations.silu_slope(z))
            ),
        },
    ),
    celu=Check(
        cases=[(Z, 1.0), (Z, 2.0), (Z, 0.5)],
        right=_celu,
        parts=("value", "slope"),
        mistakes={
            "This is ELU: alpha stands in the exponential, too.": (
                lambda z, alpha: (activations.elu(z, alpha), activations.elu_slope(z, alpha))
            ),
            "The value is right. The inner derivative is missing.": (
                lambda z, alpha: (
                    _celu(z, alpha)[0],
                    np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0) / alpha)),
                )
            ),
            "alpha divides z here; it does not multiply it.": (
                lambda z, alpha: (
                    np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0) * alpha)),
                    np.where(z > 0, 1, alpha**2 * np.exp(np.minimum(z, 0) * alpha)),
                )
            ),
            "The slope is right. The value is not 0 where z is 0.": (
                lambda z, alpha: (
                    np.where(z > 0, z, alpha * np.exp(np.minimum(z, 0) / alpha)),
                    _celu(z, alpha)[1],
                )
            ),
        },
    ),
    asinh=Check(
        cases=[(Z,)],
        right=lambda z: (np.arcsinh(z), 1 / np.sqrt(z**2 + 1)),
        parts=("value", "slope"),
        mistakes={
            "The value is right. The inner derivative is missing: the bracket moves with z.": (
                lambda z: (np.arcsinh(z), 1 / (z + np.sqrt(z**2 + 1)))
            ),
            "The value is right. This is the slope of the arctangent: a root is missing.": (
                lambda z: (np.arcsinh(z), 1 / (z**2 + 1))
            ),
            "The value is right. The slope falls on both sides of 0: this is upside down.": (
                lambda z: (np.arcsinh(z), np.sqrt(z**2 + 1))
            ),
            "The logarithm is missing.": (
                lambda z: (z + np.sqrt(z**2 + 1), 1 + z / np.sqrt(z**2 + 1))
            ),
        },
    ),
    as_tanh=Check(
        cases=[_two_layers(0, 3, 4, 2), _two_layers(1, 2, 2, 1)],
        judge=_judge_as_tanh,
        right=_as_tanh,
        mistakes={
            **_NOT_AS_TANH,
            "Four arrays are expected: w, b, v and c.": lambda w, b, v, c: (w / 2, b / 2, v / 2),
            "v: the shape is (4, 2), and (2, 4) is expected.": (
                lambda w, b, v, c: (w / 2, b / 2, v.T / 2, c + v.sum(axis=1) / 2)
            ),
            "On random inputs the two networks differ by up to nan.": (
                lambda w, b, v, c: (w / 2, b / 2, v / 2, c * np.nan)
            ),
        },
    ),
    asleep=Check(
        cases=[_units(0, 8, 2), _units(1, 10, 3), _EDGE],
        right=_asleep,
        mistakes={
            "This asks whether a unit is off at the origin: the inputs may be anywhere in the "
            "box.": lambda w, b: float((b <= 0).mean()),
            "Each input may be -1 too: which corner of the box is the best one for a unit?": (
                lambda w, b: float((b + w.sum(axis=1) <= 0).mean())
            ),
            "A best sum of exactly 0 does not wake a unit.": (
                lambda w, b: float((b + np.abs(w).sum(axis=1) < 0).mean())
            ),
            "Every input may help a unit, not only the one with the largest weight.": (
                lambda w, b: float((b + np.abs(w).max(axis=1) <= 0).mean())
            ),
            "This is the share of the units that can be on.": lambda w, b: 1 - _asleep(w, b),
            "This is the number of units, not their share.": lambda w, b: _asleep(w, b) * len(b),
            "This is the share of units that are off somewhere, not everywhere.": (
                lambda w, b: float((b - np.abs(w).sum(axis=1) <= 0).mean())
            ),
        },
    ),
    stuck=Check(
        cases=[(_SLOPES, 0.05), (_SLOPES[:2], 0.2), (_SLOPES[1:], 0.02)],
        right=_stuck,
        mistakes={
            "This is the share of entries; a unit counts if it is stuck on every sample.": (
                lambda slopes, tol: float((np.abs(slopes) < tol).mean())
            ),
            "A slope of -1 is below tol too, and not stuck: take its size.": (
                lambda slopes, tol: float((slopes < tol).all(axis=0).mean())
            ),
            "This counts samples: units are columns.": (
                lambda slopes, tol: float((np.abs(slopes) < tol).all(axis=1).mean())
            ),
            "This counts units that are stuck on some sample.": (
                lambda slopes, tol: float((np.abs(slopes) < tol).any(axis=0).mean())
            ),
            "Below tol means below: a slope of exactly tol is not.": (
                lambda slopes, tol: float((np.abs(slopes) <= tol).all(axis=0).mean())
            ),
            "A small mean is not enough: one sample with a large slope, and the unit learns.": (
                lambda slopes, tol: float((np.abs(slopes).mean(axis=0) < tol).mean())
            ),
            "Slopes of both signs cancel in this mean, and each sample counts by itself.": (
                lambda slopes, tol: float((np.abs(slopes.mean(axis=0)) < tol).mean())
            ),
            "This counts slopes of exactly 0: those that are merely small count as well.": (
                lambda slopes, tol: float((slopes == 0).all(axis=0).mean())
            ),
            "This is a number of units, not their share.": (
                lambda slopes, tol: _stuck(slopes, tol) * slopes.shape[1]
            ),
        },
    ),
    sine_moments=Check(
        cases=[(0.1,), (0.5,), (2.0,)],
        right=_sine_moments,
        parts=("mean of f²", "mean of f'²"),
        mistakes={
            "The two are swapped.": lambda q: _sine_moments(q)[::-1],
            "q is the variance, not the standard deviation: the mean of cos(2z) is exp(-2q).": (
                lambda q: _sine_moments(q**2)
            ),
            "The formula holds for cos(a z) with a = 2: the exponent is a² q / 2.": (
                lambda q: ((1 - exp(-q / 2)) / 2, (1 + exp(-q / 2)) / 2)
            ),
            "This takes the mean of the slope and squares it.": (
                lambda q: ((1 - exp(-2 * q)) / 2, exp(-q))
            ),
        },
    ),
    sine_chi=Check(
        cases=[(sqrt(2),), (1.2,), (1.8,), (1.05,)],
        right=_sine_chi,
        rtol=1e-3,
        mistakes={
            "This takes q = 1: find the q that a further layer does not change.": (
                lambda g: g**2 * _sine_moments(1.0)[1]
            ),
            "The g² in front is missing.": lambda g: _sine_chi(g) / g**2,
            "This is one layer from q = 1: go on until q stays.": lambda g: _sine_chi(g, 1),
            "This stopped too early: near g = 1 it takes many layers until q stays.": (
                lambda g: _sine_chi(g, 10)
            ),
            "The weights act on the way forward too: the recursion for q has a g² of its own.": (
                lambda g: _sine_chi(g, weights=False)
            ),
            "This is the factor of the norm: χ is its square.": lambda g: sqrt(_sine_chi(g)),
        },
    ),
    diagnosis=Check(
        judge=_judge_diagnosis,
        right=lambda: tuple(FAULTS.values()),
        mistakes={
            'Three words are expected, for A, B and C: "bias", "inputs" or "rate".': (
                lambda: ("bias", "depth", "rate")
            ),
            "Look again at A: what is unusual before the first step, and what after some?": (
                lambda: ("rate", "bias", "inputs")
            ),
            "Look again at B: what is unusual before the first step, and what after some?": (
                lambda: ("inputs", "rate", "bias")
            ),
        },
    ),
    repaired=Check(
        judge=_judge_repaired,
        right=lambda: (0.95, 0.96, 0.94),
        mistakes={
            "Three accuracies are expected, and there are 2.": lambda: (0.95, 0.96),
            "An accuracy lies between 0 and 1.": lambda: (95.0, 96.0, 94.0),
            "Still sick: B. A healthy one gets 0.9 within ten epochs.": lambda: (0.95, 0.1, 0.94),
        },
    ),
)


def _quiet(function: Callable[..., Any], z: Any) -> Any:
    with np.errstate(all="ignore"):
        return function(z)
