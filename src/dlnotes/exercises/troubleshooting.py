"""The exercise of "My training does not work": seven runs, and what is wrong with them.

To read on is to look up the answers.
"""

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import nn

from dlnotes import data
from dlnotes.exercises import Check, Lab

CAUSES = (
    *("dead units", "frozen layer", "wrong pairs", "rate too small"),
    *("rate too large", "leak", "unscaled input", "harmless"),
)
UNKNOWN = f"That is none of the causes: choose one of {', '.join(CAUSES)}."


def patient(letter: str, seed: int = 0) -> SimpleNamespace:
    """Return a job: ``model``, ``train``, ``test``, ``loss`` and ``optimizer``.

    Raises
    ------
    ValueError
        If there is no run of that letter.

    Examples
    --------
    >>> patient("A").model[2]
    Linear(in_features=32, out_features=10, bias=True)
    """
    if letter not in tuple("ABCDEFG"):
        raise ValueError(f"there is no run {letter!r}: choose one of A to G")
    splits, draw = data.digits(), torch.Generator().manual_seed(seed)
    number = torch.get_default_dtype()
    x, y, lr = splits.train.x.to(number), splits.train.y, 0.1
    test = data.Pair(splits.test.x.to(number), splits.test.y)
    torch.manual_seed(seed)
    first = nn.Linear(64, 32)
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(32, 10))
    match letter:
        case "A":  # one pixel of the middle in other units
            units = torch.ones(64)
            units[27] = 1000.0
            x, test = x * units, data.Pair(test.x * units, test.y)
        case "B":  # half of the training images are the test
            x, y, lr = x[:300], y[:300], 0.5
            test = data.Pair(x[:150], y[:150])
        case "C":
            nn.init.constant_(first.weight, -0.1)
            nn.init.zeros_(first.bias)
        case "D":
            x = x[torch.randperm(len(x), generator=draw)]
        case "E":  # eight units of 32 that do nothing
            nn.init.constant_(first.bias[:8], -30.0)
        case "F":
            first.requires_grad_(False)
        case "G":
            lr = 1e-4
    return SimpleNamespace(
        model=model,
        train=data.Pair(x, y),
        test=test,
        loss=nn.CrossEntropyLoss(),
        optimizer=torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr),
    )


def _run(cause: str, hint: str, others: Mapping[str, str]) -> Check:
    """Return a check that takes one cause; `others` says why some of the rest are not it."""

    def judge(answer: str) -> str:
        name = str(answer).strip().lower().replace("_", " ")
        if name == cause:
            return ""
        return others.get(name, hint) if name in CAUSES else UNKNOWN

    left = next(name for name in CAUSES if name != cause and name not in others)
    wrong = {left: hint, "the weather": UNKNOWN, **others}
    return Check(
        right=lambda: cause,
        mistakes={message: (lambda name=name: name) for name, message in wrong.items()},
        judge=judge,
    )


# Seven runs to be told apart.
lab = Lab(
    A=_run(
        "unscaled input",
        "Look at the inputs, column by column: x.std(0).max() and x.std(0).median().",
        {
            "rate too large": "Divide it by a thousand and train again: does it learn?",
            "dead units": "They may have died. Of what? Look at the first row of checkup.",
            "rate too small": "The update is not small beside the weights: see checkup.",
        },
    ),
    B=_run(
        "leak",
        "Compare the rows of the two parts: how many of the test are in the training data?",
        {"harmless": "A test that is as good as training: count rows that are in both parts."},
    ),
    C=_run(
        "dead units",
        "Send a batch through it: what share of the hidden layer is stuck?",
        {
            "frozen layer": "requires_grad is True everywhere. Why are the gradients zero?",
            "rate too small": "The gradient of the first layer is not small: it is zero.",
        },
    ),
    D=_run(
        "wrong pairs",
        "The network is sound: it learns sixteen samples by heart. Draw some beside their targets.",
        {
            "rate too small": "At ten times the rate the test is no better. Look at the data.",
            "leak": "A leak makes the test better than it should be, and this one is at chance.",
        },
    ),
    E=_run(
        "harmless",
        "Compare its test accuracy with that of the healthy job, over a few seeds.",
        {"dead units": "Some are dead, that is right. What do they cost, over a few seeds?"},
    ),
    F=_run(
        "frozen layer",
        "Ask of each parameter whether it would change: the findings of checkup.",
        {
            "rate too small": "It moves the last layer alone. Look for what does not move.",
            "harmless": "The test is clearly below that of the healthy job.",
        },
    ),
    G=_run(
        "rate too small",
        "How large is an update beside the weights? Hand checkup the optimizer.",
        {
            "dead units": "No layer is stuck: see checkup.",
            "frozen layer": "Every parameter has a gradient. How far does it move?",
        },
    ),
)
