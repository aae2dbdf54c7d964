"""What judges an exercise. The exercises themselves are data: see the module of a chapter.

Nothing here knows what is asked. An answer may raise, run forever, return a tensor or
nothing at all: each is said in words, and the right value never appears in a message or
in a traceback.
"""

import copy
import math
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt

RTOL = 1e-7  # tells a central from a one-sided difference, and forgives rounding
COARSE = {np.dtype(np.float32): 1e-4, np.dtype(np.float16): 1e-2}  # what such answers can reach
NO_ANSWER = "No answer yet: replace the ... and run the cell again."
NO_RETURN = "Not yet. Your function returns nothing: is the return missing?"


@dataclass(frozen=True)
class Check:
    """An exercise as data: call it with the answer, and it prints a verdict.

    Parameters
    ----------
    right : callable
        The right answer, a function like the one that is asked for. Where a value is
        asked for, a function without arguments that returns it.
    mistakes : mapping of str to callable
        What to say, and the wrong answer that deserves it, as a function like `right`.
    cases : sequence of tuple
        Arguments to call answers with; each call gets copies. Without cases the answer
        is a value.
    judge : callable, optional
        Where many answers are right: ``judge(result, *case)`` says what is wrong, or
        ``""``. `right` and `mistakes` are then examples, which the tests hand to it.
    parts : sequence of str
        Where a tuple is asked for, what its entries are called: messages then say which
        of them are wrong.
    rtol : float
        Relative tolerance for float64; single and half precision have their own.
    seconds : float
        After which an answer counts as an endless loop.

    Examples
    --------
    >>> double = Check(
    ...     right=lambda x: 2 * x,
    ...     mistakes={"The sign is flipped.": lambda x: -2 * x},
    ...     cases=[(1.0,), (np.array([3.0, 4.0]),)],
    ... )
    >>> double(lambda x: x + x)
    Right.
    >>> double(lambda x: -x - x)
    Not yet. The sign is flipped.
    >>> double(lambda x: x**2)
    Not yet. The shape is right and the values are not: the largest difference is 8.
    >>> Check(right=lambda: 0.25)(...)
    No answer yet: replace the ... and run the cell again.
    """

    right: Callable[..., Any]
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    cases: Sequence[tuple[Any, ...]] = ((),)
    judge: Callable[..., str] | None = None
    parts: Sequence[str] = ()
    rtol: float = RTOL
    seconds: float = 20.0

    def __call__(self, answer: Any) -> None:
        """Print the verdict on an answer."""
        print(self.verdict(answer))

    def verdict(self, answer: Any) -> str:
        """Return the verdict: it starts with "Right", "Not yet" or "No answer yet"."""
        return self.examine(answer)[0]

    def examine(self, answer: Any) -> tuple[str, float]:
        """Return the verdict, and of an exact answer the largest difference, else nan.

        Exact means in double precision, and compared with numbers rather than judged.
        """
        try:
            results = [self._result(answer, case) for case in self.cases]
            if self.judge is not None:
                return self._judged(results), math.nan
            arrays = list(map(self._arrays, results, self.cases))
        except _NotYet as told:
            return str(told), math.nan
        if self._fits(self.right, arrays):
            kinds = {a.dtype for group in arrays for a in group} & set(COARSE)
            if kinds:
                return f"Right, as far as {min(map(str, kinds))} can tell.", math.nan
            return "Right.", self._gap(arrays)
        for message, wrong in self.mistakes.items():
            if self._fits(wrong, arrays):
                return f"Not yet. {message}", math.nan
        return f"Not yet. {self._symptom(arrays)}", math.nan

    def _result(self, answer: Any, case: tuple[Any, ...]) -> Any:
        """Call the answer on a copy of a case, with tensors where arrays do not do."""
        if answer is None or answer is ...:
            raise _NotYet(NO_ANSWER)
        if case and not callable(answer):
            raise _NotYet("Not yet. Pass the function itself, without calling it.")
        if not case and not isinstance(answer, FunctionType):
            return answer
        try:
            result = _call(answer, case, self.seconds)
        except _Raised as told:
            tensors = tuple(map(_tensor, case))
            if all(a is b for a, b in zip(tensors, case, strict=True)):
                raise
            try:
                with warnings.catch_warnings(action="ignore"):  # arrays among tensors
                    result = _call(answer, tensors, self.seconds)
            except _NotYet:
                raise told from None
        if result is None and not _untouched(answer):
            raise _NotYet(NO_RETURN)
        if result is None or result is ...:
            raise _NotYet(NO_ANSWER)
        return result

    def _arrays(self, result: Any, case: tuple[Any, ...]) -> list[npt.NDArray[Any]]:
        """Return a result as arrays; where a tuple is expected, a list counts as one.

        So does an array with one axis where all entries of the tuple are numbers.
        """
        if isinstance(result, list) or getattr(result, "ndim", None) == 1:
            wanted = self.right(*copy.deepcopy(case))
            if isinstance(wanted, tuple) and (
                isinstance(result, list) or not any(map(np.ndim, wanted))
            ):
                result = tuple(result)
        return _numbers(result)

    def _fits(self, function: Callable[..., Any], arrays: list[list[npt.NDArray[Any]]]) -> bool:
        """Tell whether the function gives these results, in every case."""
        return all(
            len(group) == len(wanted)
            and all(_close(a, b, self.rtol) for a, b in zip(group, wanted, strict=True))
            for group, case in zip(arrays, self.cases, strict=True)
            for wanted in [_numbers(function(*copy.deepcopy(case)))]
        )

    def _gap(self, arrays: list[list[npt.NDArray[Any]]]) -> float:
        """Return the largest difference to the right values; of text it is 0."""
        pairs = [
            (result, expected)
            for group, case in zip(arrays, self.cases, strict=True)
            for result, expected in zip(
                group, _numbers(self.right(*copy.deepcopy(case))), strict=True
            )
            if result.dtype.kind != "U"
        ]
        with np.errstate(invalid="ignore"):  # inf - inf, where inf is right
            gaps = [np.max(np.nan_to_num(np.abs(a - b)), initial=0.0) for a, b in pairs]
        return float(max(gaps, default=0.0))

    def _judged(self, results: list[Any]) -> str:
        assert self.judge is not None
        for result, case in zip(results, self.cases, strict=True):
            try:
                fault = self.judge(result, *copy.deepcopy(case))
            except Exception as error:
                return (
                    "Not yet. What you return could not be judged "
                    f"({type(error).__name__}: {error})."
                )
            if fault:
                return f"Not yet. {fault}"
        return "Right."

    def _symptom(self, arrays: list[list[npt.NDArray[Any]]]) -> str:
        """Say what is wrong with results that no known mistake explains."""
        wrong: dict[str, float] = {}  # the largest difference of each part
        for group, case in zip(arrays, self.cases, strict=True):
            wanted = _numbers(self.right(*copy.deepcopy(case)))
            if len(group) != len(wanted):
                which = f": {', '.join(self.parts)}" if self.parts else ""
                return f"{len(group)} value(s) are returned, and {len(wanted)} are expected{which}."
            names = self.parts or [""] * len(wanted)
            for name, result, expected in zip(names, group, wanted, strict=True):
                of = f"{name}: " if name else ""
                if result.shape != expected.shape:
                    return f"{of}The shape is {result.shape}, and {expected.shape} is expected."
                if result.dtype.kind == "U" or expected.dtype.kind == "U":
                    return f"{of}The values are not the expected ones."
                if not np.isfinite(result).all():
                    return f"{of}The answer holds inf or nan."
                if not _close(result, expected, self.rtol):
                    gap = float(np.max(np.abs(result - expected), initial=0.0))
                    wrong[name] = max(gap, wrong.get(name, 0.0))
        of = f"{', '.join(wrong)}: " if self.parts else ""
        return (
            f"{of}The shape is right and the values are not: "
            f"the largest difference is {max(wrong.values()):.2g}."
        )


class Lab(dict[str, Check]):
    """The steps of a lab, each checked on its own and in any order.

    Examples
    --------
    >>> lab = Lab(half=Check(right=lambda: 0.5), third=Check(right=lambda: 1 / 3))
    >>> lab(half=2 / 4, third=0.33333333)
    half: Right. Exact up to rounding.
    third: Right. Approximate: the largest difference is below 1e-08.
    >>> lab(third=...)
    third: No answer yet: replace the ... and run the cell again.
    """

    def __call__(self, **answers: Any) -> None:
        """Print a line for each answer: the verdict, and how close it is.

        Exact means that the largest difference is what rounding leaves (1e-12): whether
        the last bit agrees too depends on the processor.

        Raises
        ------
        ValueError
            If there is no such step; the message names those that there are.
        """
        for name, answer in answers.items():
            if name not in self:
                raise ValueError(f"no step {name!r}: the steps are {', '.join(self)}")
            verdict, gap = self[name].examine(answer)
            if gap > 1e-12:
                power = f"{10.0 ** math.ceil(math.log10(gap)):.0e}"
                verdict += f" Approximate: the largest difference is below {power}."
            elif not math.isnan(gap):
                verdict += " Exact up to rounding."
            print(f"{name}: {verdict}")


class _NotYet(Exception):  # noqa: N818  not an error: a verdict
    """There is nothing to compare, and this is why."""


class _Raised(_NotYet):
    """The answer raised: it may be written for tensors."""


class _TooLong(BaseException):
    """The time is over. Not an Exception, so that the answer's own except lets it pass."""


def _call(answer: Callable[..., Any], case: tuple[Any, ...], seconds: float) -> Any:
    """Call the answer on a copy of the case; say what went wrong without our frames."""
    given = copy.deepcopy(case)
    try:
        with _limit(seconds):
            result = answer(*given)
    except _TooLong:
        told = (
            f"Your function was still running after {seconds:g} seconds: "
            "look for a loop that never ends."
        )
    except KeyboardInterrupt:
        told = "Interrupted: your function was still running. Look for a loop that never ends."
    except Exception as error:  # the reader's code may raise anything
        place = _place(answer, error)
        raise _Raised(
            f"Not yet. Your function raised {type(error).__name__}: {error}{place}"
        ) from None
    else:
        if all(_same(a, b) for a, b in zip(given, case, strict=True)):
            return result
        told = "Your function changes its argument: work on a copy."
    raise _NotYet(f"Not yet. {told}")


def _untouched(answer: Callable[..., Any]) -> bool:
    """Tell whether a function has no body: whether it runs the steps of one that has none."""

    def stub() -> None: ...

    code = getattr(answer, "__code__", stub.__code__)
    return bool(code.co_code[::2] == stub.__code__.co_code[::2])  # without their arguments


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Stop what runs inside after so many seconds, where the system has timers (not Windows)."""
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _place(answer: Callable[..., Any], error: BaseException) -> str:
    """Return where in the reader's own code the error came up: the line and its text."""
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"\n  in line {own[-1].lineno}: {own[-1].line}" if own else ""


def _tensor(value: Any) -> Any:
    """Return an array as a tensor, and anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    import torch

    return torch.from_numpy(value.copy())


def _numbers(result: Any) -> list[npt.NDArray[Any]]:
    """Return a result as arrays: one for each entry of a tuple, else one in all."""
    return [_array(part) for part in result] if isinstance(result, tuple) else [_array(result)]


def _array(value: Any) -> npt.NDArray[Any]:
    torch = sys.modules.get("torch")
    try:
        if torch is not None:  # lists of tensors too, with or without gradients
            value = [_array(v) for v in value] if isinstance(value, list) else value
            if isinstance(value, torch.Tensor):
                value = value.detach().cpu()
                value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
        array = np.asarray(value)
        if array.dtype.kind in "fU":
            return array
        return array.astype(float)
    except (TypeError, ValueError):
        raise _NotYet(
            "Not yet. A number or an array is expected, "
            f"not something of type {type(value).__name__}."
        ) from None


def _close(result: npt.NDArray[Any], expected: npt.NDArray[Any], rtol: float) -> bool:
    """Tell whether two arrays are equal as far as the precision of the first one goes."""
    if result.shape != expected.shape:
        return False
    if result.dtype.kind == "U" or expected.dtype.kind == "U":
        return bool(np.array_equal(result, expected))
    coarse = COARSE.get(result.dtype)
    if coarse is None:
        return bool(np.allclose(result, expected, rtol=rtol, atol=1e-12, equal_nan=True))
    scale = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    return bool(
        np.allclose(result, expected, rtol=max(coarse, rtol), atol=0.1 * coarse * scale,
                    equal_nan=True)
    )  # fmt: skip


def _same(a: Any, b: Any) -> bool:
    """Tell whether an argument is as it was."""
    if isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in b)
    if isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(b, np.ndarray) or type(b).__name__ == "Tensor":
        return np.array_equal(_array(a), _array(b), equal_nan=_array(b).dtype.kind == "f")
    return True
