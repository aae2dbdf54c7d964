"""Networks of several runs as one: the batched computation under a sweep.

Nothing here knows about grids, epochs or update rules.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from dlnotes.training.losses import Loss, family_of

PASSED = 4096  # samples, over all runs, that go through the networks at once in validation


class Stack:
    """The networks of some runs as one, their parameters stacked along a leading axis."""

    def __init__(self, networks: list[nn.Module]) -> None:
        self.base, self.runs = networks[0], len(networks)
        stacked, self.buffers = stack_module_state(networks)
        values = {name: value.detach() for name, value in stacked.items()}
        frozen = {name for name, p in self.base.named_parameters() if not p.requires_grad}
        self.params = {k: v.requires_grad_() for k, v in values.items() if k not in frozen}
        self.buffers |= {k: v for k, v in values.items() if k in frozen}

        def output_of(params: Any, buffers: Any, x: Tensor) -> Any:
            return functional_call(self.base, (params, buffers), (x,))

        self._own = vmap(output_of, randomness="different")
        self._same = vmap(output_of, in_dims=(0, 0, None), randomness="different")

    def outputs(self, x: Tensor) -> Any:
        """Return the outputs for samples of each run's own, ``(runs, samples, ...)``."""
        return self._own(self.params, self.buffers, x)

    def outputs_for_all(self, x: Tensor) -> Tensor:
        """Return the outputs of every run for the same samples, a part of them at a time."""
        parts = torch.split(x, max(1, PASSED // self.runs))
        return torch.cat([self._same(self.params, self.buffers, part) for part in parts], dim=1)

    def gradients(self, losses: Tensor) -> dict[str, Tensor]:
        """Return the gradient of each run's loss.

        The runs are independent, so the gradient of the sum holds each run's own. One
        backward pass after vmap takes a third of the time of torch.func.grad within it.
        """
        found = torch.autograd.grad(losses, list(self.params.values()), torch.ones_like(losses))
        return dict(zip(self.params, found, strict=True))


def losses_per_run(loss: Loss, targets: list[Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return `loss` of all runs: outputs ``(runs, samples, ...)`` and targets to ``(runs,)``.

    Where it weighs all `targets` alike, all runs go through one call and are averaged
    after, which takes a tenth off a sweep of 30 runs. Otherwise ``vmap`` batches it.
    """
    if not all(_weighs_alike(loss, y) for y in targets):
        return vmap(loss, randomness="different")
    each: Any = copy.copy(loss)
    each.reduction = "none"
    of_classes = isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss)

    def losses(output: Any, y: Tensor) -> Tensor:
        if of_classes:  # belong in axis 1; the softmax is also seven times faster there
            if output.requires_grad:  # a layer's backward pass is not, with gradients like that
                output.register_hook(Tensor.contiguous)
            output = output.movedim(2, 1)
            y = y.movedim(2, 1) if y.is_floating_point() else y  # probabilities of the classes
        values: Tensor = each(output, y)
        return values.reshape(len(output), -1).mean(1)

    return losses


def _weighs_alike(loss: Loss, targets: Tensor) -> bool:
    """Tell whether `loss`, one of torch's modules, is the plain mean over samples of `targets`.

    Class weights and labels to ignore make it another mean.
    """
    plain = isinstance(loss, nn.Module) and getattr(loss, "weight", None) is None
    ignored = getattr(loss, "ignore_index", None)
    return bool(family_of(loss)) and plain and (ignored is None or not (targets == ignored).any())
