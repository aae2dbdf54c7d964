"""The losses of torch by what they take; what the checks and `sweep` know about them."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  torch's own name for it

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


def family_of(loss: Loss) -> str:
    """Name what `loss` takes, e.g. ``"cross-entropy"``; empty for a loss that is not torch's."""
    for name, members in _FAMILIES.items():
        if type(loss) in members or any(loss is member for member in members):
            return name
    return ""


def name_of(loss: Loss) -> str:
    """Return the name that messages give to `loss`."""
    return getattr(loss, "__name__", type(loss).__name__)
