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

__all__ = ["Explorer"]

NOISE = 0.4  # standard deviation of the other points about y = x
REACH = 2  # they have x from -2 to 2
TOUCHES = 1e-9  # an error that is only rounding: the line goes through the point
TOPS = 2.0 ** np.arange(2, 8)  # how far the plot of slopes may reach
SETTINGS = esm.spec("losses")["settings"]
LOGITS = -8 + np.arange(161) / 10
NAMES = {"mse": "MSE", "mae": "MAE", "huber": "Huber"}
Seen = tuple[dict[str, Any], dict[str, dict[str, widget.Points]]]  # numbers and marks


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
    {'mse': -0.08, 'mae': 0.45, 'huber': 0.61}
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
        setting = SETTINGS[name]
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

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the chosen picture shows, by what it is called there.

        Examples
        --------
        >>> seen = Explorer("logit", logit=-4).numbers()
        >>> [round(seen[f"gradient.{loss}"], 3) for loss in BINARY]
        [-0.982, -0.035]
        """
        return {name: v if isinstance(v, int) else float(v) for name, v in self._seen()[0].items()}

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what the chosen picture draws of data: for each plot and mark its points.

        Examples
        --------
        >>> Explorer("softmax").marks()["Logits"]["logits"].tolist()
        [[0.0, 3.0], [1.0, 2.0], [2.0, 0.0], [3.0, -1.0]]
        """
        return self._seen()[1]

    def _seen(self) -> Seen:
        views = {"outlier": self._lines, "logit": self._logit, "softmax": self._softmax}
        return views[self.view]()

    def _loss(self, name: str) -> Callable[..., losses.Loss]:
        if name == "huber":
            return lambda prediction, target: losses.huber(prediction, target, self.delta)
        return {"mse": losses.mse, "mae": losses.mae}[name]

    def _lines(self) -> Seen:
        x, y = self.points()
        errors, pulls = self.errors(), self.pulls()
        widest = max(abs(error[-1]) for error in errors.values())
        far = TOPS[1.05 * widest <= TOPS][0]
        d = min(self.delta, far)
        curves = {
            "mse": [[-far, -2 * far], [far, 2 * far]],
            "mae": [[-far, -1], [0, -1], [0, 1], [far, 1]],
            "huber": [[-far, -d], [-d, -d], [d, d], [far, d]],
        }
        ends = np.array(SETTINGS["outlier"]["limits"]["x"], float)
        scene = {
            "y = x": np.column_stack([ends, ends]),
            "points": np.column_stack([x, y])[:-1],
            "dragged": np.column_stack([x, y])[-1:],
        }
        slopes = {}
        numbers = {"held": abs(pulls["mae"][-1])}
        for name, (slope, offset) in self.fits().items():
            error, pull = errors[name][-1], pulls[name][-1]
            loss, _ = self._loss(name)(errors[name], np.zeros_like(x))
            facts = {
                "slope": slope,
                "intercept": offset,
                "loss": loss,
                "error": error,
                "pull": pull,
            }
            numbers |= {f"{fact}.{name}": value for fact, value in facts.items()}
            scene[NAMES[name]] = np.column_stack([ends, slope * ends + offset])
            slopes[NAMES[name]] = np.array(curves[name], float)
            slopes[f"{NAMES[name]}, dragged"] = np.array([[error, pull]])
        return numbers, {"Points and lines": scene, "Slope of the loss": slopes}

    def _logit(self) -> Seen:
        z = np.append(LOGITS, self.logit)
        p = activations.sigmoid(z)
        against_p: dict[str, widget.Points] = {}
        against_z: dict[str, widget.Points] = {}
        gradients: dict[str, widget.Points] = {}
        numbers = {"p": p[-1]}
        for name, loss in BINARY.items():
            values, slopes = _each(loss, z, float(self.positive))
            numbers[f"value.{name}"], numbers[f"gradient.{name}"] = values[-1], slopes[-1]
            numbers[f"steps.{name}"] = steps_back(loss, self.logit, self.positive)
            for plot, across, up in (
                (against_p, p, values),
                (against_z, z, values),
                (gradients, z, slopes),
            ):
                points = np.column_stack([across, up])
                plot[name], plot[f"{name} here"] = points[:-1], points[-1:]
        return numbers, {
            "Loss against p": against_p,
            "Loss against the logit": against_z,
            "Gradient against the logit": gradients,
        }

    def _softmax(self) -> Seen:
        z = np.array(self.logits)
        p = activations.softmax(z, self.temperature)
        _, slopes = losses.cross_entropy(z[None] / self.temperature, np.array([self.label]))
        slopes = slopes[0] / self.temperature
        low, high = np.log10(SETTINGS["temperature"]["limits"])
        temperatures = np.append(10 ** np.linspace(low, high, 61), self.temperature)
        log_p = activations.log_softmax(z / temperatures[:, None])
        heated = {
            "cross-entropy": -log_p[:, self.label],
            "entropy": -(np.exp(log_p) * log_p).sum(1),
        }
        numbers: dict[str, Any] = {}
        bars: dict[str, widget.Points] = {}
        levels: dict[str, widget.Points] = {}
        curves = {"ln 4": np.array([[t, math.log(4)] for t in SETTINGS["temperature"]["limits"]])}
        for k in range(len(z)):
            facts = {"class": k, "logit": z[k], "p": p[k], "gradient": slopes[k]}
            numbers |= {f"{fact}.{k}": value for fact, value in facts.items()}
            bars[f"class {k}"] = np.array([[k, 0], [k, p[k]]])
            levels[f"class {k}"] = np.array([[k, 0], [k, z[k]]])
            levels[f"step {k}"] = np.array([[k + side, z[k] - slopes[k]] for side in (-0.4, 0.4)])
        levels["logits"] = np.column_stack([np.arange(len(z)), z])
        for name, values in heated.items():
            points = np.column_stack([temperatures, values])
            curves[name], curves[f"{name} here"] = points[:-1], points[-1:]
            numbers[name] = values[-1]
        return numbers, {
            "Logits": levels,
            "Probabilities": bars,
            "Against the temperature": curves,
        }

    def _in_words(self) -> str:
        if self.view == "outlier":
            x, y = self.outlier
            found = self.fits().items()
            slopes = ", ".join(f"{NAMES[name]} {slope:.2f}" for name, (slope, _) in found)
            return f"points, a dragged one at ({x:g}, {y:g}) and the best lines; slopes: {slopes}."
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
