"""The schedules explorer: a learning rate composed, and a noisy quadratic under it."""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from dlnotes.explorers import esm, widget
from dlnotes.portable import Generator
from dlnotes.scratch import schedules
from dlnotes.scratch.schedules import Schedule

__all__ = ["Explorer"]

Array = npt.NDArray[np.float64]

START = 10.0  # where every run begins
RUNS = 200
OUT = RUNS // 10  # runs left out of the band on either side
LOST = 1e12  # a mean of x² beyond it counts as infinite
EDGE = 2.0  # a higher rate takes a step that ends further away than it began

LEAST, MOST = esm.spec("schedules")["settings"]["peak"]["limits"]
MANTISSAS = [*range(100, 200, 5), *range(200, 500, 10), *range(500, 1000, 20)]
PEAKS = np.array([v for k in range(-5, -1) for m in MANTISSAS if (v := float(f"{m}e{k}")) <= MOST])

DECAYS: dict[str, Callable[[int], Schedule]] = {
    "step": lambda n: schedules.multistep([math.ceil(n / 2), math.ceil(3 * n / 4)]),
    "exponential": lambda n: schedules.exponential(0.001 ** (1 / n)),
    "linear": schedules.polynomial,
    "quadratic": lambda n: schedules.polynomial(n, 2.0),
    "cosine": schedules.cosine,
    "restarts": lambda n: schedules.restarts(math.ceil(n / 7), 2),
}


class Explorer(widget.Widget, explorer="schedules"):
    """A learning-rate schedule to compose, and what a noisy quadratic makes of it.

    Every update is x <- x - rate (x + noise ξ) with ξ standard normal, from x = 10: gradient
    descent on x²/2, curvature 1, with a noisy gradient. The peak, the end of the warm-up and
    the start of the decay can be dragged in the picture.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and what is changed in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> explorer = Explorer("linear", peak=0.115, warmup=0.0, decay=0.0)
    >>> round(float(explorer.theory()[-1]), 4)
    0.0158
    """

    shape: str
    peak: float
    steps: int
    warmup: float
    decay: float
    noise: float
    log: bool
    seed: int

    def corners(self) -> tuple[int, int]:
        """Return the step at which the rate has reached its peak, and that where it falls.

        Examples
        --------
        >>> Explorer(warmup=0.1, decay=0.4, steps=200).corners()
        (20, 80)
        """
        risen, falls = (math.floor(part * self.steps + 0.5) for part in (self.warmup, self.decay))
        if self.shape == "one-cycle":
            return max(2, risen) - 1, max(2, risen) - 1
        return risen, self.steps if self.shape == "constant" else max(risen, falls)

    def schedule(self) -> Schedule:
        """Return the schedule, of factors of the peak, made by `dlnotes.scratch.schedules`.

        Examples
        --------
        >>> made = Explorer("linear", warmup=0.02, decay=0.04).schedule()
        >>> [round(made(step), 3) for step in range(7)]
        [0.5, 1.0, 1.0, 1.0, 1.0, 0.99, 0.979]
        """
        risen, falls = self.corners()
        if self.shape == "one-cycle":
            return schedules.one_cycle(self.steps, (risen + 1) / self.steps)
        held = falls - risen
        fall = (
            schedules.constant()
            if self.shape == "constant"
            else DECAYS[self.shape](max(1, self.steps - falls))
        )
        return schedules.warmup(risen, lambda step: 1.0 if step < held else fall(step - held))

    def factors(self) -> Array:
        """Return the factor of each step; shape (steps,)."""
        return np.array([*map(self.schedule(), range(self.steps))])

    def rates(self) -> Array:
        """Return the learning rate of each step; shape (steps,)."""
        return self.peak * self.factors()

    def theory(self) -> Array:
        """Return the mean of x² before the first update and after each; shape (steps + 1,)."""
        return theory(self.rates(), self.noise)

    def runs(self) -> Array:
        """Return x of 200 runs, before the first update and after each; shape (steps + 1, 200).

        A run that is lost is infinite from there on.
        """
        path = [np.full(RUNS, START)]
        with np.errstate(invalid="ignore"):  # what comes of infinity
            for rate, draws in zip(self.rates(), _normals(self.seed, self.steps), strict=True):
                x = path[-1] - rate * (path[-1] + self.noise * draws)
                path.append(np.where(x * x <= LOST, x, np.inf))
        return np.array(path)

    def best_peak(self) -> tuple[float, float]:
        """Return the peak with which this shape ends lowest, and the mean of x² there."""
        return _best(self._ends())

    def best_constant(self) -> tuple[float, float]:
        """Return the constant rate that ends lowest, and the mean of x² there."""
        return _best(self._constant_ends())

    def best_possible(self) -> tuple[Array, Array]:
        """Return the rates of the best schedule of all, and the mean of x² under it.

        Its rate, x²'s mean over that mean plus the variance of the noise, is at each step the
        one that makes the next mean least; here, where a lower mean is never worse later, no
        other schedule ends lower after any number of steps.

        Examples
        --------
        >>> rates, means = Explorer().best_possible()
        >>> [round(float(v), 3) for v in (rates[0], rates[99], means[-1])]
        [0.99, 0.01, 0.01]
        """
        rates = 1 / (1 + (self.noise / START) ** 2 + np.arange(self.steps))
        return rates, theory(rates, self.noise)

    def _ends(self) -> Array:
        return _ends(self.factors(), self.noise)

    def _constant_ends(self) -> Array:
        return _ends(np.ones(self.steps), self.noise)

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        Examples
        --------
        >>> seen = Explorer("constant", peak=0.1, warmup=0.0).numbers()
        >>> round(seen["floor"], 4), round(seen["end.possible"], 4)
        (0.0526, 0.01)
        """
        risen, falls = self.corners()
        factors = self.factors()
        own, constant = self.best_peak(), self.best_constant()
        rates, means = self.best_possible()
        end = self.theory()[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            times = end / means[-1]
        shown = {
            "runs": RUNS,
            "risen": risen,
            "falls": falls,
            "rate.own": self.peak,
            "mean.own": self.rates().mean(),
            "end.own": end,
            "end.runs": (self.runs()[-1] ** 2).mean(),
            "rate.tuned": own[0],
            "mean.tuned": own[0] * factors.mean(),
            "end.tuned": own[1],
            "rate.constant": constant[0],
            "mean.constant": constant[0],
            "end.constant": constant[1],
            "rate.possible": rates[0],
            "mean.possible": rates.mean(),
            "end.possible": means[-1],
            "times": times,
            "floor": self.peak * self.noise**2 / (2 - self.peak) if self.peak < EDGE else np.inf,
        }
        return {name: v if isinstance(v, int) else float(v) for name, v in shown.items()}

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn: rates, the mean of x² and its runs, and its end by peak."""
        risen, falls = self.corners()
        rates = self.rates()
        best, means = self.best_possible()
        constant, _ = self.best_constant()
        ends = theory(np.full(self.steps, constant), self.noise)
        some = _some(self.steps)
        drawn = {
            "your schedule": _thinned(rates, 500),
            "best constant": np.array([[0, constant], [self.steps, constant]]),
            "best possible": _thinned(best),
            "peak": np.array([[self.steps, self.peak]]),
            "warm-up ends": np.array([[risen, self.peak]]),
        }
        if self.shape in DECAYS:
            drawn["decay starts"] = np.array([[falls, self.peak]])
        if self.log:
            drawn["edge"] = np.array([[0, EDGE], [self.steps, EDGE]])
        squares = np.sort(self.runs()[some] ** 2)
        low, high = (np.column_stack([some, squares[:, k]]) for k in (OUT, -1 - OUT))
        return {
            "Learning rate": drawn,
            "Mean of x²": {
                "your schedule": _thinned(self.theory()),
                "best constant": _thinned(ends),
                "best possible": _thinned(means),
                "mean of the runs": np.column_stack([some, squares.mean(axis=1)]),
                "middle of the runs": np.vstack([high, low[::-1]]),
            },
            "Mean of x² at the end, by peak": {
                "your schedule": np.column_stack([PEAKS, self._ends()]),
                "best constant": np.column_stack([PEAKS, self._constant_ends()]),
                "best possible": np.array([[LEAST, means[-1]], [MOST, means[-1]]]),
                "now": np.array([[self.peak, theory(rates, self.noise)[-1]]]),
            },
        }

    def _in_words(self) -> str:
        risen, falls = self.corners()
        end = self.theory()[-1]
        return (
            f"a {self.shape} schedule of {self.steps} steps with peak {self.peak:g}, reached at "
            f"step {risen} and left at step {falls}, and a noisy quadratic under it, whose mean "
            f"of x² goes from {START**2:g} to {end:.3g}."
        )


def theory(rates: Array, noise: float) -> Array:
    """Return the mean of x² on the noisy quadratic, before the first update and after each.

    V <- (1 - rate)² V + rate² noise², from V = 100.

    Parameters
    ----------
    rates : array of shape (steps, ...)
        The learning rate of each step, of any number of schedules at once.
    noise : float
        Standard deviation of a gradient's noise.

    Returns
    -------
    array of shape (steps + 1, ...)
        Infinite from where it has passed 10¹².

    Examples
    --------
    >>> theory(np.array([0.5, 0.5]), 2.0).tolist()
    [100.0, 26.0, 7.5]
    """
    means = [np.full(np.shape(rates)[1:], START**2)]
    with np.errstate(invalid="ignore"):  # what comes of infinity
        for rate in rates:
            kept = 1 - rate
            v = kept * kept * means[-1] + rate * rate * (noise * noise)
            means.append(np.where(v <= LOST, v, np.inf))
    return np.array(means)


@functools.lru_cache(maxsize=4)
def _normals(seed: int, steps: int) -> Array:
    random = Generator(seed)
    return np.array([random.normal() for _ in range(steps * RUNS)]).reshape(steps, RUNS)


def _ends(factors: Array, noise: float) -> Array:
    """Return the mean of x² after the last update, for each of the `PEAKS`."""
    ends: Array = theory(np.outer(factors, PEAKS), noise)[-1]
    return ends


def _some(last: int, most: int = 100) -> npt.NDArray[np.int64]:
    """Return some steps of 0 to `last`, enough for a curve.

    Examples
    --------
    >>> _some(7, 3).tolist()
    [0, 3, 6, 7]
    """
    return np.append(np.arange(0, last, math.ceil(last / most)), last)


def _thinned(values: Array, most: int = 100) -> widget.Points:
    """Return the points of a curve over steps."""
    some = _some(len(values) - 1, most)
    return np.column_stack([some, values[some]])


def _best(ends: Array) -> tuple[float, float]:
    """Return the peak with the lowest end, and that end.

    Of several that end at 0 it is the one next to 1, which gets there at once.
    """
    tied = PEAKS[ends == ends.min()]
    return float(tied[np.argmin(np.abs(tied - 1))]), float(ends.min())
