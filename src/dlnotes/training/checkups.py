"""What one batch does to a network: a report for somebody whose training does not work.

Nothing here trains. Everything is done to copies, so that a run can go on as if nothing
had been looked at.
"""

import copy
import html
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dlnotes.tables import Table, table
from dlnotes.training.arguments import check_loss, check_model, check_optimizer
from dlnotes.training.feeds import pair_of
from dlnotes.training.forward import loss_of, mode, output_of
from dlnotes.training.losses import Loss, family_of, name_of
from dlnotes.training.place import device_of

NAMED = 4  # parameters that a finding names before it counts the rest


@dataclass(frozen=True, repr=False)
class Checkup:
    """What `checkup` saw; shows itself.

    ``loss`` and ``loss_in_use`` are those of the batch in ``train()`` and in ``eval()``,
    ``constant`` what the best answer that ignores the input would cost (nan where unknown),
    ``layers`` the table, ``findings`` what is certainly not as it should be, in sentences.
    """

    loss: float
    loss_in_use: float
    constant: float
    layers: Table
    findings: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The three losses in a line."""
        constant = "" if math.isnan(self.constant) else f"; a constant answer: {self.constant:.4g}"
        return f"loss in train(): {self.loss:.4g}, in eval(): {self.loss_in_use:.4g}{constant}"

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The findings, or a line that says that there are none."""
        return self.findings or ("Nothing found.",)

    def __repr__(self) -> str:
        return "\n".join([self.summary, repr(self.layers), *(f"- {v}" for v in self.verdicts)])

    def _repr_html_(self) -> str:
        items = "\n".join(f"<li>{html.escape(verdict)}</li>" for verdict in self.verdicts)
        summary = html.escape(self.summary)
        return f"<p>{summary}</p>\n{self.layers._repr_html_()}\n<ul>\n{items}\n</ul>"


def checkup(
    model: nn.Module, batch: Any, *, loss: Loss, optimizer: Optimizer | None = None
) -> Checkup:
    """Send one batch through a copy of `model` and back, and report what happens.

    Parameters
    ----------
    model : nn.Module
        Looked at in the mode that `fit` would train it in.
    batch : (Tensor, Tensor) or Tensor
        At least two samples: ``next(iter(loader))``, or some hundred rows of the data.
    loss : callable
        As for `fit`.
    optimizer : torch.optim.Optimizer, optional
        Made from the model's parameters. With it a copy makes one step, and the table has
        the ratio of the update's norm to the weights' for each layer.

    Returns
    -------
    Checkup
        A row for the input and for each layer in the order in which they ran: the root mean
        square of its outputs, the share of them that is the same for every sample
        (``stuck``), how many are nan or infinite, the norm of its parameters' gradient.
        A finding is what holds exactly for this batch, without a threshold: a value that is
        not finite, a layer that passes nothing on, a parameter without a gradient or with
        one of zero, one that the optimizer does not hold, shapes that a loss may broadcast,
        and what `fit` would refuse. A network without findings may still be badly set up.

    Raises
    ------
    ValueError, TypeError
        If the batch is no pair of at least two samples, or the loss or the model are none.

    Notes
    -----
    Model, optimizer and random generators are left as they are; the copies need the memory
    of the model and of the optimizer's state once more.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> for values, constant in zip(model.parameters(), (1, -9, 1, 0.5), strict=True):
    ...     _ = nn.init.constant_(values, constant)
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 1.0]])
    >>> report = checkup(model, (x, x[:, :1]), loss=nn.MSELoss())
    >>> report.layers
    layer  kind     rms  stuck  not finite  gradient
    input          1.94   0.00           0         –
    0      Linear  5.52   0.00           0         0
    1      ReLU       0   1.00           0         –
    2      Linear   0.5   1.00           0         3
    >>> report.findings[0]
    '1 (ReLU): its output is the same for every sample, so nothing of the input passes.'
    """
    check_model(model)
    check_loss(loss)
    x, y = pair_of(batch, "batch")
    if len(x) < 2:
        raise ValueError(
            f"the batch has {len(x)} sample(s), and what samples have in common is to be seen: "
            "pass at least two"
        )
    model, optimizer = _copies(model, optimizer)
    device = device_of(model)
    x, y = x.to(device), y.to(device)
    findings, layers = list(_about_data(x, y)), [_Layer("input", x)]
    in_use = value = None
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            with mode(model, training=False), torch.no_grad():
                in_use = loss_of(loss, output_of(model, x), y, y)
            with mode(model, training=True), _watched(model, layers):
                output = output_of(model, x)
            findings += _about_shapes(loss, output, y)
            value = loss_of(loss, output, y, y)
        except (ValueError, TypeError, RuntimeError, IndexError) as refused:
            findings.append(_sentence(refused))
        findings += _about_layers(model, layers)
        _backward(model, value)
        if value is not None:
            if not value.isfinite() and not any(layer.broken for layer in layers):
                findings.append(
                    f"The loss is {value.item()} and every output is finite: it comes about in "
                    "the loss itself."
                )
            findings += _about_gradients(model, finite=bool(value.isfinite()))
        ratios: dict[nn.Module, float] | None = None
        if optimizer is not None:
            try:
                check_optimizer(model, optimizer)
            except ValueError as refused:
                findings.append(_sentence(refused))
            ratios = _ratios(model, optimizer)
    return Checkup(
        *(_number(value), _number(in_use), _constant(loss, y)),
        layers=_table(layers, ratios),
        findings=tuple(findings),
    )


class _Layer:
    """What is kept of one layer's output: numbers only, so that no activation stays alive."""

    def __init__(self, name: str, output: Any, module: nn.Module | None = None) -> None:
        self.name, self.module = name, module
        while isinstance(output, tuple | list) and output:  # an LSTM returns its output first
            output = output[0]
        values = output.detach().double() if isinstance(output, Tensor) else torch.empty(0)
        self.rms = values.square().mean().sqrt().item() if values.numel() else math.nan
        self.broken = int((~values.isfinite()).sum())
        same = (values == values[:1]).all(0) if values.ndim > 1 else torch.empty(0)
        self.stuck = same.double().mean().item() if same.numel() else math.nan

    @property
    def label(self) -> str:
        """The layer's name in the model and its class, as messages give them."""
        return self.name if self.module is None else f"{self.name} ({type(self.module).__name__})"


def _copies(model: nn.Module, optimizer: Optimizer | None) -> tuple[nn.Module, Optimizer | None]:
    """Copy both at once: the optimizer's copy then holds the parameters of the model's."""
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer must be a torch.optim.Optimizer, not {type(optimizer).__name__}"
        )
    pair: tuple[nn.Module, Optimizer | None] = copy.deepcopy((model, optimizer))
    return pair


@contextmanager
def _watched(model: nn.Module, layers: list[_Layer]) -> Iterator[None]:
    """Add a row for each layer that runs: what has no parts, or parameters of its own."""
    handles = [
        module.register_forward_hook(
            lambda module, _, output, name=name: layers.append(_Layer(name, output, module))
        )
        for name, module in model.named_modules()
        if not list(module.children()) or list(module.parameters(recurse=False))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _backward(model: nn.Module, value: Tensor | None) -> None:
    """Leave this batch's gradients in the parameters, where there are any."""
    for p in model.parameters():
        p.grad = None
    if value is not None and value.requires_grad:
        value.backward()  # type: ignore[no-untyped-call]


def _about_data(x: Tensor, y: Tensor) -> Iterator[str]:
    for name, values in (("input", x), ("target", y)):
        if broken := int((~values.isfinite()).sum()):
            yield f"The {name} holds {broken} value(s) that are nan or infinite."
    if bool((y == y[:1]).all()):
        yield "Every target of the batch is the same: is the data sorted, and not shuffled?"


def _about_shapes(loss: Loss, output: Any, y: Tensor) -> Iterator[str]:
    """Yield what a loss of one's own broadcasts in silence; `fit` refuses it for torch's."""
    if family_of(loss) or not isinstance(output, Tensor) or not y.is_floating_point():
        return
    if output.shape != y.shape and output.numel() == y.numel():
        shapes = f"{tuple(output.shape)} and the target {tuple(y.shape)}"
        yield (
            f"The output is {shapes}: {name_of(loss)} may broadcast them, and compare each "
            "sample with every other."
        )


def _about_layers(model: nn.Module, layers: list[_Layer]) -> Iterator[str]:
    broken = [name for name, p in model.named_parameters() if not p.isfinite().all()]
    if broken:
        yield f"{_list(broken)}: the parameters themselves hold nan or infinity."
    for before, layer in pairwise(layers):
        if layer.broken and not before.broken:
            yield f"{layer.label}: the first output with nan or infinity ({layer.broken} values)."
            return
    for layer in layers[1:]:
        if layer.stuck == 1:
            yield (
                f"{layer.label}: its output is the same for every sample, so nothing of the "
                "input passes."
            )


def _about_gradients(model: nn.Module, *, finite: bool) -> Iterator[str]:
    parameters = dict(model.named_parameters())
    groups = {
        "requires_grad is False, so it stays as it is": [
            name for name, p in parameters.items() if not p.requires_grad
        ],
        "no gradient arrives: the loss does not depend on it, or the path is cut": [
            name for name, p in parameters.items() if p.requires_grad and p.grad is None
        ],
    }
    arrived = {name: p.grad for name, p in parameters.items() if p.grad is not None}
    if finite:
        groups |= {
            "the gradient is exactly zero": [n for n, g in arrived.items() if not g.any()],
            "the gradient holds nan or infinity, and the loss does not": [
                n for n, g in arrived.items() if not g.isfinite().all()
            ],
        }
    for what, names in groups.items():
        if names:
            yield f"{_list(names)}: {what}."


def _ratios(model: nn.Module, optimizer: Optimizer) -> dict[nn.Module, float]:
    """Make one step; return the norm of each layer's change over that of its weights."""
    own = {module: list(module.parameters(recurse=False)) for module in model.modules()}
    before = {module: [p.detach().clone() for p in held] for module, held in own.items()}
    if isinstance(optimizer, torch.optim.LBFGS):  # needs a closure
        return {}
    optimizer.step()
    return {
        module: _norm(p.detach() - old for p, old in zip(held, before[module], strict=True))
        / _norm(before[module])
        for module, held in own.items()
        if _norm(before[module]) > 0
    }


def _norm(tensors: Iterable[Tensor]) -> float:
    return math.hypot(*(t.double().norm().item() for t in tensors))


def _constant(loss: Loss, y: Tensor) -> float:
    """Return the loss of the best answer that is the same for all samples, nan if unknown."""
    family = family_of(loss)
    if family == "cross-entropy" and y.ndim == 1 and not y.is_floating_point():
        kept = y[y != getattr(loss, "ignore_index", -100)]
        if not len(kept) or kept.min() < 0:
            return math.nan
        logits = torch.bincount(kept).double().log()
    elif family == "bce-logits":
        logits = torch.logit(y.double().mean(0), eps=1e-12)
    elif family == "difference" and y.is_floating_point():
        logits = y.double().mean(0)
    else:
        return math.nan
    targets = y if family == "cross-entropy" else y.double()
    return float(loss(logits.expand(len(y), *logits.shape), targets))


def _table(layers: list[_Layer], ratios: dict[nn.Module, float] | None) -> Table:
    headings = ["layer", "kind", "rms", "stuck", "not finite", "gradient", "update / weights"]
    rows = []
    for layer in layers:
        grads = [] if layer.module is None else list(layer.module.parameters(recurse=False))
        arrived = [p.grad for p in grads if p.grad is not None]
        rows.append(
            (
                layer.name,
                "" if layer.module is None else type(layer.module).__name__,
                _known(layer.rms),
                _known(layer.stuck),
                layer.broken,
                _norm(arrived) if arrived else None,
                None if layer.module is None else (ratios or {}).get(layer.module),
            )
        )
    formats = ["", "", ".3g", ".2f", "d", ".2g", ".1g"]
    columns = 7 if ratios is not None else 6
    return table(headings[:columns], [row[:columns] for row in rows], formats[:columns])


def _number(value: Tensor | None) -> float:
    return math.nan if value is None else value.item()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sentence(error: Exception) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"{text[:1].upper()}{text[1:]}."


def _list(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
