"""Every check accepts its solution, and names the mistake that was made."""

import numpy as np
import pytest

from dlnotes.exercises import backpropagation, compare, gradients


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _path(net, v, o, w):
    """What the error gains when out_h1 grows, along the path through output o."""
    out = v[f"out_o{o}"]
    return (out - net[f"t{o}"]) * out * (1 - out) * net[w]


def _hidden_weight(net, v, paths=(("1", "w5"), ("2", "w7"))):
    slope = v["out_h1"] * (1 - v["out_h1"])
    return sum(_path(net, v, o, w) for o, w in paths) * slope * net["i1"]


def _cross_entropy(z, y, axis=1):
    p = np.exp(z) / np.exp(z).sum(axis, keepdims=True)
    return (p - y) / len(z)


def _first_bug(slope=lambda hidden: 1 - hidden**2):
    def gradient_w1(x, y, w1, w2):
        hidden = np.tanh(x @ w1.T)
        out = hidden @ w2.T
        dout = (out - y) / len(x)
        dhidden = dout @ w2
        return (slope(hidden) * dhidden).T @ x

    return gradient_w1


def _two_bugs(average=True, transposed=False):
    def gradients(x, y, w1, w2):
        hidden = _sigmoid(x @ w1.T)
        e = np.exp(hidden @ w2.T)
        dz = e / e.sum(axis=1, keepdims=True) - y
        if average:
            dz = dz / len(x)
        dw2 = dz.T @ hidden
        dhidden = dz @ (w2.T if transposed else w2)
        dw1 = (dhidden * hidden * (1 - hidden)).T @ x
        return np.stack([dw1, dw2])

    return gradients


RIGHT = {
    gradients.slope: lambda x: (1 - 2 * x**2) * np.exp(-(x**2)),
    gradients.mse_gradient: lambda w, x, y: 2 / len(x) * x.T @ (x @ w - y),
    gradients.numerical_gradient: lambda f, x, h=1e-5: np.array(
        [(f(x + h * d) - f(x - h * d)) / (2 * h) for d in np.eye(x.size).reshape(x.size, *x.shape)]
    ).reshape(x.shape),
    gradients.edge: lambda x: 2 / np.linalg.eigvalsh(2 / len(x) * x.T @ x).max(),
    gradients.updates: lambda n, batch_size, epochs: epochs * ((n + batch_size - 1) // batch_size),
    backpropagation.output_weight: lambda t, out, h: -(t - out) * out * (1 - out) * h,
    backpropagation.hidden_weight: _hidden_weight,
    backpropagation.cross_entropy: _cross_entropy,
    backpropagation.first_bug: _first_bug(),
    backpropagation.two_bugs: _two_bugs(),
}


def _one_by_one(f, x, difference):
    directions = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([difference(f, x, 1e-5 * d) for d in directions]).reshape(x.shape)


def _changes_its_argument(f, x, h=1e-5):
    x += h
    return x


MISTAKES = [
    (gradients.slope, lambda x: (2 * x**2 - 1) * np.exp(-(x**2)), "sign is flipped"),
    (gradients.slope, lambda x: np.exp(-(x**2)), "exp(-x²) is differentiated is missing"),
    (gradients.slope, lambda x: -2 * x**2 * np.exp(-(x**2)), "where x is differentiated"),
    (gradients.slope, lambda x: (1 + x) * np.exp(-(x**2)), "derivative of the exponent is missing"),
    (gradients.slope, lambda x: (1 + 2 * x**2) * np.exp(-(x**2)), "has the wrong sign"),
    (gradients.slope, lambda x: (1 - 2 * x**2) * np.exp(x**2), "lost its minus sign"),
    (gradients.slope, lambda x: float(((1 - 2 * x**2) * np.exp(-(x**2)))[0]), "The shape is ()"),
    (gradients.slope, lambda x: x * 0 + np.nan, "inf or nan"),
    (gradients.slope, lambda x: x, "values are not"),
    (gradients.slope, lambda x: "steep", "not a str"),
    (gradients.slope, lambda x: 1 / 0, "raised ZeroDivisionError"),
    (gradients.mse_gradient, lambda w, x, y: -2 / len(x) * x.T @ (x @ w - y), "sign is flipped"),
    (gradients.mse_gradient, lambda w, x, y: 2 * x.T @ (x @ w - y), "1/N is missing"),
    (gradients.mse_gradient, lambda w, x, y: x.T @ (x @ w - y) / len(x), "factor 2"),
    (gradients.mse_gradient, lambda w, x, y: 2 * (x @ w - y)[:, None] * x, "to be averaged"),
    (gradients.mse_gradient, lambda w, x, y: 2 * x.T @ (x @ w - y) / x.size, "samples only"),
    (
        gradients.mse_gradient,
        lambda w, x, y: 2 / len(x) * x.T @ (x @ w - y)[:, None],
        "(features, 1)",
    ),
    (gradients.mse_gradient, lambda w, x, y: x @ (x @ w - y), "raised ValueError"),
    (
        gradients.numerical_gradient,
        lambda f, x: _one_by_one(f, x, lambda f, x, d: (f(x + d) - f(x)) / 1e-5),
        "one-sided",
    ),
    (
        gradients.numerical_gradient,
        lambda f, x: _one_by_one(f, x, lambda f, x, d: (f(x + d) - f(x - d)) / 1e-5),
        "2h apart",
    ),
    (
        gradients.numerical_gradient,
        lambda f, x: _one_by_one(f, x, lambda f, x, d: (f(x - d) - f(x + d)) / 2e-5),
        "sign is flipped",
    ),
    (
        gradients.numerical_gradient,
        lambda f, x: _one_by_one(f, x, lambda f, x, d: f(x + d) - f(x - d)),
        "division by 2h",
    ),
    (
        gradients.numerical_gradient,
        lambda f, x: _one_by_one(f, x, lambda f, x, d: (f(x + d) - f(x - d)) / 2e-5).ravel(),
        "return the shape of x",
    ),
    (gradients.numerical_gradient, lambda f, x: (f(x + 1e-5) - f(x - 1e-5)) / 2e-5, "all entries"),
    (
        gradients.numerical_gradient,
        lambda f, x: x * 0 + (f(x + 1e-5) - f(x - 1e-5)) / 2e-5,
        "every entry of the answer is the same",
    ),
    (gradients.numerical_gradient, _changes_its_argument, "changes its argument"),
    (gradients.edge, lambda x: 1 / np.linalg.eigvalsh(2 / len(x) * x.T @ x).max(), "jumps to"),
    (gradients.edge, lambda x: 2 / np.linalg.eigvalsh(2 / len(x) * x.T @ x).min(), "flattest"),
    (gradients.edge, lambda x: 2 / np.linalg.eigvalsh(2 * x.T @ x).max(), "1/N is missing"),
    (gradients.edge, lambda x: 2 / np.linalg.eigvalsh(x.T @ x / len(x)).max(), "factor 2"),
    (gradients.edge, lambda x: 2 / np.linalg.eigvalsh(x.T @ x).max(), "not yet the Hessian"),
    (gradients.edge, lambda x: np.linalg.eigvalsh(2 / len(x) * x.T @ x).max(), "curvature itself"),
    (gradients.updates, lambda n, b, e: n // b * e, "short last batch"),
    (gradients.updates, lambda n, b, e: -(-n // b), "one epoch"),
    (gradients.updates, lambda n, b, e: -(-n * e // b), "run on into the next epoch"),
    (gradients.updates, lambda n, b, e: n / b * e, "whole number"),
    (gradients.updates, lambda n, b, e: (n // b + 1) * e, "one update too many"),
    (backpropagation.output_weight, lambda t, o, h: (t - o) * o * (1 - o) * h, "sign is flipped"),
    (backpropagation.output_weight, lambda t, o, h: (o - t) * h, "sigmoid stands between"),
    (backpropagation.output_weight, lambda t, o, h: (o - t) * o * (1 - o), "when w5 grows"),
    (backpropagation.output_weight, lambda t, o, h: 2 * (o - t) * o * (1 - o) * h, "one half"),
    (backpropagation.output_weight, lambda t, o, h: (o - t) * h * (1 - h) * h, "hidden unit's"),
    (backpropagation.output_weight, lambda t, o, h: (o - t) * (1 - o**2) * h, "that of tanh"),
    (
        backpropagation.output_weight,
        lambda t, o, h: (o - t) * _sigmoid(o) * (1 - _sigmoid(o)) * h,
        "applied twice",
    ),
    (backpropagation.hidden_weight, lambda net, v: -_hidden_weight(net, v), "sign is flipped"),
    (
        backpropagation.hidden_weight,
        lambda net, v: _hidden_weight(net, v, [("1", "w5")]),
        "only the path through o1",
    ),
    (
        backpropagation.hidden_weight,
        lambda net, v: _hidden_weight(net, v, [("2", "w7")]),
        "only the path through o2",
    ),
    (backpropagation.hidden_weight, lambda net, v: _hidden_weight(net, v) / 2, "averaged"),
    (
        backpropagation.hidden_weight,
        lambda net, v: _hidden_weight(net, v, [("1", "w5"), ("2", "w6")]),
        "w6 belongs to h2",
    ),
    (
        backpropagation.hidden_weight,
        lambda net, v: (_path(net, v, "1", "w5") + _path(net, v, "2", "w7")) * net["i1"],
        "the sigmoid of h1",
    ),
    (
        backpropagation.hidden_weight,
        lambda net, v: (
            ((v["out_o1"] - net["t1"]) * net["w5"] + (v["out_o2"] - net["t2"]) * net["w7"])
            * (v["out_h1"] * (1 - v["out_h1"]) * net["i1"])
        ),
        "sigmoids of the outputs",
    ),
    (
        backpropagation.hidden_weight,
        lambda net, v: _hidden_weight(net, v) / net["i1"],
        "when w1 grows",
    ),
    (
        backpropagation.hidden_weight,
        lambda net, v: _hidden_weight({**net, "i1": net["i2"]}, v),
        "the gradient of w2",
    ),
    (backpropagation.hidden_weight, lambda net, v: net["w9"], "raised KeyError"),
    (backpropagation.cross_entropy, lambda z, y: -_cross_entropy(z, y), "sign is flipped"),
    (backpropagation.cross_entropy, lambda z, y: len(z) * _cross_entropy(z, y), "average is"),
    (backpropagation.cross_entropy, lambda z, y: _cross_entropy(z, y) / 3, "samples only"),
    (backpropagation.cross_entropy, lambda z, y: _cross_entropy(z, 0 * y), "the probabilities:"),
    (backpropagation.cross_entropy, lambda z, y: _cross_entropy(z, y, 0), "over the samples"),
    (backpropagation.cross_entropy, lambda z, y: _cross_entropy(z, y, None), "whole batch"),
    (backpropagation.cross_entropy, lambda z, y: (np.exp(z) - y) / len(z), "by their sum"),
    (
        backpropagation.cross_entropy,
        lambda z, y: -y / (_cross_entropy(z, 0 * y) * len(z)) / len(z),
        "with respect to the probabilities",
    ),
    (
        backpropagation.cross_entropy,
        lambda z, y: (
            _cross_entropy(z, y)
            * (_cross_entropy(z, 0 * y) * len(z))
            * (1 - _cross_entropy(z, 0 * y) * len(z))
        ),
        "too many",
    ),
    (backpropagation.first_bug, _first_bug(np.ones_like), "still there"),  # as it is given
    (backpropagation.first_bug, _first_bug(lambda h: h * (1 - h)), "that of a sigmoid"),
    (backpropagation.first_bug, _first_bug(lambda h: 1 - np.tanh(h) ** 2), "already the value"),
    (backpropagation.first_bug, _first_bug(lambda h: 1 - h), "derivative of tanh"),
    (backpropagation.first_bug, lambda x, *rest: len(x) * _first_bug()(x, *rest), "is lost"),
    (backpropagation.first_bug, lambda *case: -_first_bug()(*case), "sign is flipped"),
    (backpropagation.first_bug, lambda *case: _first_bug()(*case).T, "transpose"),
    (
        backpropagation.two_bugs,
        _two_bugs(average=False, transposed=True),
        "still there",
    ),  # as given
    (backpropagation.two_bugs, _two_bugs(transposed=True), "that of w1 is not"),
    (backpropagation.two_bugs, _two_bugs(average=False), "grow with the number of samples"),
    (backpropagation.two_bugs, lambda x, *rest: _two_bugs()(x, *rest) / len(x), "twice"),
    (backpropagation.two_bugs, lambda *case: _two_bugs()(*case) / 3, "samples only"),
    (backpropagation.two_bugs, lambda *case: -_two_bugs()(*case), "sign is flipped"),
    (
        backpropagation.two_bugs,
        lambda *case: _two_bugs()(*case).transpose(0, 2, 1),
        "are transposed",
    ),
    (backpropagation.two_bugs, lambda *case: _two_bugs()(*case)[::-1], "wrong order"),
]


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_the_right_answer_is_right(check, capsys):
    check(RIGHT[check])
    assert capsys.readouterr().out == "Right.\n"


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_the_untouched_stub_is_no_answer(check, capsys):
    def stub(*args): ...

    check(stub)
    assert capsys.readouterr().out.startswith("No answer yet")


@pytest.mark.parametrize(("check", "answer", "words"), MISTAKES)
def test_a_typical_mistake_gets_a_fitting_message(check, answer, words, capsys):
    check(answer)
    said = capsys.readouterr().out
    assert said.startswith("Not yet.")
    assert words.lower() in said.lower()


def test_each_check_has_at_least_three_mistakes():
    for check in RIGHT:
        assert sum(tested is check for tested, _, _ in MISTAKES) >= 3


def test_an_answer_that_fits_one_case_only_is_not_right(capsys):
    compare(lambda x: 2.0, [(1.0,), (3.0,)], lambda x: 2 * x, {})
    assert capsys.readouterr().out.startswith("Not yet.")
