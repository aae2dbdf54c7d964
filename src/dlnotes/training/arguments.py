"""What is wrong with the arguments of a run, said so that it can be put right.

Asked before anything is trained.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from dlnotes.training.losses import Loss, name_of


def check_model(model: nn.Module) -> None:
    """Refuse a model without parameters, or one whose values are not there or scattered."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, not {type(model).__name__}")
    devices = {p.device for p in model.parameters()}
    if torch.device("meta") in devices:
        raise ValueError(
            "the model is on the meta device and has no values: build it on a real device, or "
            "call model.to_empty(device=...) and initialise it"
        )
    if len(devices) > 1:
        raise ValueError(
            f"the model's parameters are on several devices ({sorted(map(str, devices))}): "
            "move it to one with model.to(device)"
        )


def check_loss(loss: Loss) -> None:
    """Refuse a loss that is not a function or does not average."""
    if isinstance(loss, type) or not callable(loss):
        example = f"{loss.__name__}()" if isinstance(loss, type) else "nn.MSELoss()"
        raise TypeError(f"loss must be a function of (output, target): pass e.g. {example}")
    reduction = getattr(loss, "reduction", "mean")
    if reduction not in ("mean", "batchmean"):
        raise ValueError(
            f"{name_of(loss)} has reduction={reduction!r}, but a mean over the batch is needed: "
            "use reduction='mean'"
        )


def check_optimizer(model: nn.Module, optimizer: Optimizer) -> None:
    """Refuse an optimizer that would leave part of the model untrained, or climb."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer must be a torch.optim.Optimizer, not {type(optimizer).__name__}: "
            "pass e.g. torch.optim.Adam(model.parameters(), lr=1e-3)"
        )
    if isinstance(optimizer, torch.optim.LBFGS):
        raise TypeError(
            "LBFGS evaluates the loss several times a step and needs a closure, which fit does "
            "not give it: use another optimizer or a loop of your own"
        )
    names = {id(p): name for name, p in model.named_parameters()}
    if not names:
        raise ValueError("the model has no parameters: there is nothing to train")
    trainable = {id(p) for p in model.parameters() if p.requires_grad}
    if not trainable:
        raise ValueError("every parameter of the model has requires_grad=False: nothing to train")
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not held & names.keys():
        raise ValueError(
            "the optimizer holds none of the model's parameters: make it from this model, e.g. "
            "torch.optim.Adam(model.parameters()), after the model is built"
        )
    if missing := [names[i] for i in names if i in trainable - held]:
        raise ValueError(
            f"the optimizer does not hold {missing}, which would stay as they are: add them to "
            "it, or set requires_grad=False on them to freeze them"
        )
    if held - names.keys():
        raise ValueError(
            f"the optimizer holds {len(held - names.keys())} tensor(s) that are not parameters of "
            "the model: make it from this model's parameters only"
        )
    check_lr(optimizer)


def check_lr(optimizer: Optimizer, *, wait: bool = True) -> None:
    """Refuse a learning rate that is negative or not a number.

    Without `wait`, rates that are tensors are left aside: reading one waits for its device.
    """
    for k, group in enumerate(optimizer.param_groups):
        if isinstance(group["lr"], Tensor) and not wait:
            continue
        if not 0 <= float(group["lr"]) < math.inf:
            raise ValueError(
                f"parameter group {k} has lr={float(group['lr'])}: a learning rate must be finite "
                "and not negative; correct the optimizer or the scheduler"
            )


def check_scheduler(scheduler: Any, interval: str, optimizer: Optimizer) -> None:
    """Refuse a scheduler of another optimizer, or an interval that it cannot have."""
    if interval not in ("epoch", "batch"):
        raise ValueError(f"scheduler_interval must be 'epoch' or 'batch', got {interval!r}")
    if scheduler is None:
        return
    if not callable(getattr(scheduler, "step", None)):
        raise TypeError(
            f"scheduler must come from torch.optim.lr_scheduler, not {type(scheduler).__name__}"
        )
    if getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError("the scheduler drives another optimizer: make it from the one passed here")
    if isinstance(scheduler, ReduceLROnPlateau) and interval == "batch":
        raise ValueError("ReduceLROnPlateau reads the epoch's loss: use scheduler_interval='epoch'")


def check_one_cycle(scheduler: Any, interval: str, epochs: int, batches: int | None) -> None:
    """Refuse a one-cycle policy whose length is in the other unit."""
    if batches is None or not isinstance(scheduler, OneCycleLR):
        return
    steps = epochs if interval == "epoch" else epochs * batches
    other = epochs * batches if interval == "epoch" else epochs
    total = scheduler.total_steps
    if total == other != steps or total < steps:
        raise ValueError(
            f"OneCycleLR was made for {total} steps, but with scheduler_interval={interval!r} it "
            f"makes {steps}: {epochs} epochs of {batches} batches need total_steps={steps}, or "
            f"scheduler_interval={'batch' if interval == 'epoch' else 'epoch'!r}"
        )


def check_counts(**counts: int | None) -> None:
    """Refuse what is no positive integer; None stands for an argument that was left out."""
    for name, value in counts.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")


def check_clip(clip_norm: float | None) -> None:
    """Refuse a largest norm that is not positive."""
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(f"clip_norm must be positive, got {clip_norm}: leave it out not to clip")
