"""What one batch does to a network: a report for somebody whose training does not work.

Nothing here trains. Everything is done to copies of the network, the loss and the
optimizer, so that a run can go on as if nothing had been looked at.
"""

import copy
import html
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dlnotes.tables import Table, table
from dlnotes.training.arguments import check_loss, check_model, check_optimizer
from dlnotes.training.checkpoints import random_state, set_random_state
from dlnotes.training.feeds import pair_of
from dlnotes.training.forward import loss_of, mode, output_of
from dlnotes.training.losses import Loss, family_of, name_of
from dlnotes.training.place import device_of

NAMED = 4  # parameters that a finding names before it counts the rest


@dataclass(frozen=True, repr=False)
class Checkup:
    """What `checkup` saw; shows itself.

    ``loss`` and ``loss_in_use`` are those of the batch in ``train()`` and in ``eval()``, None
    where the model or the loss refused; ``constant`` is what the best answer that ignores the
    input would cost (nan where that is not known), ``layers`` the table, ``findings`` what was
    noticed, in sentences.
    """

    loss: float | None
    loss_in_use: float | None
    constant: float
    layers: Table
    findings: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The three losses in a line."""
        if self.loss is None or self.loss_in_use is None:
            return "loss: not computed"
        constant = "" if math.isnan(self.constant) else f"; a constant answer: {self.constant:.4g}"
        return f"loss in train(): {self.loss:.4g}, in eval(): {self.loss_in_use:.4g}{constant}"

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The findings, or a line that says that there are none."""
        return self.findings or ("Nothing found.",)

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {v}" for v in self.verdicts), repr(self.layers)])

    def _repr_html_(self) -> str:
        items = "\n".join(f"<li>{html.escape(verdict)}</li>" for verdict in self.verdicts)
        summary = html.escape(self.summary)
        return f"<p>{summary}</p>\n<ul>\n{items}\n</ul>\n{self.layers._repr_html_()}"


def checkup(
    model: nn.Module, batch: Any, *, loss: Loss, optimizer: Optimizer | None = None
) -> Checkup:
    """Send one batch through a copy of `model` and back, and report what happens.

    Parameters
    ----------
    model : nn.Module
        Takes one tensor and returns one. Looked at in the mode that `fit` would train it in.
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
        A row for the input, for each layer in the order in which they ran, and for the output
        where ``forward`` does something to that of the last layer: the root mean
        square of its outputs, the share of them that is the same for every sample
        (``stuck``), how many are nan or infinite, the norm of its parameters' gradient.
        A finding is what holds exactly for this batch, without a threshold: a value that is
        not finite, a layer that gets an input and passes nothing of it on, a parameter
        without a gradient or with one of zero, one that the optimizer does not hold, a loss
        that does not notice which target belongs to which sample, and what `fit` would
        refuse. Some of it is done on purpose: a layer that is frozen, or starts at zero.

    Raises
    ------
    ValueError, TypeError
        If the batch is no pair of at least two samples, the loss or the model are none, or
        the model cannot be copied because it keeps a tensor that it computed.

    Notes
    -----
    Model, loss, optimizer and the global random generators are left as they are; the copies
    need the memory of the model and of the optimizer's state once more. What else a forward
    pass does, such as writing a file, is done twice.

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
    if not isinstance(batch, Tensor | tuple | list):
        raise TypeError(
            f"batch must be a pair (x, y) of tensors, not {type(batch).__name__}: of a loader pass "
            "next(iter(loader))"
        )
    x, y = pair_of(batch, "batch")
    if len(x) < 2:
        raise ValueError(
            f"the batch has {len(x)} sample(s), and what samples have in common is to be seen: "
            "pass at least two"
        )
    if not isinstance(optimizer, Optimizer | None):
        raise TypeError(
            f"optimizer must be a torch.optim.Optimizer, not {type(optimizer).__name__}"
        )
    model, loss, optimizer = _copies(model, loss, optimizer)
    device = device_of(model)
    if isinstance(loss, nn.Module):
        loss.to(device)
    before = random_state()
    try:
        return _looked_at(model, loss, optimizer, x.to(device), y.to(device))
    finally:
        set_random_state(before)


def _copies(*parts: Any) -> Any:
    """Copy all at once: the optimizer's copy then holds the parameters of the model's."""
    try:
        return copy.deepcopy(parts)
    except RuntimeError as error:  # torch copies no tensor that was computed from others
        raise ValueError(
            "the model cannot be copied: it seems to keep a tensor that it computed, such as an "
            "activation in an attribute; set that to None first, or look at a new model with "
            f"new.load_state_dict(model.state_dict()). torch says: {str(error).splitlines()[0]}"
        ) from error


def _looked_at(
    model: nn.Module, loss: Loss, optimizer: Optimizer | None, x: Tensor, y: Tensor
) -> Checkup:
    """Do what `checkup` promises, to its copies."""
    findings, layers = list(_about_data(loss, x, y)), [_Layer("input", x)]
    in_use = value = None
    try:
        with mode(model, training=False), torch.no_grad():
            in_use = loss_of(loss, output_of(model, x), y, y)
        with mode(model, training=True), _watched(model, layers):
            output = output_of(model, x)
        if (last := _Layer("output", output)).numbers != layers[-1].numbers:
            layers.append(last)
        value = loss_of(loss, output, y, y)
    except (ValueError, TypeError, RuntimeError, IndexError) as refused:
        findings.append(_sentence(refused))
    findings += _about_layers(model, layers)
    for p in model.parameters():
        p.grad = None
    if value is not None:
        findings += _about_loss(loss, output.detach(), y, value.item(), layers)
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        findings += _about_gradients(model, finite=bool(value.isfinite()))
    ratios: dict[nn.Module, float] | None = None
    if optimizer is not None:
        try:
            check_optimizer(model, optimizer)
        except (ValueError, TypeError) as refused:
            findings.append(_sentence(refused))
        ratios = {} if value is None else _ratios(model, optimizer)
    return Checkup(
        loss=None if value is None else value.item(),
        loss_in_use=None if in_use is None else in_use.item(),
        constant=_constant(loss, y),
        layers=_table(layers, ratios),
        findings=tuple(findings),
    )


class _Layer:
    """What is kept of one layer's output: numbers only, so that no activation stays alive."""

    def __init__(
        self, name: str, output: Any, module: nn.Module | None = None, inputs: Any = ()
    ) -> None:
        self.name, self.module = name, module
        values = _values(output)
        self.rms = values.square().mean().sqrt().item() if values.numel() else math.nan
        self.broken = int((~values.isfinite()).sum())
        self.stuck = _stuck(values)
        # One that gets the same for every sample, such as positions, is not to blame.
        self.blocks = self.stuck == 1 and any(_stuck(_values(given)) < 1 for given in inputs)

    @property
    def numbers(self) -> str:
        """What is known, as text, in which nan equals nan."""
        return f"{self.rms} {self.broken} {self.stuck}"

    @property
    def label(self) -> str:
        """The layer's name in the model and its class, as messages give them."""
        return self.name if self.module is None else f"{self.name} ({type(self.module).__name__})"


def _values(output: Any) -> Tensor:
    """Return an output as real numbers: its first part, as of an LSTM; none if it has none."""
    while isinstance(output, tuple | list) and output:
        output = output[0]
    if not isinstance(output, Tensor):
        return torch.empty(0)
    values = output.detach()
    return values if values.dtype == torch.float64 else values.float()


def _stuck(values: Tensor) -> float:
    """Return the share of values that are the same for every sample, nan without samples."""
    if values.ndim < 2 or not values.numel():
        return math.nan
    return (values == values[:1]).all(0).float().mean().item()


@contextmanager
def _watched(model: nn.Module, layers: list[_Layer]) -> Iterator[None]:
    """Add a row for each layer that runs: what has no parts, or parameters of its own."""
    handles = [
        module.register_forward_hook(
            lambda module, inputs, output, name=name: layers.append(
                _Layer(name or "model", output, module, inputs)
            )
        )
        for name, module in model.named_modules()
        if not list(module.children()) or list(module.parameters(recurse=False))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _about_data(loss: Loss, x: Tensor, y: Tensor) -> Iterator[str]:
    for name, values in (("input", x), ("target", y)):
        if broken := int((~values.isfinite()).sum()):
            yield f"The {name} holds {broken} value(s) that are nan or infinite."
    if bool((y == getattr(loss, "ignore_index", math.nan)).all()):
        yield f"Every target of the batch is the one that {name_of(loss)} ignores."
    elif bool((y == y[:1]).all()):
        yield "Every target of the batch is the same: is the data sorted, and not shuffled?"


def _about_loss(
    loss: Loss, output: Tensor, y: Tensor, value: float, layers: list[_Layer]
) -> Iterator[str]:
    """Yield what a loss does that no layer did, and `fit` does not see in a loss of one's own."""
    if not math.isfinite(value):
        if not any(layer.broken for layer in layers):
            yield f"The loss is {value} and every output is finite: it comes about in the loss."
        return
    if family_of(loss) == "nll" and not ((output.exp().sum(1) - 1).abs() < 1e-3).all():
        yield (
            f"{name_of(loss)} takes log-probabilities, but exp(output) does not sum to 1 over the "
            "classes, axis 1: is there a log-softmax, and over that axis?"
        )
    if family_of(loss) or _stuck(output) == 1 or bool((y == y[:1]).all()):
        return
    with torch.no_grad():
        moved = float(loss(output, y.roll(1, 0)))
    if math.isclose(moved, value, rel_tol=1e-6):
        yield (
            "The loss is the same if every target is handed to the next sample: it compares each "
            f"output with all targets. Are {tuple(output.shape)} and {tuple(y.shape)} broadcast?"
        )


def _about_layers(model: nn.Module, layers: list[_Layer]) -> Iterator[str]:
    broken = [name for name, p in model.named_parameters() if not p.isfinite().all()]
    if broken:
        yield f"{_list(broken)}: the parameters themselves hold nan or infinity."
    first = next((layer for layer in layers if layer.broken), layers[0])
    if first is not layers[0]:
        yield f"{first.label}: the first output with nan or infinity ({first.broken} values)."
    for layer in layers:
        if layer.blocks:
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
    return math.hypot(*(_values(t).norm().item() for t in tensors))


def _constant(loss: Loss, y: Tensor) -> float:
    """Return the loss of the best answer that is the same for all samples, nan if unknown.

    Known are the plain forms: frequencies for cross-entropy, the mean for squared errors, the
    median for absolute ones.
    """
    name = name_of(loss).lower().replace("_", "")
    real, settings = y.is_floating_point(), vars(loss) if isinstance(loss, nn.Module) else {}
    buffers = dict(loss.named_buffers()) if isinstance(loss, nn.Module) else {}
    if buffers or settings.get("label_smoothing") or not family_of(loss) or not len(y):
        return math.nan
    if family_of(loss) in ("cross-entropy", "nll") and y.ndim == 1 and not real:
        kept = y[y != settings.get("ignore_index", -100)]
        if not len(kept) or kept.min() < 0:
            return math.nan
        best = (torch.bincount(kept) / len(kept)).log()
    elif family_of(loss) == "bce-logits" and real:
        best = torch.logit(y.mean(0), eps=1e-7)
    elif name in ("mseloss", "l1loss") and real:
        best = y.mean(0) if name == "mseloss" else y.median(0).values
    else:
        return math.nan
    return float(loss(best.expand(len(y), *best.shape), y))


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


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sentence(error: Exception) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    start = text[:1].upper() if text.partition(" ")[0].isalpha() else text[:1]  # no cross_entropy
    return f"{start}{text[1:]}."


def _list(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
