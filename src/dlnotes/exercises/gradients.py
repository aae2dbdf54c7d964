"""The exercises of chapter 01, gradients and gradient descent."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dlnotes.exercises import Check, Lab
from dlnotes.scratch import regression
from dlnotes.scratch.backprop import numerical_gradient as _central


def _line_data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(7)
    x = np.stack([np.ones(7), rng.normal(size=7), 3 * rng.normal(size=7)], axis=1)
    return rng.normal(size=3), x, rng.normal(size=7)


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


def _robust(w: Any, x: Any, y: Any) -> Any:
    error = x @ w - y
    return x.T @ (error / np.sqrt(1 + error**2)) / len(x)


def _robust_with(outer: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a gradient whose derivative of the outer function is `outer`."""
    return lambda w, x, y: x.T @ outer(x @ w - y) / len(x)


# The gradient of the mean of sqrt(1 + error²) with respect to the weights.
robust_gradient = Check(
    cases=[_line_data()],
    right=_robust,
    mistakes={
        "The sign is flipped: this is the direction to walk, not the gradient.": (
            lambda w, x, y: -_robust(w, x, y)
        ),
        "The 1/N is missing: the loss is a mean over the samples, and so is its gradient.": (
            lambda w, x, y: len(x) * _robust(w, x, y)
        ),
        "This is the gradient of the mean squared error: differentiate the square root first.": (
            regression.grad
        ),
        "The derivative of the square root is 1 over twice the root: the root is missing.": (
            _robust_with(lambda error: error)
        ),
        "Chain rule: under the root stands error², and its derivative is missing.": (
            _robust_with(lambda error: 1 / (2 * np.sqrt(1 + error**2)))
        ),
        "A factor 1/2 is left over: it cancels against the 2 from error².": (
            lambda w, x, y: _robust(w, x, y) / 2
        ),
        "A factor 2 is left over: it cancels against the 1/2 of the root.": (
            lambda w, x, y: 2 * _robust(w, x, y)
        ),
        "One gradient a sample: they are still to be averaged.": (
            lambda w, x, y: ((x @ w - y) / np.sqrt(1 + (x @ w - y) ** 2))[:, None] * x
        ),
        "You have averaged over features and samples: divide by the number of samples only.": (
            lambda w, x, y: _robust(w, x, y) / x.shape[1]
        ),
        "You have divided by the number of features: the mean runs over the samples.": (
            lambda w, x, y: len(x) * _robust(w, x, y) / x.shape[1]
        ),
        "This is a column of shape (features, 1): w has shape (features,).": (
            lambda w, x, y: _robust(w, x, y)[:, None]
        ),
    },
)


def _one_sided(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        nudge = np.zeros(x.shape)
        nudge[i] = h
        gradient[i] = (f(x + nudge) - f(x)) / h
    return gradient


def _together(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    return (f(x + h) - f(x - h)) / (2 * h)


def _cubic(x: Any) -> Any:
    return (np.arange(1, x.size + 1) * x.ravel() ** 3).sum() + x.ravel()[0] * x.ravel()[-1]


# A central difference in several variables.
numerical_gradient = Check(
    cases=[
        (_cubic, np.array([0.5, -1.2, 2.0])),
        (_cubic, np.array([[0.3, 1.0], [-0.7, 0.9]]), 0.1),  # its result depends on h
        (_cubic, np.array([1, -2, 3])),
    ],
    right=_central,
    mistakes={
        "This is a one-sided difference: nudge to both sides.": _one_sided,
        "Twice too large: the two points are 2h apart.": lambda *case: 2 * _central(*case),
        "The sign is flipped.": lambda *case: -_central(*case),
        "All entries are nudged at once: nudge one, keep the others, and go through them "
        "in turn.": _together,
        "All entries are nudged at once, and every entry of the answer is the same.": (
            lambda f, x, h=1e-5: np.full(x.shape, _together(f, x, h))
        ),
        "The division by 2h is missing.": lambda f, x, h=1e-5: 2 * h * _central(f, x, h),
        "The values are right and the shape is not: return the shape of x.": (
            lambda *case: _central(*case).ravel()
        ),
        "Nudge by the h that is given: it is not always 1e-5.": lambda f, x, h=1e-5: _central(f, x),
        "x may hold integers, and an array like it cannot hold a small nudge.": (
            lambda f, x, h=1e-5: _central(f, x, h) * (x.dtype.kind == "f")
        ),
        "x may hold integers, and an array like it drops what stands behind the point.": (
            lambda f, x, h=1e-5: _central(f, x, h).astype(x.dtype)
        ),
    },
)


def _curvatures(x: Any, alpha: float) -> Any:
    return np.linalg.eigvalsh(regression.hessian(x)) + 2 * alpha


# The edge of least squares with a penalty alpha |w|².
edge = Check(
    cases=[
        (_line_data()[1], 0.3),
        (np.array([[1.0, 2.0], [1.0, -1.0], [1.0, 0.5], [1.0, 4.0]]), 2.0),
    ],
    right=lambda x, alpha: 2 / _curvatures(x, alpha).max(),
    mistakes={
        "One over the curvature jumps to the minimum; the edge is where it overshoots "
        "by as much.": lambda x, alpha: 1 / _curvatures(x, alpha).max(),
        "This is set by the flattest direction; the steepest one decides.": (
            lambda x, alpha: 2 / _curvatures(x, alpha).min()
        ),
        "The penalty is missing: it adds to the curvature of every direction.": (
            lambda x, alpha: 2 / _curvatures(x, 0.0).max()
        ),
        "The second derivative of alpha w² is not alpha.": (
            lambda x, alpha: 2 / _curvatures(x, alpha / 2).max()
        ),
        "The penalty is a sum over the weights, and no mean over the samples: do not divide "
        "it by N.": lambda x, alpha: 2 / _curvatures(x, alpha / len(x)).max(),
        "A penalty makes the ground steeper: the edge falls as alpha grows.": (
            lambda x, alpha: 2 / _curvatures(x, -alpha).max()
        ),
        "The 1/N is missing: the loss is a mean over the samples, and so is its Hessian.": (
            lambda x, alpha: 2 / (len(x) * _curvatures(x, 0.0).max() + 2 * alpha)
        ),
        "The factor 2 in the Hessian of the error is missing: the loss has no one half in "
        "front.": lambda x, alpha: 2 / (_curvatures(x, 0.0).max() / 2 + 2 * alpha),
        "This is the largest curvature itself: the edge falls as the curvature grows.": (
            lambda x, alpha: _curvatures(x, alpha).max()
        ),
    },
)


def _sizes(n: int, batch_size: int) -> Any:
    return np.minimum(batch_size, n - np.arange(0, n, batch_size))


# The mean loss of an epoch from the means of its batches.
epoch_loss = Check(
    cases=[
        (np.array([3.0, 1.0, 2.0, 7.0]), 10, 3),
        (np.array([0.5, 0.25, 0.75]), 300, 100),
        (np.array([4.0, 2.0]), 33, 32),
    ],
    right=lambda means, n, batch_size: (means * _sizes(n, batch_size)).sum() / n,
    mistakes={
        "The mean of the batch means gives each sample of a short batch too much weight.": (
            lambda means, n, batch_size: means.mean()
        ),
        "The short last batch is left out.": (
            lambda means, n, batch_size: means[: n // batch_size].mean()
        ),
        "The last batch is left out: it counts too, short or full.": (
            lambda means, n, batch_size: means[:-1].mean()
        ),
        "n % batch_size is 0 where n is a multiple of batch_size: the last batch is full then.": (
            lambda means, n, batch_size: (
                (means[:-1].sum() * batch_size + means[-1] * (n % batch_size)) / n
            )
        ),
        "The last batch counts as a full one: it holds what is left over.": (
            lambda means, n, batch_size: means.sum() * batch_size / n
        ),
        "This is the sum over all samples: divide by their number.": (
            lambda means, n, batch_size: (means * _sizes(n, batch_size)).sum()
        ),
        "Divide by the number of samples, not by that of the batches.": (
            lambda means, n, batch_size: (means * _sizes(n, batch_size)).sum() / len(means)
        ),
    },
)

# ---- the lab: a curve with two weights, y = a tanh(b x) ------------------------------


def lab_data() -> tuple[Any, Any]:
    """Return the data of the lab: 200 inputs and targets, a noisy tanh.

    Examples
    --------
    >>> x, y = lab_data()
    >>> x.shape, y.shape
    ((200,), (200,))
    """
    rng = np.random.default_rng(11)
    x = rng.uniform(-3, 3, 200)
    return x, 1.5 * np.tanh(1.2 * x) + 0.3 * rng.standard_normal(200)


def _predict(theta: Any, x: Any) -> Any:
    return theta[0] * np.tanh(theta[1] * x)


def _losses(theta: Any, x: Any, y: Any) -> Any:
    return (_predict(theta, x) - y) ** 2


def _slopes_a(theta: Any, x: Any, y: Any) -> Any:
    return 2 * (_predict(theta, x) - y) * np.tanh(theta[1] * x)


def _slopes_b(theta: Any, x: Any, y: Any, inner: Callable[[Any], Any] | None = None) -> Any:
    """Return the slope along b of each sample; `inner` stands in for the derivative of tanh."""
    bx = theta[1] * x
    steepness = inner(bx) if inner else 1 - np.tanh(bx) ** 2
    return 2 * (_predict(theta, x) - y) * theta[0] * steepness * x


def _sample_gradients(theta: Any, x: Any, y: Any) -> Any:
    return np.stack([_slopes_a(theta, x, y), _slopes_b(theta, x, y)], axis=1)


def _gradient(theta: Any, x: Any, y: Any) -> Any:
    return _sample_gradients(theta, x, y).mean(axis=0)


def _descend(theta: Any, x: Any, y: Any, lr: float, steps: int) -> Any:
    path = [np.array(theta)]
    for _ in range(steps):
        path.append(path[-1] - lr * _gradient(path[-1], x, y))
    return np.array(path)


def _steps_until(theta: Any, x: Any, y: Any, lr: float, tol: float) -> int:
    steps = 0
    while np.linalg.norm(_gradient(theta, x, y)) >= tol:
        theta, steps = theta - lr * _gradient(theta, x, y), steps + 1
    return steps


def _steps_by(test: Callable[[Any, float], bool]) -> Callable[..., int]:
    """Return a wrong count: descent until `test` of gradient and tolerance holds."""

    def count(theta: Any, x: Any, y: Any, lr: float, tol: float) -> int:
        steps = 0
        while not test(_gradient(theta, x, y), tol):
            theta, steps = theta - lr * _gradient(theta, x, y), steps + 1
        return steps

    return count


def _at_zero(x: Any, y: Any) -> Any:
    curvature = 2 * abs(np.mean(x * y))
    return np.array([-curvature, curvature])


def _escape(delta: float, radius: float, curvature: float, lr: float) -> Any:
    return np.log(radius / delta) / np.log(1 + lr * curvature)


def _hessian(theta: Any, x: Any, y: Any, h: float = 1e-5) -> Any:
    columns = [
        (_gradient(theta + h * e, x, y) - _gradient(theta - h * e, x, y)) / (2 * h)
        for e in np.eye(2)
    ]
    return np.array(columns).T


def _one_sided_hessian(theta: Any, x: Any, y: Any, h: float = 1e-5) -> Any:
    here = _gradient(theta, x, y)
    return np.array([(_gradient(theta + h * e, x, y) - here) / h for e in np.eye(2)]).T


def _lab_edge(theta: Any, x: Any, y: Any) -> Any:
    return 2 / np.linalg.eigvalsh(_hessian(theta, x, y)).max()


def _epoch(
    theta: Any,
    x: Any,
    y: Any,
    lr: float,
    batch_size: int,
    order: Any,
    *,
    keep: bool = True,
    frozen: bool = False,
    divisor: int | None = None,
) -> Any:
    """Return the weights after an epoch: right by default, each argument a mistake."""
    start = theta
    for first in range(
        0, len(order) if keep else len(order) // batch_size * batch_size, batch_size
    ):
        batch = order[first : first + batch_size]
        gradients = _sample_gradients(start if frozen else theta, x[batch], y[batch])
        theta = theta - lr * gradients.sum(axis=0) / (divisor or len(batch))
    return theta


def _full_each_time(theta: Any, x: Any, y: Any, lr: float, batch_size: int, order: Any) -> Any:
    return _descend(theta, x, y, lr, len(_sizes(len(x), batch_size)))[-1]


def _sgd(theta: Any, x: Any, y: Any, lr: float, batch_size: int, epochs: int, seed: int) -> Any:
    rng, path = np.random.default_rng(seed), [np.array(theta)]
    for _ in range(epochs):
        path.append(_epoch(path[-1], x, y, lr, batch_size, rng.permutation(len(x))))
    return np.array(path)


def _sgd_ordered(order: Callable[[int, int], Any]) -> Callable[..., Any]:
    """Return a wrong training run: the same ``order(seed, N)`` in every epoch."""

    def run(theta: Any, x: Any, y: Any, lr: float, batch_size: int, epochs: int, seed: int) -> Any:
        path = [np.array(theta)]
        for _ in range(epochs):
            path.append(_epoch(path[-1], x, y, lr, batch_size, order(seed, len(x))))
        return np.array(path)

    return run


def _with_replacement(
    theta: Any, x: Any, y: Any, lr: float, batch_size: int, epochs: int, seed: int
) -> Any:
    rng, path = np.random.default_rng(seed), [np.array(theta)]
    for _ in range(epochs):
        order = rng.integers(len(x), size=len(x))
        path.append(_epoch(path[-1], x, y, lr, batch_size, order))
    return np.array(path)


def _variance(theta: Any, x: Any, y: Any) -> Any:
    gradients = _sample_gradients(theta, x, y)
    return ((gradients - gradients.mean(axis=0)) ** 2).sum(axis=1).mean()


def _noise(theta: Any, x: Any, y: Any, batch_size: float) -> Any:
    n = len(x)
    return np.sqrt(_variance(theta, x, y) * (n - batch_size) / (batch_size * (n - 1)))


def _solved(variance: float, tol: float, n: int, less: int = 1) -> Any:
    """Return the batch size, not rounded, at which the noise is `tol`; N - `less` below."""
    return n * variance / (tol**2 * (n - less) + variance)


def _batch(rounding: Callable[[Any], Any] = np.ceil, scale: float = 1, less: int = 1) -> Any:
    """Return an answer to the last step: right by default, each argument a mistake."""
    return lambda theta, x, y, tol: rounding(
        _solved(scale * _variance(theta, x, y), tol, len(x), less)
    )


def _not_centred(theta: Any, x: Any, y: Any, tol: float) -> Any:
    square = (_sample_gradients(theta, x, y) ** 2).sum(axis=1).mean()
    return np.ceil(_solved(square, tol, len(x)))


_x = np.array([0.4, -1.1, 2.3, 0.9, -0.2, 1.6, -2.7])
_y = np.array([0.9, -0.7, 1.1, -0.4, 0.3, 1.9, -1.2])
_theta = np.array([0.7, -1.3])
_samples = [(_theta, _x, _y), (np.array([-0.4, 0.6]), _x[:4], _y[:4])]
_order = np.array([5, 0, 3, 6, 1, 4, 2])

lab = Lab(
    predict=Check(
        cases=[(_theta, _x)],
        right=_predict,
        mistakes={
            "a and b have changed places.": lambda theta, x: _predict(theta[::-1], x),
            "a stands in front of the tanh, not inside.": lambda theta, x: np.tanh(
                theta[0] * theta[1] * x
            ),
            "The tanh is missing: this is a straight line.": lambda theta, x: (
                theta[0] * theta[1] * x
            ),
            "b multiplies the input inside the tanh.": lambda theta, x: (
                theta[0] * np.tanh(theta[1] + x)
            ),
            "The b is missing.": lambda theta, x: theta[0] * np.tanh(x),
        },
    ),
    sample_losses=Check(
        cases=_samples,
        right=_losses,
        mistakes={
            "This is the error itself: square it.": (lambda theta, x, y: _predict(theta, x) - y),
            "The loss has no one half in front.": lambda theta, x, y: _losses(theta, x, y) / 2,
            "This is the size of the error: square it.": (
                lambda theta, x, y: abs(_predict(theta, x) - y)
            ),
            "One loss a sample, please: you have averaged already.": (
                lambda theta, x, y: _losses(theta, x, y).mean()
            ),
            "The sign between prediction and target is a plus.": (
                lambda theta, x, y: (_predict(theta, x) + y) ** 2
            ),
        },
    ),
    loss=Check(
        cases=_samples,
        right=lambda theta, x, y: _losses(theta, x, y).mean(),
        mistakes={
            "This is the sum: the loss is the mean.": (
                lambda theta, x, y: _losses(theta, x, y).sum()
            ),
            "One number, please: the losses are still to be averaged.": _losses,
            "No root: the loss is the mean of the squares.": (
                lambda theta, x, y: np.sqrt(_losses(theta, x, y).mean())
            ),
            "The mean is taken before the square: errors of opposite sign cancel.": (
                lambda theta, x, y: (_predict(theta, x) - y).mean() ** 2
            ),
        },
    ),
    slopes_a=Check(
        cases=_samples,
        right=_slopes_a,
        mistakes={
            "The factor 2 from the square is missing.": (
                lambda theta, x, y: _slopes_a(theta, x, y) / 2
            ),
            "The sign is flipped: the error is prediction minus target.": (
                lambda theta, x, y: -_slopes_a(theta, x, y)
            ),
            "Chain rule: the derivative of the prediction with respect to a is missing.": (
                lambda theta, x, y: 2 * (_predict(theta, x) - y)
            ),
            "Differentiating a tanh(bx) with respect to a leaves no a in front.": (
                lambda theta, x, y: theta[0] * _slopes_a(theta, x, y)
            ),
            "The tanh needs b: its input is bx.": (
                lambda theta, x, y: 2 * (_predict(theta, x) - y) * np.tanh(x)
            ),
            "One slope a sample, please: you have averaged already.": (
                lambda theta, x, y: _slopes_a(theta, x, y).mean()
            ),
        },
    ),
    slopes_b=Check(
        cases=_samples,
        right=_slopes_b,
        mistakes={
            "The factor 2 from the square is missing.": (
                lambda theta, x, y: _slopes_b(theta, x, y) / 2
            ),
            "The sign is flipped: the error is prediction minus target.": (
                lambda theta, x, y: -_slopes_b(theta, x, y)
            ),
            "Chain rule, last link: the derivative of bx with respect to b is missing.": (
                lambda theta, x, y: _slopes_b(theta, x, y) / x
            ),
            "Chain rule, last link: with respect to b it is x, not b.": (
                lambda theta, x, y: _slopes_b(theta, x, y) / x * theta[1]
            ),
            "The a in front of the tanh has got lost.": (
                lambda theta, x, y: _slopes_b(theta, x, y) / theta[0]
            ),
            "Chain rule: the derivative of the tanh itself is missing.": (
                lambda theta, x, y: _slopes_b(theta, x, y, np.ones_like)
            ),
            "In the derivative of the tanh, the tanh is squared.": (
                lambda theta, x, y: _slopes_b(theta, x, y, lambda bx: 1 - np.tanh(bx))
            ),
            "In the derivative of the tanh, the squared tanh has a minus.": (
                lambda theta, x, y: _slopes_b(theta, x, y, lambda bx: 1 + np.tanh(bx) ** 2)
            ),
            "The derivative of the tanh is taken at x instead of bx.": (
                lambda theta, x, y: _slopes_b(theta, x, y, lambda bx: 1 - np.tanh(x) ** 2)
            ),
            "One slope a sample, please: you have averaged already.": (
                lambda theta, x, y: _slopes_b(theta, x, y).mean()
            ),
        },
    ),
    sample_gradients=Check(
        cases=_samples,
        right=_sample_gradients,
        mistakes={
            "Rows and columns have changed places: one row a sample.": (
                lambda theta, x, y: _sample_gradients(theta, x, y).T
            ),
            "The columns have changed places: a first, then b.": (
                lambda theta, x, y: _sample_gradients(theta, x, y)[:, ::-1]
            ),
            "One row a sample, please: you have averaged already.": _gradient,
        },
    ),
    gradient=Check(
        cases=_samples,
        right=_gradient,
        mistakes={
            "This is the sum: the loss is a mean, and so is its gradient.": (
                lambda theta, x, y: _sample_gradients(theta, x, y).sum(axis=0)
            ),
            "The mean runs over the samples: you have averaged the two slopes of each.": (
                lambda theta, x, y: _sample_gradients(theta, x, y).mean(axis=1)
            ),
            "You have averaged everything: the gradient has one entry for each weight.": (
                lambda theta, x, y: _sample_gradients(theta, x, y).mean()
            ),
            "The sign is flipped: this is the direction to walk.": (
                lambda theta, x, y: -_gradient(theta, x, y)
            ),
        },
    ),
    descend=Check(
        cases=[(_theta, _x, _y, 0.3, 5), (np.array([0.2, 0.1]), _x, _y, 0.05, 3)],
        right=_descend,
        mistakes={
            "The path begins at the start: keep it too.": (lambda *case: _descend(*case)[1:]),
            "The last point is missing: so many steps make one point more.": (
                lambda *case: _descend(*case)[:-1]
            ),
            "Return every point, not only the last.": lambda *case: _descend(*case)[-1],
            "It climbs: the step goes against the gradient.": (
                lambda theta, x, y, lr, steps: _descend(theta, x, y, -lr, steps)
            ),
            "Every step uses the gradient at the start: compute it anew where you stand.": (
                lambda theta, x, y, lr, steps: (
                    theta - lr * np.arange(steps + 1)[:, None] * _gradient(theta, x, y)
                )
            ),
            "All points are the last one: the list holds the same array again and again. "
            "Write theta = theta - …, which makes a new array.": (
                lambda *case: np.tile(_descend(*case)[-1], (case[-1] + 1, 1))
            ),
        },
    ),
    steps_until=Check(
        cases=[
            (_theta, _x, _y, 0.3, 1e-3),
            (np.array([0.2, 0.1]), _x, _y, 0.1, 1e-2),
            (_theta, _x, _y, 0.3, 10.0),
        ],
        right=_steps_until,
        mistakes={
            "One too many: a start that is flat enough needs no step.": (
                lambda *case: _steps_until(*case) + 1
            ),
            "Compare the length of the gradient, not its square.": (
                _steps_by(lambda gradient, tol: bool(gradient @ gradient < tol))
            ),
            "Both slopes count: use the length of the gradient, not its largest entry.": (
                _steps_by(lambda gradient, tol: bool(abs(gradient).max() < tol))
            ),
            "A start that is flat enough needs no step: test before the first one.": (
                lambda *case: max(_steps_until(*case), 1)
            ),
            "A negative slope is below the tolerance and not flat: use the length.": (
                _steps_by(lambda gradient, tol: bool(gradient.max() < tol))
            ),
        },
    ),
    at_zero=Check(
        cases=[(_x, _y), (_x[:4], -_y[:4])],
        right=_at_zero,
        mistakes={
            "The factor 2 from the square is missing.": lambda x, y: _at_zero(x, y) / 2,
            "This is the sum over the samples: the loss is a mean.": (
                lambda x, y: len(x) * _at_zero(x, y)
            ),
            "The smaller one first, please.": lambda x, y: _at_zero(x, y)[::-1],
            "These are the entries of the Hessian: which λ has H v = λ v?": (
                lambda x, y: np.array(
                    [[0, -2 * np.mean(x * y)], [-2 * np.mean(x * y), 0]], dtype=float
                )
            ),
            "The smaller one first, also where the mean of xy is negative.": (
                lambda x, y: 2 * np.mean(x * y) * np.array([-1, 1])
            ),
            "Return one array that holds both, not two values.": (
                lambda x, y: tuple(_at_zero(x, y))
            ),
            "Both have the same sign: with H v = λ v, try v = (1, 1) and v = (1, −1).": (
                lambda x, y: abs(_at_zero(x, y))
            ),
        },
    ),
    escape=Check(
        cases=[(1e-5, 0.5, 4.0, 0.1), (1e-3, 0.2, 0.5, 0.4)],
        right=_escape,
        mistakes={
            "Not rounded up, please: return the number as it comes out.": (
                lambda *case: np.ceil(_escape(*case))
            ),
            "Not rounded, please: return the number as it comes out.": (
                lambda *case: np.floor(_escape(*case))
            ),
            "The logarithm of the growth in a step is not lr · curvature, unless that is "
            "tiny.": lambda delta, radius, curvature, lr: np.log(radius / delta) / (lr * curvature),
            "How far it has to come is missing: from delta to radius, not to 1.": (
                lambda delta, radius, curvature, lr: -np.log(delta) / np.log(1 + lr * curvature)
            ),
            "The sign is flipped: from delta to radius, not back.": (
                lambda delta, radius, curvature, lr: (
                    np.log(delta / radius) / np.log(1 + lr * curvature)
                )
            ),
            "Downhill the ground curves with −curvature: the factor is above one.": (
                lambda delta, radius, curvature, lr: (
                    np.log(radius / delta) / np.log(abs(1 - lr * curvature))
                )
            ),
            "The curvature is missing.": lambda delta, radius, curvature, lr: (
                np.log(radius / delta) / np.log(1 + lr)
            ),
            "The distance grows by a factor a step, not by an amount: take logarithms.": (
                lambda delta, radius, curvature, lr: (radius / delta) / (1 + lr * curvature)
            ),
        },
    ),
    hessian=Check(
        cases=_samples,
        right=_hessian,
        rtol=1e-6,  # the answer is a difference quotient, with an h of the reader's choice
        mistakes={
            "This is a one-sided difference: nudge to both sides.": _one_sided_hessian,
            "Twice too large: the two points are 2h apart.": (
                lambda theta, x, y: 2 * _hessian(theta, x, y)
            ),
            "Only the diagonal is filled: nudging b changes the slope along a too.": (
                lambda theta, x, y: np.diag(np.diag(_hessian(theta, x, y)))
            ),
            "The sign is flipped.": lambda theta, x, y: -_hessian(theta, x, y),
            "This is the outer product of the gradient with itself: differentiate it instead.": (
                lambda theta, x, y: np.outer(_gradient(theta, x, y), _gradient(theta, x, y))
            ),
        },
    ),
    edge=Check(
        cases=[(np.array([1.1, 0.9]), _x, _y), (np.array([0.6, 1.4]), _x[:5], _y[:5])],
        right=_lab_edge,
        rtol=1e-6,
        mistakes={
            "One over the curvature jumps to the minimum; the edge is where it overshoots "
            "by as much.": lambda *case: _lab_edge(*case) / 2,
            "This is set by the flattest direction; the steepest one decides.": (
                lambda *case: 2 / np.linalg.eigvalsh(_hessian(*case)).min()
            ),
            "The curvatures are the eigenvalues of the Hessian, not its entries.": (
                lambda *case: 2 / _hessian(*case).max()
            ),
            "This is the largest curvature itself: the edge falls as the curvature grows.": (
                lambda *case: 2 / _lab_edge(*case)
            ),
        },
    ),
    epoch=Check(
        cases=[(_theta, _x, _y, 0.2, 3, _order), (_theta, _x, _y, 0.2, 2, _order[::-1])],
        right=_epoch,
        mistakes={
            "The short last batch is dropped: it makes an update too.": (
                lambda *case: _epoch(*case, keep=False)
            ),
            "Every batch uses the gradient at the start of the epoch: move after each batch.": (
                lambda *case: _epoch(*case, frozen=True)
            ),
            "The short last batch is divided by batch_size: take the mean over what it holds.": (
                lambda *case: _epoch(*case, divisor=case[4])
            ),
            "Each batch uses the sum of its gradients: take the mean.": (
                lambda *case: _epoch(*case, divisor=1)
            ),
            "The order is ignored: it says which samples make up a batch.": (
                lambda theta, x, y, lr, batch_size, order: _epoch(
                    theta, x, y, lr, batch_size, np.sort(order)
                )
            ),
            "Only one batch is used: go on to the end of the order.": (
                lambda theta, x, y, lr, batch_size, order: _epoch(
                    theta, x, y, lr, batch_size, order[:batch_size]
                )
            ),
            "Every update uses all samples: it should use its batch only.": _full_each_time,
        },
    ),
    sgd=Check(
        cases=[(_theta, _x, _y, 0.1, 3, 4, 5), (_theta, _x, _y, 0.2, 2, 2, 1)],
        right=_sgd,
        mistakes={
            "Every epoch has the same order: make the generator before the loop, and draw a new "
            "permutation inside.": (
                _sgd_ordered(lambda seed, n: np.random.default_rng(seed).permutation(n))
            ),
            "The samples are not shuffled.": _sgd_ordered(lambda seed, n: np.arange(n)),
            "Drawn with replacement: some samples come twice in an epoch and some not at all.": (
                _with_replacement
            ),
            "All rows are the last one: the list holds the same array again and again.": (
                lambda *case: np.tile(_sgd(*case)[-1], (case[5] + 1, 1))
            ),
            "The weights before the first epoch are missing.": lambda *case: _sgd(*case)[1:],
            "Return the weights after every epoch, not only the last.": (
                lambda *case: _sgd(*case)[-1]
            ),
        },
    ),
    batch_for=Check(
        # Just above and just below a whole number: N for N - 1 shows in the one, and a
        # variance divided by N - 1 in the other.
        cases=[
            (_theta, *lab_data(), _noise(_theta, *lab_data(), batch_size))
            for batch_size in (10.3, 60.1, 150.9)
        ],
        right=_batch(),
        mistakes={
            "Rounded down: the noise is then still above the tolerance.": _batch(np.floor),
            "Rounded to the nearest: the noise may then still be above the tolerance.": (
                _batch(np.round)
            ),
            "A batch holds a whole number of samples.": _batch(lambda size: size),
            "The factor for drawing without replacement is missing.": (
                lambda theta, x, y, tol: np.ceil(_variance(theta, x, y) / tol**2)
            ),
            "The factor for drawing without replacement has N - 1 below, not N.": _batch(less=0),
            "σ₁² is a mean over all N samples: they are the whole set, so divide by N and "
            "not by N - 1.": _batch(scale=200 / 199),
            "The distance of two gradients adds up over both weights: you have averaged.": (
                _batch(scale=0.5)
            ),
            "σ₁ is the distance from the mean gradient: it has not been subtracted.": _not_centred,
            "Half the noise needs four times the batch: square the ratio.": (
                lambda theta, x, y, tol: np.ceil(np.sqrt(_variance(theta, x, y)) / tol)
            ),
        },
    ),
)
