"""The exercises of chapter 06, losses.

Logits are written z, of shape (samples, classes), or of any shape where the answer is yes
or no; labels are integers; y holds targets, p probabilities.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dlnotes.exercises import Check, Lab
from dlnotes.scratch import losses as scratch
from dlnotes.scratch.activations import log_softmax, sigmoid, softmax

# Which quantile of the demand to bake, where a missing loaf costs 3 and one left over 1.
quantile = Check(
    right=lambda: 0.75,
    mistakes={
        "That is the quantile if a loaf left over were the dear one.": lambda: 0.25,
        "This is the ratio of the costs: the quantile is a share, between 0 and 1.": lambda: 3,
        "This is one cost divided by the other. Set the slope of the mean loss to 0.": (
            lambda: 1 / 3
        ),
        "The median would be best if both costs were equal.": lambda: 0.5,
        "This is the difference of the costs over one of them. Set the slope of the mean loss to "
        "0.": lambda: 2 / 3,
    },
)


def _log_cosh(r: Any) -> Any:
    return np.abs(r) + np.log1p(np.exp(-2 * np.abs(r))) - np.log(2), np.tanh(r)


def _quiet(function: Any) -> Any:
    """Return the function without NumPy's warnings: a wrong answer may overflow."""

    def wrapped(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments)

    return wrapped


# log cosh of the error and its slope, entry by entry, for errors of any size.
log_cosh = Check(
    cases=[(np.array([[-2.0, -0.3, 0.0], [1.0, 4.0, 0.7]]),), (np.array([-1000.0, 0.5, 800.0]),)],
    right=_log_cosh,
    parts=("loss", "slope"),
    mistakes={
        "The formula is right and overflows: cosh(1000) is inf. Take exp(|r|) out of it.": _quiet(
            lambda r: (np.log(np.cosh(r)), np.tanh(r))
        ),
        "At r = 0 the loss must be 0: a constant is missing.": lambda r: (
            _log_cosh(r)[0] + np.log(2),
            np.tanh(r),
        ),
        "The loss must not change when r changes its sign.": lambda r: (
            r + np.log1p(np.exp(-2 * np.abs(r))) - np.log(2),
            np.tanh(r),
        ),
        "The sign of the slope is flipped.": lambda r: (_log_cosh(r)[0], -np.tanh(r)),
        "This is the slope of cosh: that of its logarithm is divided by cosh.": _quiet(
            lambda r: (_log_cosh(r)[0], np.sinh(r))
        ),
        "One loss and one slope for each entry: no mean yet.": lambda r: (
            _log_cosh(r)[0].mean(),
            np.tanh(r).mean(),
        ),
    },
)


def _one_hot(labels: Any, classes: int) -> Any:
    return np.eye(classes)[labels]


def _train(
    x: Any,
    labels: Any,
    classes: int,
    lr: float,
    steps: int,
    residual: Any = lambda z, y: (softmax(z) - y) / len(z),
    of_bias: Any = lambda g: g.sum(axis=0),
) -> Any:
    w, b = np.zeros((classes, x.shape[1])), np.zeros(classes)
    y = _one_hot(labels, classes)
    for _ in range(steps):
        g = residual(x @ w.T + b, y)
        w, b = w - lr * g.T @ x, b - lr * of_bias(g)
    return w, b


def _classes(seed: int, samples: int, features: int, classes: int) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, features)), rng.integers(0, classes, samples)


def _trained(**wrong: Any) -> Any:
    """Return `_train` with something in it replaced."""
    return _quiet(lambda *case: _train(*case, **wrong))


def _far_out() -> Any:
    """Return inputs so large that logits reach the thousands, and labels 0 and 1."""
    x, labels = _classes(2, 6, 2, 2)
    return 60 * x, labels


# Gradient descent on the cross-entropy of a linear model, from zeros, on the full batch.
train = Check(
    cases=[
        (*_classes(0, 8, 2, 3), 3, 0.5, 5),
        (*_classes(1, 12, 3, 4), 4, 0.1, 20),
        (*_classes(3, 9, 2, 2), 3, 0.5, 5),  # no sample of the last class
        (*_far_out(), 2, 0.5, 3),
    ],
    right=_train,
    parts=("W", "b"),
    mistakes={
        "The gradient of a mean needs its 1/N.": _trained(residual=lambda z, y: softmax(z) - y),
        "This walks uphill: the gradient is p - y, and a step goes against it.": _trained(
            residual=lambda z, y: (y - softmax(z)) / len(z)
        ),
        "The probabilities of a sample sum to 1, those of a class do not: softmax along "
        "the classes.": _trained(residual=lambda z, y: (softmax(z.T).T - y) / len(z)),
        "The softmax is missing: this is the squared error of the logits.": _trained(
            residual=lambda z, y: (z - y) / len(z)
        ),
        "The gradient is divided by the number of classes too: the mean runs over "
        "samples.": _trained(residual=lambda z, y: (softmax(z) - y) / z.size),
        "The biases stay where they start.": _trained(of_bias=lambda g: 0 * g.sum(axis=0)),
        "The gradient of b is the sum of g over the samples: g holds the 1/N already.": _trained(
            of_bias=lambda g: g.mean(axis=0)
        ),
        "A sigmoid for each class: here the classes exclude each other, and share one softmax.": (
            _trained(residual=lambda z, y: (sigmoid(z) - y) / len(z))
        ),
        "Right where nothing overflows: shift each row of logits by its largest.": _trained(
            residual=lambda z, y: (_softmax(z, 0.0) - y) / len(z)
        ),
        "The number of classes is an argument: the last need not occur among the labels.": (
            lambda x, labels, classes, lr, steps: _train(x, labels, labels.max() + 1, lr, steps)
        ),
        "W is transposed: a row a class.": lambda *case: (_train(*case)[0].T, _train(*case)[1]),
        "This is one step: repeat it.": lambda x, labels, classes, lr, steps: _train(
            x, labels, classes, lr, 1
        ),
    },
)


def _weighted_median(values: Any, weights: Any) -> Any:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return values[order][np.searchsorted(reached, reached[-1] / 2)]


def _through_origin(seed: int, samples: int, far: Any = None) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=samples)
    y = 1.5 * x + rng.normal(size=samples)
    if far is not None:
        x[0], y[0] = far
    return x, y


def _fit(a: Any, y: Any, slope: Any) -> Any:
    """Fit a @ w to y as `fit_linear` of the chapter does, for a loss of this slope."""
    w = np.linalg.lstsq(a, y)[0]
    for _ in range(200):
        r = a @ w - y
        r = np.where(np.abs(r) < 1e-6, 1e-6, r)
        v = slope(r) / r
        w = np.linalg.solve(a.T @ (v[:, None] * a), a.T @ (v * y))
    return w


# The slope of the line through the origin with the smallest absolute error.
absolute_slope = Check(
    cases=[_through_origin(3, 6), _through_origin(1, 8), _through_origin(2, 9, (20.0, -20.0))],
    right=lambda x, y: _weighted_median(y / x, np.abs(x)),
    mistakes={
        "Each ratio counts alike here. How much does a change of w cost at a large x?": (
            lambda x, y: _weighted_median(y / x, np.ones_like(x))
        ),
        "This counts each ratio once.": lambda x, y: np.median(y / x),
        "Close: this comes from an iteration, and one of the ratios is wanted exactly.": (
            lambda x, y: _fit(x[:, None], y, np.sign)[0]
        ),
        "This is the slope of least squares.": lambda x, y: (x * y).sum() / (x * x).sum(),
        "The weights of the ratios are not their squares: factor |x| out of |y - wx|.": (
            lambda x, y: _weighted_median(y / x, x**2)
        ),
        "This is a mean of the ratios, and the absolute error wants a median.": lambda x, y: (
            np.average(y / x, weights=np.abs(x))
        ),
    },
)


def _poisson(z: Any, y: Any) -> Any:
    return (np.exp(z) - y * z).mean(), (np.exp(z) - y) / len(z)


# The loss of counts, from the Poisson distribution with rate exp(z), and its gradient.
poisson = Check(
    cases=[
        (np.array([0.0, 1.0, -1.0]), np.array([0.0, 4.0, 1.0])),
        (np.array([2.0, 0.5, 1.0, 0.3]), np.array([5.0, 1.0, 3.0, 0.0])),
    ],
    right=_poisson,
    parts=("loss", "gradient"),
    mistakes={
        "The loss is a mean, so its gradient holds 1/N.": lambda z, y: (
            _poisson(z, y)[0],
            np.exp(z) - y,
        ),
        "The loss is the mean over the samples, not the sum.": lambda z, y: (
            (np.exp(z) - y * z).sum(),
            np.exp(z) - y,
        ),
        "The sign of the gradient is flipped.": lambda z, y: (
            _poisson(z, y)[0],
            -_poisson(z, y)[1],
        ),
        "The sign of the loss is flipped: it is minus the log-likelihood.": lambda z, y: (
            -_poisson(z, y)[0],
            -_poisson(z, y)[1],
        ),
        "The loss is right. Its gradient is wanted with respect to z, not to the rate.": (
            lambda z, y: (_poisson(z, y)[0], (1 - y / np.exp(z)) / len(z))
        ),
    },
)


def noisy_sets() -> list[tuple[Any, Any]]:
    """Return three samples (x, y) of the line y = 1 + 2 x, each spoilt in its own way or not."""
    rng = np.random.default_rng(11)
    sets = []
    for kind in _KINDS:
        x = rng.uniform(-2, 2, 40)
        y = 1 + 2 * x + rng.normal(0, 0.4, 40)
        if kind == "leverage":
            x[7] = 16.0
        if kind == "targets":
            y[[3, 18, 29, 35]] += 14
        sets.append((x, y))
    return sets


_KINDS = ("clean", "leverage", "targets")


def _judge_words(right: Sequence[str], offered: Sequence[str], hints: Mapping[int, str]) -> Any:
    """Return a judge of answers in words.

    `offered` are the words as the task lists them, and `hints` what to say where the word of
    this place is wrong: the first that applies, and none of them names a place.
    """
    choice = ", ".join(offered)

    def judge(answer: Any) -> str:
        if not isinstance(answer, list | tuple | np.ndarray):
            return f"{len(right)} words in their order are expected, as a tuple, out of: {choice}."
        words = [str(word).strip().lower() for word in answer]
        for given, word in zip(answer, words, strict=True):
            if word not in map(str.lower, offered):
                return f"There is no {str(given)!r} among the words: {choice}."
        if len(set(words)) < len(words) or len(words) != len(right):
            return f"There are {len(right)}, and each word is used once."
        for place, hint in hints.items():
            if words[place] != right[place].lower():
                return hint
        return ""

    return judge


_ALIKE = "Some words are exchanged. Which set has points far out in y, and which far out in x?"

# What is wrong with each of the three.
spoilt = Check(
    judge=_judge_words(_KINDS, ("clean", "targets", "leverage"), {0: _ALIKE, 1: _ALIKE}),
    right=lambda: _KINDS,
    mistakes={
        _ALIKE: lambda: ("clean", "targets", "leverage"),
        "There are 3, and each word is used once.": lambda: ("leverage", "leverage", "targets"),
        "There is no 'outlier' among the words: clean, targets, leverage.": (
            lambda: ("clean", "outlier", "targets")
        ),
        "3 words in their order are expected, as a tuple, out of: clean, targets, leverage.": (
            lambda: {"clean", "leverage", "targets"}
        ),
    },
)


def _judge_noise(accuracies: Any) -> str:
    values = np.asarray(accuracies, float)
    if values.shape != (4,):
        return f"Four accuracies are expected, and there are {values.size}."
    if not ((values >= 0) & (values <= 1)).all():
        return "An accuracy lies between 0 and 1."
    if values.max() > 0.97:
        return "This is as good as with clean labels: are the labels of the training noisy?"
    if values.max() < 0.5:
        return "Fewer than half are right. If these are error rates, accuracies are 1 minus them."
    if values.max() < 0.8:
        return "One in five is wrong even at best: try larger rates, or more steps."
    if values.min() < 0.2:
        return "One of them is hardly better than chance: did you choose its rate by validation?"
    if len(set(values.tolist())) == 1:
        return "All four are equal: did each run with its own loss?"
    return ""


# Test accuracies under noisy labels: cross-entropy, smoothed, generalised, absolute.
open_noise = Check(
    judge=_judge_noise,
    right=lambda: (0.9, 0.91, 0.92, 0.85),
    mistakes={
        "Four accuracies are expected, and there are 3.": lambda: (0.9, 0.9, 0.8),
        "An accuracy lies between 0 and 1.": lambda: (90.0, 91.0, 92.0, 85.0),
        "All four are equal: did each run with its own loss?": lambda: (0.9, 0.9, 0.9, 0.9),
        "One in five is wrong even at best: try larger rates, or more steps.": (
            lambda: (0.7, 0.6, 0.5, 0.4)
        ),
        "This is as good as with clean labels: are the labels of the training noisy?": (
            lambda: (1.0, 1.0, 1.0, 1.0)
        ),
        "Fewer than half are right. If these are error rates, accuracies are 1 minus them.": (
            lambda: (0.11, 0.11, 0.08, 0.15)
        ),
        "One of them is hardly better than chance: did you choose its rate by validation?": (
            lambda: (0.89, 0.89, 0.92, 0.1)
        ),
    },
)


# ---- the lab: stable losses and their gradients ----------------------------------------

# A gap that underflows, rows far apart from each other, and an ordinary batch.
_LOGITS = [
    np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]]),
    np.array([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, -2500.0], [1000.0, -1000.0, -1000.0]]),
    np.array([[-1.0, 0.0, 2.0, 1.5]]),
]
_BATCHES = [
    (z, labels)
    for z, labels in zip(
        _LOGITS, (np.array([2, 1]), np.array([1, 2, 0]), np.array([0])), strict=True
    )
]


def _lse(z: Any, shift: Any, back: bool = True) -> Any:
    total = np.log(np.exp(z - shift).sum(axis=-1))
    return total + (np.broadcast_to(shift, (len(z), 1))[:, 0] if back else 0)


def _row_max(z: Any) -> Any:
    return z.max(axis=-1, keepdims=True)


def _softmax(z: Any, shift: Any, axis: int = -1) -> Any:
    e = np.exp(z - shift)
    return e / e.sum(axis=axis, keepdims=True)


def _picked(log_p: Any, labels: Any) -> Any:
    return -log_p[np.arange(len(labels)), labels]


def _ce_gradient(z: Any, labels: Any) -> Any:
    return scratch.cross_entropy(z, labels)[1]


def _smooth(labels: Any, classes: int, eps: float) -> Any:
    return (1 - eps) * _one_hot(labels, classes) + eps / classes


def _binary(z: Any, y: Any) -> Any:
    return scratch.bce_with_logits(z, y)


_YES_NO = [
    (np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.0, 0.0])),
    (np.array([-900.0, -40.0, 0.5]), np.array([1.0, 1.0, 0.0])),
    (np.array([800.0, 0.5, -3.0]), np.array([0.0, 1.0, 1.0])),
]
_FOCAL = [
    (np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.0, 0.0]), 2.0),
    (np.array([-0.7, 1.1, 0.2, 3.0]), np.array([0.0, 1.0, 1.0, 0.0]), 1.5),
    (np.array([-900.0, 800.0, 0.5, -720.0]), np.array([1.0, 0.0, 1.0, 0.0]), 2.0),
]


def _turned(z: Any, y: Any) -> Any:
    """Return the logit of the true class."""
    return (2 * y - 1) * z


def _focal(far: Any, gamma: float, log_p: Any) -> Any:
    return -np.mean(sigmoid(-far) ** gamma * log_p)


def _masks(seed: int, samples: int) -> Any:
    rng = np.random.default_rng(seed)
    y = (rng.random((samples, 4, 4)) < 0.3).astype(float)
    y[:, 0, 0] = 1
    y[0] = 1  # one mask much larger than the others
    return rng.random((samples, 4, 4)), y


_MASKS = [_masks(0, 3), _masks(1, 5)]


def _dice(p: Any, y: Any) -> Any:
    return np.mean([scratch.dice(a, b)[0] for a, b in zip(p, y, strict=True)])


def _dice_gradient(p: Any, y: Any) -> Any:
    return np.stack([scratch.dice(a, b)[1] for a, b in zip(p, y, strict=True)]) / len(p)


def _overconfident(seed: int, factor: float) -> Any:
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, (400, 4))
    drawn = (softmax(z).cumsum(axis=1) < rng.random((400, 1))).sum(axis=1)
    return factor * z, drawn


def _best_temperature(z: Any, labels: Any) -> float:
    grid = np.geomspace(0.05, 20, 4001)
    means = [_picked(log_softmax(z / t), labels).mean() for t in grid]
    return float(grid[int(np.argmin(means))])


def _judge_temperature(t: Any, z: Any, labels: Any) -> str:
    values = np.asarray(t, float)
    if values.size != 1:
        return f"One number is expected, and there are {values.size}."
    best, value = _best_temperature(z, labels), values.item()
    if not value > 0:
        return "A temperature is positive."
    if abs(value / best - 1) < 0.01:
        return ""
    if abs(value / best - 1) < 0.06:
        return "Close, and one per cent is asked for: take a finer grid, or halve an interval."
    if abs(value * best - 1) < 0.01:
        return "The logits are divided by the temperature, not multiplied."
    which = "high" if value > best else "low"
    return f"The cross-entropy is smaller elsewhere: this temperature is too {which}."


def five_sets() -> dict[str, tuple[Any, Any, Any, Any]]:
    """Return five data sets by name, each as (x, y, held-out x, held-out y)."""
    rng = np.random.default_rng(5)
    x = {name: rng.uniform(-2, 2, 600) for name in "abcde"}
    y = {
        "a": rng.poisson(np.exp(0.5 + 1.2 * x["a"])).astype(float),
        "b": 1 + x["b"] + rng.normal(0, 0.5, 600),
        "c": (rng.random(600) < sigmoid(2 * x["c"])).astype(float),
        "d": 1 + x["d"] + rng.exponential(2, 600),
        "e": 1 + x["e"] + rng.normal(0, 0.5, 600),
    }
    wrong = rng.permutation(200)[:20]  # among those to be trained on
    y["e"][wrong] += 20
    return {k: (x[k][:200], y[k][:200], x[k][200:], y[k][200:]) for k in x}


_MATCH = ("Poisson", "squared", "cross-entropy", "pinball", "Huber")
_WHOLE = "One set holds counts, and one holds yes and no: look at the targets."
_TOLD = "For one set the costs are told: too little costs more than too much."
_SIZES = "Two sets look alike. Fit a line to each, and sort the sizes of its residuals."


def _short(r: Any) -> Any:
    """Cost of errors where a unit too little costs 4, and its slope."""
    return np.where(r < 0, -4 * r, r), np.where(r < 0, -4.0, 1.0)


def _costs(name: str, cost: Any, slope: Any, held_out: bool = True) -> list[float]:
    """Return the cost of the line of squared errors on a set, and of the one of this slope."""
    x, y, *held = five_sets()[name]
    at, targets = held if held_out else (x, y)
    both = []
    for of in (lambda r: r, slope):
        offset, rise = _fit(np.stack([np.ones_like(x), x], axis=1), y, of)
        both.append(float(cost(offset + rise * at - targets)))
    return both


def _rmse(r: Any) -> Any:
    return np.sqrt(np.mean(r**2))


def _defence(**changes: Any) -> Any:
    """Return the table, with some of what it is made of changed: e or d, as for `_costs`."""
    e = {"cost": _rmse, "slope": lambda r: np.clip(r, -1, 1), **changes.get("e", {})}
    d = {"cost": lambda r: _short(r)[0].mean(), "slope": lambda r: _short(r)[1]}
    return np.array([_costs("e", **e), _costs("d", **{**d, **changes.get("d", {})})])


_DEFENCES: dict[str, Callable[[], Any]] = {  # what a table says that is not the right one
    "The table is turned: a row for each set, a column for each loss.": lambda: _defence().T,
    "The rows are swapped: set e comes first.": lambda: _defence()[::-1],
    "The columns are swapped: the squared error comes first.": lambda: _defence()[:, ::-1],
    "Set e: this is the mean of the squares. The RMSE is its root.": lambda: _defence(
        e={"cost": lambda r: np.mean(r**2)}
    ),
    "Set e: this is the mean absolute error, and the RMSE is asked for.": lambda: _defence(
        e={"cost": lambda r: np.abs(r).mean()}
    ),
    "Set d: here a unit too much costs 4. Too little means a prediction below the target.": (
        lambda: _defence(d={"cost": lambda r: _short(-r)[0].mean()})
    ),
    "Set d: this line is fitted as if a unit too much cost 4.": lambda: _defence(
        d={"slope": lambda r: -_short(-r)[1]}
    ),
    "Set d: here a unit too much costs 4, in the fit and in the costs.": lambda: _defence(
        d={"cost": lambda r: _short(-r)[0].mean(), "slope": lambda r: -_short(-r)[1]}
    ),
    "Set d: these are costs of 0.8 and 0.2 a unit: 4 and 1 are asked for.": lambda: _defence(
        d={"cost": lambda r: _short(r)[0].mean() / 5}
    ),
    "Set e: these are costs on the part that was trained on.": lambda: _defence(
        e={"held_out": False}
    ),
    "Set d: these are costs on the part that was trained on.": lambda: _defence(
        d={"held_out": False}
    ),
}


def _judge_defence(scores: Any) -> str:
    values, right = np.asarray(scores, float), _defence()
    if values.shape != (2, 2):
        return f"A table of shape (2, 2) is expected, not {values.shape}."
    good = np.isclose(values, right, rtol=0.02).all(axis=1)
    if good.all():
        return ""
    for message, wrong in _DEFENCES.items():
        as_this = np.isclose(values, wrong(), rtol=0.02).all(axis=1)
        row = {"Set e": 0, "Set d": 1}.get(message[:5])
        if as_this.all() if row is None else as_this[row] and not good[row]:
            return message
    sets = " and ".join(name for name, fits in zip("ed", good, strict=True) if not fits)
    return (
        f"Set {sets}: other costs are found. Are both lines fitted to the end, and measured "
        "on the held-out part?"
    )


lab = Lab(
    overflow=Check(
        right=lambda: 11,
        mistakes={
            "One more, and it is still finite.": lambda: 10,
            "This is inf already.": lambda: 12,
            "This is the border of float32: count in float16.": lambda: 88,
            "This is the border of float64: count in float16.": lambda: 709,
        },
    ),
    lse=Check(
        cases=[(z,) for z in _LOGITS],
        right=lambda z: _lse(z, _row_max(z)),
        mistakes={
            "exp overflows: take the largest logit of the row out first.": _quiet(
                lambda z: _lse(z, 0.0)
            ),
            "exp overflows: the mean of a row may lie far below its largest logit.": _quiet(
                lambda z: _lse(z, z.mean(axis=-1, keepdims=True))
            ),
            "What is taken out must be added again.": lambda z: _lse(z, _row_max(z), back=False),
            "The largest logit of the batch is not that of each row: a row far below it "
            "underflows.": _quiet(lambda z: _lse(z, z.max())),
            "One number a row: the sum runs over the classes.": _quiet(
                lambda z: _lse(z.T, _row_max(z.T))
            ),
            "This is the largest logit: it is close, and the others count too.": (
                lambda z: z.max(axis=-1)
            ),
        },
    ),
    softmax=Check(
        cases=[(z,) for z in _LOGITS],
        right=lambda z: _softmax(z, _row_max(z)),
        mistakes={
            "exp overflows: shift each row by its largest logit.": _quiet(
                lambda z: _softmax(z, 0.0)
            ),
            "The shift must be the same for all classes of a row: this takes the maximum over "
            "the samples.": _quiet(lambda z: _softmax(z, z.max(axis=0))),
            "A row far below the largest logit of the batch becomes 0/0: shift each row by "
            "its own.": _quiet(lambda z: _softmax(z, z.max())),
            "Each row must sum to 1.": _quiet(lambda z: _softmax(z, _row_max(z), axis=0)),
        },
    ),
    log_softmax=Check(
        cases=[(z,) for z in _LOGITS],
        right=log_softmax,
        mistakes={
            "A probability that underflows has the logarithm -inf: do not form it.": _quiet(
                lambda z: np.log(softmax(z))
            ),
            "A small number inside the logarithm hides the -inf, and is wrong by any amount "
            "there.": lambda z: np.log(softmax(z) + 1e-12),
            "These are the probabilities: the logarithm is missing.": softmax,
            "The sign is flipped: logarithms of probabilities are not positive.": (
                lambda z: -log_softmax(z)
            ),
        },
    ),
    cross_entropy=Check(
        cases=_BATCHES,
        right=lambda z, labels: scratch.cross_entropy(z, labels)[0],
        mistakes={
            "This is the sum: divide by the number of samples.": (
                lambda z, labels: _picked(log_softmax(z), labels).sum()
            ),
            "The mean runs over the samples only, not over the classes.": (
                lambda z, labels: _picked(log_softmax(z), labels).mean() / z.shape[1]
            ),
            "The sign is flipped.": lambda z, labels: -_picked(log_softmax(z), labels).mean(),
            "The logarithm of a probability that underflows: use your log-softmax.": _quiet(
                lambda z, labels: _picked(np.log(softmax(z)), labels).mean()
            ),
            "A small number inside the logarithm makes large losses wrong.": (
                lambda z, labels: _picked(np.log(softmax(z) + 1e-12), labels).mean()
            ),
            "One number: the mean over the samples.": (
                lambda z, labels: _picked(log_softmax(z), labels)
            ),
        },
    ),
    gradient=Check(
        cases=_BATCHES,
        right=_ce_gradient,
        mistakes={
            "The loss is a mean: its gradient holds 1/N.": (
                lambda z, labels: _ce_gradient(z, labels) * len(z)
            ),
            "The sign is flipped.": lambda z, labels: -_ce_gradient(z, labels),
            "These are the probabilities: subtract the target.": (
                lambda z, labels: softmax(z) / len(z)
            ),
            "This divides by the number of classes too.": (
                lambda z, labels: _ce_gradient(z, labels) / z.shape[1]
            ),
        },
    ),
    smooth_targets=Check(
        cases=[(np.array([2, 0]), 3, 0.1), (np.array([1, 0, 1]), 3, 0.3)],
        right=_smooth,
        mistakes={
            "ε is shared among all classes, the right one too.": lambda labels, classes, eps: (
                np.where(_one_hot(labels, classes) > 0, 1 - eps, eps / (classes - 1))
            ),
            "Each row must sum to 1: this gives every class the whole ε.": (
                lambda labels, classes, eps: (1 - eps) * _one_hot(labels, classes) + eps
            ),
            "The right class gives away its part of ε: each row must sum to 1.": (
                lambda labels, classes, eps: _one_hot(labels, classes) + eps / classes
            ),
            "The number of classes is an argument: the last need not occur among the labels.": (
                lambda labels, classes, eps: _smooth(labels, labels.max() + 1, eps)
            ),
            "These are the targets without smoothing.": (
                lambda labels, classes, eps: _one_hot(labels, classes)
            ),
        },
    ),
    smooth_gradient=Check(
        cases=[(*_BATCHES[0], 0.1), (*_BATCHES[1], 0.2), (*_BATCHES[2], 0.3)],
        right=lambda z, labels, eps: scratch.cross_entropy(z, labels, eps)[1],
        mistakes={
            "The loss is a mean: its gradient holds 1/N. (One sample hides that.)": (
                lambda z, labels, eps: scratch.cross_entropy(z, labels, eps)[1] * len(z)
            ),
            "Right where nothing overflows: shift each row of logits by its largest.": _quiet(
                lambda z, labels, eps: (
                    (_softmax(z, 0.0) - _smooth(labels, z.shape[1], eps)) / len(z)
                )
            ),
            "This is the gradient without smoothing.": (
                lambda z, labels, eps: _ce_gradient(z, labels)
            ),
            "It is the targets that are smoothed: this makes the step smaller instead.": (
                lambda z, labels, eps: (1 - eps) * _ce_gradient(z, labels)
            ),
        },
    ),
    binary=Check(
        cases=_YES_NO,
        right=_binary,
        parts=("loss", "gradient"),
        mistakes={
            "Right where nothing overflows: do not form the sigmoid inside a logarithm.": _quiet(
                lambda z, y: (
                    -(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z))).mean(),
                    (sigmoid(z) - y) / len(z),
                )
            ),
            "exp(z) overflows for large z: of the two forms in the text, which is safe there?": (
                _quiet(
                    lambda z, y: ((np.log1p(np.exp(z)) - y * z).mean(), (sigmoid(z) - y) / len(z))
                )
            ),
            "The loss is a mean: its gradient holds 1/N.": lambda z, y: (
                _binary(z, y)[0],
                _binary(z, y)[1] * len(z),
            ),
            "The loss is right. This gradient is with respect to p: multiply by the slope of "
            "the sigmoid.": _quiet(
                lambda z, y: (
                    _binary(z, y)[0],
                    (sigmoid(z) - y) / (sigmoid(z) * sigmoid(-z)) / len(z),
                )
            ),
            "The sign of the gradient is flipped.": lambda z, y: (
                _binary(z, y)[0],
                -_binary(z, y)[1],
            ),
        },
    ),
    focal=Check(
        cases=_FOCAL,
        right=lambda z, y, gamma: scratch.focal(z, y, gamma)[0],
        mistakes={
            "The sigmoid underflows before its logarithm is taken: form log p without it.": _quiet(
                lambda z, y, gamma: _focal(_turned(z, y), gamma, np.log(sigmoid(_turned(z, y))))
            ),
            "p is the probability of the true class: where y = 0 it is that of 0.": (
                lambda z, y, gamma: _focal(z, gamma, -np.logaddexp(0, -z))
            ),
            "The factor is large where the model is right: it must be small there.": (
                lambda z, y, gamma: _focal(-_turned(z, y), gamma, -np.logaddexp(0, -_turned(z, y)))
            ),
            "This is the cross-entropy: the factor is missing.": (
                lambda z, y, gamma: _binary(z, y)[0]
            ),
            "This is the sum over the samples.": (
                lambda z, y, gamma: scratch.focal(z, y, gamma)[0] * len(z)
            ),
        },
    ),
    focal_gradient=Check(
        cases=_FOCAL,
        right=lambda z, y, gamma: scratch.focal(z, y, gamma)[1],
        mistakes={
            "Right where nothing underflows: 0 times log 0 is nan. Form log p without the "
            "sigmoid.": _quiet(
                lambda z, y, gamma: (
                    (2 * y - 1)
                    * sigmoid(-_turned(z, y)) ** gamma
                    * (
                        gamma * sigmoid(_turned(z, y)) * np.log(sigmoid(_turned(z, y)))
                        - sigmoid(-_turned(z, y))
                    )
                    / len(z)
                )
            ),
            "The factor (1 - p)^γ depends on z too: the product rule has two terms.": (
                lambda z, y, gamma: sigmoid((1 - 2 * y) * z) ** gamma * (sigmoid(z) - y) / len(z)
            ),
            "Where y = 0 the true class's logit is -z: the sign turns round.": (
                lambda z, y, gamma: scratch.focal(z, y, gamma)[1] * (2 * y - 1)
            ),
            "The loss is a mean: its gradient holds 1/N.": (
                lambda z, y, gamma: scratch.focal(z, y, gamma)[1] * len(z)
            ),
        },
    ),
    dice=Check(
        cases=_MASKS,
        right=_dice,
        mistakes={
            "Each mask has a Dice loss of its own, and the mean comes last: this pools the "
            "pixels of the batch.": lambda p, y: scratch.dice(p, y)[0],
            "The 2 of 2I/S is missing.": lambda p, y: (1 + _dice(p, y)) / 2,
            "This is the overlap: the loss is 1 minus it.": lambda p, y: 1 - _dice(p, y),
            "This is the IoU's loss: S counts the overlap twice.": lambda p, y: np.mean(
                [1 - (a * b).sum() / (a + b - a * b).sum() for a, b in zip(p, y, strict=True)]
            ),
        },
    ),
    dice_gradient=Check(
        cases=_MASKS,
        right=_dice_gradient,
        mistakes={
            "S depends on p too: the quotient rule has two terms.": lambda p, y: (
                np.stack([-2 * b / (a.sum() + b.sum()) for a, b in zip(p, y, strict=True)]) / len(p)
            ),
            "The loss is a mean over the masks: its gradient holds 1/N.": (
                lambda p, y: _dice_gradient(p, y) * len(p)
            ),
            "The sign is flipped: where y = 1 more p must lower the loss.": (
                lambda p, y: -_dice_gradient(p, y)
            ),
        },
    ),
    temperature=Check(
        cases=[_overconfident(0, 3.0), _overconfident(1, 0.5)],
        judge=_judge_temperature,
        right=_best_temperature,
        mistakes={
            "The logits are divided by the temperature, not multiplied.": (
                lambda z, labels: 1 / _best_temperature(z, labels)
            ),
            "A temperature is positive.": lambda z, labels: 0.0,
            "One number is expected, and there are 400.": lambda z, labels: z[:, 0],
            "Close, and one per cent is asked for: take a finer grid, or halve an interval.": (
                lambda z, labels: 1.03 * _best_temperature(z, labels)
            ),
            "The cross-entropy is smaller elsewhere: this temperature is too low.": (
                lambda z, labels: 1.0
            ),
            "The cross-entropy is smaller elsewhere: this temperature is too high.": (
                lambda z, labels: 10.0
            ),
        },
        seconds=60.0,
    ),
    match=Check(
        judge=_judge_words(
            _MATCH,
            ("squared", "Huber", "pinball", "Poisson", "cross-entropy"),
            {0: _WHOLE, 2: _WHOLE, 3: _TOLD, 1: _SIZES, 4: _SIZES},
        ),
        right=lambda: _MATCH,
        mistakes={
            _WHOLE: lambda: ("cross-entropy", "squared", "Poisson", "pinball", "Huber"),
            _TOLD: lambda: ("Poisson", "pinball", "cross-entropy", "squared", "Huber"),
            _SIZES: lambda: ("Poisson", "Huber", "cross-entropy", "pinball", "squared"),
            "There are 5, and each word is used once.": lambda: _MATCH[:4],
        },
    ),
    defend=Check(
        judge=_judge_defence,
        right=_defence,
        mistakes={
            **_DEFENCES,
            "A table of shape (2, 2) is expected, not (2,).": lambda: [0.4, 2.2],
            "Set e and d: other costs are found. Are both lines fitted to the end, and measured "
            "on the held-out part?": lambda: [[2, 1], [4, 3]],
            "Set d: other costs are found. Are both lines fitted to the end, and measured "
            "on the held-out part?": lambda: [_defence()[0], [3.98, 3.2]],
        },
    ),
)
