"""Update rules as pure functions: no objects that change, no hidden state.

An optimizer is a pair of functions: ``init(params) -> state`` gives the state before the
first step, and ``update(grads, state, params, lr) -> (params, state)`` makes one step and
leaves its arguments alone. The numbers are those of ``torch.optim``; where the literature
writes a rule differently, its docstring says how.

Parameters are one array or a dict, list or tuple of arrays (NumPy or torch, any shape).
``lr`` is a float, or an array whose axes are the *leading* axes of every parameter: with
``lr`` of shape ``(runs,)`` and parameters of shape ``(runs, ...)`` one call advances all
runs, each with its own learning rate. In the formulas g is the gradient, θ a parameter,
η is ``lr``, and t counts steps from 1.

>>> rule, params = momentum(0.5), {"w": np.array([1.0])}
>>> state = rule.init(params)
>>> for _ in range(2):
...     params, state = rule.update({"w": np.array([2.0])}, state, params, 0.1)
>>> round(float(params["w"][0]), 6)  # 1 - 0.1 * 2 - 0.1 * (2 + 0.5 * 2)
0.5
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

Array = Any  # a numpy.ndarray or a torch.Tensor
Tree = Any  # an Array, or a dict, list or tuple of them


class Optimizer(NamedTuple):
    """An update rule: ``init(params)`` and ``update(grads, state, params, lr)``."""

    init: Callable[[Tree], Tree]
    update: Callable[[Tree, Tree, Tree, Any], tuple[Tree, Tree]]


def gd() -> Optimizer:
    """Gradient descent, ``torch.optim.SGD`` without options."""

    def step(t: int, lr: Any, p: Array, g: Array) -> tuple[Array, ...]:
        return (p - lr * g,)

    return _rule(step)


def momentum(beta: float = 0.9, *, nesterov: bool = False) -> Optimizer:
    r"""Keep the share `beta`, in [0, 1), of a velocity; Nesterov's form looks ahead along it.

    .. math:: v \leftarrow \beta v + g, \qquad \theta \leftarrow \theta - \eta v

    As in `torch.optim.SGD <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>`_;
    Polyak (1964) has the learning rate inside v, which differs only when it changes, and
    with averages, (1 - beta) g in place of g, steps are 1 - beta times as long.
    """
    _check_fraction(beta=beta)

    def step(t: int, lr: Any, p: Array, g: Array, v: Array) -> tuple[Array, ...]:
        v = beta * v + g
        direction = g + beta * v if nesterov else v
        return p - lr * direction, v

    return _rule(step, 0.0)


def nesterov(beta: float = 0.9) -> Optimizer:
    """Return `momentum` with ``nesterov=True``."""
    return momentum(beta, nesterov=True)


def adagrad(eps: float = 1e-10, initial: float = 0.0) -> Optimizer:
    r"""Divide by the root of the sum of all squared gradients so far, which begins at `initial`.

    .. math:: s \leftarrow s + g^2, \qquad
              \theta \leftarrow \theta - \eta g / (\sqrt s + \varepsilon)

    Source: `Duchi, Hazan and Singer (2011) <https://jmlr.org/papers/v12/duchi11a.html>`_.
    """
    _check_not_negative(eps=eps, initial=initial)

    def step(t: int, lr: Any, p: Array, g: Array, s: Array) -> tuple[Array, ...]:
        s = s + g * g
        return p - lr * g / (s**0.5 + eps), s

    return _rule(step, initial)


def rmsprop(alpha: float = 0.99, eps: float = 1e-8) -> Optimizer:
    r"""Divide by a running root mean square, of which the share `alpha`, in [0, 1), is kept.

    .. math:: s \leftarrow \alpha s + (1 - \alpha) g^2, \qquad
              \theta \leftarrow \theta - \eta g / (\sqrt s + \varepsilon)

    Source: Tieleman and Hinton, lecture 6.5 (2012). As in torch, `eps` is added after the
    root; TensorFlow adds it inside.
    """
    _check_fraction(alpha=alpha)
    _check_not_negative(eps=eps)

    def step(t: int, lr: Any, p: Array, g: Array, s: Array) -> tuple[Array, ...]:
        s = alpha * s + (1 - alpha) * g * g
        return p - lr * g / (s**0.5 + eps), s

    return _rule(step, 0.0)


def adam(betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> Optimizer:
    r"""Momentum and RMSprop as running means, the bias of their start at zero corrected.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
              s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
              \theta \leftarrow \theta - \eta \frac{m / (1 - \beta_1^t)}
              {\sqrt{s / (1 - \beta_2^t)} + \varepsilon}

    Algorithm 1 of `Kingma and Ba (2015) <https://arxiv.org/abs/1412.6980>`_. The "epsilon
    hat" form of its section 2 adds `eps` before the correction and differs.
    """
    return adamw(betas, eps, weight_decay=0.0)


def adamw(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2
) -> Optimizer:
    """Adam, whose parameters also shrink by the share ``lr * weight_decay`` a step.

    Source: `Loshchilov and Hutter (2019) <https://arxiv.org/abs/1711.05101>`_, in torch's
    form; the paper multiplies the decay by the schedule's factor only.
    """
    beta1, beta2 = betas
    _check_fraction(beta1=beta1, beta2=beta2)
    _check_not_negative(eps=eps, weight_decay=weight_decay)

    def step(t: int, lr: Any, p: Array, g: Array, m: Array, s: Array) -> tuple[Array, ...]:
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g * g
        direction = (m / (1 - beta1**t)) / ((s / (1 - beta2**t)) ** 0.5 + eps)
        return p * (1 - lr * weight_decay) - lr * direction, m, s

    return _rule(step, 0.0, 0.0)


def descend(
    grad: Callable[[Array], Array], start: Array, optimizer: Optimizer, lr: Any, steps: int
) -> Array:
    """Follow `optimizer` from `start`; return its points, ``(steps + 1, *start.shape)``.

    `grad` maps parameters of any shape to gradients of the same shape. Once a run has
    diverged its entries are inf or nan.

    >>> descend(lambda x: 2 * x, np.array([1.0]), gd(), lr=0.25, steps=2)[:, 0].tolist()
    [1.0, 0.5, 0.25]
    """
    params: Array = start if isinstance(start, torch.Tensor) else np.asarray(start, dtype=float)
    state, path = optimizer.init(params), [params]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            params, state = optimizer.update(grad(params), state, params, lr)
            path.append(params)
    return torch.stack(path) if isinstance(start, torch.Tensor) else np.stack(path)


def tree_map(f: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply `f` to corresponding arrays of trees that have the same structure.

    >>> tree_map(lambda a, b: a + b, {"w": 1, "b": 2}, {"w": 10, "b": 20})
    {'w': 11, 'b': 22}
    """
    if isinstance(tree, dict):
        return {k: tree_map(f, tree[k], *(r[k] for r in rest)) for k in tree}
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(f, *leaves) for leaves in zip(tree, *rest, strict=True))
    return f(tree, *rest)


def _rule(step: Callable[..., tuple[Array, ...]], *starts: float) -> Optimizer:
    """Make an optimizer of ``step(t, lr, p, g, *memory)`` for one array; t counts from 1.

    A step returns the new p and memory; each part of the memory begins at one of `starts`.
    """

    def init(params: Tree) -> Tree:
        return 0, *(tree_map(lambda p, value=value: _full(p, value), params) for value in starts)

    def update(grads: Tree, state: Tree, params: Tree, lr: Any) -> tuple[Tree, Tree]:
        t, *memory = state
        new = tree_map(lambda p, *rest: step(t + 1, _lead(lr, p), p, *rest), params, grads, *memory)
        params, *memory = (
            tree_map(lambda _, values, k=k: values[k], params, new) for k in range(1 + len(starts))
        )
        return params, (t + 1, *memory)

    return Optimizer(init, update)


def _full(p: Array, value: float) -> Array:
    if isinstance(p, torch.Tensor):
        return torch.full_like(p, value)
    return np.full_like(p, value, dtype=float)


def _lead(lr: Any, p: Array) -> Any:
    """Give `lr` trailing axes of length 1, so that its axes meet the leading ones of `p`."""
    lead = getattr(lr, "ndim", 0)
    return lr if lead == 0 else lr.reshape(lr.shape + (1,) * (np.ndim(p) - lead))


def _check_fraction(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value}")


def _check_not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must not be negative, got {value}")
