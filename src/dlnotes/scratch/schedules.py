"""Learning-rate schedules as pure functions: ``schedule(step) -> factor``.

The factor multiplies the peak learning rate; steps count from 0. Whether a step is an
update or an epoch is for the caller to say, once. `dlnotes.training.sweep` takes such a
function as it is, and ``torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)`` makes
it a scheduler for `dlnotes.training.fit`. Beyond its last step a schedule stays where it is.

Peak, shape and length are separate choices; only the shape is made here.
"""

import math
from collections.abc import Callable, Sequence

Schedule = Callable[[int], float]


def constant() -> Schedule:
    """Return the schedule that is 1 throughout."""
    return lambda step: 1.0


def step_decay(every: int, gamma: float = 0.1) -> Schedule:
    """Multiply by gamma after `every` steps, again and again (torch: ``StepLR``).

    Examples
    --------
    >>> [step_decay(2, 0.5)(step) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return lambda step: gamma ** (step // every)


def multistep(milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Multiply by gamma at each milestone, from that step on (torch: ``MultiStepLR``)."""
    return lambda step: gamma ** sum(step >= milestone for milestone in milestones)


def exponential(gamma: float) -> Schedule:
    """Return gamma to the power of the step (torch: ``ExponentialLR``)."""
    return lambda step: gamma**step


def polynomial(steps: int, power: float = 1.0) -> Schedule:
    """Fall from 1 to 0 in `steps` steps as (1 - t)^power (torch: ``PolynomialLR``)."""
    return lambda step: (1 - min(step, steps) / steps) ** power


def cosine(steps: int, floor: float = 0.0) -> Schedule:
    """Fall from 1 to `floor` in `steps` steps along half a cosine wave.

    ``CosineAnnealingLR`` is the same up to ``T_max`` and rises again after it.
    Source: `Loshchilov & Hutter 2017 <https://arxiv.org/abs/1608.03983>`_.

    Examples
    --------
    >>> [round(cosine(4)(step), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    return lambda step: floor + (1 - floor) * (1 + math.cos(math.pi * min(step, steps) / steps)) / 2


def restarts(period: int, growth: int = 1, floor: float = 0.0) -> Schedule:
    """Repeat `cosine`, each time `growth` times as long (``CosineAnnealingWarmRestarts``)."""

    def schedule(step: int) -> float:
        length = period
        while step >= length:
            step, length = step - length, length * growth
        return cosine(length, floor)(step)

    return schedule


def warmup(steps: int, then: Schedule | None = None) -> Schedule:
    """Rise to 1 in equal steps, 1/steps first, never 0; `then` begins at step `steps`.

    Examples
    --------
    >>> [warmup(4)(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """
    after = then or constant()
    return lambda step: (step + 1) / steps if step < steps else after(step - steps)


def one_cycle(
    steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 1 / 250_000
) -> Schedule:
    """Rise from `start` to 1 along a cosine wave, then fall to `end`, in `steps` steps.

    The peak is at step ``rise * steps - 1`` and the last step is ``steps - 1``: torch's
    ``OneCycleLR`` with its defaults, without its cycle of the momentum.
    """

    def between(a: float, b: float, share: float) -> float:
        return b + (a - b) * (1 + math.cos(math.pi * share)) / 2

    def schedule(step: int) -> float:
        peak, step = rise * steps - 1, min(step, steps - 1)
        if step <= peak:
            return between(start, 1.0, step / peak)
        return between(1.0, end, (step - peak) / (steps - 1 - peak))

    return schedule


def plateau(
    losses: Sequence[float], gamma: float = 0.1, patience: int = 10, threshold: float = 1e-4
) -> float:
    """Return the factor after these losses: gamma for each time they stood still too long.

    It is a function of the history and not of the step: the one schedule with a memory.
    As ``ReduceLROnPlateau`` it cuts after ``patience + 1`` losses in a row that are not
    below the best by a relative `threshold`.

    Examples
    --------
    >>> plateau([1.0, 0.5, 0.6, 0.6, 0.6], patience=2)
    0.1
    """
    factor, best, bad = 1.0, math.inf, 0
    for loss in losses:
        best, bad = (loss, 0) if loss < best * (1 - threshold) else (best, bad + 1)
        if bad > patience:
            factor, bad = factor * gamma, 0
    return factor
