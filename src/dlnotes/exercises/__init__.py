"""Checks of the exercises: one module a chapter, one function an exercise.

A chapter imports its own module, ``from dlnotes.exercises import gradients as check``,
and calls ``check.slope(answer)``. A check prints whether the answer is right, or what
is wrong with it, and never prints the answer. `compare` is what all of them share.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

RTOL = 1e-7  # tells a central from a one-sided difference, and forgives rounding


def compare(
    answer: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    right: Callable[..., Any],
    mistakes: Mapping[str, Callable[..., Any]],
) -> None:
    """Print whether `answer` is right, or which typical mistake it makes.

    Parameters
    ----------
    answer : callable
        The reader's function.
    cases : sequence of tuple
        Arguments to call it with; the function gets copies.
    right : callable
        Returns the right value for the same arguments.
    mistakes : mapping of str to callable
        What to say, and the wrong value to which it applies. The first that fits every
        case is said.

    Examples
    --------
    >>> double = lambda x: 2 * x
    >>> compare(lambda x: x + x, [(1.0,), (3.0,)], double, {})
    Right.
    >>> compare(lambda x: -2 * x, [(1.0,)], double, {"The sign is flipped.": lambda x: -2 * x})
    Not yet. The sign is flipped.
    >>> compare(lambda x: ..., [(1.0,)], double, {})
    No answer yet: the function returns nothing. Replace the ... and run the cell again.
    """
    print(_verdict(answer, cases, right, mistakes))


def _verdict(
    answer: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    right: Callable[..., Any],
    mistakes: Mapping[str, Callable[..., Any]],
) -> str:
    results = []
    for case in cases:
        given = copy.deepcopy(case)
        try:
            result = answer(*given)
        except Exception as error:  # the reader's code may raise anything
            return f"Not yet. Your function raised {type(error).__name__}: {error}"
        if result is None or result is ...:
            return (
                "No answer yet: the function returns nothing. "
                "Replace the ... and run the cell again."
            )
        if not all(_equal(a, b) for a, b in zip(given, case, strict=True)):
            return "Not yet. Your function changes its argument: work on a copy."
        try:
            results.append(np.asarray(result, dtype=float))
        except (TypeError, ValueError):
            return f"Not yet. A number or an array is expected, not a {type(result).__name__}."

    def fits(function: Callable[..., Any]) -> bool:
        return all(
            np.shape(function(*case)) == result.shape
            and np.allclose(result, function(*case), rtol=RTOL, atol=1e-12)
            for case, result in zip(cases, results, strict=True)
        )

    if fits(right):
        return "Right."
    for message, wrong in mistakes.items():
        if fits(wrong):
            return f"Not yet. {message}"
    for case, result in zip(cases, results, strict=True):
        expected = np.asarray(right(*case))
        if result.shape != expected.shape:
            return f"Not yet. The shape is {result.shape}, and {expected.shape} is expected."
        if not np.isfinite(result).all():
            return "Not yet. The answer holds inf or nan."
    return (
        "Not yet. The shape is right and the values are not: try it on a case you can do by hand."
    )


def _equal(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b)) if isinstance(b, np.ndarray) else True
