"""How a model, a loss and a batch do not fit together, said so that it can be put right.

Asked at the first batch and when torch raises. The checks hold for torch's own losses; a
loss of your own (a lambda will do) is taken as it is, which is also the way to do one of
these things on purpose.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from dlnotes.training.losses import Loss, family_of, name_of

# Steps between the last activation and the output that change no value.
_RESHAPES = ("View", "Reshape", "Squeeze", "Unsqueeze", "Select", "Permute", "Transpose", "Alias")


def check_output(loss: Loss, output: Any, y: Tensor, targets: Tensor) -> None:
    """Refuse an output or targets whose shape, type or meaning the loss would misread."""
    if not isinstance(output, Tensor):
        raise TypeError(
            f"the model returned a {type(output).__name__}, not a tensor: return the output only "
            "(an LSTM returns a pair: take its first part)"
        )
    family, name = family_of(loss), name_of(loss)
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


def check_value(value: Any) -> None:
    """Refuse a loss that is not one number."""
    if not isinstance(value, Tensor) or value.ndim:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(
            f"the loss returned {shape}, but one number is needed: return the mean over the batch"
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
        convert = "x.float()" if dtypes == ["torch.float32"] else f"x.to({dtypes[0]})"
        return ValueError(f"{what}its parameters are {', '.join(dtypes)}; convert with {convert}")
    if not x.is_floating_point() and ("dtype" in text or "not implemented for" in text):
        return ValueError(f"{what}it needs real numbers; convert with x.float()")
    if "shape" in text or "size" in text or "dimension" in text or "channels" in text:
        return ValueError(f"{what}{text.splitlines()[0]}")
    return error


def loss_failed(error: Exception, loss: Loss, output: Any, y: Tensor) -> Exception:
    """Return what to raise when the loss could not take `output` and `y`."""
    if not isinstance(output, Tensor):
        return _raised_by(check_output, loss, output, y, y) or error
    family, name = family_of(loss), name_of(loss)
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


def _last_activation(output: Tensor) -> str:
    """Name the operation that made `output`, e.g. ``"Softmax"``, looking through reshapes."""
    node = output.grad_fn
    while node is not None and node.name().startswith(_RESHAPES):
        node = node.next_functions[0][0]
    return "" if node is None else node.name().split("Backward")[0]
