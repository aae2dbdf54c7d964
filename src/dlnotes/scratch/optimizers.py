"""Update rules as pure functions: no objects that change, no hidden state.

An optimizer is a pair of functions. ``init(params)`` returns the state before the
first step; ``update(grads, state, params, lr)`` returns the new parameters and the
new state and leaves its arguments alone. (`gd` and `momentum` may overwrite tensors in
`state` and `params` if the caller gives them up with ``donate=True``.) The numbers are
those of ``torch.optim``; where the literature writes a rule differently, the docstring
says how.

Parameters are one array or a dict, list or tuple of arrays (NumPy or torch, any
shape). ``lr`` is a float, or an array whose axes are the *leading* axes of every
parameter: with ``lr`` of shape ``(runs,)`` and parameters of shape ``(runs, ...)``
one call advances all runs, each with its own learning rate.

Nothing here computes gradients or knows about models.
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
    update: Callable[..., tuple[Tree, Tree]]


def tree_map(f: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply `f` to corresponding arrays of trees that have the same structure.

    Examples
    --------
    >>> tree_map(lambda a, b: a + b, {"w": 1, "b": 2}, {"w": 10, "b": 20})
    {'w': 11, 'b': 22}
    """
    if isinstance(tree, dict):
        return {k: tree_map(f, tree[k], *(r[k] for r in rest)) for k in tree}
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(f, *leaves) for leaves in zip(tree, *rest, strict=True))
    return f(tree, *rest)


def _zeros(params: Tree) -> Tree:
    return tree_map(
        lambda p: torch.zeros_like(p) if isinstance(p, torch.Tensor) else np.zeros_like(p, float),
        params,
    )


def _fit(lr: Any, p: Array) -> Any:
    """Give `lr` trailing axes of length 1, so that its axes meet the leading ones of `p`."""
    lead = getattr(lr, "ndim", 0)
    return lr if lead == 0 else lr.reshape(lr.shape + (1,) * (np.ndim(p) - lead))


def _plus(a: Array, scale: Any, b: Array, into: Array | None = None) -> Array:
    """Return ``a + scale * b``: for tensors in one pass over memory, and `into` one if given.

    Both together take a sixth off a sweep of 30 runs.
    """
    if not isinstance(a, torch.Tensor):
        return a + scale * b
    if isinstance(scale, torch.Tensor):
        return torch.addcmul(a, scale, b, out=into)
    return torch.add(a, b, alpha=scale, out=into)


def _descend(params: Tree, lr: Any, step: Tree, donate: bool) -> Tree:
    return tree_map(lambda p, d: _plus(p, -_fit(lr, p), d, p if donate else None), params, step)


def _check_fraction(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value}")


def _check_not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} must not be negative, got {value}")


def gd() -> Optimizer:
    r"""Gradient descent: :math:`\theta \leftarrow \theta - \eta\, g`.

    Examples
    --------
    >>> rule, theta = gd(), np.array([1.0])
    >>> rule.update(np.array([2.0]), rule.init(theta), theta, 0.1)[0].tolist()
    [0.8]
    """

    def init(params: Tree) -> Tree:
        return ()

    def update(
        grads: Tree, state: Tree, params: Tree, lr: Any, donate: bool = False
    ) -> tuple[Tree, Tree]:
        return _descend(params, lr, grads, donate), state

    return Optimizer(init, update)


def momentum(beta: float = 0.9, *, nesterov: bool = False) -> Optimizer:
    r"""Gradient descent with heavy-ball or Nesterov momentum.

    .. math:: v \leftarrow \beta v + g, \qquad \theta \leftarrow \theta - \eta\, d

    with :math:`d = v` (heavy ball) or :math:`d = g + \beta v` (Nesterov).

    This is the convention of ``torch.optim.SGD`` with ``dampening=0``. Polyak (1964)
    and Sutskever et al. (2013) put the learning rate inside the velocity, which is
    the same for a constant rate and differs when the rate changes. Texts that write
    an average, :math:`v \leftarrow \beta v + (1-\beta) g`, take steps that are
    :math:`1-\beta` times as long. Source:
    `torch.optim.SGD <https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html>`_.

    Parameters
    ----------
    beta : float
        Share of the velocity that is kept, in [0, 1).
    nesterov : bool
        Look ahead along the velocity before stepping.

    Raises
    ------
    ValueError
        If `beta` is outside its range.

    Examples
    --------
    >>> rule = momentum(0.5)
    >>> theta = np.array([1.0])
    >>> state = rule.init(theta)
    >>> for _ in range(2):
    ...     theta, state = rule.update(np.array([1.0]), state, theta, 0.1)
    >>> round(float(theta[0]), 6)
    0.75
    """
    _check_fraction(beta=beta)

    def init(params: Tree) -> Tree:
        return _zeros(params)

    def update(
        grads: Tree, state: Tree, params: Tree, lr: Any, donate: bool = False
    ) -> tuple[Tree, Tree]:
        velocity = tree_map(lambda g, v: _plus(g, beta, v, v if donate else None), grads, state)
        step = tree_map(lambda g, v: _plus(g, beta, v), grads, velocity) if nesterov else velocity
        return _descend(params, lr, step, donate), velocity

    return Optimizer(init, update)


def nesterov(beta: float = 0.9) -> Optimizer:
    """Return `momentum` with ``nesterov=True``.

    Examples
    --------
    >>> rule = nesterov(0.5)
    >>> theta, _ = rule.update(np.array([1.0]), rule.init(np.array([1.0])), np.array([1.0]), 0.1)
    >>> round(float(theta[0]), 6)
    0.85
    """
    return momentum(beta, nesterov=True)


def rmsprop(alpha: float = 0.99, eps: float = 1e-8) -> Optimizer:
    r"""RMSprop: divide by a running root mean square of the gradient.

    .. math:: s \leftarrow \alpha s + (1-\alpha) g^2, \qquad
              \theta \leftarrow \theta - \eta\, g / (\sqrt{s} + \epsilon)

    As in ``torch.optim.RMSprop``, ``eps`` is added after the root; TensorFlow's adds
    it inside. Source: T. Tieleman and G. Hinton, lecture 6.5 (2012);
    `torch.optim.RMSprop <https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html>`_.

    Parameters
    ----------
    alpha : float
        Share of the running mean that is kept, in [0, 1).
    eps : float
        Added to the root, not negative.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> rule = rmsprop(alpha=0.75)
    >>> theta, _ = rule.update(np.array([4.0]), rule.init(np.array([1.0])), np.array([1.0]), 0.1)
    >>> round(float(theta[0]), 6)
    0.8
    """
    _check_fraction(alpha=alpha)
    _check_not_negative(eps=eps)

    def init(params: Tree) -> Tree:
        return _zeros(params)

    def update(grads: Tree, state: Tree, params: Tree, lr: Any) -> tuple[Tree, Tree]:
        square = tree_map(lambda s, g: alpha * s + (1 - alpha) * g * g, state, grads)
        new = tree_map(lambda p, g, s: p - _fit(lr, p) * g / (s**0.5 + eps), params, grads, square)
        return new, square

    return Optimizer(init, update)


def adam(betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> Optimizer:
    r"""Adam: momentum and RMSprop with the bias of their start corrected.

    .. math::
        m \leftarrow \beta_1 m + (1-\beta_1) g, \quad
        s \leftarrow \beta_2 s + (1-\beta_2) g^2, \quad
        \theta \leftarrow \theta - \eta\,
        \frac{m/(1-\beta_1^t)}{\sqrt{s/(1-\beta_2^t)} + \epsilon}

    for step t = 1, 2, … Source: Kingma and Ba,
    `Adam: a method for stochastic optimization <https://arxiv.org/abs/1412.6980>`_ (2015),
    algorithm 1, which is what ``torch.optim.Adam`` computes. The "epsilon hat" form
    of the paper's section 2 adds ``eps`` before the correction and differs.

    Parameters
    ----------
    betas : (float, float)
        Shares kept of the running means of g and g², each in [0, 1).
    eps : float
        Added to the corrected root, not negative.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    The first step has length ``lr`` whatever the size of the gradient.

    >>> rule = adam()
    >>> theta, _ = rule.update(np.array([1e-3]), rule.init(np.array([1.0])), np.array([1.0]), 0.1)
    >>> round(float(theta[0]), 4)
    0.9
    """
    return adamw(betas, eps, weight_decay=0.0)


def adamw(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2
) -> Optimizer:
    r"""Adam with decoupled weight decay.

    Before Adam's step the parameters shrink: :math:`\theta \leftarrow (1 - \eta\lambda)\,\theta`.
    Source: Loshchilov and Hutter,
    `Decoupled weight decay regularization <https://arxiv.org/abs/1711.05101>`_ (2019), in the form
    of ``torch.optim.AdamW``, where the decay is multiplied by the learning rate; the
    paper multiplies it by the schedule's factor only.

    Parameters
    ----------
    betas : (float, float)
        Shares kept of the running means of g and g², each in [0, 1).
    eps : float
        Added to the corrected root, not negative.
    weight_decay : float
        The factor λ, not negative.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> rule = adamw(weight_decay=0.5)
    >>> theta, _ = rule.update(np.array([0.0]), rule.init(np.array([1.0])), np.array([1.0]), 0.1)
    >>> round(float(theta[0]), 6)
    0.95
    """
    beta1, beta2 = betas
    _check_fraction(beta1=beta1, beta2=beta2)
    _check_not_negative(eps=eps, weight_decay=weight_decay)

    def init(params: Tree) -> Tree:
        return {"t": 0, "mean": _zeros(params), "square": _zeros(params)}

    def update(grads: Tree, state: Tree, params: Tree, lr: Any) -> tuple[Tree, Tree]:
        t = state["t"] + 1
        mean = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["mean"], grads)
        square = tree_map(lambda s, g: beta2 * s + (1 - beta2) * g * g, state["square"], grads)

        def step(p: Array, m: Array, s: Array) -> Array:
            rate = _fit(lr, p)
            direction = (m / (1 - beta1**t)) / ((s / (1 - beta2**t)) ** 0.5 + eps)
            return p * (1 - rate * weight_decay) - rate * direction

        return tree_map(step, params, mean, square), {"t": t, "mean": mean, "square": square}

    return Optimizer(init, update)


def descend(
    grad: Callable[[Array], Array], start: Array, optimizer: Optimizer, lr: Any, steps: int
) -> Array:
    """Follow `optimizer` from `start` and return every point that it visits.

    Parameters
    ----------
    grad : callable
        Maps parameters of any shape to gradients of the same shape.
    start : array
        Where to begin; not changed.
    optimizer : Optimizer
        For example ``momentum(0.9)``.
    lr : float or array
        See the top of this module.
    steps : int
        Number of updates.

    Returns
    -------
    array
        Shape ``(steps + 1, *start.shape)``, the start first. Once a run has diverged
        its entries are inf or nan.

    Examples
    --------
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
