"""The losses explorer: an outlier under three losses, one logit, a softmax."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets

from dlnotes.explorers import esm, widget
from dlnotes.portable import Generator
from dlnotes.scratch import activations, lines, losses
from dlnotes.scratch.lines import Array, Line

NOISE = 0.4  # standard deviation of the other points about y = x
REACH = 2  # they have x from -2 to 2
TOUCHES = 1e-9  # an error that is only rounding: the line goes through the point
TOPS = 2.0 ** np.arange(1, 8)  # where an axis may end that must hold what it shows
LOGITS = -8 + np.arange(161) / 10
NAMES = {"mse": "MSE", "mae": "MAE", "huber": "Huber"}


class Explorer(widget.Widget, explorer="losses"):
    """What a loss asks for: three pictures, of which `view` chooses one.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and what is dragged in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> explorer = Explorer(outlier=(1.5, -4.5))
    >>> {name: round(slope, 2) for name, (slope, _) in explorer.fits().items()}
    {'mse': 0.0, 'mae': 0.0, 'huber': 0.0}
    """

    view: str
    outlier: list[float]
    intercept: bool
    delta: float
    others: int
    seed: int
    logit: float
    positive: bool
    logits: list[float]
    label: int
    temperature: float

    @traitlets.validate("outlier", "logits")
    def _numbers(self, proposal: Any) -> list[float]:
        name = proposal.trait.name
        setting = esm.spec("losses")["settings"][name]
        count = len(setting["default"])
        given = proposal.value
        if not isinstance(given, Sequence | np.ndarray) or isinstance(given, str):
            raise traitlets.TraitError(f"{name} must be a list of {count} numbers, got {given!r}")
        if len(given) != count:
            raise traitlets.TraitError(f"{name} needs {count} numbers, got {len(given)}")
        limits = setting["limits"]
        ends = list(limits.values()) if isinstance(limits, dict) else [limits] * count
        return [widget.within(f"{name}[{i}]", v, ends[i]) for i, v in enumerate(given)]

    def points(self) -> tuple[Array, Array]:
        """Return x and y of all points, the dragged one last."""
        random = Generator(self.seed)
        part = [i + random.uniform() for i in range(self.others)]
        x = REACH * (2 * np.array(part) / self.others - 1)
        y = x + NOISE * np.array([random.normal() for _ in x])
        return np.append(x, self.outlier[0]), np.append(y, self.outlier[1])

    def fits(self) -> dict[str, Line]:
        """Return slope and intercept of the best line under each loss: mse, mae and huber."""
        x, y = self.points()
        return {
            "mse": lines.least_squares(x, y, self.intercept),
            "mae": lines.least_absolute(x, y, self.intercept),
            "huber": lines.least_huber(x, y, self.delta, self.intercept),
        }

    def pulls(self) -> dict[str, Array]:
        """Return the slope of each loss at the error of every point, under its own line.

        They balance: their sum is 0 (with an intercept), and so is that of pull times x. At
        an error of 0 the absolute loss has every slope from -1 to 1; the points there get
        the ones with which the pulls balance.
        """
        x, _ = self.points()
        errors = self.errors()
        pulls = {name: _each(self._loss(name), error)[1] for name, error in errors.items()}
        touched = errors["mae"] == 0
        weights = np.vstack([x, np.ones_like(x)][: 1 + self.intercept])
        rest = weights @ pulls["mae"]
        pulls["mae"][touched] = np.linalg.lstsq(weights[:, touched], -rest)[0]
        return pulls

    def errors(self) -> dict[str, Array]:
        """Return the error of every point under each line: line minus point."""
        x, y = self.points()
        exact = {name: slope * x + offset - y for name, (slope, offset) in self.fits().items()}
        return {name: np.where(np.abs(r) < TOUCHES, 0.0, r) for name, r in exact.items()}

    def _loss(self, name: str) -> Callable[..., losses.Loss]:
        if name == "huber":
            return lambda prediction, target: losses.huber(prediction, target, self.delta)
        return {"mse": losses.mse, "mae": losses.mae}[name]

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the chosen picture shows, by what it is called there."""
        found: dict[str, float | Sequence[float]] = {}
        if self.view == "outlier":
            errors, pulls = self.errors(), self.pulls()
            for name, (slope, offset) in self.fits().items():
                found[f"slope.{name}"], found[f"intercept.{name}"] = slope, offset
                found[f"loss.{name}"] = self._loss(name)(errors[name], np.zeros_like(errors[name]))[0]
                found[f"error.{name}"] = float(errors[name][-1])
                found[f"pull.{name}"] = float(pulls[name][-1])
            found["held"] = abs(float(pulls["mae"][-1]))
        elif self.view == "logit":
            found["p"] = float(activations.sigmoid(np.array(self.logit)))
            for name, loss in BINARY.items():
                value, slope = loss(np.array([self.logit]), np.array([float(self.positive)]))
                found[f"value.{name}"], found[f"gradient.{name}"] = value, float(slope[0])
                found[f"steps.{name}"] = steps_back(loss, self.logit, self.positive)
        else:
            z, T = np.array(self.logits), self.temperature  # noqa: N806  as it is written
            found |= {name: float(v[0]) for name, v in self._heated(np.array([T])).items()}
            gradient = losses.cross_entropy(z[None] / T, np.array([self.label]))[1][0] / T
            for k, (logit, p, slope) in enumerate(
                zip(z, activations.softmax(z, T), gradient, strict=True)
            ):
                found[f"class.{k}"], found[f"logit.{k}"] = k, float(logit)
                found[f"p.{k}"], found[f"gradient.{k}"] = float(p), float(slope)
        return found

    def _heated(self, temperatures: Array) -> dict[str, Array]:
        """Return cross-entropy and entropy at each of some temperatures."""
        z = np.array(self.logits) / temperatures[:, None]
        log_p = activations.log_softmax(z)
        return {
            "cross-entropy": -log_p[:, self.label],
            "entropy": -(np.exp(log_p) * log_p).sum(1),
        }

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn of data in the chosen picture."""
        return {"outlier": self._lines, "logit": self._curves, "softmax": self._bars}[self.view]()

    def _lines(self) -> dict[str, dict[str, widget.Points]]:
        x, y = self.points()
        ends = np.array(esm.spec("losses")["settings"]["outlier"]["limits"]["x"], float)
        scene = {
            "points": np.column_stack([x, y])[:-1],
            "dragged": np.column_stack([x, y])[-1:],
            "y = x": np.column_stack([ends, ends]),
        }
        errors, pulls = self.errors(), self.pulls()
        far = TOPS[1:][TOPS[1:] >= 1.05 * max(abs(e[-1]) for e in errors.values())][0]
        d = min(self.delta, far)
        slopes = {
            "MSE": [[-far, -2 * far], [far, 2 * far]],
            "MAE": [[-far, -1], [0, -1], [0, 1], [far, 1]],
            "Huber": [[-far, -d], [-d, -d], [d, d], [far, d]],
        }
        for name, (slope, offset) in self.fits().items():
            scene[NAMES[name]] = np.column_stack([ends, slope * ends + offset])
            slopes[f"{NAMES[name]}, dragged"] = [[errors[name][-1], pulls[name][-1]]]
        return {
            "Points and lines": scene,
            "Slope of the loss": {mark: np.array(points) for mark, points in slopes.items()},
        }

    def _curves(self) -> dict[str, dict[str, widget.Points]]:
        z = np.append(LOGITS, self.logit)
        found: dict[str, dict[str, widget.Points]] = {
            "Loss against p": {},
            "Loss against the logit": {},
            "Gradient against the logit": {},
        }
        for name, loss in BINARY.items():
            value, slope = _each(loss, z, float(self.positive))
            across = [activations.sigmoid(z), z, z]
            for plot, x, y in zip(found.values(), across, [value, value, slope], strict=True):
                points = np.column_stack([x, y])
                plot[name], plot[f"{name} here"] = points[:-1], points[-1:]
        return found

    def _bars(self) -> dict[str, dict[str, widget.Points]]:
        z, T = np.array(self.logits), self.temperature  # noqa: N806  as it is written
        p = activations.softmax(z, T)
        after = z - losses.cross_entropy(z[None] / T, np.array([self.label]))[1][0] / T
        low, high = np.log10(esm.spec("losses")["settings"]["temperature"]["limits"])
        temperatures = 10 ** np.linspace(low, high, 61)
        curves = {}
        for mark, at in (("", temperatures), (" here", np.array([T]))):
            for name, values in self._heated(at).items():
                curves[name + mark] = np.column_stack([at, values])
        return {
            "Logits": {
                **{f"class {k}": np.array([[k, 0], [k, v]]) for k, v in enumerate(z)},
                **{f"step {k}": np.array([[k - 0.4, v], [k + 0.4, v]]) for k, v in enumerate(after)},
                "logits": np.column_stack([np.arange(4), z]),
            },
            "Probabilities": {f"class {k}": np.array([[k, 0], [k, v]]) for k, v in enumerate(p)},
            "Against the temperature": {
                "ln 4": np.array([[temperatures[i], math.log(4)] for i in (0, -1)]),
                **curves,
            },
        }

    def _in_words(self) -> str:
        if self.view == "outlier":
            x, y = self.outlier
            found = self.fits().items()
            slopes = ", ".join(f"{NAMES[name]} {slope:.2f}" for name, (slope, _) in found)
            return f"points and a dragged one at ({x:g}, {y:g}); slopes of the best lines: {slopes}."
        if self.view == "logit":
            return (
                f"cross-entropy and squared error of one logit, {self.logit:g}, and their "
                f"gradients; the true class is {int(self.positive)}."
            )
        z = ", ".join(f"{v:g}" for v in self.logits)
        return (
            f"the softmax of the logits {z} at temperature {self.temperature:g}; "
            f"the true class is {self.label}."
        )


def squared_error(z: Array, y: Array) -> losses.Loss:
    """Return the squared error of sigmoid(z) and its slope 2 (p - y) p (1 - p).

    Examples
    --------
    >>> squared_error(np.array([0.0]), np.array([1.0]))
    (0.25, array([-0.25]))
    """
    loss, slope = losses.mse(activations.sigmoid(z), y)
    return loss, slope * activations.sigmoid_slope(z)


BINARY: dict[str, Callable[..., losses.Loss]] = {
    "cross-entropy": losses.bce_with_logits,
    "squared error": squared_error,
}


def steps_back(loss: Callable[..., losses.Loss], z: float, positive: bool) -> int:
    """Count the steps of gradient descent on the logit alone that take p past 0.5.

    The learning rate is 1.

    Examples
    --------
    >>> [steps_back(loss, -4.0, True) for loss in BINARY.values()]
    [5, 36]
    """
    y = np.array([float(positive)])
    steps = 0
    now = np.array([z])
    while now[0] < 0 if positive else now[0] > 0:
        now = now - loss(now, y)[1]
        steps += 1
    return steps


def _each(loss: Callable[..., losses.Loss], prediction: Array, target: float = 0.0) -> Any:
    """Return loss and slope of every entry by itself, not of their mean."""
    pairs = [loss(np.array([v]), np.array([target])) for v in prediction]
    return np.array([value for value, _ in pairs]), np.array([slope[0] for _, slope in pairs])
