"""Running a network and its loss: in the right mode, and explained where torch refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from dlnotes.training import mismatches
from dlnotes.training.losses import Loss

_REFUSALS = (RuntimeError, ValueError, IndexError, TypeError)


def output_of(network: nn.Module, x: Tensor) -> Any:
    """Return what `network` makes of `x`; say what does not fit if torch refuses."""
    try:
        return network(x)
    except _REFUSALS as error:
        explained = mismatches.model_failed(error, network, x)
        if explained is error:
            raise
        raise explained from error


def loss_of(loss: Loss, output: Any, y: Tensor, check: Tensor | None = None) -> Tensor:
    """Return the loss; say what does not fit if torch refuses, or would not see it.

    `check` holds the targets to look at, all that are at hand. None leaves it at what
    torch refuses, which costs nothing and does not wait for the device.
    """
    if check is not None:
        mismatches.check_output(loss, output, y, check)
    try:
        value = loss(output, y)
    except _REFUSALS as error:
        explained = mismatches.loss_failed(error, loss, output, y)
        if explained is error:
            raise
        raise explained from error
    if check is not None:
        mismatches.check_value(value)
    return value


@contextmanager
def mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """Put `model` into ``train()`` or ``eval()``, and each layer back into its own mode after.

    A model that is in ``train()`` already is left alone: layers in it that were put into
    ``eval()`` are frozen on purpose.
    """
    modes = [(module, module.training) for module in model.modules()]
    if not (training and model.training):
        model.train(training)
    try:
        yield
    finally:
        for module, before in modes:
            module.training = before
