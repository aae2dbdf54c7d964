"""The exercises of chapter 07, backpropagation by hand.

Two of them hand the reader a function with a bug. What is said of the function as it is
given is a symptom, such as a debugger would see: which gradient is still wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlnotes.exercises import Check
from dlnotes.scratch import backprop

Answer = Callable[..., Any]
Numbers = Mapping[str, float]


def _output_weight(t: float, out: float, h: float) -> float:
    return (out - t) * out * (1 - out) * h


def _other_slope(t: float, out: float, h: float, slope: float) -> float:
    return _output_weight(t, out, h) * slope / (out * (1 - out))


# dE/dw5 of the worked network, from t1, out_o1 and out_h1.
output_weight = Check(
    cases=[(0.01, 0.75, 0.59), (0.99, 0.3, 0.8)],
    right=_output_weight,
    mistakes={
        "The sign is flipped: where the output is above its target and h1 is positive, more "
        "weight means more error.": lambda t, out, h: -_output_weight(t, out, h),
        "A factor is missing: the sigmoid stands between net_o1 and out_o1.": (
            lambda t, out, h: (out - t) * h
        ),
        "A factor is missing: what does net_o1 gain when w5 grows?": (
            lambda t, out, h: (out - t) * out * (1 - out)
        ),
        "Twice too large: the error has one half in front of the square.": (
            lambda t, out, h: 2 * _output_weight(t, out, h)
        ),
        "This is the slope of the hidden unit's sigmoid: w5 comes after it.": (
            lambda t, out, h: (out - t) * h * (1 - h) * h
        ),
        "The slope is that of tanh: this network uses sigmoids.": (
            lambda t, out, h: _other_slope(t, out, h, 1 - out**2)
        ),
        "The sigmoid is applied twice: out_o1 is already its value.": (
            lambda t, out, h: _other_slope(
                t, out, h, backprop.sigmoid(out) * (1 - backprop.sigmoid(out))
            )
        ),
    },
)


def _path(net: Numbers, v: Numbers, o: str, w: str) -> float:
    """Return what the error gains when out_h1 grows, along the path through output o."""
    out = v[f"out_o{o}"]
    return (out - net[f"t{o}"]) * out * (1 - out) * net[w]


def _arrives(net: Numbers, v: Numbers) -> float:
    return _path(net, v, "1", "w5") + _path(net, v, "2", "w7")


def _onwards(net: Numbers, v: Numbers) -> float:
    return v["out_h1"] * (1 - v["out_h1"]) * net["i1"]


def _without_output_slopes(net: Numbers, v: Numbers) -> float:
    back = [(v[f"out_o{o}"] - net[f"t{o}"]) * net[w] for o, w in (("1", "w5"), ("2", "w7"))]
    return sum(back) * _onwards(net, v)


# dE/dw1 of the worked network, from the network and its forward values.
hidden_weight = Check(
    cases=[
        (net, backprop.forward(net))
        for net in (
            backprop.example(),
            {**backprop.example(), "i1": 0.7, "i2": -0.4, "t1": 0.8, "w5": -0.6, "w7": 0.9},
        )
    ],
    right=lambda net, v: _arrives(net, v) * _onwards(net, v),
    mistakes={
        "The sign is flipped.": lambda net, v: -_arrives(net, v) * _onwards(net, v),
        "Only the path through o1 is there: h1 feeds both outputs.": (
            lambda net, v: _path(net, v, "1", "w5") * _onwards(net, v)
        ),
        "Only the path through o2 is there: h1 feeds both outputs.": (
            lambda net, v: _path(net, v, "2", "w7") * _onwards(net, v)
        ),
        "The two paths are averaged: a change of w1 acts through both at once.": (
            lambda net, v: _arrives(net, v) * _onwards(net, v) / 2
        ),
        "The second path leaves h1 through another weight: w6 belongs to h2.": (
            lambda net, v: (_path(net, v, "1", "w5") + _path(net, v, "2", "w6")) * _onwards(net, v)
        ),
        "A factor is missing: the sigmoid of h1.": lambda net, v: _arrives(net, v) * net["i1"],
        "A factor is missing: the sigmoids of the outputs.": _without_output_slopes,
        "A factor is missing: what does net_h1 gain when w1 grows?": (
            lambda net, v: _arrives(net, v) * v["out_h1"] * (1 - v["out_h1"])
        ),
        "This is the gradient of w2.": (
            lambda net, v: _arrives(net, v) * _onwards(net, v) / net["i1"] * net["i2"]
        ),
    },
)


def _logits(z: Any, y: Any) -> Any:
    return backprop.cross_entropy(z, y)[1]


def _p(z: Any, y: Any) -> Any:
    return len(z) * _logits(z, y) + y


_rng = np.random.default_rng(7)
# The gradient of softmax and cross-entropy with respect to the logits.
cross_entropy = Check(
    cases=[(_rng.normal(size=(n, 3)), np.eye(3)[_rng.integers(3, size=n)]) for n in (4, 5)],
    right=_logits,
    mistakes={
        "The sign is flipped: a larger logit of the wrong class makes the loss larger.": (
            lambda z, y: -_logits(z, y)
        ),
        "The average is missing: the loss is a mean over the samples, and so is its "
        "gradient.": lambda z, y: len(z) * _logits(z, y),
        "You have averaged over classes and samples: divide by the number of samples only.": (
            lambda z, y: _logits(z, y) / z.shape[1]
        ),
        "These are the probabilities: the targets are still to come in.": (
            lambda z, y: _p(z, y) / len(z)
        ),
        "The softmax runs over the samples: each row must sum to one.": (
            lambda z, y: (np.exp(z) / np.exp(z).sum(0) - y) / len(z)
        ),
        "The softmax runs over the whole batch: each row must sum to one.": (
            lambda z, y: (np.exp(z) / np.exp(z).sum() - y) / len(z)
        ),
        "The exponentials are not divided by their sum.": lambda z, y: (np.exp(z) - y) / len(z),
        "This is the gradient with respect to the probabilities: go on through the softmax.": (
            lambda z, y: -y / _p(z, y) / len(z)
        ),
        "A slope p (1 - p) too many: in p - y it has already cancelled.": (
            lambda z, y: _logits(z, y) * _p(z, y) * (1 - _p(z, y))
        ),
    },
)


def _with_slope(slope: Callable[[Any], Any]) -> Answer:
    def gradient(x: Any, y: Any, w1: Any, w2: Any) -> Any:
        hidden = np.tanh(x @ w1.T)
        dhidden = (hidden @ w2.T - y) / len(x) @ w2
        return (dhidden * slope(hidden)).T @ x

    return gradient


_first_bug = _with_slope(lambda hidden: 1 - hidden**2)
_rng = np.random.default_rng(8)
# The corrected gradient of w1 in a network tanh, identity, squared error.
first_bug = Check(
    cases=[
        tuple(_rng.normal(size=shape) for shape in case)
        for case in [((5, 3), (5, 2), (4, 3), (2, 4)), ((2, 2), (2, 3), (3, 2), (3, 3))]
    ],
    right=_first_bug,
    mistakes={
        "The bug is still there: dhidden is right, and what is returned is not.": (
            _with_slope(np.ones_like)
        ),
        "Right place, wrong slope: this is that of a sigmoid.": (
            _with_slope(lambda hidden: hidden * (1 - hidden))
        ),
        "Right place, wrong slope: hidden is already the value of tanh.": (
            _with_slope(lambda hidden: 1 - np.tanh(hidden) ** 2)
        ),
        "Right place, wrong slope: check the derivative of tanh.": (
            _with_slope(lambda hidden: 1 - hidden)
        ),
        "The bug is mended, and the average over the samples is lost.": (
            lambda x, y, w1, w2: len(x) * _first_bug(x, y, w1, w2)
        ),
        "The sign is flipped.": lambda *case: -_first_bug(*case),
        "This is the transpose: a gradient has the shape of its weights, (out, in).": (
            lambda *case: _first_bug(*case).T
        ),
    },
)


def _with_bugs(transposed: bool = False, scale: Callable[[Any], float] | None = None) -> Answer:
    def gradients(x: Any, y: Any, w1: Any, w2: Any) -> Any:
        hidden = backprop.sigmoid(x @ w1.T)
        dz = backprop.cross_entropy(hidden @ w2.T, y)[1] * (scale(x) if scale else 1)
        dhidden = dz @ (w2.T if transposed else w2)
        return np.stack([(dhidden * hidden * (1 - hidden)).T @ x, dz.T @ hidden])

    return gradients


_rng = np.random.default_rng(9)
# The corrected gradients of w1 and w2 in a network sigmoid, softmax, cross-entropy.
two_bugs = Check(
    cases=[
        (
            _rng.normal(size=(n, 3)),
            np.eye(3)[_rng.integers(3, size=n)],
            *_rng.normal(size=(2, 3, 3)),
        )
        for n in (4, 5)
    ],
    right=_with_bugs(),
    mistakes={
        "Both bugs are still there. Begin with the gradient of w2: only one of them reaches "
        "it.": _with_bugs(transposed=True, scale=len),
        "One bug is left: the gradient of w2 is right, that of w1 is not. Would every line "
        "run if the layers had different widths?": _with_bugs(transposed=True),
        "One bug is left: both gradients point the right way, and they grow with the number "
        "of samples.": _with_bugs(scale=len),
        "The average is taken twice.": _with_bugs(scale=lambda x: 1 / len(x)),
        "You have averaged over classes and samples: divide by the number of samples only.": (
            _with_bugs(scale=lambda x: 1 / x.shape[1])
        ),
        "Both bugs are mended, and the sign is flipped.": lambda *case: -_with_bugs()(*case),
        "Both gradients are transposed: each must have the shape (out, in) of its weights.": (
            lambda *case: _with_bugs()(*case).transpose(0, 2, 1)
        ),
        "The two gradients are the right ones, in the wrong order.": (
            lambda *case: _with_bugs()(*case)[::-1]
        ),
    },
)
