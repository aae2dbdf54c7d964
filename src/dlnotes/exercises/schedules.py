"""The exercises of chapter 09, learning-rate schedules."""

from dlnotes.exercises import Check

warm_up = Check(
    cases=[(3.0,), (-0.5,)],
    right=lambda x: 2 * x,
    mistakes={"The sign is flipped.": lambda x: -2 * x},
)
