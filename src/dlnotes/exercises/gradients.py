"""The exercises of chapter 01, gradients and gradient descent."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dlnotes.exercises import Check
from dlnotes.scratch import regression
from dlnotes.scratch.backprop import numerical_gradient as _central


def _line_data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(7)
    x = np.stack([np.ones(6), rng.normal(size=6), 3 * rng.normal(size=6)], axis=1)
    return rng.normal(size=3), x, rng.normal(size=6)


# The derivative of x exp(-x²).
slope = Check(
    cases=[(np.linspace(-2, 2, 9),), (np.array([0.3]),)],
    right=lambda x: (1 - 2 * x**2) * np.exp(-(x**2)),
    mistakes={
        "The sign is flipped: where g rises, its derivative is positive.": (
            lambda x: -(1 - 2 * x**2) * np.exp(-(x**2))
        ),
        "A product has two terms in its derivative: "
        "the one where exp(-x²) is differentiated is missing.": lambda x: np.exp(-(x**2)),
        "A product has two terms in its derivative: the one where x is differentiated is "
        "missing.": lambda x: -2 * x**2 * np.exp(-(x**2)),
        "Chain rule: the derivative of the exponent is missing.": (
            lambda x: (1 + x) * np.exp(-(x**2))
        ),
        "Chain rule: the derivative of the exponent has the wrong sign.": (
            lambda x: (1 + 2 * x**2) * np.exp(-(x**2))
        ),
        "The exponent has lost its minus sign.": lambda x: (1 - 2 * x**2) * np.exp(x**2),
    },
)

# The gradient of the mean squared error with respect to the weights.
mse_gradient = Check(
    cases=[_line_data()],
    right=regression.grad,
    mistakes={
        "The sign is flipped: this is the direction to walk, not the gradient.": (
            lambda w, x, y: -regression.grad(w, x, y)
        ),
        "The 1/N is missing: the loss is a mean over the samples, and so is its gradient.": (
            lambda w, x, y: len(x) * regression.grad(w, x, y)
        ),
        "The factor 2 from the square is missing.": lambda w, x, y: regression.grad(w, x, y) / 2,
        "One gradient a sample: they are still to be averaged.": (
            lambda w, x, y: 2 * (x @ w - y)[:, None] * x
        ),
        "You have averaged over features and samples: divide by the number of samples only.": (
            lambda w, x, y: regression.grad(w, x, y) / x.shape[1]
        ),
        "This is a column of shape (features, 1): w has shape (features,).": (
            lambda w, x, y: regression.grad(w, x, y)[:, None]
        ),
    },
)


def _one_sided(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[i] = h
        gradient[i] = (f(x + nudge) - f(x)) / h
    return gradient


def _together(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    return (f(x + h) - f(x - h)) / (2 * h)


def _cubic(x: Any) -> Any:
    return (np.arange(1, x.size + 1) * x.ravel() ** 3).sum() + x.ravel()[0] * x.ravel()[-1]


# A central difference in several variables.
numerical_gradient = Check(
    cases=[(_cubic, np.array([0.5, -1.2, 2.0])), (_cubic, np.array([[0.3, 1.0], [-0.7, 0.9]]))],
    right=_central,
    mistakes={
        "This is a one-sided difference: nudge to both sides.": _one_sided,
        "Twice too large: the two points are 2h apart.": lambda f, x: 2 * _central(f, x),
        "The sign is flipped.": lambda f, x: -_central(f, x),
        "All entries are nudged at once: nudge one, keep the others, and go through them "
        "in turn.": _together,
        "All entries are nudged at once, and every entry of the answer is the same.": (
            lambda f, x: np.full_like(x, _together(f, x))
        ),
        "The division by 2h is missing.": lambda f, x: 2e-5 * _central(f, x),
        "The values are right and the shape is not: return the shape of x.": (
            lambda f, x: _central(f, x).ravel()
        ),
    },
)


def _eigenvalues(x: Any) -> Any:
    return np.linalg.eigvalsh(regression.hessian(x))


# The largest learning rate of least squares.
edge = Check(
    cases=[(_line_data()[1],), (np.array([[1.0, 2.0], [1.0, -1.0], [1.0, 0.5], [1.0, 4.0]]),)],
    right=lambda x: 2 / _eigenvalues(x).max(),
    mistakes={
        "One over the curvature jumps to the minimum; the edge is where it overshoots "
        "by as much.": lambda x: 1 / _eigenvalues(x).max(),
        "This is set by the flattest direction; the steepest one decides.": (
            lambda x: 2 / _eigenvalues(x).min()
        ),
        "The 1/N is missing: the loss is a mean over the samples, and so is its Hessian.": (
            lambda x: 2 / (len(x) * _eigenvalues(x).max())
        ),
        "The factor 2 in the Hessian is missing: the loss has no one half in front.": (
            lambda x: 4 / _eigenvalues(x).max()
        ),
        "XᵀX is not yet the Hessian: a factor that holds N is missing.": (
            lambda x: 4 / (len(x) * _eigenvalues(x).max())
        ),
        "This is the largest curvature itself: the edge falls as the curvature grows.": (
            lambda x: _eigenvalues(x).max()
        ),
    },
)

# The number of updates of a training run.
updates = Check(
    cases=[(10_000, 100, 1), (1_000, 64, 3), (10, 32, 4), (1_001, 100, 7)],
    right=lambda n, batch_size, epochs: -(-n // batch_size) * epochs,
    mistakes={
        "The short last batch is dropped: it makes an update too.": (
            lambda n, batch_size, epochs: n // batch_size * epochs
        ),
        "This counts one epoch.": lambda n, batch_size, epochs: -(-n // batch_size),
        "A batch does not run on into the next epoch: round up in each epoch.": (
            lambda n, batch_size, epochs: -(-n * epochs // batch_size)
        ),
        "This is not a whole number of updates: what happens with the rest of the samples?": (
            lambda n, batch_size, epochs: n / batch_size * epochs
        ),
        "This is one update too many in epochs without a rest.": (
            lambda n, batch_size, epochs: (n // batch_size + 1) * epochs
        ),
    },
)
