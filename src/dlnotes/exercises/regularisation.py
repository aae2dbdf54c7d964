"""The exercises of chapter 10, regularisation."""

from typing import Any

import numpy as np
import torch
from torch import nn

from dlnotes.exercises import Check, Lab

_rng = np.random.default_rng(10)
_w, _x = _rng.normal(size=5), _rng.normal(size=5)


# Mean and variance of a weighted sum behind dropout.
dropped_sum = Check(
    parts=("mean", "variance"),
    cases=[(_w, _x, 0.5), (_w[:3], _x[:3], 0.2), (_w, _x, 0.9)],
    right=lambda w, x, p: (w @ x, p / (1 - p) * (w**2 * x**2).sum()),
    mistakes={
        "Survivors are multiplied by 1 / (1 - p): the mean is what it is without dropout.": (
            lambda w, x, p: ((1 - p) * (w @ x), p / (1 - p) * (w**2 * x**2).sum())
        ),
        "p is the probability of being dropped, not of being kept.": (
            lambda w, x, p: (w @ x, (1 - p) / p * (w**2 * x**2).sum())
        ),
        "That is the variance without the factor of the survivors, which is squared in it.": (
            lambda w, x, p: (w @ x, p * (1 - p) * (w**2 * x**2).sum())
        ),
        "The masks are independent: the variances of the terms add, not the terms.": (
            lambda w, x, p: (w @ x, p / (1 - p) * (w @ x) ** 2)
        ),
        "The variance goes with the squares of the weights.": (
            lambda w, x, p: (w @ x, p / (1 - p) * (abs(w) * x**2).sum())
        ),
    },
)

_LOSSES = {
    "waves": (5.0, 4.0, 4.5, 3.0, 3.2, 3.1, 3.3, 2.0, 1.0, 0.5),
    "falls": (5.0, 4.0, 3.0, 2.0, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0),
    "level": (2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.4, 0.4, 0.4, 0.4),
    "nan": (2.0, float("nan"), 1.5, float("nan"), float("nan"), float("nan"), 1.0, 0.5, 0.4, 0.3),
    "nan first": (float("nan"), 3.0, 2.0, 1.5, 1.6, 1.7, 1.0, 0.5, 0.4, 0.3),
}


def _add_one(w: Any) -> Any:
    return w + 1


def _waves(w: Any) -> float:
    return _LOSSES["waves"][int(w[0]) - 1]


def _falls(w: Any) -> float:
    return _LOSSES["falls"][int(w[0]) - 1]


def _level(w: Any) -> float:
    return _LOSSES["level"][int(w[0]) - 1]


def _broken(w: Any) -> float:
    return _LOSSES["nan"][int(w[0]) - 1]


def _broken_first(w: Any) -> float:
    return _LOSSES["nan first"][int(w[0]) - 1]


def _stop(
    train_epoch: Any,
    val_loss: Any,
    w: Any,
    patience: int,
    limit: int,
    *,
    last: bool = False,
    total: bool = False,
    ties: bool = False,
    late: int = 0,
) -> tuple[Any, int]:
    """Return the best weights and the epochs run: right by default, each option a mistake."""
    best, best_w, bad, epochs = np.inf, w, 0, 0
    while epochs < limit and bad < patience + late:
        w = train_epoch(w)
        loss, epochs = val_loss(w), epochs + 1
        if loss < best or (ties and loss == best):
            best, best_w = loss, w
            bad = bad if total else 0
        else:
            bad += 1
    return (w if last else best_w), epochs


def _first_counts(
    train_epoch: Any, val_loss: Any, w: Any, patience: int, limit: int
) -> tuple[Any, int]:
    """Take the first epoch for the best one so far, whatever its loss."""
    w = best_w = train_epoch(w)
    best, bad, epochs = val_loss(w), 0, 1
    while epochs < limit and bad < patience:
        w = train_epoch(w)
        loss, epochs = val_loss(w), epochs + 1
        if loss < best:
            best, best_w, bad = loss, w, 0
        else:
            bad += 1
    return best_w, epochs


def _start_counts(
    train_epoch: Any, val_loss: Any, w: Any, patience: int, limit: int
) -> tuple[Any, int]:
    """Judge the weights at the start too."""
    best, best_w, bad, epochs = val_loss(w), w, 0, 0
    while epochs < limit and bad < patience:
        w = train_epoch(w)
        loss, epochs = val_loss(w), epochs + 1
        if loss < best:
            best, best_w, bad = loss, w, 0
        else:
            bad += 1
    return best_w, epochs


def _best_epoch(*case: Any) -> tuple[Any, int]:
    """Return the number of the best epoch, and not how many were run."""
    weights, _ = _stop(*case)
    return weights, int(weights[0])


def _until_rise(
    train_epoch: Any, val_loss: Any, w: Any, patience: int, limit: int, *, least: bool = False
) -> tuple[Any, int]:
    """Compare with the epoch before and not with the best; keep its weights or the best."""
    best, before, best_w, bad, epochs = np.inf, np.inf, w, 0, 0
    while epochs < limit and bad < patience:
        w = train_epoch(w)
        loss, epochs = val_loss(w), epochs + 1
        bad = 0 if loss < before else bad + 1
        if loss < (best if least else before):
            best, best_w = loss, w
        before = loss
    return best_w, epochs


# Early stopping with patience.
patience = Check(
    parts=("weights", "epochs"),
    cases=[
        (_add_one, _waves, np.zeros(2), 2, 10),
        (_add_one, _waves, np.zeros(2), 4, 10),
        (_add_one, _falls, np.zeros(2), 2, 7),
        (_add_one, _level, np.zeros(2), 3, 10),
        (_add_one, _broken, np.zeros(2), 3, 10),
        (_add_one, _broken_first, np.zeros(2), 2, 10),
        (_add_one, _broken_first, np.zeros(2), 1, 10),
    ],
    right=_stop,
    mistakes={
        "These are the weights of the last epoch: keep those of the best one.": (
            lambda *case: _stop(*case, last=True)
        ),
        "Bad epochs count in a row: a new best sets the count back to zero.": (
            lambda *case: _stop(*case, total=True)
        ),
        "A loss that only equals the best is no improvement.": (
            lambda *case: _stop(*case, ties=True)
        ),
        "One epoch too many: stop as soon as `patience` epochs in a row were no better.": (
            lambda *case: _stop(*case, late=1)
        ),
        "Compare with the best loss so far, not with that of the epoch before.": _until_rise,
        "You keep the best weights; but the count compares with the epoch before, too.": (
            lambda *case: _until_rise(*case, least=True)
        ),
        "An epoch whose loss is nan is kept as the best: what is smaller than nan?": _first_counts,
        "The weights at the start are not judged.": _start_counts,
        "The second is how many epochs were run, not the number of the best one.": _best_epoch,
        "It stops at the first epoch that is no better, whatever the patience.": (
            lambda train_epoch, val_loss, w, patience, limit: _stop(
                train_epoch, val_loss, w, 1, limit
            )
        ),
    },
)


def _fold(
    weight: Any, bias: Any, gamma: Any, beta: Any, mean: Any, var: Any, eps: float
) -> tuple[Any, Any]:
    scale = gamma / np.sqrt(var + eps)
    return scale[:, None] * weight, scale * (bias - mean) + beta


_fold_case = (
    _rng.normal(size=(3, 3)), _rng.normal(size=3), _rng.normal(size=3), _rng.normal(size=3),
    _rng.normal(size=3), _rng.random(3) + 0.5, 0.1,
)  # fmt: skip
_fold_wide = (_rng.normal(size=(2, 4)), *(case[:2] for case in _fold_case[1:6]), 1e-3)


# Batch norm in use, folded into the linear layer before it.
fold = Check(
    parts=("weight", "bias"),
    cases=[_fold_case, _fold_wide],
    right=_fold,
    mistakes={
        "Where does eps stand in the definition of batch norm?": (
            lambda w, b, gamma, beta, mean, var, eps: _fold(w, b, gamma, beta, mean, var, 0.0)
        ),
        "Divide by the root of the variance.": (
            lambda w, b, gamma, beta, mean, var, eps: _fold(
                w, b, gamma, beta, mean, (var + eps) ** 2, 0.0
            )
        ),
        "The bias of the linear layer is normalised too.": (
            lambda w, b, gamma, beta, mean, var, eps: (
                _fold(w, b, gamma, beta, mean, var, eps)[0],
                b + beta - gamma * mean / np.sqrt(var + eps),
            )
        ),
        "The mean is subtracted before the division, so it is scaled as well.": (
            lambda w, b, gamma, beta, mean, var, eps: (
                _fold(w, b, gamma, beta, mean, var, eps)[0],
                gamma / np.sqrt(var + eps) * b - mean + beta,
            )
        ),
        "The bias of the linear layer is missing from the new one.": (
            lambda w, b, gamma, beta, mean, var, eps: _fold(w, 0 * b, gamma, beta, mean, var, eps)
        ),
        "What becomes of the mean? Look at its sign.": (
            lambda w, b, gamma, beta, mean, var, eps: _fold(w, b, gamma, beta, -mean, var, eps)
        ),
        "beta is missing from the bias.": (
            lambda w, b, gamma, beta, mean, var, eps: _fold(w, b, gamma, 0 * beta, mean, var, eps)
        ),
    },
)


def _effective(x: Any, lam: float, n: int | None = None) -> Any:
    s = np.linalg.eigvalsh(x.T @ x / (n or len(x)))
    return (s / (s + lam)).sum()


_columns = _rng.normal(size=(12, 4)) * [1.0, 2.0, 0.1, 0.5]


# How many parameters a ridge fit has in effect.
effective = Check(
    cases=[(_columns, 0.1), (_columns[:6], 2.0), (_columns, 1e-9)],
    right=_effective,
    mistakes={
        "The curvature of the chapter's loss is that of a mean: divide by n.": (
            lambda x, lam: _effective(x, lam, n=1)
        ),
        "These are singular values: the curvature goes with their squares.": (
            lambda x, lam: (
                lambda s: (s / (s + lam)).sum()
            )(np.linalg.svd(x / len(x) ** 0.5, compute_uv=False))
        ),
        "Singular values of x itself: square them, and mind the n of the loss.": (
            lambda x, lam: (lambda s: (s / (s + lam)).sum())(np.linalg.svd(x, compute_uv=False))
        ),
        "The loss has 1/2n and its penalty 1/2: both lose their 2 in the gradient.": (
            lambda x, lam: _effective(x, lam, n=2 * len(x))
        ),
        "That is what the penalty takes away, not what is kept.": (
            lambda x, lam: x.shape[1] - _effective(x, lam)
        ),
        "That is the mean over the directions: add them up.": (
            lambda x, lam: _effective(x, lam) / x.shape[1]
        ),
        "Take the eigenvalues: the diagonal holds them only where columns are uncorrelated.": (
            lambda x, lam: (lambda s: (s / (s + lam)).sum())((x**2).mean(0))
        ),
    },
)  # fmt: skip


def _shrink(w: Any, amount: float) -> Any:
    return np.sign(w) * np.maximum(np.abs(w) - amount, 0)


# One step with both penalties.
both_penalties = Check(
    cases=[
        (
            np.array([0.5, -0.5, 0.01, 2.0, 0.1]),  # the last one goes across zero
            np.array([0.2, -0.1, 0.0, 3.0, 5.0]), 0.1, 0.5, 0.7,
        ),
        (np.array([[1.0, -2.0], [0.0, 0.3]]), np.array([[0.5, 0.5], [-1.0, 0.2]]), 0.2, 1.0, 0.1),
    ],
    right=lambda w, g, lr, l1, l2: _shrink(w - lr * (g + l2 * w), lr * l1),
    mistakes={
        "The threshold lacks a factor: how far does the penalty push in one step?": (
            lambda w, g, lr, l1, l2: _shrink(w - lr * (g + l2 * w), l1)
        ),
        "The slope of |w| in the gradient steps across zero: use the soft threshold.": (
            lambda w, g, lr, l1, l2: w - lr * (g + l2 * w + l1 * np.sign(w))
        ),
        "The soft threshold comes after the step, not before it.": (
            lambda w, g, lr, l1, l2: _shrink(w, lr * l1) - lr * (g + l2 * w)
        ),
        "The L2 part is missing.": lambda w, g, lr, l1, l2: _shrink(w - lr * g, lr * l1),
        "The L2 part is too strong: take the slope of the penalty as it is written.": (
            lambda w, g, lr, l1, l2: _shrink(w - lr * (g + 2 * l2 * w), lr * l1)
        ),
        "A weight that the gradient step takes across zero comes out with the wrong sign.": (
            lambda w, g, lr, l1, l2: (
                np.sign(w) * np.maximum(np.abs(w - lr * (g + l2 * w)) - lr * l1, 0)
            )
        ),
        "A weight within the threshold goes past zero: where does the soft threshold stop?": (
            lambda w, g, lr, l1, l2: (
                lambda v: np.sign(v) * (np.abs(v) - lr * l1)
            )(w - lr * (g + l2 * w))
        ),
        "The L2 part goes into the gradient, before the threshold.": (
            lambda w, g, lr, l1, l2: (1 - lr * l2) * _shrink(w - lr * g, lr * l1)
        ),
        "The strengths are exchanged.": (
            lambda w, g, lr, l1, l2: _shrink(w - lr * (g + l1 * w), lr * l2)
        ),
    },
)  # fmt: skip


def _judge_augmentation(answer: Any, x: Any, y: Any) -> str:
    """Say what is wrong with more images of the same classes."""
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        return "Return the pair (images, labels)."
    images, labels = (np.asarray(part) for part in answer)
    if images.ndim != 2 or images.shape[1] != 64 or labels.shape != images.shape[:1]:
        return f"The shapes are {images.shape} and {labels.shape}: (m, 64) and (m,) are expected."
    if not np.isfinite(images).all():
        return "The images hold inf or nan."
    if labels.dtype.kind != "i":
        return f"The labels are of type {labels.dtype}: a class is an integer, as in y."
    if images.dtype != x.numpy().dtype:
        return f"The images are of type {images.dtype}, those that were given {x.numpy().dtype}."
    if images.min() < 0 or images.max() > 1:
        return "There are pixels below 0 or above 1."
    if len(images) <= len(x):
        return "There are no more images than before."
    if not set(labels.tolist()) <= set(y.tolist()):
        return "There are labels that were not given."
    if len(np.unique(images.round(9), axis=0)) <= len(np.unique(x.numpy().round(9), axis=0)):
        return "There are only copies: nothing new can be learned from them."
    if any(labels[row] not in y[k] for row, k in _known(images, x)):
        return "An image that was given has another label now: images and labels are out of step."
    if len({tuple(k) for _, k in _known(images, x)}) < len(np.unique(x.numpy(), axis=0)):
        return "Images that were given are missing: add to them."
    return ""


def _known(images: Any, x: Any) -> list[tuple[int, list[int]]]:
    """Return the rows of images that were given, and where."""
    places: dict[bytes, list[int]] = {}
    for k, row in enumerate(x.numpy().round(9) + 0.0):
        places.setdefault(row.tobytes(), []).append(k)
    rows = images.astype(float).round(9) + 0.0
    return [(k, places[row.tobytes()]) for k, row in enumerate(rows) if row.tobytes() in places]


_images = torch.from_numpy(_rng.random((12, 64)))
_labels = torch.arange(12) % 4


# More images than there are.
augmentation = Check(
    cases=[(_images, _labels), (_images[:5], _labels[:5])],
    right=lambda x, y: (torch.cat([x, x.flip(1)]), torch.cat([y, y])),
    judge=_judge_augmentation,
    mistakes={
        "Return the pair (images, labels).": lambda x, y: torch.cat([x, x]),
        "There are no more images than before.": lambda x, y: (x.flip(1), y),
        "There are only copies: nothing new can be learned from them.": (
            lambda x, y: (torch.cat([x, x]), torch.cat([y, y]))
        ),
        "The images hold inf or nan.": (lambda x, y: (torch.cat([x, x / 0.0]), torch.cat([y, y]))),
        "There are labels that were not given.": (
            lambda x, y: (torch.cat([x, x / 2]), torch.cat([y, y + 10]))
        ),
        "An image that was given has another label now: images and labels are out of step.": (
            lambda x, y: (torch.cat([x, x / 2]), torch.cat([y.roll(1), y]))
        ),
        "The labels are of type float64: a class is an integer, as in y.": (
            lambda x, y: (torch.cat([x, x / 2]), torch.cat([y, y]).double())
        ),
        "The images are of type float32, those that were given float64.": (
            lambda x, y: (torch.cat([x, x / 2]).float(), torch.cat([y, y]))
        ),
        "There are pixels below 0 or above 1.": (
            lambda x, y: (torch.cat([x, x + 0.5]), torch.cat([y, y]))
        ),
        "Images that were given are missing: add to them.": (
            lambda x, y: (torch.cat([x[1:], x / 2, x / 3]), torch.cat([y[1:], y, y]))
        ),
    },
)


def _one_error(
    lambdas: Any,
    losses: Any,
    *,
    width: float = 1.0,
    ddof: int = 1,
    n: int | None = None,
    own: bool = False,
    edge: bool = True,
    middle: Any = np.mean,
    weakest: bool = False,
) -> Any:
    """Return the strongest penalty near the best: right by default, each option a mistake."""
    mean = middle(losses, axis=1)
    error = width * losses.std(1, ddof=ddof) / (n or losses.shape[1]) ** 0.5
    best = mean.argmin()
    limit = mean[best] + (error if own else error[best])
    near = mean <= limit if edge else mean < limit
    near[best] = True
    return lambdas[near].min() if weakest else lambdas[near].max()


def _rows(means: Any, deviations: Any, splits: int) -> Any:
    """Return losses with these means and standard deviations (n - 1) over the splits."""
    shape = np.resize([1.0, -1.0], splits) * np.linspace(1, 2, splits)
    shape = (shape - shape.mean()) / shape.std(ddof=1)
    return np.array(means)[:, None] + np.array(deviations)[:, None] * shape


# In the first table the best mean is 5, its standard error exactly 1, and 6 is on the edge.
_edge = np.array([
    [5.5, 5.5, 5.5, 5.5], [5.2, 5.2, 5.2, 5.2], [8.0, 4.0, 4.0, 4.0], [5.2, 5.3, 5.4, 5.3],
    [6.0, 5.8, 6.0, 6.0], [6.0, 6.0, 6.0, 6.0], [9.0, 8.0, 9.0, 9.0],
])  # fmt: skip
_edge_strengths = np.array([0.0, 0.01, 0.1, 1.0, 2.0, 3.0, 10.0])
# In the others the standard error of the best is 1: 9 splits with a deviation of 3, or 4 of 2.
_nine = _rows([20.5, 20.0, 20.6, 20.97, 21.5, 22.5, 24.0], [1, 3, 1, 1, 1, 1, 15], 9)
_four = _rows([20.9, 22.5, 20.0, 20.8], [1, 1, 2, 1], 4)
_strengths = np.array([0.0, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0])
_order_7 = np.array([3, 6, 1, 0, 5, 2, 4])


# The strongest penalty that cannot be told from the best.
one_error = Check(
    cases=[
        (_edge_strengths, _edge),
        (_strengths[_order_7], _nine[_order_7]),
        (_strengths[:4][::-1].copy(), _four),
    ],
    right=_one_error,
    mistakes={
        "That is the least mean: go on to the strongest penalty within one standard error of it.": (
            lambda lambdas, losses: _one_error(lambdas, losses, width=0.0)
        ),
        "Of those within one standard error take the strongest penalty, not the weakest.": (
            lambda lambdas, losses: _one_error(lambdas, losses, weakest=True)
        ),
        "With so few splits the deviation divides by n - 1.": (
            lambda lambdas, losses: _one_error(lambdas, losses, ddof=0)
        ),
        "That is the deviation of one split: the error of their mean is asked for.": (
            lambda lambdas, losses: _one_error(lambdas, losses, n=1)
        ),
        "One standard error, not two.": (
            lambda lambdas, losses: _one_error(lambdas, losses, width=2.0)
        ),
        "The error is that of a mean over the splits: of how many numbers is that?": (
            lambda lambdas, losses: _one_error(lambdas, losses, n=len(lambdas))
        ),
        "The standard error is that of the best strength, for all.": (
            lambda lambdas, losses: _one_error(lambdas, losses, own=True)
        ),
        "A loss that is exactly one standard error above counts as near.": (
            lambda lambdas, losses: _one_error(lambdas, losses, edge=False)
        ),
        "Compare the means over the splits, not the medians.": (
            lambda lambdas, losses: _one_error(lambdas, losses, middle=np.median)
        ),
    },
)


# ---- the lab ----------------------------------------------------------------------

# Programs under examination. An answer that is written for tensors asks them with tensors,
# and gets tensors back.


def _batch_judge(x: Any) -> Any:
    """Decide by the batch: above its mean is class 1."""
    return 1 * (x[:, 0] > x[:, 0].mean())


def _pairs_judge(x: Any) -> Any:
    """Decide in batches of two."""
    pairs = x[:, 0].reshape(-1, 2)
    return 1 * (pairs > pairs.mean(1)[:, None]).ravel()


def _alone_judge(x: Any) -> Any:
    return 1 * (x[:, 0] > 0)


_asked = _rng.normal(size=(10, 2))
_order = _rng.permutation(10)

_outputs = np.array([[0.0, 4.0, 0.0], [2.0, 0.0, 0.0], [2.0, 0.0, 6.0], [2.0, 4.0, 0.0]])
_many = np.where(_rng.random((50, 3)) < 0.3, 0.0, [1.0, 2.0, 3.0]) / 0.5


def _nearest(x: Any, y: Any) -> float:
    """Score of a rule that learns on the first half and is tested on the second."""
    half = len(x) // 2
    gap = ((x[half:, None] - x[None, :half]) ** 2).sum(-1)
    return float((1.0 * (y[:half][gap.argmin(1)] == y[half:])).mean())


def _size(x: Any, y: Any) -> float:
    return float((x[:, 0] * y).mean())


_labels_two = _rng.integers(0, 2, 10)
_orders = np.array([_rng.permutation(10) for _ in range(4)])
_far = np.array([[1.0, 2000.0, 0.1], [3.0, 5000.0, 0.4], [2.0, 1000.0, 0.2]])


def _network() -> nn.Sequential:
    """Return a net with dropout and batch norm, whose memory is not that of any batch."""
    norm, random = nn.BatchNorm1d(8), torch.Generator().manual_seed(1)
    layers = (nn.Linear(4, 8), norm, nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
    made = nn.Sequential(*layers).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random, dtype=torch.float64))
    norm.running_mean = torch.randn(8, generator=random, dtype=torch.float64)
    return made.train()


def _in_use(network: Any, x: Any) -> Any:
    return network.eval()(x).argmax(1)


def _dropped_first(network: Any, x: Any) -> Any:
    """Leave dropout out, and let batch norm use the batch."""
    network.train()
    for part in network:
        if isinstance(part, nn.Dropout):
            part.eval()
    return network(x).argmax(1)


def _judge_in_use(answer: Any, network: Any, x: Any) -> str:
    """Say which part of the network is not in use as it should be."""
    found = np.asarray(answer.detach() if torch.is_tensor(answer) else answer)
    if found.shape != (len(x),):
        if found.shape == (len(x), 3):
            return "These are the scores: a class is asked for, the largest of each row."
        return f"The shape is {found.shape}, and {(len(x),)} is expected."
    if np.array_equal(found, _in_use(network, x)):
        return ""
    if np.array_equal(found, _dropped_first(network, x)):
        return "Dropout is off, and batch norm still uses the batch: all layers must know."
    return "These answers depend on chance or on the other rows: which mode are the layers in?"


_net_case = (_network(), torch.from_numpy(_rng.normal(size=(40, 4))))


def _keep(x: Any, p: float, u: Any) -> Any:
    return x * (u >= p) / (1 - p)


_uniform = _rng.random((4, 5))
_values = _rng.normal(size=(4, 5))


def _standardise(x: Any, mean: Any, std: Any) -> Any:
    return (x - mean) / std


def _select(x: Any, y: Any, learn: Any, k: int, *, everything: bool = False) -> Any:
    """Return the k columns that differ most between the classes, in ascending order."""
    rows = np.arange(len(x)) if everything else learn
    gap = x[rows][y[rows] == 1].mean(0) - x[rows][y[rows] == 0].mean(0)
    return np.sort(np.argsort(-abs(gap))[:k]).astype(float)


_wide = _rng.normal(size=(24, 30))
_halves = _rng.integers(0, 2, 24)
_learn = np.arange(0, 24, 2)
_ill = np.array([0.80, 0.84, 0.79, 0.86, 0.82])
_well = np.array([0.90, 0.93, 0.88, 0.97, 0.91])

_FAULTS = ("p_is_keep", "no_scaler", "companions", "harmless", "selection", "dropout_on")
_SOME_RIGHT = ("p_is_keep", "harmless", "companions", "no_scaler", "dropout_on", "selection")


def _judge_faults(answer: Any) -> str:
    """Name the patients whose verdict is wrong, and not the verdict."""
    if isinstance(answer, str) or len(answer) != len(_FAULTS):
        return "Return six names, one for each of the patients A to F."
    unknown = [str(name) for name in answer if name not in _FAULTS]
    if unknown:
        return f"There is no fault of the name {unknown[0]!r}."
    wrong = [letter for letter, a, b in zip("ABCDEF", answer, _FAULTS, strict=True) if str(a) != b]
    return f"Look again at patient {', '.join(wrong)}." if wrong else ""


lab = Lab(
    company=Check(
        cases=[
            (_batch_judge, _asked, _order),
            (_pairs_judge, _asked, _order),
            (_alone_judge, _asked, _order),
        ],
        right=lambda predict, x, order: (predict(x)[order] != predict(x[order])).mean(),
        mistakes={
            "Compare like with like: row i of the second answer belongs to row order[i].": (
                lambda predict, x, order: (predict(x) != predict(x[order])).mean()
            ),
            "That is the number of rows: a share is asked for.": (
                lambda predict, x, order: (predict(x)[order] != predict(x[order])).sum()
            ),
            "That is the share of rows whose class stays.": (
                lambda predict, x, order: (predict(x)[order] == predict(x[order])).mean()
            ),
        },
    ),
    dropped=Check(
        parts=("share dropped", "factor of the survivors"),
        cases=[(_outputs, np.array([1.0, 2.0, 3.0])), (_many, np.array([1.0, 2.0, 3.0]))],
        right=lambda outputs, h: (
            (outputs == 0).mean(),
            (outputs / h)[outputs != 0].mean(),
        ),
        mistakes={
            "The first is the share that is dropped, not the share that is kept.": (
                lambda outputs, h: ((outputs != 0).mean(), (outputs / h)[outputs != 0].mean())
            ),
            "The factor is that of the survivors alone.": (
                lambda outputs, h: ((outputs == 0).mean(), (outputs / h).mean())
            ),
            "Divide the survivors by what went in.": (
                lambda outputs, h: ((outputs == 0).mean(), outputs[outputs != 0].mean())
            ),
        },
    ),
    control=Check(
        cases=[(_nearest, _asked, _labels_two, _orders), (_size, _asked, _labels_two, _orders)],
        right=lambda pipeline, x, y, orders: np.mean([pipeline(x, y[order]) for order in orders]),
        mistakes={
            "Only the labels are shuffled: with the rows shuffled too they still belong together.":
            lambda pipeline, x, y, orders: np.mean(
                [pipeline(x[order], y[order]) for order in orders]
            ),
            "The labels are not shuffled.": lambda pipeline, x, y, orders: pipeline(x, y),
            "That is the first order only: average over all.": (
                lambda pipeline, x, y, orders: pipeline(x, y[orders[0]])
            ),
        },
    ),
    spread=Check(
        cases=[(_far,), (_far * [1.0, 1e-3, 10.0],)],
        right=lambda x: x.std(0).max() / x.std(0).min(),
        mistakes={
            "Compare the columns: one standard deviation a column.": (
                lambda x: x.std(1).max() / x.std(1).min()
            ),
            "The largest over the smallest, not the other way round.": (
                lambda x: x.std(0).min() / x.std(0).max()
            ),
            "That is the ratio of the variances.": lambda x: x.var(0).max() / x.var(0).min(),
            "That is the ratio of the means: the spread is asked for.": (
                lambda x: abs(x.mean(0)).max() / abs(x.mean(0)).min()
            ),
        },
    ),
    verdicts=Check(
        right=lambda: _FAULTS,
        judge=_judge_faults,
        mistakes={
            "Look again at patient B, D, E, F.": lambda: _SOME_RIGHT,
            "Return six names, one for each of the patients A to F.": lambda: _FAULTS[:5],
            "There is no fault of the name 'too_small'.": lambda: (*_FAULTS[:5], "too_small"),
        },
    ),
    in_use=Check(
        cases=[_net_case],
        right=_in_use,
        judge=_judge_in_use,
        mistakes={
            "Dropout is off, and batch norm still uses the batch: all layers must know.": (
                _dropped_first
            ),
            "These are the scores: a class is asked for, the largest of each row.": (
                lambda network, x: network.eval()(x).detach()
            ),
            "These answers depend on chance or on the other rows: which mode are the layers in?": (
                lambda network, x: network(x).argmax(1)
            ),
            "The shape is (), and (40,) is expected.": (
                lambda network, x: network.eval()(x).argmax()
            ),
        },
    ),
    keep=Check(
        cases=[(_values, 0.1, _uniform), (_values, 0.75, _uniform), (_values[0], 0.3, _uniform[0])],
        right=_keep,
        mistakes={
            "p is the probability of being dropped: here it is that of being kept.": (
                lambda x, p, u: x * (u < p) / p
            ),
            "The right share is kept, and not scaled.": lambda x, p, u: x * (u >= p),
            "The right share is kept, and scaled by 1 - p instead of its inverse.": (
                lambda x, p, u: x * (u >= p) * (1 - p)
            ),
            "The scale fits p, and the mask does not: with probability p an entry becomes 0.": (
                lambda x, p, u: x * (u < p) / (1 - p)
            ),
        },
    ),
    scale=Check(
        parts=("train", "test"),
        cases=[(_far, 2 * _far + 1), (_values, _uniform)],
        right=lambda train, test: (
            _standardise(train, train.mean(0), train.std(0)),
            _standardise(test, train.mean(0), train.std(0)),
        ),
        mistakes={
            "The test part is standardised by its own numbers: use those of the training part.": (
                lambda train, test: (
                    _standardise(train, train.mean(0), train.std(0)),
                    _standardise(test, test.mean(0), test.std(0)),
                )
            ),
            "Mean and deviation come from both parts: use the training part alone.": (
                lambda train, test: (
                    lambda both: tuple(
                        _standardise(part, both.mean(0), both.std(0)) for part in (train, test)
                    )
                )(np.vstack([train, test]))
            ),
            "Divide by the standard deviation, not by the variance.": (
                lambda train, test: (
                    _standardise(train, train.mean(0), train.var(0)),
                    _standardise(test, train.mean(0), train.var(0)),
                )
            ),
            "Take one mean and one deviation a column.": (
                lambda train, test: (
                    _standardise(train, train.mean(), train.std()),
                    _standardise(test, train.mean(), train.std()),
                )
            ),
            "Divide by n in the deviation, as NumPy's std does, and not by n - 1.": (
                lambda train, test: (
                    _standardise(train, train.mean(0), train.std(0, ddof=1)),
                    _standardise(test, train.mean(0), train.std(0, ddof=1)),
                )
            ),
        },
    ),
    select=Check(
        cases=[(_wide, _halves, _learn, 4), (_wide, 1 - _halves, _learn[:8], 7)],
        right=_select,
        mistakes={
            "The rows of the test have had a say: look at the rows in learn only.": (
                lambda x, y, learn, k: _select(x, y, learn, k, everything=True)
            ),
            "Large in size, either way: take the absolute value of the difference.": (
                lambda x, y, learn, k: np.sort(
                    np.argsort(-(x[learn][y[learn] == 1].mean(0)
                                 - x[learn][y[learn] == 0].mean(0)))[:k]
                ).astype(float)
            ),
            "These are the columns that differ least.": (
                lambda x, y, learn, k: np.sort(
                    np.argsort(abs(x[learn][y[learn] == 1].mean(0)
                                   - x[learn][y[learn] == 0].mean(0)))[:k]
                ).astype(float)
            ),
        },
    ),
    price=Check(
        parts=("cost", "standard error"),
        cases=[(_ill, _well), (_ill[:3], _well[:3])],
        right=lambda ill, well: (
            (well - ill).mean(),
            (well - ill).std(ddof=1) / len(ill) ** 0.5,
        ),
        mistakes={
            "A cost is what the fault takes away: well minus ill.": lambda ill, well: (
                (ill - well).mean(), (well - ill).std(ddof=1) / len(ill) ** 0.5
            ),
            "The runs are paired by seed: take the deviation of the differences.": (
                lambda ill, well: (
                    (well - ill).mean(),
                    ((ill.var(ddof=1) + well.var(ddof=1)) / len(ill)) ** 0.5,
                )
            ),
            "That is the standard deviation of one difference, not the error of their mean.": (
                lambda ill, well: ((well - ill).mean(), (well - ill).std(ddof=1))
            ),
            "With so few runs divide by n - 1 in the deviation.": lambda ill, well: (
                (well - ill).mean(), (well - ill).std() / len(ill) ** 0.5
            ),
        },
    ),
)  # fmt: skip
