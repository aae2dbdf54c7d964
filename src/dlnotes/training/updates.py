"""What an update is: backward, the caller's hook, clipping, and the optimizer's step."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from dlnotes.training.arguments import check_lr


class Update:
    """One step of `optimizer` a call; `count` is how many were made.

    `lr` is the rate that the last one used, in the first parameter group.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        scheduler: Any = None,
        interval: str = "epoch",
        *,
        scaler: Any = None,
        clip_norm: float | None = None,
        after_backward: Callable[[nn.Module, int], None] | None = None,
        count: int = 0,
    ) -> None:
        self.model, self.optimizer, self.scaler = model, optimizer, scaler
        self.scheduler, self.interval = scheduler, interval
        self.clip_norm, self.after_backward, self.count = clip_norm, after_backward, count
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.step = bare_step(optimizer)
        self.lr: float | Tensor = optimizer.param_groups[0]["lr"]

    def __call__(self, loss: Tensor, weight: float = 1.0) -> list[Tensor]:
        """Go one step down the gradient of `loss`; return the gradient's norm in pieces."""
        if weight != 1:  # the gradient is averaged over processes
            loss = loss * weight
        for p in self.parameters:  # as zero_grad() does, without its label for profilers
            p.grad = None
        if self.scaler is None:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.optimizer)
        if self.after_backward is not None:
            self.after_backward(self.model, self.count)
        norms = self._norms()
        if self.scaler is None:
            self.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.count += 1
        lr = self.optimizer.param_groups[0]["lr"]
        self.lr = lr.clone() if isinstance(lr, Tensor) else lr  # a scheduler fills the tensor
        if self.interval == "batch" and self.scheduler is not None:
            self.scheduler.step()
            check_lr(self.optimizer, wait=False)
        return norms

    def end_epoch(self, monitored: float) -> None:
        """Let a scheduler that counts epochs make its step, and look at the rates."""
        if self.interval == "epoch" and self.scheduler is not None:
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step(monitored)
            else:
                self.scheduler.step()
        check_lr(self.optimizer)

    def _norms(self) -> list[Tensor]:
        """Return the norm of each gradient, or one number where it is clipped.

        Putting the pieces together on the host, once an epoch, is the cheapest public way:
        4 % of W4, against 11 % for one number a batch and 25 % for ``get_total_norm``.
        """
        if self.clip_norm is not None:
            return [nn.utils.clip_grad_norm_(self.parameters, self.clip_norm).detach()]
        return [vector_norm(g) for p in self.parameters if (g := p.grad) is not None]


def bare_step(optimizer: Optimizer) -> Callable[[], Any]:
    """Return ``optimizer.step`` without torch's wrapper, where that has nothing to do.

    The wrapper labels the step for profilers and runs its hooks: 25 microseconds, a tenth of W2.
    A step that a scheduler or anyone else has wrapped once more is taken as it is, and so
    is every step while there are hooks, of this optimizer or of all.
    """
    outer: Any = type(optimizer).step
    torchs = Optimizer.profile_hook_step(outer).__code__
    if "step" in vars(optimizer) or getattr(outer, "__code__", None) is not torchs:
        return optimizer.step
    inner = outer.__wrapped__
    handles = [
        register(lambda *_: None)
        for register in (
            *(optimizer.register_step_pre_hook, optimizer.register_step_post_hook),
            *(register_optimizer_step_pre_hook, register_optimizer_step_post_hook),
        )
    ]
    hooks = [handle.hooks_dict_ref() for handle in handles]
    for handle in handles:
        handle.remove()
    return lambda: optimizer.step() if any(hooks) else inner(optimizer)
