"""Checks of the exercises of chapter 07, backpropagation by hand.

Two of them hand the reader a function with a bug. What the check says about the function
as given is a symptom, such as a debugger would see: which gradient is still wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlnotes.exercises import compare
from dlnotes.scratch import backprop

Answer = Callable[..., Any]


def output_weight(answer: Answer) -> None:
    """Check dE/dw5 of the worked network, from t1, out_o1 and out_h1.

    Examples
    --------
    >>> output_weight(lambda t1, out_o1, out_h1: (out_o1 - t1) * out_h1)
    Not yet. A factor is missing: the sigmoid stands between net_o1 and out_o1.
    """

    def right(t: float, out: float, h: float) -> float:
        return (out - t) * out * (1 - out) * h

    def slope_at(out: float, slope: float) -> float:
        return slope / (out * (1 - out))

    compare(
        answer,
        [(0.01, 0.75, 0.59), (0.99, 0.3, 0.8)],
        right,
        {
            "The sign is flipped: where the output is above its target and h1 is positive, more "
            "weight means more error.": lambda t, out, h: -right(t, out, h),
            "A factor is missing: the sigmoid stands between net_o1 and out_o1.": (
                lambda t, out, h: (out - t) * h
            ),
            "A factor is missing: what does net_o1 gain when w5 grows?": (
                lambda t, out, h: (out - t) * out * (1 - out)
            ),
            "Twice too large: the error has one half in front of the square.": (
                lambda t, out, h: 2 * right(t, out, h)
            ),
            "This is the slope of the hidden unit's sigmoid: w5 comes after it.": (
                lambda t, out, h: (out - t) * h * (1 - h) * h
            ),
            "The slope is that of tanh: this network uses sigmoids.": (
                lambda t, out, h: right(t, out, h) * slope_at(out, 1 - out**2)
            ),
            "The sigmoid is applied twice: out_o1 is already its value.": (
                lambda t, out, h: (
                    right(t, out, h)
                    * slope_at(out, backprop.sigmoid(out) * (1 - backprop.sigmoid(out)))
                )
            ),
        },
    )


def hidden_weight(answer: Answer) -> None:
    """Check dE/dw1 of the worked network, from the network and its forward values.

    Examples
    --------
    >>> hidden_weight(lambda net, values: backprop.backward(net, values)["dE/dw2"])
    Not yet. This is the gradient of w2.
    """
    Numbers = Mapping[str, float]  # noqa: N806  a type

    def path(net: Numbers, v: Numbers, o: str, w: str) -> float:
        out = v[f"out_o{o}"]
        return (out - net[f"t{o}"]) * out * (1 - out) * net[w]

    def arrives(net: Numbers, v: Numbers) -> float:
        return path(net, v, "1", "w5") + path(net, v, "2", "w7")

    def onwards(net: Numbers, v: Numbers) -> float:
        return v["out_h1"] * (1 - v["out_h1"]) * net["i1"]

    def right(net: Numbers, v: Numbers) -> float:
        return arrives(net, v) * onwards(net, v)

    def without_output_slopes(net: Numbers, v: Numbers) -> float:
        back = [(v[f"out_o{o}"] - net[f"t{o}"]) * net[w] for o, w in (("1", "w5"), ("2", "w7"))]
        return sum(back) * onwards(net, v)

    other = {**backprop.example(), "i1": 0.7, "i2": -0.4, "t1": 0.8, "w5": -0.6, "w7": 0.9}
    compare(
        answer,
        [(net, backprop.forward(net)) for net in (backprop.example(), other)],
        right,
        {
            "The sign is flipped.": lambda net, v: -right(net, v),
            "Only the path through o1 is there: h1 feeds both outputs.": (
                lambda net, v: path(net, v, "1", "w5") * onwards(net, v)
            ),
            "Only the path through o2 is there: h1 feeds both outputs.": (
                lambda net, v: path(net, v, "2", "w7") * onwards(net, v)
            ),
            "The two paths are averaged: a change of w1 acts through both at once.": (
                lambda net, v: right(net, v) / 2
            ),
            "The second path leaves h1 through another weight: w6 belongs to h2.": (
                lambda net, v: (path(net, v, "1", "w5") + path(net, v, "2", "w6")) * onwards(net, v)
            ),
            "A factor is missing: the sigmoid of h1.": lambda net, v: arrives(net, v) * net["i1"],
            "A factor is missing: the sigmoids of the outputs.": without_output_slopes,
            "A factor is missing: what does net_h1 gain when w1 grows?": (
                lambda net, v: arrives(net, v) * v["out_h1"] * (1 - v["out_h1"])
            ),
            "This is the gradient of w2.": lambda net, v: right(net, v) / net["i1"] * net["i2"],
        },
    )


def cross_entropy(answer: Answer) -> None:
    """Check the gradient of softmax and cross-entropy with respect to the logits.

    Examples
    --------
    >>> cross_entropy(lambda z, y: len(z) * backprop.cross_entropy(z, y)[1])
    Not yet. The average is missing: the loss is a mean over the samples, and so is its gradient.
    """

    def right(z: Any, y: Any) -> Any:
        return backprop.cross_entropy(z, y)[1]

    def p(z: Any, y: Any) -> Any:
        return len(z) * right(z, y) + y

    rng = np.random.default_rng(7)
    compare(
        answer,
        [(rng.normal(size=(n, 3)), np.eye(3)[rng.integers(3, size=n)]) for n in (4, 5)],
        right,
        {
            "The sign is flipped: a larger logit of the wrong class makes the loss larger.": (
                lambda z, y: -right(z, y)
            ),
            "The average is missing: the loss is a mean over the samples, and so is its "
            "gradient.": lambda z, y: len(z) * right(z, y),
            "You have averaged over classes and samples: divide by the number of samples only.": (
                lambda z, y: right(z, y) / z.shape[1]
            ),
            "These are the probabilities: the targets are still to come in.": (
                lambda z, y: p(z, y) / len(z)
            ),
            "The softmax runs over the samples: each row must sum to one.": (
                lambda z, y: (np.exp(z) / np.exp(z).sum(0) - y) / len(z)
            ),
            "The softmax runs over the whole batch: each row must sum to one.": (
                lambda z, y: (np.exp(z) / np.exp(z).sum() - y) / len(z)
            ),
            "The exponentials are not divided by their sum.": lambda z, y: (np.exp(z) - y) / len(z),
            "This is the gradient with respect to the probabilities: go on through the softmax.": (
                lambda z, y: -y / p(z, y) / len(z)
            ),
            "A slope p (1 - p) too many: in p - y it has already cancelled.": (
                lambda z, y: right(z, y) * p(z, y) * (1 - p(z, y))
            ),
        },
    )


def first_bug(answer: Answer) -> None:
    """Check the corrected gradient of w1 in a network tanh, identity, squared error.

    Examples
    --------
    >>> first_bug(lambda x, y, w1, w2: ((np.tanh(x @ w1.T) @ w2.T - y) / len(x) @ w2).T @ x)
    Not yet. The bug is still there: dhidden is right, and what is returned is not.
    """

    def with_slope(slope: Callable[[Any], Any]) -> Answer:
        def gradient(x: Any, y: Any, w1: Any, w2: Any) -> Any:
            hidden = np.tanh(x @ w1.T)
            dhidden = (hidden @ w2.T - y) / len(x) @ w2
            return (dhidden * slope(hidden)).T @ x

        return gradient

    right = with_slope(lambda hidden: 1 - hidden**2)
    rng = np.random.default_rng(8)
    shapes = [((5, 3), (5, 2), (4, 3), (2, 4)), ((2, 2), (2, 3), (3, 2), (3, 3))]
    compare(
        answer,
        [tuple(rng.normal(size=shape) for shape in case) for case in shapes],
        right,
        {
            "The bug is still there: dhidden is right, and what is returned is not.": (
                with_slope(np.ones_like)
            ),
            "Right place, wrong slope: this is that of a sigmoid.": (
                with_slope(lambda hidden: hidden * (1 - hidden))
            ),
            "Right place, wrong slope: hidden is already the value of tanh.": (
                with_slope(lambda hidden: 1 - np.tanh(hidden) ** 2)
            ),
            "Right place, wrong slope: check the derivative of tanh.": (
                with_slope(lambda hidden: 1 - hidden)
            ),
            "The bug is mended, and the average over the samples is lost.": (
                lambda x, y, w1, w2: len(x) * right(x, y, w1, w2)
            ),
            "The sign is flipped.": lambda *case: -right(*case),
            "This is the transpose: a gradient has the shape of its weights, (out, in).": (
                lambda *case: right(*case).T
            ),
        },
    )


def two_bugs(answer: Answer) -> None:
    """Check the corrected gradients of w1 and w2 in a network sigmoid, softmax, cross-entropy.

    Examples
    --------
    >>> two_bugs(lambda x, y, w1, w2: np.zeros((3, 3)))
    Not yet. The shape is (3, 3), and (2, 3, 3) is expected.
    """

    def with_bugs(transposed: bool = False, scale: Callable[[Any], float] | None = None) -> Answer:
        def gradients(x: Any, y: Any, w1: Any, w2: Any) -> Any:
            hidden = backprop.sigmoid(x @ w1.T)
            dz = backprop.cross_entropy(hidden @ w2.T, y)[1] * (scale(x) if scale else 1)
            dhidden = dz @ (w2.T if transposed else w2)
            return np.stack([(dhidden * hidden * (1 - hidden)).T @ x, dz.T @ hidden])

        return gradients

    right = with_bugs()
    rng = np.random.default_rng(9)
    compare(
        answer,
        [
            (
                rng.normal(size=(n, 3)),
                np.eye(3)[rng.integers(3, size=n)],
                *rng.normal(size=(2, 3, 3)),
            )
            for n in (4, 5)
        ],
        right,
        {
            "Both bugs are still there. Begin with the gradient of w2: only one of them reaches "
            "it.": with_bugs(transposed=True, scale=len),
            "One bug is left: the gradient of w2 is right, that of w1 is not. Would every line "
            "run if the layers had different widths?": with_bugs(transposed=True),
            "One bug is left: both gradients point the right way, and they grow with the number "
            "of samples.": with_bugs(scale=len),
            "The average is taken twice.": with_bugs(scale=lambda x: 1 / len(x)),
            "You have averaged over classes and samples: divide by the number of samples only.": (
                with_bugs(scale=lambda x: 1 / x.shape[1])
            ),
            "Both bugs are mended, and the sign is flipped.": lambda *case: -right(*case),
            "Both gradients are transposed: each must have the shape (out, in) of its weights.": (
                lambda *case: right(*case).transpose(0, 2, 1)
            ),
            "The two gradients are the right ones, in the wrong order.": (
                lambda *case: right(*case)[::-1]
            ),
        },
    )
