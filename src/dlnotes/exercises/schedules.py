"""The exercises of chapter 09, learning-rate schedules."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dlnotes.exercises import Check, Lab
from dlnotes.scratch import schedules

# How many updates a run makes: the length of a schedule that is stepped after each.
updates = Check(
    cases=[(10, 1077, 32), (3, 64, 16), (7, 100, 8)],
    right=lambda epochs, samples, batch_size: epochs * math.ceil(samples / batch_size),
    mistakes={
        "The last, smaller batch is an update too: round up.": (
            lambda epochs, samples, batch_size: epochs * (samples // batch_size)
        ),
        "Each epoch ends with its own smaller batch: round up before multiplying.": (
            lambda epochs, samples, batch_size: math.ceil(epochs * samples / batch_size)
        ),
        "That is the number for one epoch.": (
            lambda epochs, samples, batch_size: math.ceil(samples / batch_size)
        ),
        "An epoch has as many updates as batches, not as samples.": (
            lambda epochs, samples, batch_size: epochs * samples
        ),
        "The number of updates is a whole one.": (
            lambda epochs, samples, batch_size: epochs * samples / batch_size
        ),
        "Where the samples divide evenly there is no extra batch.": (
            lambda epochs, samples, batch_size: epochs * (samples // batch_size + 1)
        ),
    },
)

# The constant rate whose floor is a given one.
rate_for_floor = Check(
    cases=[(0.05, 1.0, 1.0), (0.3, 2.0, 0.5), (0.02, 0.5, 3.0)],
    right=lambda floor, curvature, noise: 2 * curvature * floor / (noise**2 + curvature**2 * floor),
    mistakes={
        "That is the floor of a rate; the rate of a floor is asked for.": (
            lambda floor, curvature, noise: floor * noise**2 / (curvature * (2 - floor * curvature))
        ),
        "That holds for small rates only: keep the 2 - rate · curvature.": (
            lambda floor, curvature, noise: 2 * curvature * floor / noise**2
        ),
        "noise is the standard deviation; its square is the variance.": (
            lambda floor, curvature, noise: 2 * curvature * floor / (noise + curvature**2 * floor)
        ),
        "Solve for the rate again: the curvature comes in squared below.": (
            lambda floor, curvature, noise: 2 * curvature * floor / (noise**2 + curvature * floor)
        ),
        "The floor is that of the mean of x squared: there is no root.": (
            lambda floor, curvature, noise: (
                2 * curvature * floor**2 / (noise**2 + curvature**2 * floor**2)
            )
        ),
    },
)


def _batch(rate: float, lower: float, curvature: float) -> float:
    return rate * (2 - lower * curvature) / (lower * (2 - rate * curvature))


# The batch that lowers the floor as much as a lower rate would.
batch_for = Check(
    cases=[(0.1, 0.01, 1.0), (0.5, 0.1, 2.0), (0.8, 0.2, 0.5)],
    right=_batch,
    mistakes={
        "Nearly, for small rates: keep the 2 - rate · curvature of both floors.": (
            lambda rate, lower, curvature: rate / lower
        ),
        "A batch of b divides the variance by b, not the standard deviation.": (
            lambda rate, lower, curvature: _batch(rate, lower, curvature) ** 2
        ),
        "It is the other way round: the larger rate needs the larger batch.": (
            lambda rate, lower, curvature: 1 / _batch(rate, lower, curvature)
        ),
        "The variance falls as 1/b: no root is to be taken.": (
            lambda rate, lower, curvature: _batch(rate, lower, curvature) ** 0.5
        ),
        "The curvature is missing: it stands beside the rate in both floors.": (
            lambda rate, lower, curvature: _batch(rate, lower, 1.0)
        ),
    },
)


def _scheduled(
    batches: list[tuple[Any, Any]],
    epochs: int,
    peak: float,
    schedule: Callable[[int], float],
    *,
    first: int = 0,
    per_epoch: bool = False,
    restart: bool = False,
    chained: bool = False,
    ascent: bool = False,
    summed: bool = False,
) -> Any:
    """Return w after mini-batch descent under a schedule: right by default."""
    w = np.zeros(batches[0][0].shape[1])
    step, rate = first, peak
    for epoch in range(epochs):
        step = first if restart else step
        for x, y in batches:
            factor = schedule(epoch if per_epoch else step)
            rate = rate * factor if chained else peak * factor
            slope = x.T @ (x @ w - y) / (1 if summed else len(y))
            w = w + rate * slope if ascent else w - rate * slope
            step += 1
    return w


_rng = np.random.default_rng(9)
_x = [_rng.normal(size=(n, 3)) for n in (4, 4, 2)]
_batches = [(x, x @ np.array([1.0, -2.0, 0.5]) + _rng.normal(size=len(x))) for x in _x]
_falling = schedules.warmup(2, schedules.cosine(10))

# The central loop: mini-batches, and a rate for each update.
scheduled = Check(
    cases=[
        (_batches, 4, 0.2, _falling),
        (_batches[:2], 3, 0.1, schedules.exponential(0.8)),
    ],
    right=_scheduled,
    mistakes={
        "Steps count from 0: the first update uses schedule(0).": (
            lambda *case: _scheduled(*case, first=1)
        ),
        "The schedule goes by updates, not by epochs.": (
            lambda *case: _scheduled(*case, per_epoch=True)
        ),
        "The steps begin anew in each epoch: go on counting.": (
            lambda *case: _scheduled(*case, restart=True)
        ),
        "The factor multiplies the peak, not the rate before.": (
            lambda *case: _scheduled(*case, chained=True)
        ),
        "It climbs: step against the gradient.": lambda *case: _scheduled(*case, ascent=True),
        "The gradient is that of the mean over the batch: divide by its size.": (
            lambda *case: _scheduled(*case, summed=True)
        ),
        "The loss has a half in front: its gradient has no factor of 2.": (
            lambda batches, epochs, peak, schedule: _scheduled(batches, epochs, 2 * peak, schedule)
        ),
        "The factor is no rate: multiply it by the peak.": (
            lambda batches, epochs, peak, schedule: _scheduled(batches, epochs, 1.0, schedule)
        ),
        "There is no schedule in it yet.": (
            lambda batches, epochs, peak, schedule: _scheduled(
                batches, epochs, peak, lambda step: 1.0
            )
        ),
    },
)

_PEAK, _WARM, _STEPS = 0.1, 4, 12


def _loop(shift: int = 1, late: int = 0, rest: int = 0, chained: bool = False) -> list[float]:
    """Return the rates of a warm-up and a cosine: right by default, each option a fault."""
    rates = [_PEAK]
    for t in range(_STEPS):
        factor = _warmup_cosine(t + late, _WARM, _STEPS, shift=shift, rest=rest)
        rates.append((rates[-1] if chained else _PEAK) * factor)
    return rates[1:]


_WANTED = ("b", "d", "a", "c")


def _judge_diagnoses(answer: Any) -> str:
    given = tuple(str(letter).strip().lower() for letter in answer)
    if len(given) != len(_WANTED) or not set(given) <= set("abcde"):
        return "Return four letters from a to e, one for each loop, in their order."
    if len(set(given)) < len(given):
        return "No two of the loops have the same fault."
    wrong = [str(k) for k, (a, b) in enumerate(zip(given, _WANTED, strict=True), 1) if a != b]
    return f"Look again at loop {', '.join(wrong)}." if wrong else ""


# Four loops that went wrong, read from the rates that they used.
diagnoses = Check(
    right=lambda: _WANTED,
    judge=_judge_diagnoses,
    mistakes={
        "Return four letters from a to e, one for each loop, in their order.": lambda: ("b", "d"),
        "No two of the loops have the same fault.": lambda: ("b", "b", "a", "c"),
        "Look again at loop 1, 2.": lambda: ("d", "b", "a", "c"),
        "Look again at loop 3, 4.": lambda: ("b", "d", "c", "a"),
    },
)

CURVATURES = np.array([1.0, 100.0])


def _two_losses(rates: Any) -> float:
    squares = np.full(2, 10.0)
    with np.errstate(all="ignore"):
        for rate in rates:
            squares = (1 - rate * CURVATURES) ** 2 * squares + rate**2 * CURVATURES
    return float((CURVATURES * squares).sum() / 2)


def _judge_design(rates: Any) -> str:
    rates = np.asarray(rates, dtype=float)
    if rates.shape != (2000,):
        return f"2000 rates are expected, one for each step, not the shape {rates.shape}."
    if not (np.isfinite(rates).all() and (rates >= 0).all()):
        return "All rates must be finite and not negative."
    loss = _two_losses(rates)
    if not loss < 0.002:
        return f"The loss at the end is {loss:.4f}; get it below 0.002."
    return ""


def _hold_then_fall() -> Any:
    return 0.005 / (1 + 0.5 * np.maximum(np.arange(2000) - 1200, 0))


# A schedule for two curvatures that share one rate.
design = Check(
    right=_hold_then_fall,
    judge=_judge_design,
    mistakes={
        "2000 rates are expected, one for each step, not the shape (100,).": (
            lambda: _hold_then_fall()[:100]
        ),
        "All rates must be finite and not negative.": lambda: -_hold_then_fall(),
        f"The loss at the end is {_two_losses(np.full(2000, 0.0017)):.4f}; get it below 0.002.": (
            lambda: np.full(2000, 0.0017)
        ),
    },
)


def _multistep(t: int, milestones: list[int], gamma: float) -> float:
    return gamma ** sum(t >= m for m in milestones)


def _cosine(t: float, steps: float, floor: float = 0.0) -> float:
    return floor + (1 - floor) * (1 + math.cos(math.pi * min(t, steps) / steps)) / 2


def _restarts(
    t: int, period: int, growth: int, *, late: bool = False, hasty: bool = False
) -> float:
    while t > period if late else t >= period:
        t, period = t - period * (growth if hasty else 1), period * growth
    return _cosine(t, period)


def _warmup_cosine(
    t: int, warm: int, steps: int, *, shift: int = 1, rest: int = 0, from_zero: bool = False
) -> float:
    if t < warm:
        return (t + shift) / warm
    return _cosine(t if from_zero else t - warm, steps - warm + rest)


# The rates of each update: as meant, and of the loops 1 to 4 of `diagnoses`.
LOOPS = {
    "as meant": _loop(),
    "loop 1": _loop(shift=0),
    "loop 2": _loop(chained=True),
    "loop 3": _loop(late=1),
    "loop 4": _loop(rest=_WARM),
}


def _one_cycle(
    t: int, steps: int, rise: float, start: float, end: float, *, peak: int = 1, last: int = 1
) -> float:
    top, final = rise * steps - peak, steps - last
    if t <= top:
        return 1 + (start - 1) * (1 + math.cos(math.pi * t / top)) / 2
    return end + (1 - end) * (1 + math.cos(math.pi * min((t - top) / (final - top), 1))) / 2


def _squares(rates: Any, curvature: float, noise: float, start: float) -> Any:
    v = start
    with np.errstate(all="ignore"):
        for rate in rates:
            v = (1 - rate * curvature) ** 2 * v + rate**2 * noise**2
    return v


def _best_rates(start: float, curvature: float, noise: float, steps: int) -> Any:
    c = noise**2 / (curvature**2 * start)
    return 1 / (curvature * (1 + c + np.arange(steps)))


def _price(start: float, believed: float, steps: int) -> float:
    end = _squares(_best_rates(believed, 1.0, 1.0, steps), 1.0, 1.0, start)
    return float(end * (1 / start + steps))


def _lowest(rates: Any, losses: Any, share: int, *, middle: bool = True) -> float:
    lost = np.append(~np.isfinite(losses), True).argmax()
    means = np.convolve(losses[:lost], np.ones(share) / share, "valid")
    return float(rates[means.argmin() + (share // 2 if middle else 0)])


def _smoothed_least(rates: Any, losses: Any, share: int, least: Any = np.argmin) -> float:
    """Return what `_lowest` does where all losses are finite: it does not stop."""
    means = np.convolve(losses, np.ones(share) / share, "valid")
    return float(rates[least(means) + share // 2])


def _ends(factors: Any, peaks: Any) -> Any:
    """Return the mean of x² at the end, one for each peak."""
    return np.array([_squares(peak * factors, 1.0, 1.0, 100.0) for peak in peaks])


def _best_peak(factors: Any, peaks: Any) -> float:
    return float(peaks[np.nan_to_num(_ends(factors, peaks), nan=np.inf).argmin()])


def _times(factors: Any, peaks: Any) -> float:
    end = _squares(_best_peak(factors, peaks) * factors, 1.0, 1.0, 100.0)
    return float(end * (0.01 + len(factors)))


def _range_test(seed: int, lost: float | None) -> tuple[Any, Any, int]:
    draw, rates = np.random.default_rng(seed), np.geomspace(1e-4, 10, 60)
    place = np.log10(rates)
    losses = 2.3 - 1.5 / (1 + np.exp(-3 * (place + 1.5))) + 4 * np.maximum(place, 0) ** 2
    losses = losses + 0.2 * draw.normal(size=60)
    if lost is not None:
        losses[42] = lost
        losses[43:] = 0.0  # what stands after it means nothing
    return rates, losses, 7


_SHORT = np.array([3.0, 2.5, 2.0, 2.0, 3.0, math.nan, *[0.0] * 6])  # least in the middle of 3


def _stationary(seed: int, rate: float, curvature: float, noise: float) -> Any:
    """Return the positions of 25 runs over 40 steps, the start long forgotten."""
    draw = np.random.default_rng(seed)
    floor = rate * noise**2 / (curvature * (2 - rate * curvature))
    path = [floor**0.5 * draw.normal(size=25)]
    for _ in range(39):
        path.append((1 - rate * curvature) * path[-1] - rate * noise * draw.normal(size=25))
    return np.array(path)


_valleys = [(0.1, 1.0, 1.5), (0.3, 2.0, 1.0), (0.5, 0.4, 2.0)]
_falls = [schedules.cosine(50), schedules.polynomial(80), schedules.exponential(0.95)]
_factors = [np.array([s(t) for t in range(n)]) for s, n in zip(_falls, (50, 80, 60), strict=True)]
_grid = np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 1e9])

lab = Lab(
    multistep=Check(
        cases=[(t, [3, 7], 0.1) for t in (0, 2, 3, 6, 7, 50)] + [(5, [2, 4, 5], 0.8)],
        right=_multistep,
        mistakes={
            "At a milestone itself the new rate holds already.": (
                lambda t, milestones, gamma: gamma ** sum(t > m for m in milestones)
            ),
            "Count how many milestones have been reached: gamma to that power.": (
                lambda t, milestones, gamma: gamma if t >= milestones[0] else 1.0
            ),
            "After a milestone the rate stays low; this one is low at the milestone alone.": (
                lambda t, milestones, gamma: gamma if t in milestones else 1.0
            ),
            "The power is the number of milestones reached, not the step.": (
                lambda t, milestones, gamma: gamma**t
            ),
        },
    ),
    polynomial=Check(
        cases=[(t, 20, 2.0) for t in (0, 1, 19, 20, 35)] + [(5, 10, 1.0), (12, 10, 1.0)],
        right=lambda t, steps, power: (1 - min(t, steps) / steps) ** power,
        mistakes={
            "Beyond the end the factor stays at 0.": (
                lambda t, steps, power: (1 - t / steps) ** power
            ),
            "It reaches 0 at step `steps`, not at `steps` - 1.": (
                lambda t, steps, power: max(1 - t / (steps - 1), 0) ** power
            ),
            "The power is taken of the whole bracket.": (
                lambda t, steps, power: 1 - (min(t, steps) / steps) ** power
            ),
            "The power is missing.": lambda t, steps, power: 1 - min(t, steps) / steps,
        },
    ),
    cosine=Check(
        cases=[(t, 20, 0.1) for t in (0, 5, 10, 19, 20, 33)] + [(3, 8, 0.0)],
        right=_cosine,
        mistakes={
            "Beyond the end the factor stays at the floor; this one rises again.": (
                lambda t, steps, floor: (
                    floor + (1 - floor) * (1 + math.cos(math.pi * t / steps)) / 2
                )
            ),
            "The half is missing: at step 0 the factor is 1.": (
                lambda t, steps, floor: (
                    floor + (1 - floor) * (1 + math.cos(math.pi * min(t, steps) / steps))
                )
            ),
            "It reaches the floor at step `steps`, not at `steps` - 1.": (
                lambda t, steps, floor: _cosine(min(t, steps - 1), steps - 1, floor)
            ),
            "The floor raises the end, and not the start: scale the rest by 1 - floor.": (
                lambda t, steps, floor: floor + _cosine(t, steps)
            ),
            "Half a wave from 0 to T, not a quarter.": (
                lambda t, steps, floor: (
                    floor + (1 - floor) * math.cos(math.pi / 2 * min(t, steps) / steps)
                )
            ),
            "The floor is missing.": lambda t, steps, floor: _cosine(t, steps),
            "The wave ends at the floor, it is not cut off there: scale it by 1 - floor.": (
                lambda t, steps, floor: max(floor, _cosine(t, steps))
            ),
            "Half a wave from 0 to `steps`, not a whole one.": (
                lambda t, steps, floor: (
                    floor
                    + (1 - floor) * (1 + math.cos(2 * math.pi * min(t, steps) / steps)) / 2
                )
            ),
        },
    ),
    restarts=Check(
        cases=[(t, 5, 2) for t in (0, 4, 5, 14, 15, 34, 35)] + [(7, 3, 1), (9, 3, 1)],
        right=_restarts,
        mistakes={
            "At the end of a period the next one has begun: the factor there is 1.": (
                lambda t, period, growth: _restarts(t, period, growth, late=True)
            ),
            "Each period is growth times as long as the one before.": (
                lambda t, period, growth: _cosine(t % period, period)
            ),
            "There is no restart in it.": lambda t, period, growth: _cosine(t, period),
            "Take the old period off the step before you lengthen it.": (
                lambda t, period, growth: _restarts(t, period, growth, hasty=True)
            ),
        },
    ),
    warmup_cosine=Check(
        cases=[(t, 4, 20) for t in (0, 1, 3, 4, 12, 19, 20, 40)],
        right=_warmup_cosine,
        mistakes={
            "A factor of 0 wastes the first step: it is 1/`warm` there.": (
                lambda t, warm, steps: _warmup_cosine(t, warm, steps, shift=0)
            ),
            "The cosine begins at step `warm`, at its top.": (
                lambda t, warm, steps: _warmup_cosine(t, warm, steps, from_zero=True)
            ),
            "It ends too late: the cosine has the steps that the warm-up leaves.": (
                lambda t, warm, steps: _warmup_cosine(t, warm, steps, rest=warm)
            ),
            "Beyond the end the factor stays at 0; this one rises again.": (
                lambda t, warm, steps: (
                    (t + 1) / warm
                    if t < warm
                    else (1 + math.cos(math.pi * (t - warm) / (steps - warm))) / 2
                )
            ),
            "The two are multiplied; one is to follow the other.": (
                lambda t, warm, steps: min((t + 1) / warm, 1) * _cosine(t, steps)
            ),
        },
    ),
    one_cycle=Check(
        cases=[(t, 100, 0.3, 0.04, 1e-4) for t in (0, 10, 29, 30, 60, 99, 150)]
        + [(20, 40, 0.5, 0.1, 0.0), (19, 40, 0.5, 0.1, 0.0)]
        + [(t, 25, 0.3, 0.04, 0.0) for t in (3, 6, 7, 15)],
        right=_one_cycle,
        mistakes={
            "The peak may lie between two steps: do not round its place.": (
                lambda t, steps, rise, start, end: _one_cycle(
                    t, steps, int(rise * steps) / steps, start, end
                )
            ),
            "The peak comes one step too late.": lambda *case: _one_cycle(*case, peak=0),
            "The last step is `steps` - 1, and the factor is to be at its end there.": (
                lambda *case: _one_cycle(*case, last=0)
            ),
            "The way up begins at start, not at 0.": (
                lambda t, steps, rise, start, end: _one_cycle(t, steps, rise, 0.0, end)
            ),
            "The way down leads to end, not to start.": (
                lambda t, steps, rise, start, end: _one_cycle(t, steps, rise, start, start)
            ),
            "Up and down go along cosine waves, not straight lines.": (
                lambda t, steps, rise, start, end: float(
                    np.interp(t, [0, rise * steps - 1, steps - 1], [start, 1, end])
                )
            ),
        },
    ),
    gamma_for=Check(
        cases=[(0.01, 100), (0.5, 10), (1e-3, 7)],
        right=lambda end, steps: end ** (1 / steps),
        mistakes={
            "After that many steps the power is that number, not one less.": (
                lambda end, steps: end ** (1 / (steps - 1))
            ),
            "That is what a straight line would lose in a step.": (
                lambda end, steps: 1 - (1 - end) / steps
            ),
            "Take a root, do not divide.": lambda end, steps: end / steps,
            "A power is undone by a root.": lambda end, steps: end**steps,
        },
    ),
    budget=Check(
        cases=[(schedules.cosine(20), 20), (schedules.step_decay(5, 0.5), 17), (_falling, 12)],
        right=lambda schedule, steps: sum(map(schedule, range(steps))) / steps,
        mistakes={
            "The steps are 0 to `steps` - 1: `steps` itself is not one of them.": (
                lambda schedule, steps: sum(map(schedule, range(steps + 1))) / (steps + 1)
            ),
            "That is the sum; the mean is asked for.": (
                lambda schedule, steps: sum(map(schedule, range(steps)))
            ),
            "Steps count from 0.": (
                lambda schedule, steps: sum(map(schedule, range(1, steps + 1))) / steps
            ),
            "The mean of the first and the last factor is not the mean of all.": (
                lambda schedule, steps: (schedule(0) + schedule(steps - 1)) / 2
            ),
        },
    ),
    noise_of=Check(
        cases=[(_stationary(k, *v), v[0], v[1]) for k, v in enumerate(_valleys)],
        right=lambda x, rate, curvature: (
            ((x**2).mean() * curvature * (2 - rate * curvature) / rate) ** 0.5
        ),
        mistakes={
            "That is the variance; its root is asked for.": (
                lambda x, rate, curvature: (
                    (x**2).mean() * curvature * (2 - rate * curvature) / rate
                )
            ),
            "That is how far x strays, not how noisy the gradient is.": (
                lambda x, rate, curvature: (x**2).mean() ** 0.5
            ),
            "That holds for small rates only: keep the 2 - rate · curvature.": (
                lambda x, rate, curvature: ((x**2).mean() * curvature * 2 / rate) ** 0.5
            ),
            "That looks at the single steps; the estimate from the floor is asked for.": (
                lambda x, rate, curvature: (
                    (((x[1:] - (1 - rate * curvature) * x[:-1]) ** 2).mean() ** 0.5) / rate
                )
            ),
            "The minimum is known to be at 0: take the mean of x squared, not the variance.": (
                lambda x, rate, curvature: (
                    (x.var() * curvature * (2 - rate * curvature) / rate) ** 0.5
                )
            ),
        },
    ),
    next_rate=Check(
        cases=[(100.0, 1.0, 1.0), (0.3, 2.0, 0.5), (0.01, 0.5, 2.0)],
        right=lambda sq, curvature, noise: curvature * sq / (curvature**2 * sq + noise**2),
        mistakes={
            "noise is the standard deviation; its square is the variance.": (
                lambda sq, curvature, noise: curvature * sq / (curvature**2 * sq + noise)
            ),
            "That would be best without noise.": lambda sq, curvature, noise: 1 / curvature,
            "The curvature is missing above.": (
                lambda sq, curvature, noise: sq / (curvature**2 * sq + noise**2)
            ),
            "That is the next V, not the rate.": (
                lambda sq, curvature, noise: sq * noise**2 / (curvature**2 * sq + noise**2)
            ),
        },
    ),
    best_rates=Check(
        cases=[(100.0, 1.0, 1.0, 50), (2.0, 3.0, 0.5, 20), (5.0, 0.5, 2.0, 1)],
        right=_best_rates,
        mistakes={
            "They begin one step too late: at t = 0 the sum below is 1 + c.": (
                lambda start, curvature, noise, steps: _best_rates(
                    start, curvature, noise, steps + 1
                )[1:]
            ),
            "c is missing: the start is not known to be infinitely far away.": (
                lambda start, curvature, noise, steps: 1 / (curvature * np.arange(1, steps + 1))
            ),
            "The curvature divides all of it.": (
                lambda start, curvature, noise, steps: (
                    curvature * _best_rates(start, curvature, noise, steps)
                )
            ),
            "noise is the standard deviation: c has its square.": (
                lambda start, curvature, noise, steps: _best_rates(
                    start, curvature, noise**0.5, steps
                )
            ),
            "They begin one step too early: at t = 0 the sum below is 1 + c.": (
                lambda start, curvature, noise, steps: (
                    1 / (noise**2 / (curvature * start) + curvature * np.arange(steps))
                )
            ),
            "The noise is missing in c.": (
                lambda start, curvature, noise, steps: _best_rates(start, curvature, 1.0, steps)
            ),
            "c has V below: a start further away makes it smaller.": (
                lambda start, curvature, noise, steps: _best_rates(
                    1 / start, curvature, noise, steps
                )
            ),
        },
    ),
    price=Check(
        cases=[(100.0, 10.0, 50), (100.0, 1000.0, 20), (0.5, 0.05, 10), (0.05, 0.5, 10)],
        right=_price,
        mistakes={
            "The two have changed places: the rates come from what is believed.": (
                lambda start, believed, steps: _price(believed, start, steps)
            ),
            "That is V at the end; divide by the best possible one.": (
                lambda start, believed, steps: _price(start, believed, steps) / (1 / start + steps)
            ),
            "The best possible end is that for the true start, not for the believed one.": (
                lambda start, believed, steps: (
                    _price(start, believed, steps) / (1 / start + steps) * (1 / believed + steps)
                )
            ),
            "That is the best over the real end: the other way round.": (
                lambda start, believed, steps: 1 / _price(start, believed, steps)
            ),
        },
    ),
    lowest_rate=Check(
        cases=[_range_test(0, None), _range_test(1, math.nan), _range_test(2, math.inf),
               _range_test(5, math.nan), (np.arange(1.0, 13.0), _SHORT, 3)],
        right=_lowest,
        mistakes={
            "That is the least single loss: it is mostly luck. Smooth first.": (
                lambda rates, losses, share: _lowest(rates, losses, 1)
            ),
            "A mean belongs to the middle of its window, not to the beginning.": (
                lambda rates, losses, share: _lowest(rates, losses, share, middle=False)
            ),
            "Stop at the first loss that is not finite: what comes after it means nothing.": (
                lambda rates, losses, share: _smoothed_least(rates, losses, share)
            ),
            "Leaving that loss out is not enough: what comes after it means nothing either.": (
                lambda rates, losses, share: _smoothed_least(
                    rates, losses, share, least=np.nanargmin
                )
            ),
            "An infinite loss ends the test as well as a nan.": (
                lambda rates, losses, share: _smoothed_least(
                    rates, losses[: np.append(np.isnan(losses), True).argmax()], share
                )
            ),
            "At the ends there is no mean over so many losses: leave those places out.": (
                lambda rates, losses, share: float(
                    rates[
                        np.convolve(
                            losses[: np.append(~np.isfinite(losses), True).argmax()],
                            np.ones(share) / share,
                            "same",
                        ).argmin()
                    ]
                )
            ),
            "Return the rate, not its place.": (
                lambda rates, losses, share: float(
                    np.flatnonzero(rates == _lowest(rates, losses, share))[0]
                )
            ),
        },
    ),
    best_peak=Check(
        cases=[
            *((factors, _grid) for factors in _factors),
            (np.repeat([0.1, 1.0], [100, 20]), _grid),  # rises: the lowest point is not the end
            (np.append(np.ones(40), 2.0**-30), np.append(_grid, 2.0**30)),  # ends in a nan
        ],
        right=_best_peak,
        mistakes={
            "Return the peak, not its place in the grid.": (
                lambda factors, peaks: float(
                    np.flatnonzero(peaks == _best_peak(factors, peaks))[0]
                )
            ),
            "An end that is nan is no low end.": (
                lambda factors, peaks: float(peaks[_ends(factors, peaks).argmin()])
            ),
            "It is the end that counts, not the lowest point on the way.": (
                lambda factors, peaks: float(
                    peaks[
                        np.nanmin(
                            [_ends(factors[:k], peaks) for k in range(len(factors) + 1)], axis=0
                        ).argmin()
                    ]
                )
            ),
            "The largest peak is not the best one.": lambda factors, peaks: float(peaks.max()),
            "That is the mean of x squared; the peak is asked for.": (
                lambda factors, peaks: _times(factors, peaks) / (0.01 + len(factors))
            ),
            "Multiply the peak by the factors: these are constant rates.": (
                lambda factors, peaks: _best_peak(np.ones(len(factors)), peaks)
            ),
        },
    ),
    times_worse=Check(
        cases=[(factors, _grid) for factors in _factors],
        right=_times,
        mistakes={
            "That is V at the end; divide by the best possible one.": (
                lambda factors, peaks: _times(factors, peaks) / (0.01 + len(factors))
            ),
            "Give the schedule its own best peak before you compare.": (
                lambda factors, peaks: float(
                    _squares(peaks[0] * factors, 1.0, 1.0, 100.0) * (0.01 + len(factors))
                )
            ),
            "That is the best over the real end: the other way round.": (
                lambda factors, peaks: 1 / _times(factors, peaks)
            ),
        },
    ),
)  # fmt: skip
