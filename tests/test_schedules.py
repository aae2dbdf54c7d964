"""Schedules against torch.optim.lr_scheduler, at every step."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import SGD, lr_scheduler

from dlnotes.scratch import schedules

STEPS = 200


def rates(make, steps=STEPS):
    """Return the learning rates that torch uses at each step, for a peak of 1."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    used = []
    for _ in range(steps):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return used


def agree(schedule, make, steps=STEPS):
    ours = [schedule(step) for step in range(steps)]
    assert ours == pytest.approx(rates(make, steps), rel=1e-12, abs=1e-15)


PAIRS = {
    "constant": (schedules.constant(), lambda o: lr_scheduler.ConstantLR(o, 1.0)),
    "step": (schedules.step_decay(30, 0.3), lambda o: lr_scheduler.StepLR(o, 30, 0.3)),
    "step by default": (schedules.step_decay(30), lambda o: lr_scheduler.StepLR(o, 30)),
    "multistep by default": (
        schedules.multistep([20, 90]),
        lambda o: lr_scheduler.MultiStepLR(o, [20, 90]),
    ),
    "multistep": (
        schedules.multistep([0, 20, 21, 90], 0.5),
        lambda o: lr_scheduler.MultiStepLR(o, [0, 20, 21, 90], 0.5),
    ),
    "exponential": (schedules.exponential(0.97), lambda o: lr_scheduler.ExponentialLR(o, 0.97)),
    "linear": (schedules.polynomial(150), lambda o: lr_scheduler.PolynomialLR(o, 150)),
    "polynomial": (
        schedules.polynomial(150, 2.5),
        lambda o: lr_scheduler.PolynomialLR(o, 150, 2.5),
    ),
    "restarts": (
        schedules.restarts(17, 2, 0.1),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 17, 2, 0.1),
    ),
    "equal restarts": (
        schedules.restarts(40),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 40),
    ),
    "warm-up": (
        schedules.warmup(40),
        lambda o: lr_scheduler.LinearLR(o, 1 / 40, 1.0, 39),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_schedule_is_that_of_torch(name):
    agree(*PAIRS[name])


@given(st.integers(1, STEPS), st.floats(0, 1))
def test_cosine_is_that_of_torch_until_it_ends(steps, floor):
    agree(
        schedules.cosine(steps, floor),
        lambda o: lr_scheduler.CosineAnnealingLR(o, steps, floor),
        steps + 1,
    )


@given(st.integers(10, STEPS), st.floats(0.2, 0.8))
def test_one_cycle_is_that_of_torch(steps, rise):
    agree(
        schedules.one_cycle(steps, rise),
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, steps, pct_start=rise, cycle_momentum=False),
        steps - 1,
    )
    # The last step, after which torch refuses to go on.
    assert schedules.one_cycle(steps, rise)(steps - 1) == pytest.approx(1 / 250_000)


@given(
    st.lists(st.sampled_from([1.0, 0.9, 0.5, 0.49999, 0.3, 2.0, math.inf]), max_size=40),
    st.integers(0, 4),
)
def test_plateau_is_that_of_torch(losses, patience):
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience)
    for k, loss in enumerate(losses, 1):
        scheduler.step(loss)
        factor = schedules.plateau(losses[:k], 0.5, patience)
        # torch leaves a rate alone that would change by less than 1e-8
        assert factor == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=2e-8)


def test_warmup_hands_over_at_its_end():
    schedule = schedules.warmup(10, schedules.cosine(50))
    assert [schedule(step) for step in (0, 9, 10, 35, 60, 100)] == pytest.approx(
        [0.1, 1.0, 1.0, 0.5, 0.0, 0.0]
    )


@pytest.mark.parametrize(
    "schedule", [schedules.cosine(20, 0.2), schedules.polynomial(20), schedules.one_cycle(20)]
)
def test_a_schedule_stays_at_its_end(schedule):
    assert schedule(20) == pytest.approx(schedule(1000))
    assert schedule(1000) <= 0.2


def test_it_is_a_scheduler_for_fit():
    schedule = schedules.warmup(5, schedules.cosine(30))
    agree(schedule, lambda o: lr_scheduler.LambdaLR(o, schedule), 50)


def test_one_cycle_may_end_at_its_peak():
    schedule = schedules.one_cycle(10, rise=1.0)
    assert [schedule(step) for step in (9, 10)] == [1.0, 1.0]
