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
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.overrides import TorchFunctionMode

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
    input would cost (nan where unknown), ``layers`` the table, ``findings`` what holds exactly
    for this batch, in sentences; what may be meant so ends in a question mark.
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
        Takes one tensor and returns one, as for `fit`; looked at in the mode that `fit`
        would train it in. Wrap one of several inputs or with a dict of outputs.
    batch : (Tensor, Tensor) or Tensor
        At least two samples: ``next(iter(loader))``, or some hundred rows of the data.
    loss : callable
        As for `fit`.
    optimizer : torch.optim.Optimizer, optional
        Made from the model's parameters. With it a copy makes one step, and the table has
        the ratio of the update's norm to the weights' for each layer (not for LBFGS, whose
        step wants a closure).

    Returns
    -------
    Checkup
        A row for the input and for each layer in the order in which they ran: the root mean
        square of its outputs, the share of them that is the same for every sample
        (``stuck``), how many are nan or infinite, the norm of its parameters' gradient.
        A finding is what holds exactly for this batch, without a threshold: a value that is
        not finite, a layer whose inputs differ and whose outputs do not, a parameter without
        a gradient or with one of zero, one that the optimizer does not hold, a loss for which
        it is the same which target belongs to which sample, and what `fit` would refuse. A
        network without findings may still be badly set up.

    Raises
    ------
    ValueError, TypeError
        If the batch is no pair of at least two samples, the loss or the model are none, or
        ``copy.deepcopy`` refuses one of them.

    Notes
    -----
    Model, optimizer, a loss that is a module, and the random generators of Python, NumPy and
    torch are left as they are. What ``forward``, a hook or a loss does to things outside of
    them (a list, a file, a counter) it does here too. The copies need the memory of the
    model and of the optimizer's state once more.

    ``constant`` is known for PyTorch's cross-entropy and ``NLLLoss`` (one label a sample),
    ``BCEWithLogitsLoss``, ``MSELoss`` and ``L1Loss``, with their weights and label smoothing.

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
    model, loss, optimizer = _copies(model, loss, optimizer)
    device = device_of(model)
    x, y = x.to(device), y.to(device)
    if isinstance(loss, nn.Module):
        loss.to(device)  # as fit does
    findings, layers = list(_about_data(x, y, loss)), [_Layer("input", x)]
    in_use = value = None
    output: Any = None
    with _same_draws():
        try:
            with mode(model, training=False), torch.no_grad():
                used = output_of(model, x)
            with mode(model, training=True), _watched(model, layers):
                output = output_of(model, x)
            with torch.no_grad():
                in_use = loss_of(loss, used, y, y)
            value = loss_of(loss, output, y, y)
            findings += _about_pairs(loss, output, y, value)
        except (ValueError, TypeError, RuntimeError, IndexError) as refused:
            findings.append(_sentence(refused))
        _backward(model, value)
        findings += _about_layers(model, layers)
        if value is not None:
            if not value.isfinite() and not any(layer.broken for layer in layers):
                findings.append(
                    f"The loss is {value.item()} and every output is finite: it comes about in "
                    "the loss itself."
                    if output.isfinite().all()
                    else "Every layer's output is finite and the model's is not: nan or infinity "
                    "comes about in forward, between or after its layers."
                )
            findings += _about_gradients(model, finite=bool(value.isfinite()))
        ratios: dict[nn.Module, float] | None = None
        if optimizer is not None:
            try:
                check_optimizer(model, optimizer)
            except ValueError as refused:
                findings.append(_sentence(refused))
            ratios = _ratios(model, optimizer) if value is not None else {}
    return Checkup(
        loss=None if value is None else value.item(),
        loss_in_use=None if in_use is None else in_use.item(),
        constant=_constant(loss, output, y) if value is not None else math.nan,
        layers=_table(layers, ratios),
        findings=tuple(findings),
    )


class _Layer:
    """What is kept of one layer's output: numbers only, so that no activation stays alive."""

    def __init__(
        self, name: str, output: Any, module: nn.Module | None = None, inputs: Iterable[Any] = ()
    ) -> None:
        self.name, self.module = name, module
        while isinstance(output, tuple | list) and output:  # an LSTM returns its output first
            output = output[0]
        values = _values(output) if isinstance(output, Tensor) else torch.empty(0)
        self.rms = values.square().mean().sqrt().item() if values.numel() else math.nan
        self.broken = int((~values.isfinite()).sum())
        self.stuck = _stuck(values)
        # Positions, and what comes after a layer that is stuck, cannot tell samples apart.
        tensors = [t for t in inputs if isinstance(t, Tensor)]
        self.told = not tensors or any(_differs(t.detach()) for t in tensors)

    @property
    def label(self) -> str:
        """The layer's name in the model and its class, as messages give them."""
        return self.name if self.module is None else f"{self.name} ({type(self.module).__name__})"


def _values(tensor: Tensor) -> Tensor:
    """Return the numbers in double precision, on the CPU: not every device has it."""
    return tensor.detach().cpu().double()


def _stuck(values: Tensor) -> float:
    """Return the share of outputs that is the same in all rows; nan where there are none."""
    if values.ndim < 2 or len(values) < 2 or not values.numel():
        return math.nan
    return (values == values[:1]).all(0).double().mean().item()


def _differs(values: Tensor) -> bool:
    return len(values) > 1 and not bool((values == values[:1]).all()) if values.ndim else False


class _Detached(TorchFunctionMode):
    """Copy what a model kept of its last forward pass as values: torch copies no graph."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is Tensor.__deepcopy__ and not args[0].is_leaf:
            tensor, memo = args
            return memo.setdefault(id(tensor), tensor.detach().clone())
        return function(*args, **(kwargs or {}))


@contextmanager
def _same_draws() -> Iterator[None]:
    """Put all random generators back at the end, Python's and NumPy's with torch's."""
    state = random_state()
    try:
        yield
    finally:
        set_random_state(state)


def _copies(
    model: nn.Module, loss: Loss, optimizer: Optimizer | None
) -> tuple[nn.Module, Loss, Optimizer | None]:
    """Copy all at once: the optimizer's copy then holds the parameters of the model's."""
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"optimizer must be a torch.optim.Optimizer, not {type(optimizer).__name__}"
        )
    try:
        with _Detached():
            copies: tuple[nn.Module, Loss, Optimizer | None]
            copies = copy.deepcopy((model, loss, optimizer))
    except Exception as error:  # whatever an object of the caller's raises
        raise TypeError(
            f"the model, the loss or the optimizer cannot be copied ({error}): keep out of them "
            "what copy.deepcopy refuses, e.g. open files, locks and generators"
        ) from error
    return copies


@contextmanager
def _watched(model: nn.Module, layers: list[_Layer]) -> Iterator[None]:
    """Add a row for each layer that runs: what has no parts, or parameters of its own."""
    handles = [
        module.register_forward_hook(
            lambda module, args, kwargs, output, name=name: layers.append(
                _Layer(name or "model", output, module, [*args, *kwargs.values()])
            ),
            with_kwargs=True,
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


def _wakes(module: nn.Module | None) -> bool:
    """Say whether there are weights of zero in it that the first update will change."""
    return module is not None and any(
        not p.any() and p.grad is not None and bool(p.grad.any())
        for name, p in module.named_parameters()
        if not name.endswith("bias")
    )


def _about_data(x: Tensor, y: Tensor, loss: Loss) -> Iterator[str]:
    for name, values in (("input", x), ("target", y)):
        if broken := int((~values.isfinite()).sum()):
            yield f"The {name} holds {broken} value(s) that are nan or infinite."
    ignored = getattr(loss, "ignore_index", -100)
    if family_of(loss) in ("cross-entropy", "nll") and bool((y == ignored).all()):
        yield f"Every target is {ignored}, which the loss ignores: it is the mean of nothing."
    elif bool((y == y[:1]).all()):
        yield "Every target of the batch is the same: is the data sorted, and not shuffled?"


def _about_pairs(loss: Loss, output: Any, y: Tensor, value: Tensor) -> Iterator[str]:
    """Yield that the loss compares in silence what does not belong together.

    Broadcasting compares each output with every target; then it is the same which target
    belongs to which sample. `fit` refuses the shapes for torch's losses. A softmax over the
    samples compares each output with those of the others.
    """
    if family_of(loss) == "nll" and not ((output.detach().exp().sum(1) - 1).abs() < 1e-3).all():
        yield (
            f"{name_of(loss)} takes log-probabilities, but exp(output) does not sum to 1 over the "
            "classes, axis 1: is there a log-softmax, and over that axis?"
        )
    if family_of(loss) or not isinstance(output, Tensor) or not value.isfinite():
        return
    if not (_differs(output.detach()) and _differs(y)):
        return
    with torch.no_grad():
        moved = loss(output, y.roll(1, 0))
    rtol = min(100 * torch.finfo(value.dtype).eps, 1e-5)
    if torch.allclose(moved, value, rtol=rtol, atol=0):
        yield (
            f"The loss is the same when the targets change places: does {name_of(loss)} compare "
            f"each output with every target? They are {tuple(output.shape)} and {tuple(y.shape)}."
        )


def _about_layers(model: nn.Module, layers: list[_Layer]) -> Iterator[str]:
    broken = [name for name, p in model.named_parameters() if not p.isfinite().all()]
    if broken:
        yield f"{_list(broken)}: the parameters themselves hold nan or infinity."
    first = next((layer for layer in layers if layer.broken), layers[0])
    if first is not layers[0]:
        yield f"{first.label}: the first output with nan or infinity ({first.broken} values)."
    if first.broken:
        return
    for layer in layers[1:]:
        if layer.stuck < 1 or not layer.told or math.isnan(layer.stuck):
            continue
        if _wakes(layer.module):
            yield (
                f"{layer.label}: its weights start from zero, so its output is the same for every "
                "sample, and the first update will change them: is that meant?"
            )
        else:
            yield (
                f"{layer.label}: its output is the same for every sample, so nothing of the "
                "input passes."
            )


def _about_gradients(model: nn.Module, *, finite: bool) -> Iterator[str]:
    zero = "the gradient is exactly zero"
    if _wakes(model):  # what is behind weights of zero gets its gradient when they have moved
        zero += ": is it still, after an update?"
    parameters = dict(model.named_parameters())
    groups = {
        "requires_grad is False, so it stays as it is: is that meant?": [
            name for name, p in parameters.items() if not p.requires_grad
        ],
        "no gradient arrives: the loss does not depend on it, or the path is cut": [
            name for name, p in parameters.items() if p.requires_grad and p.grad is None
        ],
    }
    arrived = {name: p.grad for name, p in parameters.items() if p.grad is not None}
    if finite:
        groups |= {
            zero: [n for n, g in arrived.items() if not g.any()],
            "the gradient holds nan or infinity, and the loss does not": [
                n for n, g in arrived.items() if not g.isfinite().all()
            ],
        }
    for what, names in groups.items():
        if names:
            yield f"{_list(names)}: {what}{'' if what.endswith('?') else '.'}"


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


def _constant(loss: Loss, output: Tensor, y: Tensor) -> float:
    """Return the loss of the best answer that is the same for all samples, nan if unknown.

    Where the derivative by a constant answer is zero can be said in closed form: for
    cross-entropy at the shares of the (weighted, smoothed) targets, for logits of two
    classes at the log odds, for squares at the mean, for absolute values at a median.
    """
    if isinstance(loss, nn.Module):
        loss = copy.deepcopy(loss).cpu().double()  # its weights too
    y, family = y.detach().cpu(), family_of(loss)
    labels = family in ("cross-entropy", "nll") and not y.is_floating_point()
    y = y if labels else y.double()
    weight = getattr(loss, "weight", None)
    if family in ("cross-entropy", "nll") and output.ndim == 2:
        classes = output.shape[1]
        kept = y if y.is_floating_point() else y[y != getattr(loss, "ignore_index", -100)]
        counts = kept.sum(0) if kept.ndim == 2 else torch.bincount(kept, minlength=classes)
        smoothing = getattr(loss, "label_smoothing", 0.0)
        shares = (1 - smoothing) * counts + smoothing * counts.sum() / classes
        shares = shares if weight is None else shares * weight
        shares = shares.double() / shares.sum()
        best = shares.clamp(min=1e-300).log()  # zero times infinity would be nan
    elif family == "bce-logits":
        weights = torch.ones_like(y) if weight is None else weight.expand_as(y)
        best = torch.logit((weights * y).sum(0) / weights.sum(0), eps=1e-12)
        if (positive := getattr(loss, "pos_weight", None)) is not None:
            best = best + positive.log()
    elif isinstance(loss, nn.MSELoss) or loss is nn.functional.mse_loss:
        best = y.mean(0)
    elif isinstance(loss, nn.L1Loss) or loss is nn.functional.l1_loss:
        best = y.median(0).values
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
