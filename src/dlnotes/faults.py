"""What is wrong with a model, a loss or a batch, said so that it can be put right.

`training` asks before the first step and when torch raises. The checks of outputs and
targets hold for torch's own losses; a loss of your own (a lambda will do) is taken as
it is, which is also the way to do one of these things on purpose.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  torch's own name for it
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

Loss = Callable[[Tensor, Tensor], Tensor]

_FAMILIES: dict[str, tuple[Any, ...]] = {
    "cross-entropy": (nn.CrossEntropyLoss, F.cross_entropy),
    "nll": (nn.NLLLoss, F.nll_loss),
    "bce": (nn.BCELoss, F.binary_cross_entropy),
    "bce-logits": (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits),
    "difference": (
        *(nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss),
        *(F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss),
    ),
}
# Steps between the last activation and the output that change no value.
_RESHAPES = ("View", "Reshape", "Squeeze", "Unsqueeze", "Select", "Permute", "Transpose", "Alias")


def _family(loss: Loss) -> str:
    for name, members in _FAMILIES.items():
        if type(loss) in members or any(loss is member for member in members):
            return name
    return ""


def weighs_alike(loss: Loss, targets: Tensor) -> bool:
    """Tell whether `loss`, one of torch's modules, is the plain mean over samples of `targets`.

    Class weights and labels to ignore make it another mean.
    """
    plain = isinstance(loss, nn.Module) and getattr(loss, "weight", None) is None
    ignored = getattr(loss, "ignore_index", None)
    return bool(_family(loss)) and plain and (ignored is None or not (targets == ignored).any())


def _name(loss: Loss) -> str:
    return getattr(loss, "__name__", type(loss).__name__)


def _last_activation(output: Tensor) -> str:
    """Name the operation that made `output`, e.g. ``"Softmax"``, looking through reshapes."""
    node = output.grad_fn
    while node is not None and node.name().startswith(_RESHAPES):
        node = node.next_functions[0][0]
    return "" if node is None else node.name().split("Backward")[0]


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
            f"{_name(loss)} has reduction={reduction!r}, but a mean over the batch is needed: "
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


def check_lr(optimizer: Optimizer) -> None:
    """Refuse a learning rate that is negative or not a number."""
    for k, group in enumerate(optimizer.param_groups):
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


def check_numbers(
    epochs: int, clip_norm: float | None, patience: int | None, batch_size: int
) -> None:
    """Refuse counts and norms out of range."""
    for name, value in (("epochs", epochs), ("patience", patience), ("batch_size", batch_size)):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(f"clip_norm must be positive, got {clip_norm}: leave it out not to clip")


def check_pair(batch: Any, name: str) -> tuple[Tensor, Tensor]:
    """Return the pair (x, y) of a batch; a lone tensor is its own target."""
    if isinstance(batch, Tensor):
        return batch, batch
    if isinstance(batch, tuple | list) and len(batch) == 1:
        return check_pair(batch[0], name)
    if not (isinstance(batch, tuple | list) and len(batch) == 2):
        raise TypeError(f"{name} yields {_describe(batch)}: a batch must be a pair (x, y)")
    x, y = batch
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        raise TypeError(f"{name} yields {_describe(batch)}: x and y must be tensors")
    if x.shape[:1] != y.shape[:1]:
        raise ValueError(f"{name} yields {len(x)} inputs with {len(y)} targets: they must match")
    return x, y


def _describe(batch: Any) -> str:
    if isinstance(batch, tuple | list):
        return f"a {type(batch).__name__} of {', '.join(type(b).__name__ for b in batch)}"
    return f"a {type(batch).__name__}"


def forward(
    network: nn.Module, loss: Loss | None, x: Tensor, y: Tensor, check: Tensor | None
) -> tuple[Any, Any]:
    """Return output and loss; say what does not fit if torch refuses, or would not see it.

    `check` holds the targets to check, all that are at hand; None leaves it at what
    torch refuses, which costs nothing and does not wait for the device.
    """
    try:
        output = network(x)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        explained = model_failed(error, network, x)
        if explained is error:
            raise
        raise explained from error
    if loss is None:
        return output, None
    if check is not None:
        check_output(loss, output, y, check)
    try:
        value = loss(output, y)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        explained = loss_failed(error, loss, output, y)
        if explained is error:
            raise
        raise explained from error
    if check is not None:
        check_value(value)
    return output, value


def check_value(value: Any) -> None:
    """Refuse a loss that is not one number."""
    if not isinstance(value, Tensor) or value.ndim:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(
            f"the loss returned {shape}, but one number is needed: return the mean over the batch"
        )


def check_output(loss: Loss, output: Any, y: Tensor, targets: Tensor) -> None:
    """Refuse an output or targets whose shape, type or meaning the loss would misread."""
    if not isinstance(output, Tensor):
        raise TypeError(
            f"the model returned a {type(output).__name__}, not a tensor: return the output only "
            "(an LSTM returns a pair: take its first part)"
        )
    family, name = _family(loss), _name(loss)
    if family in ("difference", "bce", "bce-logits") and output.shape != y.shape:
        raise ValueError(
            f"{name} needs output and target of one shape, but the model returns "
            f"{tuple(output.shape)} and the target is {tuple(y.shape)}, which would be broadcast "
            "against each other: reshape one, e.g. y.unsqueeze(1) or output.squeeze(1)"
        )
    if family in ("difference", "bce", "bce-logits") and not y.is_floating_point():
        raise ValueError(f"{name} needs real targets, but they are {y.dtype}: use y.float()")
    per_class = output.ndim > 1 and y.shape == output.shape[:1] + output.shape[2:]
    if family in ("cross-entropy", "nll") and not y.is_floating_point() and per_class:
        check_labels(targets, output.shape[1], loss)  # before a GPU stops at one with an assertion
    last, values = _last_activation(output), output.detach()
    if family == "cross-entropy" and output.ndim > 1 and output.shape[1] > 1:
        unit = (values >= 0).all() & ((values.sum(1) - 1).abs() < 1e-4).all()
        if last == "Softmax" or bool(unit):
            raise ValueError(
                f"{name} takes logits, but the model returns probabilities (they sum to 1): "
                "remove the softmax from the model"
            )
    if family == "bce-logits" and last == "Sigmoid":
        raise ValueError(
            f"{name} takes logits, but the model ends in a sigmoid: remove it, or use BCELoss"
        )
    if family == "bce" and bool(((values < 0) | (values > 1)).any()):
        raise ValueError(
            f"{name} takes probabilities, but the model returns values outside [0, 1]: "
            "use BCEWithLogitsLoss, or end the model in a sigmoid"
        )
    if family == "nll" and bool((values > 0).any()):
        raise ValueError(
            f"{name} takes log-probabilities, but the model returns values above 0: "
            "use CrossEntropyLoss, or end the model in a log-softmax"
        )


def check_labels(labels: Tensor, classes: int, loss: Loss) -> None:
    """Refuse class labels outside ``0 … classes - 1`` (``ignore_index`` apart)."""
    kept = labels[labels != getattr(loss, "ignore_index", -100)]
    if kept.numel() == 0:
        return
    low, high = int(kept.min()), int(kept.max())
    if low < 0 or high >= classes:
        hint = "count labels from 0" if low >= 1 and high == classes else "check the labels, or"
        hint = hint if hint.startswith("count") else f"{hint} give the model {high + 1} outputs"
        raise ValueError(
            f"labels run from {low} to {high}, but the model has {classes} outputs, which fit "
            f"labels from 0 to {classes - 1}: {hint}"
        )


def model_failed(error: Exception, model: nn.Module, x: Tensor) -> Exception:
    """Return what to raise when the model could not take `x`."""
    text, shape = str(error), tuple(x.shape)
    dtypes = sorted({str(p.dtype) for p in model.parameters()})
    what = f"the model cannot take its input of shape {shape} and dtype {x.dtype}: "
    if x.is_floating_point() and str(x.dtype) not in dtypes and "dtype" in text:
        return ValueError(f"{what}its parameters are {', '.join(dtypes)}; convert with x.float()")
    if not x.is_floating_point() and ("dtype" in text or "not implemented for" in text):
        return ValueError(f"{what}it needs real numbers; convert with x.float()")
    if "shape" in text or "size" in text or "dimension" in text or "channels" in text:
        return ValueError(f"{what}{text.splitlines()[0]}")
    return error


def loss_failed(error: Exception, loss: Loss, output: Any, y: Tensor) -> Exception:
    """Return what to raise when the loss could not take `output` and `y`."""
    if not isinstance(output, Tensor):
        return _raised_by(check_output, loss, output, y, y) or error
    family, name = _family(loss), _name(loss)
    shapes = f"output {tuple(output.shape)} {output.dtype}, target {tuple(y.shape)} {y.dtype}"
    if family in ("cross-entropy", "nll"):
        same = output.shape == y.shape
        if y.is_floating_point() and not same:
            return ValueError(
                f"{name} needs integer labels, but they are {y.dtype}: convert with y.long()"
            )
        if y.ndim == 2 and y.shape[1] == 1 and output.ndim == 2:
            return ValueError(f"{name} needs labels (samples,), got {shapes}: use y.squeeze(1)")
        if output.ndim == 3 and output.shape[:2] == y.shape:
            return ValueError(
                f"{name} needs the classes on axis 1, got {shapes}: "
                "transpose the output with output.transpose(1, 2)"
            )
        if isinstance(error, IndexError) and output.ndim > 1 and not y.is_floating_point():
            explained = _raised_by(check_labels, y, output.shape[1], loss)
            if explained is not None:
                return explained
    if explained := _raised_by(check_output, loss, output, y, y):
        return explained
    if family:
        return ValueError(f"{name} cannot take {shapes}: {str(error).splitlines()[0]}")
    return error


def _raised_by(check: Callable[..., None], *arguments: Any) -> Exception | None:
    try:
        check(*arguments)
    except (TypeError, ValueError) as explained:
        return explained
    return None
