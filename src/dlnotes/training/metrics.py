"""How good outputs are, as means over a batch: ``metric(output, target) -> scalar``.

`dlnotes.training.fit` weights them by batch size, so a mean over a data set comes out right.
What is no such mean (R², F1, area under a curve) is computed from `dlnotes.training.predict`.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

__all__ = ["accuracy", "mae", "mse"]

Metric = Callable[[Tensor, Tensor], Tensor]
Metrics = str | Metric | Iterable[str | Metric]


def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Share of right classes.

    Parameters
    ----------
    output : Tensor
        Scores ``(samples, classes, ...)`` for integer targets ``(samples, ...)``, or
        logits of the same shape as targets of 0 and 1, where above 0 means class 1.
    target : Tensor
        See above.

    Raises
    ------
    ValueError
        If the shapes are none of these.

    Examples
    --------
    >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0])).item()
    0.5
    """
    if output.ndim == target.ndim + 1 and output.shape[:1] + output.shape[2:] == target.shape:
        return (output.argmax(1) == target).mean(dtype=torch.float32)
    if output.shape == target.shape:
        return ((output > 0) == (target > 0.5)).mean(dtype=torch.float32)
    raise ValueError(
        f"accuracy needs scores (samples, classes, ...) and integer targets (samples, ...), or "
        f"logits and targets of one shape, got {tuple(output.shape)} and {tuple(target.shape)}"
    )


def _difference(name: str, output: Tensor, target: Tensor) -> Tensor:
    if output.shape != target.shape:
        raise ValueError(
            f"{name} needs output and target of one shape, got {tuple(output.shape)} "
            f"and {tuple(target.shape)}"
        )
    return output - target


def mae(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error; both of one shape.

    Examples
    --------
    >>> mae(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 2.0])).item()
    1.5
    """
    return _difference("mae", output, target).abs().mean()


def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared error; both of one shape.

    Examples
    --------
    >>> mse(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 2.0])).item()
    2.5
    """
    return _difference("mse", output, target).square().mean()


KNOWN: dict[str, Metric] = {"accuracy": accuracy, "mae": mae, "mse": mse}


def named(metrics: Metrics) -> dict[str, Metric]:
    """Return metrics by name; a function goes by its own name.

    Raises
    ------
    ValueError
        If a name is not known, or two metrics share one.
    TypeError
        If something is neither a name nor a function.

    Examples
    --------
    >>> list(named(["accuracy", mae]))
    ['accuracy', 'mae']
    """
    result: dict[str, Metric] = {}
    for item in [metrics] if isinstance(metrics, str) or callable(metrics) else metrics:
        if isinstance(item, str):
            if item not in KNOWN:
                raise ValueError(
                    f"unknown metric {item!r}: choose from {sorted(KNOWN)}, or pass a function "
                    "of (output, target) that returns a mean"
                )
            name, metric = item, KNOWN[item]
        elif callable(item):
            name, metric = getattr(item, "__name__", type(item).__name__), item
        else:
            raise TypeError(f"a metric must be a name or a function, not {type(item).__name__}")
        if name in result or name == "loss":
            raise ValueError(f"two columns would be called {name!r}: rename a metric")
        result[name] = metric
    return result


def scores_of(output: Tensor, y: Tensor, metrics: dict[str, Metric]) -> list[Tensor]:
    """Return the metrics of a batch, still on the device; nothing remembers the graph.

    Raises
    ------
    ValueError
        If a metric returns more than one number.
    """
    output = output.detach()
    return [_as_scalar(metric(output, y), name, y.device) for name, metric in metrics.items()]


def _as_scalar(value: Tensor | float, name: str, device: torch.device) -> Tensor:
    if not isinstance(value, Tensor) or value.device != device:
        value = torch.as_tensor(value, device=device)
    if value.ndim:
        raise ValueError(
            f"metric {name!r} returned shape {tuple(value.shape)}: return the mean over the batch"
        )
    return value.detach()
