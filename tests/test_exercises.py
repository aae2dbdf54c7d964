"""Every check accepts its solution, and names the mistake that was made."""

import numpy as np
import pytest

from dlnotes.exercises import compare, gradients

RIGHT = {
    gradients.slope: lambda x: (1 - 2 * x**2) * np.exp(-(x**2)),
    gradients.mse_gradient: lambda w, x, y: 2 / len(x) * x.T @ (x @ w - y),
    gradients.numerical_gradient: lambda f, x, h=1e-5: np.array(
        [(f(x + h * d) - f(x - h * d)) / (2 * h) for d in np.eye(x.size).reshape(x.size, *x.shape)]
    ).reshape(x.shape),
    gradients.edge: lambda x: 2 / np.linalg.eigvalsh(2 / len(x) * x.T @ x).max(),
    gradients.updates: lambda n, batch_size, epochs: epochs * ((n + batch_size - 1) // batch_size),
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
