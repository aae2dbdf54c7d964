"""The exercises of chapter 08, optimizers."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from dlnotes.exercises import Check, Lab
from dlnotes.scratch import optimizers

EPS = 1e-2  # large enough to show where it is added


def _weights(n: int, beta: float) -> Any:
    return (1 - beta) * beta ** np.arange(n - 1, -1, -1) / (1 - beta**n)


# The weights of a corrected running average.
weights = Check(
    cases=[(4, 0.5), (12, 0.9), (1, 0.3)],
    right=_weights,
    mistakes={
        "The newest value weighs most, and it stands last.": lambda n, beta: _weights(n, beta)[
            ::-1
        ],
        "They do not add up to 1: the correction is missing.": (
            lambda n, beta: _weights(n, beta) * (1 - beta**n)
        ),
        "The newest value is multiplied by 1 - beta alone: its power of beta is 0.": (
            lambda n, beta: _weights(n, beta) * beta
        ),
        "beta is the share of the old average that is kept; 1 - beta belongs to the new value.": (
            lambda n, beta: _weights(n, 1 - beta)
        ),
        "These are the weights of a plain mean.": lambda n, beta: np.full(n, 1 / n),
        "The correction divides by the sum of the weights, 1 - beta to the power n, not n - 1.": (
            lambda n, beta: _weights(n, beta) * (1 - beta**n) / (1 - beta ** max(n - 1, 1))
        ),
    },
)

_FACTORS = {
    "gradient descent": 1000.0, "momentum": 1000.0, "Adagrad": 1.0, "RMSprop": 1.0, "Adam": 1.0,
}  # fmt: skip
_WRONG_FACTORS = {
    "The step of three of the rules is a gradient divided by the size of gradients.": (1000.0,) * 5,
    "The velocity is a sum of gradients, and grows as they do.": (1000.0, 1.0, 1.0, 1.0, 1.0),
    "Where s holds squares, its root grows as the gradient does, not as its square.": (
        (1000.0, 1000.0, 1e-3, 1e-3, 1e-3)
    ),
    "Where s holds squares, its root grows as the gradient does: the two cancel.": (
        (1000.0, 1000.0, 1000**0.5, 1000**0.5, 1000**0.5)
    ),
    "RMSprop's average has the factor 1 - alpha before the new square, whatever its size.": (
        (1000.0, 1000.0, 1.0, 1000.0, 1.0)
    ),
    "No step here shrinks as the loss grows.": (1e-3, 1e-3, 1.0, 1.0, 1.0),
}


def _judge_factors(answer: Any) -> str:
    """Name the rules whose factors are wrong; a difference would give them away."""
    given = np.asarray(answer, dtype=float)
    if given.shape != (5,):
        return f"Return five numbers, one for each of {', '.join(_FACTORS)}."
    for message, factors in _WRONG_FACTORS.items():
        if np.allclose(given, factors):
            return message
    fits = np.isclose(given, list(_FACTORS.values()))
    wrong = [name for name, right in zip(_FACTORS, fits, strict=True) if not right]
    return f"Look again at {', '.join(wrong)}." if wrong else ""


# By what the first step grows if the loss is multiplied by 1000, in five rules.
scaled = Check(
    right=lambda: tuple(_FACTORS.values()),
    judge=_judge_factors,
    mistakes={
        message: lambda factors=factors: factors for message, factors in _WRONG_FACTORS.items()
    },
)


def _distances(lr: float, steps: int, alpha: float) -> tuple[Any, Any]:
    t = np.arange(1, steps + 1)
    return lr * (1 / np.sqrt(t)).sum(), lr * (1 / np.sqrt(1 - alpha**t)).sum()


# How far Adagrad and RMSprop walk on a slope that never changes.
distances = Check(
    parts=("Adagrad", "RMSprop"),
    cases=[(0.1, 1, 0.9), (0.01, 50, 0.99), (0.5, 7, 0.5)],
    right=_distances,
    mistakes={
        "The first one is RMSprop's: Adagrad's comes first.": (
            lambda *case: _distances(*case)[::-1]
        ),
        "These are the lengths of the last step: add up all of them.": (
            lambda lr, steps, alpha: (lr / steps**0.5, lr / (1 - alpha**steps) ** 0.5)
        ),
        "RMSprop's s begins at 0 and is not corrected: its first steps are longer than lr.": (
            lambda lr, steps, alpha: (_distances(lr, steps, alpha)[0], lr * steps)
        ),
        "Adagrad divides by the root of the sum of squares.": (
            lambda lr, steps, alpha: (
                lr * (1 / np.arange(1, steps + 1)).sum(),
                _distances(lr, steps, alpha)[1],
            )
        ),
        "RMSprop divides by the root of the average.": (
            lambda lr, steps, alpha: (
                _distances(lr, steps, alpha)[0],
                lr * (1 / (1 - alpha ** np.arange(1, steps + 1))).sum(),
            )
        ),
        "Adagrad's sum does not forget: after t steps it holds t equal squares.": (
            lambda lr, steps, alpha: (lr * steps, _distances(lr, steps, alpha)[1])
        ),
        "The learning rate is missing.": (
            lambda lr, steps, alpha: _distances(1.0, steps, alpha)
        ),
    },
)  # fmt: skip


def _adam_step(
    theta: Any,
    m: Any,
    s: Any,
    t: int,
    g: Any,
    lr: float,
    eps: float,
    *,
    outside: bool = False,
    late: bool = False,
    plain: bool = False,
) -> tuple[Any, Any, Any]:
    """Return theta, m and s after step t: right by default, each option a mistake."""
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * (g if plain else g * g)
    first, second = m / (1 - 0.9**t), s / (1 - (0.9 if late else 0.999) ** t)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(second)
        theta = theta - lr * (first / root + eps if outside else first / (root + eps))
    return theta, m, s


_rng = np.random.default_rng(8)
_point = np.array([0.4, -1.2, 2.0])
_first = (_point, np.zeros(3), np.zeros(3), 1, np.array([0.3, -0.02, 1.5]), 0.1, EPS)
_tenth = (_point, np.array([0.2, -0.5, 0.1]), np.array([0.3, 1.1, 0.02]), 10,
          np.array([-0.4, 0.7, 0.05]), 0.05, EPS)  # fmt: skip


# Three bugs in one step of Adam.
repaired = Check(
    parts=("theta", "m", "s"),
    cases=[_first, _tenth],
    right=_adam_step,
    mistakes={
        f"{count} still there: {text}.": (lambda *case, wrong=wrong: _adam_step(*case, **wrong))
        for count, text, wrong in (
            ("One bug is", "look at what is divided by what", {"outside": True}),
            ("One bug is", "each average has a share of its own to be corrected for",
             {"late": True}),
            ("One bug is", "s is to hold squares", {"plain": True}),
            ("Two bugs are", "the division, and a correction", {"outside": True, "late": True}),
            ("Two bugs are", "the division, and what s holds", {"outside": True, "plain": True}),
            ("Two bugs are", "a correction, and what s holds", {"late": True, "plain": True}),
            ("All three bugs are", "compare it line by line with Adam in the chapter",
             {"outside": True, "late": True, "plain": True}),
        )
    },
)  # fmt: skip


def _rotation(angle: float) -> Any:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _steep(p: Any) -> Any:
    return np.array([1.0, 20.0]) * p


def _overflowing(p: Any) -> Any:
    return np.where(abs(p) < 1e6, _steep(p), np.nan)


def _bent(p: Any) -> Any:
    return np.array([p[0] ** 3 - p[1], np.sin(p[1]) - p[0]])


# The gradient of a loss that has been turned.
turned = Check(
    cases=[(_steep, 0.6, np.array([1.0, -0.3])), (_bent, -1.1, np.array([0.2, 2.0]))],
    right=lambda grad, angle, p: _rotation(angle) @ grad(_rotation(-angle) @ p),
    mistakes={
        "It is turned the wrong way round: find the old point first, by turning back.": (
            lambda grad, angle, p: _rotation(-angle) @ grad(_rotation(angle) @ p)
        ),
        "The gradient at the old point must be turned too.": (
            lambda grad, angle, p: grad(_rotation(-angle) @ p)
        ),
        "The gradient is turned, and taken at the wrong point.": (
            lambda grad, angle, p: _rotation(angle) @ grad(p)
        ),
        "The gradient is turned forth, and so is the point: turn that one back.": (
            lambda grad, angle, p: _rotation(angle) @ grad(_rotation(angle) @ p)
        ),
        "The point is turned back, and so is the gradient: turn that one forth.": (
            lambda grad, angle, p: _rotation(-angle) @ grad(_rotation(-angle) @ p)
        ),
        "The angle is in radians.": (
            lambda grad, angle, p: (
                _rotation(np.radians(angle)) @ grad(_rotation(-np.radians(angle)) @ p)
            )
        ),
    },
)


def _verdict(losses: Any, best: Callable[[Any], int]) -> str:
    k = best(losses)
    return "smaller" if k == 0 else "larger" if k == len(losses) - 1 else "inside"


def _safe(losses: Any) -> Any:
    return np.where(np.isfinite(losses), losses, np.inf)


_sweeps = [
    np.array([[2.0, 2.1, 2.2], [1.0, 1.2, 0.9], [0.5, 0.6, 0.7]]),
    np.array([[1.0, 1.1, 1.2], [3.0, 3.1, 2.9], [2.0, 2.1, 2.2]]),
    np.array([[1.0, 1.1, 1.2], [0.3, 0.2, 0.4], [0.1, 2.0, 3.0]]),
    np.array([[0.4, 0.5, 0.6], [0.9, 0.8, 1.0], [0.1, np.nan, np.nan]]),
    np.array([[0.4, 0.5, 0.6], [0.9, 0.8, 1.0], [0.7, np.nan, np.nan], [np.nan] * 3]),
    np.array([[0.5, 0.6, 0.7], [0.1, 0.2, np.nan], [0.9, 0.8, 1.0]]),
    np.array([[1.0, 1.1, 1.2], [0.3, 0.2, 9.0], [0.5, 0.6, 0.7]]),
]


def _median_of_the_others(losses: Any) -> Any:
    """Return the medians without nan; of nan alone it is nan."""
    lost = np.isnan(losses).all(axis=1)
    return np.where(lost, np.nan, np.nanmedian(np.where(lost[:, None], 0.0, losses), axis=1))


# Where to look next, from a sweep over learning rates.
read_sweep = Check(
    cases=[(losses,) for losses in _sweeps],
    right=lambda losses: _verdict(_safe(losses), lambda a: int(np.median(a, axis=1).argmin())),
    mistakes={
        "nan is no small loss: a run that diverged counts as an infinite one.": (
            lambda losses: _verdict(losses, lambda a: int(np.median(a, axis=1).argmin()))
        ),
        "A run that diverged must not be left out of the median: it counts as infinite.": (
            lambda losses: _verdict(losses, lambda a: int(np.nanargmin(_median_of_the_others(a))))
        ),
        "A median without the diverged runs leaves them out, and where all diverged it is nan: "
        "count each of them as infinite.": (
            lambda losses: _verdict(losses, lambda a: int(_median_of_the_others(a).argmin()))
        ),
        "One diverged run does not spoil a rate: the median of its seeds can still be small.": (
            lambda losses: _verdict(losses, lambda a: int(_safe(np.median(a, axis=1)).argmin()))
        ),
        "Judge a rate by the median of its seeds, not by their mean.": (
            lambda losses: _verdict(_safe(losses), lambda a: int(a.mean(axis=1).argmin()))
        ),
        "One lucky seed is no median.": lambda losses: _verdict(
            _safe(losses), lambda a: int(a.min(axis=1).argmin())
        ),
        "At the smallest rate of the grid go on to smaller ones, at the largest to larger ones.": (
            lambda losses: {"smaller": "larger", "larger": "smaller", "inside": "inside"}[
                _verdict(_safe(losses), lambda a: int(np.median(a, axis=1).argmin()))
            ]
        ),
        "The best loss is the smallest.": lambda losses: _verdict(
            _safe(losses), lambda a: int(np.median(a, axis=1).argmax())
        ),
    },
)

# The largest stable rate of momentum in the form of an average.
average_edge = Check(
    cases=[(0.9, 2.0), (0.5, 30.0), (0.0, 1.0)],
    right=lambda beta, curvature: 2 * (1 + beta) / ((1 - beta) * curvature),
    mistakes={
        "This is the edge of the heavy ball: an average makes every step shorter.": (
            lambda beta, curvature: 2 * (1 + beta) / curvature
        ),
        "An average makes the steps shorter, so its edge lies higher, not lower.": (
            lambda beta, curvature: 2 * (1 + beta) * (1 - beta) / curvature
        ),
        "This is the edge of gradient descent, with steps that are shorter.": (
            lambda beta, curvature: 2 / ((1 - beta) * curvature)
        ),
        "The curvature is missing.": lambda beta, curvature: 2 * (1 + beta) / (1 - beta),
        "This is the edge of Nesterov's form, with steps that are shorter.": (
            lambda beta, curvature: 2 * (1 + beta) / ((1 + 2 * beta) * (1 - beta) * curvature)
        ),
    },
)


PAIR = "Pass a function without arguments that returns an Optimizer(init, update)."
ORDER = (
    "update returns (new parameters, new memory), in this order; at a rate of 0 the parameters "
    "stay what they were."
)
CHANGED = "update changes its arguments: write p - step for a new tensor, not p -= step."
HIDDEN = "The same step from the same state comes out different: keep no hidden state."
UPHILL = "On bowls, with rates of 0.01 and 0.001, it does not come closer to the minimum."
ONE_RATE = "The two runs must each use their own rate: lr has an entry for each run."
LEAK = "The runs influence each other: take no norm, mean or maximum over the first axis."


def _equal(one: Any, other: Any) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def _judge_rule(rule: Any) -> str:
    """Walk down two bowls, with a rate of 0.01 in one run and 0.001 in the other."""
    if not (hasattr(rule, "init") and hasattr(rule, "update")):
        return PAIR
    start = {
        "w": torch.tensor([[1.0], [2.0]], dtype=torch.float64).repeat(2, 1, 1),
        "b": torch.full((2, 1), 0.5, dtype=torch.float64),
    }
    lr = torch.tensor([1e-2, 1e-3], dtype=torch.float64)
    for lowest in (4.0, -4.0):
        together, fault = _descend(rule, start, lr, lowest)
        if fault:
            return fault
        alone = [
            _descend(rule, {k: p[i : i + 1] for k, p in start.items()}, lr[i : i + 1], lowest)[0]
            for i in range(2)
        ]
        if any(
            not torch.allclose(p, torch.cat([a[k] for a in alone])) for k, p in together.items()
        ):
            return LEAK
        before, after = (
            torch.stack([((p - lowest) ** 2).flatten(1).sum(1) for p in tree.values()]).sum(0)
            for tree in (start, together)
        )
        if not (after < before).all():
            return UPHILL
        if torch.isclose(after[0], after[1]):
            return ONE_RATE
    return ""


def _descend(rule: Any, params: Any, lr: Any, lowest: float) -> tuple[Any, str]:
    """Return the parameters after 300 steps on a bowl, and what is wrong with a step."""
    curvature = torch.tensor([[1.0], [20.0]], dtype=torch.float64)
    state = rule.init(params)
    for _ in range(300):
        grads = {"w": curvature * (params["w"] - lowest), "b": params["b"] - lowest}
        given = grads, state, params
        used = copy.deepcopy(given)
        new, later = rule.update(*used, lr)
        kept = copy.deepcopy(new)
        still, _ = rule.update(*copy.deepcopy(given), 0 * lr)
        if (
            not isinstance(still, dict)
            or still.keys() != params.keys()
            or not _equal(still, params)
        ):
            return params, ORDER
        if not _equal(kept, rule.update(*copy.deepcopy(given), lr)[0]):
            return params, HIDDEN
        if not _equal(kept, rule.update(*used, lr)[0]):
            return params, CHANGED
        params, state = kept, copy.deepcopy(later)
    return params, ""


def _rule(update: Callable[[Any, Any, Any, Any], Any]) -> Any:
    """Return a rule without a memory."""
    return optimizers.Optimizer(optimizers.gd().init, update)


def _hidden() -> Any:
    calls: list[int] = []

    def update(grads: Any, state: Any, params: Any, lr: Any) -> Any:
        calls.append(1)
        return optimizers.gd().update(grads, state, params, lr / len(calls))

    return _rule(update)


def _in_place(grads: Any, state: Any, params: Any, lr: Any) -> Any:
    for name, p in params.items():
        p -= lr.reshape(-1, *[1] * (p.ndim - 1)) * grads[name]
    return params, state


def _leaking(grads: Any, state: Any, params: Any, lr: Any) -> Any:
    length = sum((g**2).sum() for g in grads.values()) ** 0.5
    return optimizers.gd().update({k: g / length for k, g in grads.items()}, state, params, lr)


# A rule of the learner's own.
own_rule = Check(
    right=lambda: optimizers.momentum(),
    judge=_judge_rule,
    mistakes={
        PAIR: lambda: optimizers.momentum,
        ORDER: lambda: optimizers.Optimizer(
            optimizers.momentum().init, lambda *given: optimizers.momentum().update(*given)[::-1]
        ),
        HIDDEN: _hidden,
        CHANGED: lambda: _rule(_in_place),
        UPHILL: lambda: _rule(  # whatever the gradient
            lambda grads, state, params, lr: optimizers.gd().update(
                {k: -torch.ones_like(g) for k, g in grads.items()}, state, params, lr
            )
        ),
        ONE_RATE: lambda: _rule(
            lambda grads, state, params, lr: optimizers.gd().update(
                grads, state, params, 1e-3 * (lr > 0)
            )
        ),
        LEAK: lambda: _rule(_leaking),
    },
)

# ---- the lab: each rule from its description ----------------------------------------
# Every rule is a function (theta, gradients, lr, ...) of all gradients, in order, that
# returns theta after the last one. In the wrong answers an option names the mistake.


def _gradients(steps: int, *shape: int) -> Any:
    """Return gradients that change in size and sign, of shape ``(steps, *shape)``."""
    rng = np.random.default_rng(steps)
    sizes = np.linspace(0.5, 2.0, steps).reshape(-1, *[1] * len(shape))
    return sizes * (0.3 + rng.standard_normal((steps, *shape)))


def _cases(*rest: float) -> list[tuple[Any, ...]]:
    """Return one, two and 200 steps, on two shapes."""
    table = np.array([[0.5, -1.0, 2.0], [1.5, 0.1, -0.7]])
    return [
        (_point, _gradients(1, 3), 0.1, *rest),
        (_point, _gradients(2, 3), 0.1, *rest),
        (table, _gradients(200, 2, 3), 0.02, *rest),
    ]


def _momentum(
    theta: Any,
    gradients: Any,
    lr: float,
    beta: float,
    *,
    new: float = 1.0,
    nesterov: bool = False,
    late: bool = False,
    undamped: bool = False,
    corrected: bool = False,
) -> Any:
    """Return theta after momentum; the options are forms of it and mistakes."""
    v = np.zeros_like(theta)
    for k, g in enumerate(gradients):
        old, v = v, g if undamped and k == 0 else beta * v + new * g
        step = g + beta * v if nesterov else old if late else v
        theta = theta - lr * step / (1 - beta ** (k + 1) if corrected else 1)
    return theta


def _scaled(
    theta: Any,
    gradients: Any,
    lr: float,
    eps: float,
    alpha: float | None = None,
    *,
    square: bool = True,
    inside: bool = False,
    root: bool = True,
    start: float = 0.0,
    mean: bool = False,
    before: bool = False,
    new: float | None = None,
    shared: bool = False,
    corrected: bool = False,
    warm: bool = False,
) -> Any:
    """Return theta after Adagrad, or RMSprop where `alpha` is given; options are mistakes."""
    s = np.full_like(theta, start)
    with np.errstate(all="ignore"):
        for t, g in enumerate(gradients, start=1):
            old, size = s, g * g if square else abs(g)
            if shared:
                size = np.full_like(theta, size.sum())
            if warm and t == 1:
                s = size
            elif alpha is None:
                s = s + size
            else:
                s = alpha * s + (1 - alpha if new is None else new) * size
            used = (old if before else s) / (t if mean else 1)
            used = used / (1 - alpha**t) if corrected and alpha is not None else used
            below = used if not root else np.sqrt(used + eps) if inside else np.sqrt(used)
            theta = theta - lr * g / (below + (0 if inside else eps))
    return theta


def _adam(
    theta: Any,
    gradients: Any,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = EPS,
    decay: float = 0.0,
    *,
    l2: float = 0.0,
    count: str = "from 1",
    first: bool = True,
    second: bool = True,
    feed: bool = False,
    inside: bool = False,
    centred: bool = False,
    order: str = "before",
    scaled_decay: bool = True,
    only_first: bool = False,
) -> Any:
    """Return theta after Adam with decoupled decay or L2; options are mistakes."""
    m, s = np.zeros_like(theta), np.zeros_like(theta)
    with np.errstate(all="ignore"):
        for k, gradient in enumerate(gradients):
            g = gradient + l2 * theta
            t = {"from 1": k + 1, "from 0": k, "always 1": 1}[count]
            m = beta1 * m + (1 - beta1) * g
            squared = g - m if centred else gradient if only_first else g
            s = beta2 * s + (1 - beta2) * squared**2
            m_hat = m / (1 - beta1**t) if first else m
            s_hat = s / (1 - beta2**t) if second else s
            if feed:
                m, s = m_hat, s_hat
            below = np.sqrt(s_hat + eps) if inside else np.sqrt(s_hat) + eps
            share = (lr if scaled_decay else 1) * decay
            if order == "before":
                theta = theta * (1 - share)
            theta = theta - lr * m_hat / below
            if order == "after":
                theta = theta * (1 - share)
            if order == "through":
                theta = theta - lr * decay * theta / below
    return theta


def _adamax(
    theta: Any,
    gradients: Any,
    lr: float,
    beta1: float,
    beta2: float,
    *,
    first: bool = True,
    second: bool = False,
    size: bool = True,
    root: bool = False,
) -> Any:
    """Return theta after Adamax; options are mistakes."""
    m, u = np.zeros_like(theta), np.zeros_like(theta)
    with np.errstate(all="ignore"):
        for t, g in enumerate(gradients, start=1):
            m = beta1 * m + (1 - beta1) * g
            u = np.maximum(beta2 * u, abs(g) if size else g)
            above = m / (1 - beta1**t) if first else m
            below = u / (1 - beta2**t) if second else u
            theta = theta - lr * above / (np.sqrt(below) if root else below)
    return theta


def _adam_all(
    thetas: Any, gradients: Any, lr: float, *, shared: bool = False, fast: bool = False
) -> tuple[Any, ...]:
    """Return all arrays after Adam; wrong with one memory, or with t counted per array."""
    memory = [[np.zeros_like(theta), np.zeros_like(theta)] for theta in thetas]
    thetas, t = list(thetas), 0
    for grads in gradients:
        t += not fast
        for k, g in enumerate(grads):
            t += fast
            m, s = memory[0 if shared else k]
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            memory[0 if shared else k] = [m, s]
            root = np.sqrt(s / (1 - 0.999**t)) + 1e-8
            thetas[k] = thetas[k] - lr * m / (1 - 0.9**t) / root
    return tuple(thetas)


def _after_zeros(n: int, beta1: float, beta2: float) -> float:
    t = n + 1
    return float((1 - beta1) / (1 - beta1**t) / ((1 - beta2) / (1 - beta2**t)) ** 0.5)


def _edges(h: Any, beta: float) -> tuple[Any, Any]:
    top = np.linalg.eigvalsh(h).max()
    return 2 * (1 + beta) / top, 2 * (1 + beta) / ((1 + 2 * beta) * top)


def _tuned(h: Any) -> tuple[Any, Any]:
    low, high = np.sqrt(np.linalg.eigvalsh(h)[[0, -1]])
    return (2 / (low + high)) ** 2, ((high - low) / (high + low)) ** 2


def _best_rate(
    grad: Callable[[Any], Any],
    theta: Any,
    rates: Any,
    beta: float,
    tol: float,
    limit: int,
    *,
    fresh: bool = True,
    go_on: bool = False,
    worst: bool = False,
    end: bool = False,
    lost_ends: bool = False,
    entry: bool = False,
) -> float:
    def size(g: Any) -> Any:
        return abs(g).max() if entry else np.linalg.norm(g)

    counts: list[float] = []
    v, p = np.zeros_like(theta), theta
    with np.errstate(all="ignore"):
        for lr in rates:
            v = np.zeros_like(theta) if fresh else v
            p = p if go_on else theta
            steps = 0
            while steps < limit and not size(grad(p)) < tol:
                if lost_ends and np.isnan(grad(p)).any():
                    break
                v = beta * v + grad(p)
                p, steps = p - lr * v, steps + 1
            counts.append(float(np.linalg.norm(grad(p))) if end else steps)
    return float(rates[int(np.argmax(counts) if worst else np.nanargmin(counts))])


_rates = [0.2, 0.1, 0.06, 0.045, 0.02, 0.01, 0.008]
_hessians = [(np.array([[3.0, 1.0], [1.0, 3.0]]),), (np.diag([1.0, 4.0, 25.0]),)]
_pair = [np.array([0.5, -0.3]), np.array([2.0, 1.0])]
_longer = [np.array([[1.0, 2.0]]), np.array([[-1.0, 0.2]]), np.array([[0.0, 0.4]])]

lab = Lab(
    average_momentum=Check(
        cases=_cases(0.9),
        right=lambda *case: _momentum(*case, new=1 - case[-1]),
        mistakes={
            "This is the heavy ball: in an average the new gradient has the share 1 - beta.": (
                _momentum
            ),
            "beta is the share of the old velocity, and 1 - beta that of the new gradient.": (
                lambda theta, gradients, lr, beta: _momentum(
                    theta, gradients, lr, 1 - beta, new=beta
                )
            ),
            "Update the velocity first, then take the step with it.": (
                lambda *case: _momentum(*case, new=1 - case[-1], late=True)
            ),
            "The velocity forgets everything at each step: keep it from one to the next.": (
                lambda theta, gradients, lr, beta: _momentum(
                    theta, gradients, lr, 0.0, new=1 - beta
                )
            ),
            "The first velocity is not the first gradient: it begins at zero.": (
                lambda *case: _momentum(*case, new=1 - case[-1], undamped=True)
            ),
            "Nothing is corrected here: v itself is the step, in units of lr.": (
                lambda *case: _momentum(*case, new=1 - case[-1], corrected=True)
            ),
            "It climbs: the step goes against the velocity.": (
                lambda theta, gradients, lr, beta: _momentum(
                    theta, gradients, -lr, beta, new=1 - beta
                )
            ),
        },
    ),
    nesterov=Check(
        cases=_cases(0.9),
        right=lambda *case: _momentum(*case, nesterov=True),
        mistakes={
            "This is the heavy ball: g + beta · v with the velocity before its update is that "
            "again. Use the new one.": _momentum,
            "The new gradient counts in full: no 1 - beta.": (
                lambda *case: _momentum(*case, nesterov=True, new=0.1)
            ),
        },
    ),
    adagrad=Check(
        cases=_cases(EPS),
        right=_scaled,
        mistakes={
            "eps is added after the root, not inside.": lambda *case: _scaled(*case, inside=True),
            "s is the sum of the squares, not their mean.": lambda *case: _scaled(*case, mean=True),
            "The root of s is missing.": lambda *case: _scaled(*case, root=False),
            "s is to hold squares of the gradients.": lambda *case: _scaled(*case, square=False),
            "Add the new square first, then take the step.": (
                lambda *case: _scaled(*case, before=True)
            ),
            "s begins at 0.": lambda *case: _scaled(*case, start=1.0),
            "One sum serves all coordinates: each needs its own.": (
                lambda *case: _scaled(*case, shared=True)
            ),
            "eps is missing.": (
                lambda theta, gradients, lr, eps: _scaled(theta, gradients, lr, 0.0)
            ),
        },
    ),
    rmsprop=Check(
        cases=_cases(EPS, 0.9),
        right=_scaled,
        mistakes={
            "eps is added after the root, not inside.": lambda *case: _scaled(*case, inside=True),
            "This is Adagrad: s must forget.": (
                lambda theta, gradients, lr, eps, alpha: _scaled(theta, gradients, lr, eps)
            ),
            "The new square has the share 1 - alpha.": lambda *case: _scaled(*case, new=1.0),
            "alpha is the share that is kept, and 1 - alpha belongs to the new square.": (
                lambda theta, gradients, lr, eps, alpha: _scaled(
                    theta, gradients, lr, eps, 1 - alpha
                )
            ),
            "The root of s is missing.": lambda *case: _scaled(*case, root=False),
            "s is to hold squares of the gradients.": lambda *case: _scaled(*case, square=False),
            "Update s first, then take the step.": lambda *case: _scaled(*case, before=True),
            "Nothing is corrected here: the root is that of s itself.": (
                lambda *case: _scaled(*case, corrected=True)
            ),
            "s begins at 0, not at the first square.": lambda *case: _scaled(*case, warm=True),
            "eps is missing.": (
                lambda theta, gradients, lr, eps, alpha: _scaled(theta, gradients, lr, 0.0, alpha)
            ),
        },
    ),
    adamax=Check(
        cases=_cases(0.9, 0.999),
        right=_adamax,
        mistakes={
            "This is Adam: u is no average, it takes the larger of two numbers.": (
                lambda theta, gradients, lr, beta1, beta2: _adam(
                    theta, gradients, lr, beta1, beta2, 0.0
                )
            ),
            "m begins at zero and is not corrected.": lambda *case: _adamax(*case, first=False),
            "u is a maximum, which needs no correction.": (
                lambda *case: _adamax(*case, second=True)
            ),
            "u must forget: the old one is multiplied by beta2.": (
                lambda theta, gradients, lr, beta1, beta2: _adamax(theta, gradients, lr, beta1, 1.0)
            ),
            "u takes the size of the gradient, without its sign.": (
                lambda *case: _adamax(*case, size=False)
            ),
            "u holds sizes, not squares: there is no root to take.": (
                lambda *case: _adamax(*case, root=True)
            ),
        },
    ),
    adamw=Check(
        cases=_cases(0.9, 0.999, EPS, 0.3),
        right=_adam,
        mistakes={
            "There is no decay.": lambda *case: _adam(*case[:-1]),
            "The decay goes through the averages: that is Adam with L2.": (
                lambda *case: _adam(*case[:-1], l2=case[-1])
            ),
            "The decay is divided by the root of s: it stands beside the gradient's step.": (
                lambda *case: _adam(*case, order="through")
            ),
            "Shrink first, then take the step: the order changes the result.": (
                lambda *case: _adam(*case, order="after")
            ),
            "The parameters shrink by the share lr · decay, not by decay.": (
                lambda *case: _adam(*case, scaled_decay=False)
            ),
            "eps is added after the root, not inside.": lambda *case: _adam(*case, inside=True),
            "t counts from 1: at t = 0 the correction divides by zero.": (
                lambda *case: _adam(*case, count="from 0")
            ),
            "Every step is corrected as if it were the first: t must count.": (
                lambda *case: _adam(*case, count="always 1")
            ),
            "The corrected average goes into the next step: correct a copy, go on with m and s.": (
                lambda *case: _adam(*case, feed=True)
            ),
            "Only s is corrected: m begins at zero too.": lambda *case: _adam(*case, first=False),
            "Only m is corrected: s begins at zero too.": lambda *case: _adam(*case, second=False),
            "Nothing is corrected: both averages begin at zero.": (
                lambda *case: _adam(*case, first=False, second=False)
            ),
            "s is the average of g squared, and not a variance: do not subtract m.": (
                lambda *case: _adam(*case, centred=True)
            ),
        },
    ),
    adam_l2=Check(
        cases=_cases(0.9, 0.999, EPS, 0.3),
        right=lambda *case: _adam(*case[:-1], l2=case[-1]),
        mistakes={
            "This is AdamW: here the decay is a part of the gradient.": _adam,
            "There is no decay.": lambda *case: _adam(*case[:-1]),
            "The gradient of half decay · theta² has no factor 2.": (
                lambda *case: _adam(*case[:-1], l2=2 * case[-1])
            ),
            "The decay goes into m alone: s too is an average of the whole gradient.": (
                lambda *case: _adam(*case[:-1], l2=case[-1], only_first=True)
            ),
            "The decay is divided by the root of s, and does not go into m and s: it must.": (
                lambda *case: _adam(*case, order="through")
            ),
        },
    ),
    adam_all=Check(
        cases=[
            (_pair, [[g, 5 * g] for g in _gradients(3, 2)], 0.1),
            (_longer, [[g, -g, 0.1 * g] for g in _gradients(40, 1, 2)], 0.02),
        ],
        right=_adam_all,
        mistakes={
            "All arrays share one m and one s: each needs its own.": (
                lambda *case: _adam_all(*case, shared=True)
            ),
            "t counts arrays: it must count steps.": lambda *case: _adam_all(*case, fast=True),
            "The arrays are returned as they came.": lambda thetas, *_: tuple(thetas),
        },
    ),
    half_step=Check(
        cases=[(1e-8,), (1e-3,)],
        right=lambda eps: eps,
        mistakes={
            "At the first step the corrected averages are g and g squared.": (
                lambda eps: 10 * eps / 0.001**0.5
            ),
            "eps is added after the root: no root is left to take of it.": lambda eps: eps**0.5,
            "That is where the step is a third of lr.": lambda eps: eps / 2,
            "That is where the step is two thirds of lr.": lambda eps: 2 * eps,
        },
    ),
    after_zeros=Check(
        cases=[(5000, 0.9, 0.999), (3, 0.9, 0.999), (1, 0.8, 0.99), (20, 0.5, 0.9)],
        right=_after_zeros,
        mistakes={
            "Neither average is corrected: it is step n + 1, and that many powers count.": (
                lambda n, beta1, beta2: (1 - beta1) / (1 - beta2) ** 0.5
            ),
            "The gradient comes at step n + 1, not n.": (
                lambda n, beta1, beta2: (
                    (1 - beta1) / (1 - beta1**n) / ((1 - beta2) / (1 - beta2**n)) ** 0.5
                )
            ),
            "The root is missing below.": (
                lambda n, beta1, beta2: (
                    (1 - beta1) / (1 - beta1 ** (n + 1)) * (1 - beta2 ** (n + 1)) / (1 - beta2)
                )
            ),
            "The step is not lr: the zeros have emptied both averages.": (
                lambda n, beta1, beta2: 1.0
            ),
        },
    ),
    edges=Check(
        parts=("heavy ball", "Nesterov"),
        cases=[(*case, beta) for case in _hessians for beta in (0.9, 0.5)],
        right=_edges,
        mistakes={
            "The curvatures are the eigenvalues of H, not its entries.": (
                lambda h, beta: tuple(
                    np.linalg.eigvalsh(h).max() / h.max() * edge for edge in _edges(h, beta)
                )
            ),
            "These are set by the flattest direction; the steepest one decides.": (
                lambda h, beta: tuple(
                    np.linalg.eigvalsh(h).max() / np.linalg.eigvalsh(h).min() * edge
                    for edge in _edges(h, beta)
                )
            ),
            "The two have changed places: the heavy ball comes first.": (
                lambda h, beta: _edges(h, beta)[::-1]
            ),
            "Nesterov's edge is not that of the heavy ball.": (
                lambda h, beta: (_edges(h, beta)[0],) * 2
            ),
            "These are the edges for a curvature of 1.": lambda h, beta: _edges(np.eye(2), beta),
        },
    ),
    tuned=Check(
        parts=("lr", "beta"),
        cases=_hessians,
        right=_tuned,
        mistakes={
            "The rate comes first, then beta.": lambda h: _tuned(h)[::-1],
            "beta is a square.": lambda h: (_tuned(h)[0], np.sqrt(_tuned(h)[1])),
            "The rate is a square.": lambda h: (np.sqrt(_tuned(h)[0]), _tuned(h)[1]),
            "The roots of the curvatures count, not the curvatures.": (
                lambda h: (_tuned(h @ h)[0], _tuned(h @ h)[1])
            ),
            "This is the best rate without momentum.": lambda h: (
                2 / np.linalg.eigvalsh(h)[[0, -1]].sum(),
                0.0,
            ),
        },
    ),
    best_rate=Check(
        cases=[
            (_steep, np.array([1.0, 1.0]), np.array(_rates), 0.8, 1e-3, 400),
            (_steep, np.array([-0.2, 2.0]), np.array([0.04, 0.1, 0.05, 0.001]), 0.8, 1e-2, 400),
            (_steep, np.array([-1.7, -0.2]), np.array([0.03, 0.04, 0.06, 0.12]), 0.8, 1e-2, 400),
            (_overflowing, np.array([1.0, 1.0]), np.array([0.001, 4.0]), 0.9, 1e-3, 3000),
        ],
        right=_best_rate,
        mistakes={
            "Every rate begins at the given point, not where the one before has ended.": (
                lambda *case: _best_rate(*case, go_on=True)
            ),
            "This is the rate that needs the most steps.": (
                lambda *case: _best_rate(*case, worst=True)
            ),
            "Compare the numbers of steps, not what is left of the gradient at the end.": (
                lambda *case: _best_rate(*case, end=True)
            ),
            "A comparison with nan is never true: a run that diverged has not arrived, and counts "
            "as limit steps.": lambda *case: _best_rate(*case, lost_ends=True),
            "The length of the gradient is the root of the sum of its squares, not its largest "
            "entry.": lambda *case: _best_rate(*case, entry=True),
            "Each rate begins with a velocity of zero, not with that of the rate before.": (
                lambda *case: _best_rate(*case, fresh=False)
            ),
            "Return the rate, not its place among the rates.": (
                lambda grad, theta, rates, *rest: float(
                    np.flatnonzero(rates == _best_rate(grad, theta, rates, *rest))[0]
                )
            ),
            "The largest rate is not the fastest.": (
                lambda grad, theta, rates, *rest: float(max(rates))
            ),
        },
    ),
)
