"""Rules of `scratch.optimizers` that overwrite their arguments: for `sweep` and no one else.

The stacked weights of many runs do not fit into the fastest cache, so that every pass over
them counts. A sweep holds its parameters and its state alone and may give them up.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlnotes.scratch import optimizers
from dlnotes.scratch.optimizers import Optimizer

Tensors = dict[str, Tensor]


def in_place(rule: Callable[..., Optimizer], **settings: Any) -> Optimizer:
    """Return ``rule(**settings)``, in a form that overwrites parameters and state if there is one.

    Examples
    --------
    >>> params = {"w": torch.ones(2, 3)}
    >>> update = in_place(optimizers.gd).update
    >>> new, _ = update({"w": torch.ones(2, 3)}, (), params, torch.tensor([0.1, 1.0]))
    >>> new is params, params["w"][:, 0].tolist()
    (True, [0.8999999761581421, 0.0])
    """
    pure = rule(**settings)  # refuses settings out of range
    return FORMS[rule](**settings) if rule in FORMS else pure


def _zeros(params: Tensors) -> Tensors:
    return {name: torch.zeros_like(p) for name, p in params.items()}


def _trailing(lr: Tensor, p: Tensor) -> Tensor:
    return lr.reshape(lr.shape + (1,) * (p.ndim - lr.ndim))


def _gd() -> Optimizer:
    def update(grads: Tensors, state: Any, params: Tensors, lr: Tensor) -> tuple[Tensors, Any]:
        for name, p in params.items():
            p.addcmul_(grads[name], -_trailing(lr, p))
        return params, state

    return Optimizer(lambda params: (), update)


def _momentum(beta: float = 0.9, *, nesterov: bool = False) -> Optimizer:
    def update(grads: Tensors, state: Tensors, params: Tensors, lr: Tensor) -> tuple[Any, Any]:
        for name, p in params.items():
            g, v = grads[name], state[name]
            torch.add(g, v, alpha=beta, out=v)
            direction = torch.add(g, v, alpha=beta) if nesterov else v
            p.addcmul_(direction, -_trailing(lr, p))
        return params, state

    return Optimizer(_zeros, update)


def _adamw(
    betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2
) -> Optimizer:
    beta1, beta2 = betas

    def init(params: Tensors) -> Any:
        return 0, _zeros(params), _zeros(params)

    def update(grads: Tensors, state: Any, params: Tensors, lr: Tensor) -> tuple[Tensors, Any]:
        t, means, squares = state
        t += 1
        for name, p in params.items():
            g, m, s, rate = grads[name], means[name], squares[name], _trailing(lr, p)
            m.lerp_(g, 1 - beta1)
            s.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            root = (s / (1 - beta2**t)).sqrt_().add_(eps)
            if weight_decay:
                p.mul_(1 - rate * weight_decay)
            p.addcmul_(torch.div(m, root, out=root), rate / (beta1**t - 1))
        return params, (t, means, squares)

    return Optimizer(init, update)


FORMS: dict[Callable[..., Optimizer], Callable[..., Optimizer]] = {
    optimizers.gd: _gd,
    optimizers.momentum: _momentum,
    optimizers.nesterov: lambda beta=0.9: _momentum(beta, nesterov=True),
    optimizers.adam: lambda betas=(0.9, 0.999), eps=1e-8: _adamw(betas, eps, 0.0),
    optimizers.adamw: _adamw,
}
