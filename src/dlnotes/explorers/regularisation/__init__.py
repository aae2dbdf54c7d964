"""The regularisation explorer: polynomials fitted to noise, and what their errors are made of."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import traitlets

from dlnotes.explorers import esm, widget
from dlnotes.portable import Generator
from dlnotes.scratch import polynomials
from dlnotes.scratch.polynomials import Array, Errors

__all__ = ["Explorer", "Fit"]

SETTINGS = esm.spec("regularisation")["settings"]
MOST = SETTINGS["degree"]["limits"][1]
WEAK, STRONG = SETTINGS["strength"]["limits"]
SETS = 100  # samples that are redrawn
PLACES = 400  # where a test over the interval is made
ACROSS = np.arange(201) / 100 - 1  # where curves are drawn
AXES: dict[str, Array] = {
    "degree": np.arange(MOST + 1.0),
    "strength": np.geomspace(WEAK, STRONG, 25),
}


class Fit(NamedTuple):
    """A fit to the points, and the same fit to the redrawn samples.

    Attributes
    ----------
    coefficients : array of shape (degree + 1,)
        Those of the fit to the points.
    training, test : float
        Its mean squared errors: on the points, and expected on new targets.
    redrawn : array of shape (100, degree + 1)
        The coefficients of the fits to the redrawn samples.
    measured : Errors
        Their errors.
    theory : Errors or None
        The errors that theory expects; for the lasso there is no formula.
    """

    coefficients: Array
    training: float
    test: float
    redrawn: Array
    measured: Errors
    theory: Errors | None


class Explorer(widget.Widget, explorer="regularisation"):
    """Polynomials fitted to noisy points of sin πx, with a penalty or without.

    Beside the points are 100 redrawn samples with the same inputs: 50, and each of them with
    the opposite noise, so that what chance leaves of it in a mean is not taken for bias.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and what is dragged in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> fit = Explorer(degree=3, test="inputs").fit()
    >>> round(fit.theory.variance, 4), round(fit.measured.variance, 4)  # the first is σ² 4/20
    (0.018, 0.017)
    """

    degree: int
    samples: int
    noise: float
    penalty: str
    strength: float
    test: str
    against: str
    seed: int
    moved: list[float]

    @traitlets.validate("moved")
    def _one_a_point(self, proposal: Any) -> list[float]:
        given = proposal.value
        if not isinstance(given, Sequence | np.ndarray) or isinstance(given, str):
            raise traitlets.TraitError(f"moved must be a list of numbers, got {given!r}")
        if len(given) not in (0, self.samples):
            raise traitlets.TraitError(
                f"moved needs {self.samples} numbers, one a point, or none, got {len(given)}"
            )
        limits = SETTINGS["moved"]["limits"]
        return [widget.within(f"moved[{i}]", v, limits) for i, v in enumerate(given)]

    @traitlets.observe("samples")
    def _other_points(self, change: Any) -> None:
        if len(self.moved) not in (0, self.samples):
            self.moved = []

    def points(self) -> tuple[Array, Array]:
        """Return x and y of the points."""
        x, signal = inputs(self.samples), truth(inputs(self.samples))
        random = Generator(self.seed)
        y = signal + self.noise * np.array([random.normal() for _ in x])
        return x, y + np.array(self.moved or 0.0)

    def fit(self, degree: int | None = None, strength: float | None = None) -> Fit:
        """Return the fit and its errors; with another degree or strength if one is given."""
        degree = self.degree if degree is None else degree
        strength = self.strength if strength is None else strength
        strength = 0.0 if self.penalty == "none" else strength
        x, y = self.points()
        features = polynomials.legendre(x, degree)
        c = (polynomials.lasso if self.penalty == "l1" else polynomials.ridge)(
            features, y, strength
        )
        tested = inputs(PLACES) if self.test == "interval" else x
        off = polynomials.legendre(tested, degree) @ c - truth(tested)
        return Fit(
            c,
            float(((y - features @ c) ** 2).mean()),
            float(self.noise**2 + (off**2).mean()),
            *_redrawn(degree, self.samples, self.noise, self.penalty, strength, self.test),
        )

    def numbers(self, chosen: int = 0) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        Parameters
        ----------
        chosen : int
            The point that the ring is at, counted from 0.

        Examples
        --------
        >>> seen = Explorer(penalty="l1", strength=0.1).numbers()
        >>> seen["used"], seen["coefficients"]
        (3, 10)
        """
        x, y = self.points()
        fit = self.fit()
        shown: dict[str, float | Sequence[float]] = {
            "chosen": (chosen + 1, self.samples),
            "chosen.x": float(x[chosen]),
            "chosen.y": float(y[chosen]),
            "coefficients": self.degree + 1,
            "used": int((fit.coefficients != 0).sum()),
            "training.sample": fit.training,
            "test.sample": fit.test,
        }
        for column, errors in (("measured", fit.measured), ("theory", fit.theory)):
            if errors:
                shown |= {f"{row}.{column}": value for row, value in errors._asdict().items()}
                shown[f"test.{column}"] = errors.test
        if fit.theory:
            strength = self.strength if self.penalty == "l2" else 0.0
            features = polynomials.legendre(x, self.degree)
            shown["effective.theory"] = polynomials.effective_coefficients(features, strength)
        return shown

    def marks(self, chosen: int = 0) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn of data: for each plot and mark its points."""
        x, y = self.points()
        now = self.fit()
        features = polynomials.legendre(ACROSS, self.degree)
        curves = now.redrawn @ features.T
        mean, spread = curves.mean(0), curves.std(0)
        band = np.concatenate([mean + spread, (mean - spread)[::-1]])
        points = np.column_stack([x, y])
        scene = {
            "mean ± one standard deviation": np.column_stack([np.r_[ACROSS, ACROSS[::-1]], band]),
            "mean": np.column_stack([ACROSS, mean]),
            "sin πx": np.column_stack([ACROSS, truth(ACROSS)]),
            "fit": np.column_stack([ACROSS, features @ now.coefficients]),
            "points": points,
            "chosen": points[chosen : chosen + 1],
        }
        true = polynomials.ridge(polynomials.legendre(inputs(PLACES), MOST), truth(inputs(PLACES)))
        places = np.arange(self.degree + 1.0)
        coefficients = {
            "truth": np.column_stack([AXES["degree"], true]),
            "fit": np.column_stack([places, now.coefficients]),
        }
        return {
            "Points and fits": scene,
            "Mean squared error": self._errors(now),
            "Coefficients": coefficients,
        }

    def _errors(self, now: Fit) -> dict[str, widget.Points]:
        axis = "degree" if self.penalty == "none" else self.against
        across = AXES[axis]
        fits = [
            self.fit(degree=int(v)) if axis == "degree" else self.fit(strength=float(v))
            for v in across
        ]
        here = float(getattr(self, axis))
        drawn = {}
        low = np.zeros(len(fits))
        for part in ("noise", "bias", "variance"):
            high = low + [getattr(fit.measured, part) for fit in fits]
            drawn[part] = np.column_stack([np.r_[across, across[::-1]], np.r_[high, low[::-1]]])
            low = high
        for kind in ("training", "test"):
            values = [getattr(fit, kind) for fit in fits]
            drawn[kind] = np.column_stack([across, values])
            drawn[f"{kind} here"] = np.array([[here, getattr(now, kind)]])
            if self.penalty != "l1":
                expected = [getattr(fit.theory, kind) for fit in fits]
                drawn[f"{kind}, theory"] = np.column_stack([across, expected])
        return drawn

    def _in_words(self) -> str:
        fit = self.fit()
        kind = {"none": "", "l2": "L2 penalty", "l1": "L1 penalty"}[self.penalty]
        penalty = f" with {kind} {self.strength:g}" if kind else ""
        return (
            f"a polynomial of degree {self.degree} fitted to {self.samples} noisy points{penalty}: "
            f"training error {fit.training:.3g}, test error {fit.test:.3g}."
        )


def inputs(count: int) -> Array:
    """Return the middles of equal parts of [-1, 1].

    Examples
    --------
    >>> inputs(4).tolist()
    [-0.75, -0.25, 0.25, 0.75]
    """
    return (2 * np.arange(count) + 1) / count - 1


def truth(x: Array) -> Array:
    """Return sin πx."""
    return np.sin(np.pi * x)


@functools.cache
def _noise() -> Array:
    """Return the noise of the redrawn samples at σ = 1, shape (100, most points).

    They come in pairs of opposite signs: chance has no part in the mean of fits that are
    linear in the noise, and would be taken for bias.
    """
    random = Generator(0, stream=1)
    most = SETTINGS["samples"]["limits"][1]
    half = np.array([[random.normal() for _ in range(most)] for _ in range(SETS // 2)])
    return np.stack([half, -half], axis=1).reshape(SETS, most)


@functools.lru_cache(maxsize=1000)
def _redrawn(
    degree: int, samples: int, noise: float, penalty: str, strength: float, test: str
) -> tuple[Array, Errors, Errors | None]:
    """Return the fits to the redrawn samples, their errors, and those of theory."""
    x = inputs(samples)
    y = truth(x) + noise * _noise()[:, :samples]
    features = polynomials.legendre(x, degree)
    places = inputs(PLACES) if test == "interval" else x
    tested = polynomials.legendre(places, degree)
    fits = (polynomials.lasso if penalty == "l1" else polynomials.ridge)(features, y, strength)
    measured = polynomials.measured_errors(fits, y, features, tested, truth(places), noise)
    if penalty == "l1":
        return fits, measured, None
    theory = polynomials.expected_errors(features, truth(x), tested, truth(places), noise, strength)
    return fits, measured, theory
