"""The exercises of chapter 03, neurons and networks.

A network with one hidden layer of ReLUs is written ``(w1, b1, w2, b2)``: hidden weights
``(units, inputs)`` and biases ``(units,)``, output weights ``(units,)`` and one output bias.
"""

import inspect
import itertools
from collections.abc import Callable
from math import ceil, erf, pi, sqrt
from typing import Any

import numpy as np

from dlnotes.exercises import Check, Lab

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0.0, 1.0, 1.0, 0.0])


def _count(sizes: Any) -> int:
    return sum((a + 1) * b for a, b in itertools.pairwise(sizes))


# The number of parameters of a fully connected network, from its sizes.
parameters = Check(
    cases=[([1, 1],), ([3, 3, 2, 2],), ([64, 32, 10],), ([5, 4, 3, 2, 1],)],
    right=_count,
    mistakes={
        "The biases are missing: each unit has one.": lambda sizes: sum(
            a * b for a, b in itertools.pairwise(sizes)
        ),
        "The inputs are no units: they have no biases.": lambda sizes: _count(sizes) + sizes[0],
        "This counts one bias a layer: each unit has its own.": lambda sizes: sum(
            a * b + 1 for a, b in itertools.pairwise(sizes)
        ),
        "The output units have biases too.": lambda sizes: _count(sizes) - sizes[-1],
        "This counts units, not the weights between them.": lambda sizes: sum(sizes),
    },
)


def _relu(z: Any) -> Any:
    return np.maximum(z, 0)


def _forward(layers: Any, x: Any, last: Any = lambda z: z, hidden: Any = _relu) -> Any:
    for w, b in layers[:-1]:
        x = hidden(x @ w.T + b)
    w, b = layers[-1]
    return last(x @ w.T + b)


def _layers(seed: int, *sizes: int) -> Any:
    rng = np.random.default_rng(seed)
    pairs = itertools.pairwise(sizes)
    return [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in pairs]


def _batch(seed: int, samples: int, features: int) -> Any:
    return np.random.default_rng(seed).normal(size=(samples, features))


# The forward pass of a network of ReLUs of any depth.
forward = Check(
    cases=[
        (_layers(0, 3, 4, 2), _batch(1, 5, 3)),
        (_layers(2, 3, 3, 3, 3), _batch(3, 6, 3)),
        (_layers(4, 2, 1), _batch(5, 4, 2)),
    ],
    right=_forward,
    mistakes={
        "The last layer has a ReLU too: its outputs must be able to be negative.": (
            lambda layers, x: _forward(layers, x, last=_relu)
        ),
        "There is no ReLU: this is one linear layer, however many there seem to be.": (
            lambda layers, x: _forward(layers, x, hidden=lambda z: z)
        ),
        "The biases are missing.": lambda layers, x: _forward([(w, 0 * b) for w, b in layers], x),
        "The ReLU comes before the bias: add first.": lambda layers, x: _relu_first(layers, x),
        "The result is transposed: samples are rows.": lambda layers, x: _forward(layers, x).T,
        "This is the output of the first layer only.": lambda layers, x: _forward(layers[:1], x),
    },
)


def _relu_first(layers: Any, x: Any) -> Any:
    for w, b in layers[:-1]:
        x = _relu(x @ w.T) + b
    w, b = layers[-1]
    return x @ w.T + b


Net = tuple[Any, Any, Any, Any]


def _permuted(net: Net, order: Any) -> Net:
    w1, b1, w2, b2 = net
    return w1[order], b1[order], w2[order], b2


def _net(seed: int, inputs: int, units: int) -> Net:
    (w1, b1), (w2, b2) = _layers(seed, inputs, units, 1)
    return w1, b1, w2[0], b2[0]


# The same function with its hidden units in another order.
permuted = Check(
    cases=[(_net(0, 2, 4), np.array([2, 0, 3, 1])), (_net(1, 3, 3), np.array([1, 2, 0]))],
    right=_permuted,
    mistakes={
        "The output weights must move with the units they read from.": (
            lambda net, order: (net[0][order], net[1][order], net[2], net[3])
        ),
        "The biases belong to the units: they move too.": (
            lambda net, order: (net[0][order], net[1], net[2][order], net[3])
        ),
        "The rows of w1 belong to the units: they move too.": (
            lambda net, order: (net[0], net[1][order], net[2][order], net[3])
        ),
        "Unit order[k] becomes unit k; this sends unit k to order[k].": (
            lambda net, order: _permuted(net, np.argsort(order))
        ),
    },
)

# How many units the construction needs, by its bound, for a given largest error.
units_needed = Check(
    cases=[(-pi, pi, 1.0, 1e-3), (0.0, 1.0, 50.0, 1e-2), (0.0, 2.0, 2.0, 0.2)],
    right=lambda a, b, curvature, error: ceil((b - a) * sqrt(curvature / (8 * error))),
    mistakes={
        "The number of units is whole: round up.": (
            lambda a, b, curvature, error: (b - a) * sqrt(curvature / (8 * error))
        ),
        "Rounded down, the bound is just above the error: round up.": (
            lambda a, b, curvature, error: int((b - a) * sqrt(curvature / (8 * error)))
        ),
        "This is the length of a piece, not their number.": (
            lambda a, b, curvature, error: sqrt(8 * error / curvature)
        ),
        "The 8 of the bound is missing.": (
            lambda a, b, curvature, error: ceil((b - a) * sqrt(curvature / error))
        ),
        "The error falls with the square of the length of a piece: a root is missing.": (
            lambda a, b, curvature, error: ceil((b - a) * curvature / (8 * error))
        ),
        "A unit a piece, not a point: one too many.": (
            lambda a, b, curvature, error: ceil((b - a) * sqrt(curvature / (8 * error))) + 1
        ),
        "This rounds up even where the number is whole already.": (
            lambda a, b, curvature, error: int((b - a) * sqrt(curvature / (8 * error))) + 1
        ),
        "The length of the interval stands outside the root.": (
            lambda a, b, curvature, error: ceil(sqrt((b - a) * curvature / (8 * error)))
        ),
    },
)


def _judge_sizes(sizes: Any) -> str:
    if any(size != int(size) for size in sizes):
        return "A layer has a whole number of units."
    if len(sizes) < 3:
        return "A hidden layer is missing: give inputs, hidden layers and outputs."
    if (sizes[0], sizes[-1]) != (64, 10):
        return "An image has 64 pixels and there are 10 classes: sizes starts and ends with them."
    if min(sizes) < 1:
        return "Each layer needs a unit at least."
    count = _count(sizes)
    if count > 1020:
        return f"That is too many: {count} parameters."
    return f"That is too few: {count} parameters." if count < 980 else ""


# A network for the digits with about 1000 parameters.
design = Check(
    judge=_judge_sizes,
    right=lambda: [64, 13, 10],
    mistakes={
        "That is too many: 1060 parameters.": lambda: [64, 14, 10],
        "That is too few: 910 parameters.": lambda: [64, 12, 10],
        "A layer has a whole number of units.": lambda: [64, 13.5, 10],
        "A hidden layer is missing: give inputs, hidden layers and outputs.": lambda: [64, 10],
        "An image has 64 pixels and there are 10 classes: sizes starts and ends with them.": (
            lambda: [8, 100, 10]
        ),
    },
)


def _gelu(z: Any) -> Any:
    return z * (1 + np.vectorize(erf)(np.asarray(z) / sqrt(2))) / 2


def _judge_gelu(weights: Any) -> str:
    numbers = np.array([float(w) for w in weights])
    if len(numbers) != 5:
        return "Five numbers are expected: w1, w2, b, v, c."
    if not np.isfinite(numbers).all():
        return "Some of the numbers are inf or nan."
    w1, w2, b, v, c = numbers
    logits = v * _gelu(CORNERS @ [w1, w2] + b) + c
    right = int(((logits > 0) == XOR).sum())
    return "" if right == 4 else f"This gets {right} of the four points right."


# XOR with one unit that is not monotone.
gelu_xor = Check(
    judge=_judge_gelu,
    right=lambda: (2.25, 2.25, -3.0, -1.0, -0.1),
    mistakes={
        "This gets 3 of the four points right.": lambda: (1.0, 1.0, -0.5, 1.0, -0.1),
        "This gets 2 of the four points right.": lambda: (1.0, 0.0, 0.0, 1.0, -0.5),
        "This gets 0 of the four points right.": lambda: (2.25, 2.25, -3.0, 1.0, 0.1),
        "Five numbers are expected: w1, w2, b, v, c.": lambda: (2.25, 2.25, -3.0, -1.0),
    },
)

# The share of successes and its standard error.
success_rate = Check(
    cases=[(10, 50), (49, 50), (3, 4)],
    right=lambda successes, n: (
        successes / n,
        sqrt(successes / n * (1 - successes / n) / n),
    ),
    mistakes={
        "This is the standard deviation of one start: the mean of n varies less.": (
            lambda successes, n: (successes / n, sqrt(successes / n * (1 - successes / n)))
        ),
        "This is the variance: take the root.": (
            lambda successes, n: (successes / n, successes / n * (1 - successes / n) / n)
        ),
        "The error of the number of successes is n times as large: divide by n once more.": (
            lambda successes, n: (successes / n, sqrt(successes * (1 - successes / n)))
        ),
        "Rate and error are swapped.": (
            lambda successes, n: (sqrt(successes / n * (1 - successes / n) / n), successes / n)
        ),
        "This is the largest error that any share can have, not the one of this share.": (
            lambda successes, n: (successes / n, 0.5 / sqrt(n))
        ),
    },
)


def _judge_rates(rates: Any) -> str:
    shares = np.array([float(rate) for rate in rates])
    if shares.shape != (3,):
        return f"Three success rates are expected, and there are {len(shares)}."
    if not ((shares >= 0) & (shares <= 1)).all():
        return "A success rate lies between 0 and 1."
    if not shares.any():
        return "Nothing is solved at all: try other rates, or more steps."
    if (shares == shares[0]).all():
        return "All three are equal: did each run with its own activation?"
    if shares[2] > 0.5:
        return "Two ReLUs find XOR from fewer than half of the starts: what counts as solved?"
    if shares[:2].min() < 0.5:
        return "One unit that dips finds it more often: try other rates, or more steps."
    return ""


# Success rates of one GELU unit, one SiLU unit and two ReLUs, as measured by the learner.
open_rates = Check(
    judge=_judge_rates,
    right=lambda: (0.9, 0.9, 0.2),
    mistakes={
        "A success rate lies between 0 and 1.": lambda: (45, 45, 10),
        "Three success rates are expected, and there are 2.": lambda: (0.9, 0.2),
        "Nothing is solved at all: try other rates, or more steps.": lambda: (0, 0, 0),
        "All three are equal: did each run with its own activation?": lambda: (0.2, 0.2, 0.2),
        "Two ReLUs find XOR from fewer than half of the starts: what counts as solved?": (
            lambda: (1.0, 1.0, 0.9)
        ),
        "One unit that dips finds it more often: try other rates, or more steps.": (
            lambda: (0.1, 0.2, 0.3)
        ),
    },
)


# ---- the lab: weights chosen by hand ------------------------------------------------


def _value(net: Net, x: Any) -> Any:
    w1, b1, w2, b2 = net
    return _relu(x @ w1.T + b1) @ w2 + b2


def _read(answer: Any, inputs: int) -> Net:
    """Return the answer as arrays; raise ValueError where they make no network."""
    if not isinstance(answer, tuple | list) or len(answer) != 4:
        raise ValueError("it needs four parts, in this order")
    w1, b1, w2, b2 = (np.asarray(part, dtype=float) for part in answer)
    if w1.ndim != 2 or w1.shape[1] != inputs:
        raise ValueError(f"w1 must have shape (units, {inputs}), and it has {w1.shape}")
    units = len(w1)
    for name, part in (("b1", b1), ("w2", w2)):
        if part.shape != (units,):
            raise ValueError(f"{name} must have shape ({units},), and it has {part.shape}")
    if b2.shape != ():
        raise ValueError(f"b2 must be one number, and it has shape {b2.shape}")
    if not all(np.isfinite(part).all() for part in (w1, b1, w2, b2)):
        raise ValueError("some weights are inf or nan")
    return w1, b1, w2, b2


def _by_hand(
    target: Callable[..., Any],
    points: Callable[..., Any],
    units: int,
    right: Callable[..., Any],
    mistakes: dict[str, Callable[..., Any]],
    cases: Any = ((),),
    error: float = 1e-6,
    far: float = 0,
) -> Check:
    """Return a step that takes any network of so many units which is close to the target.

    `target` and `right` take the arguments of a case, `target` the points before them.
    With `far` the points are tried again, so many times as far out.
    """
    _, *names = inspect.signature(target).parameters

    def judge(answer: Any, *case: Any) -> str:
        x = points(*case)
        try:
            net = _read(answer, x.shape[1])
        except (TypeError, ValueError) as fault:
            return f"This is no network (w1, b1, w2, b2): {fault}."
        if len(net[0]) > units:
            return f"It works with {units} units or fewer, and this has {len(net[0])}."
        wrong = np.abs(_value(net, x) - target(x, *case))
        if wrong.max() > error:
            at = ", ".join(f"{v:.3g}" for v in x[wrong.argmax()])
            at = f"({at})" if x.shape[1] > 1 else at
            given = "".join(f", {n} = {v:g}" for n, v in zip(names, case, strict=True))
            return f"At x = {at}{given} it is off by {wrong.max():.3g}."
        if (np.abs(_value(net, far * x) - target(far * x, *case)) > error * max(far, 1)).any():
            return "Right near the origin, and wrong far out."
        return ""

    return Check(judge=judge, right=right, mistakes=mistakes, cases=cases)


def _line(low: float, high: float) -> Callable[..., Any]:
    return lambda *case: np.linspace(low, high, 1201)[:, None]


def _column(values: Any) -> Any:
    return np.array(values, dtype=float)[:, None]


def _ramp(a: float, b: float) -> Net:
    s = 1 / (b - a)
    return _column([1, 1]), np.array([-a, -b]), np.array([s, -s]), np.array(0.0)


def _hat(a: float, c: float, b: float) -> Net:
    up, down = 1 / (c - a), 1 / (b - c)
    return (
        _column([1, 1, 1]),
        np.array([-a, -c, -b]),
        np.array([up, -up - down, down]),
        np.array(0.0),
    )


def _trapezium(a: float, b: float, c: float, d: float) -> Net:
    up, down = 1 / (b - a), 1 / (d - c)
    return (
        _column([1, 1, 1, 1]),
        -np.array([a, b, c, d]),
        np.array([up, -up, -down, down]),
        np.array(0.0),
    )


def _hinges(w1: Any, b1: Any) -> Any:
    return np.sort(-b1 / w1[:, 0])


def _end_slopes(w1: Any, w2: Any) -> tuple[Any, Any]:
    kinks, rising = w1[:, 0] * w2, w1[:, 0] > 0
    return kinks[~rising].sum(), kinks[rising].sum()


_UNITS = [_net(seed, 1, units) for seed, units in ((3, 4), (4, 6), (6, 5))]
_ZIGZAG = (
    _column([1, 1, 1]),
    np.array([0, -1 / 3, -2 / 3]),
    np.array([3.0, -6.0, 6.0]),
    np.array(0.0),
)
_KNOT, _SLOPE, _TOP = 1.147, 0.795, 0.956  # hinges that mirror each other, found by search

lab = Lab(
    count_xor=Check(
        right=lambda: 9,
        mistakes={
            "These are the weights; three units have a bias each.": lambda: 6,
            "This leaves out the bias of the output.": lambda: 8,
            "This gives the inputs biases: they compute nothing.": lambda: 11,
        },
    ),
    xor=_by_hand(
        lambda x: np.abs(x[:, 0] - x[:, 1]),
        lambda: CORNERS,
        2,
        lambda: (np.ones((2, 2)), np.array([0.0, -1.0]), np.array([1.0, -2.0]), 0.0),
        {
            "At x = (1, 1) it is off by 1.": (
                lambda: (np.ones((2, 2)), np.array([0.0, -1.0]), np.array([1.0, -1.0]), 0.0)
            ),
            "At x = (1, 1) it is off by 2.": (
                lambda: (np.ones((2, 2)), np.array([0.0, 0.0]), np.array([1.0, 0.0]), 0.0)
            ),
            "It works with 2 units or fewer, and this has 3.": (
                lambda: (np.ones((3, 2)), np.array([0.0, -1.0, -2.0]), np.array([1.0, -2, 0]), 0.0)
            ),
            "This is no network (w1, b1, w2, b2): b1 must have shape (2,), "
            "and it has (2, 1).": lambda: (np.ones((2, 2)), np.zeros((2, 1)), np.ones(2), 0.0),
        },
    ),
    xor_logits=_by_hand(
        lambda x: 10 * np.abs(x[:, 0] - x[:, 1]) - 5,
        lambda: CORNERS,
        2,
        lambda: (np.ones((2, 2)), np.array([0.0, -1.0]), np.array([10.0, -20.0]), -5.0),
        {
            "At x = (0, 0) it is off by 5.": (
                lambda: (np.ones((2, 2)), np.array([0.0, -1.0]), np.array([10.0, -20.0]), 0.0)
            ),
            "At x = (0, 1) it is off by 5.": (
                lambda: (np.ones((2, 2)), np.array([0.0, -1.0]), np.array([5.0, -10.0]), -5.0)
            ),
        },
    ),
    hinges=Check(
        cases=[(w1, b1) for w1, b1, _, _ in _UNITS],
        right=_hinges,
        mistakes={
            "The sign is flipped: solve w x + b = 0.": lambda w1, b1: np.sort(b1 / w1[:, 0]),
            "These are the biases: the weight decides where they take the hinge.": (
                lambda w1, b1: np.sort(-b1)
            ),
            "The places are right: sort them.": lambda w1, b1: -b1 / w1[:, 0],
            "Sort from the left to the right.": lambda w1, b1: _hinges(w1, b1)[::-1],
            "The fraction is upside down.": lambda w1, b1: np.sort(-w1[:, 0] / b1),
        },
    ),
    end_slopes=Check(
        cases=[(w1, w2) for w1, _, w2, _ in _UNITS],
        right=_end_slopes,
        mistakes={
            "Far to the right only the units with a positive weight are on.": (
                lambda w1, w2: (_end_slopes(w1, w2)[0], (w1[:, 0] * w2).sum())
            ),
            "Left and right are swapped.": lambda w1, w2: _end_slopes(w1, w2)[::-1],
            "Each unit is on at one end only: this takes all of them to be on to the right.": (
                lambda w1, w2: (0.0, (w1[:, 0] * w2).sum())
            ),
            "The hidden weights are missing: a unit rises by w1, and the output takes it w2 "
            "times.": lambda w1, w2: (w2[w1[:, 0] < 0].sum(), w2[w1[:, 0] > 0].sum()),
            "Far to the left there are units that are on: those with a negative weight.": (
                lambda w1, w2: (0.0, _end_slopes(w1, w2)[1])
            ),
        },
    ),
    ramp=_by_hand(
        lambda x, a, b: np.clip((x[:, 0] - a) / (b - a), 0, 1),
        _line(-4, 4),
        2,
        _ramp,
        {
            "At x = 4, a = -1, b = 0 it is off by 4.": lambda a, b: (
                _column([1, 0]),
                np.array([-a, 0]),
                np.array([1 / (b - a), 0.0]),
                0.0,
            ),
            "At x = 2.5, a = 0.5, b = 2.5 it is off by 1.": lambda a, b: (
                _column([1, 1]),
                np.array([-a, -b]),
                np.array([1.0, -1.0]),
                0.0,
            ),
        },
        cases=[(-1.0, 0.0), (0.5, 2.5)],
    ),
    hat=_by_hand(
        lambda x, a, c, b: np.interp(x[:, 0], [a, c, b], [0, 1, 0]),
        _line(-5, 5),
        3,
        _hat,
        {
            "At x = 5, a = -1, c = 0, b = 1 it is off by 4.": lambda a, c, b: (
                _column([1, 1, 0]),
                np.array([-a, -c, 0]),
                np.array([1 / (c - a), -1 / (c - a) - 1 / (b - c), 0.0]),
                0.0,
            ),
            "At x = 5, a = -1, c = 0, b = 1 it is off by 5.": lambda a, c, b: (
                _column([1, 1, 1]),
                np.array([-a, -c, -b]),
                np.array([1.0, -1.0, 1.0]) / (c - a),
                0.0,
            ),
        },
        cases=[(-1.0, 0.0, 1.0), (-2.0, 0.5, 1.0)],
    ),
    trapezium=_by_hand(
        lambda x, a, b, c, d: np.interp(x[:, 0], [a, b, c, d], [0, 1, 1, 0]),
        _line(-5, 5),
        4,
        _trapezium,
        {
            "At x = 5, a = -2, b = -1, c = 1, d = 2 it is off by 3.": lambda a, b, c, d: (
                *_trapezium(a, b, c, d)[:2],
                _trapezium(a, b, c, d)[2] * [1, 1, 1, 0],
                0.0,
            ),
            "It works with 4 units or fewer, and this has 6.": lambda a, b, c, d: tuple(
                np.concatenate([one, two]) if np.ndim(one) else one + two
                for one, two in zip(_hat(a, b, c), _hat(b, c, d), strict=True)
            ),
        },
        cases=[(-2.0, -1.0, 1.0, 2.0), (-3.0, -2.5, 0.0, 4.0)],
    ),
    maximum=_by_hand(
        lambda x: x.max(axis=1),
        lambda: np.stack(np.meshgrid(*[np.linspace(-2, 2, 21)] * 2), -1).reshape(-1, 2),
        3,
        lambda: (
            np.array([[-1.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]),
            np.zeros(3),
            np.array([1.0, 1.0, -1.0]),
            0.0,
        ),
        {
            "At x = (-2, -2) it is off by 2.": lambda: (
                np.array([[-1.0, 1.0], [1.0, 0.0]]),
                np.zeros(2),
                np.array([1.0, 1.0]),
                0.0,
            ),
            "At x = (2, -2) it is off by 4.": lambda: (
                np.array([[1.0, -1.0], [1.0, 0.0], [-1.0, 0.0]]),
                np.zeros(3),
                np.array([1.0, 1.0, -1.0]),
                0.0,
            ),
            "Right near the origin, and wrong far out.": lambda: (
                np.array([[-1.0, 1.0], [1.0, 0.0]]),
                np.array([0.0, 1000.0]),
                np.array([1.0, 1.0]),
                -1000.0,
            ),
        },
        far=1e9,
    ),
    count_w=Check(
        right=lambda: 4,
        mistakes={
            "There are three kinks, and still three units do not do: what would the slope far "
            "to the left be?": lambda: 3,
            "There are four pieces, and fewer than five units do.": lambda: 5,
            "A unit adds one kink at most: three need more than two units.": lambda: 2,
        },
    ),
    w_shape=_by_hand(
        lambda x: np.abs(np.abs(x[:, 0]) - 1),
        _line(-4, 4),
        4,
        lambda: (
            _column([-1, 1, 1, -1]),
            np.array([0.0, 0.0, -1.0, -1.0]),
            np.array([-1.0, -1.0, 2.0, 2.0]),
            1.0,
        ),
        {
            "At x = 4 it is off by 6.": lambda: (
                _column([1, 1, 1]),
                np.array([1.0, 0.0, -1.0]),
                np.array([2.0, -2.0, 2.0]),
                1.0,
            ),
            "At x = -4 it is off by 6.": lambda: (
                _column([-1, 1]),
                np.zeros(2),
                -np.ones(2),
                1.0,
            ),
            "Right near the origin, and wrong far out.": lambda: (
                _column([1, 1, 1, 1]),
                np.array([1000.0, 1.0, 0.0, -1.0]),
                np.array([-1.0, 2.0, -2.0, 2.0]),
                999.0,
            ),
        },
        far=1e9,
    ),
    zigzag=_by_hand(
        lambda x: np.interp(x[:, 0], [0, 1 / 3, 2 / 3, 1], [0, 1, 0, 1]),
        _line(0, 1),
        3,
        lambda: _ZIGZAG,
        {
            "At x = 1 it is off by 2.": lambda: (
                *_ZIGZAG[:2],
                np.array([3.0, -6.0, 0.0]),
                0.0,
            ),
            "At x = 1 it is off by 1.": lambda: (
                *_ZIGZAG[:2],
                np.array([3.0, -6.0, 3.0]),
                0.0,
            ),
        },
    ),
    count_zigzag=Check(
        right=lambda: (34, 27),
        mistakes={
            "The pieces multiply from layer to layer: they do not add.": lambda: (34, 9),
            "The pieces are right. Between two layers of three units there are weights from "
            "each to each, and three biases.": lambda: (22, 27),
            "The pieces are right. This counts three hidden units in all: there are three "
            "layers of them.": lambda: (10, 27),
        },
    ),
    sine=_by_hand(
        lambda x: np.sin(x[:, 0]),
        _line(0, pi),
        2,
        lambda: (
            _column([-1, 1]),
            np.array([_KNOT, _KNOT - pi]),
            np.array([-_SLOPE, -_SLOPE]),
            _TOP,
        ),
        {
            "At x = 1.57 it is off by 0.134.": lambda: (
                _column([-1, 1]),
                np.array([pi / 3, -2 * pi / 3]),
                np.full(2, -np.sqrt(3) / 2 / (pi / 3)),
                np.sqrt(3) / 2,
            ),
            "It works with 2 units or fewer, and this has 3.": lambda: (
                _column([-1, 1, 1]),
                np.array([_KNOT, _KNOT - pi, -4.0]),
                np.array([-_SLOPE, -_SLOPE, 0.0]),
                _TOP,
            ),
        },
        error=0.05,
    ),
)
