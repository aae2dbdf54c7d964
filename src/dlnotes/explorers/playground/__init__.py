"""The playground: a network that trains in the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from dlnotes import playground
from dlnotes.explorers import widget

__all__ = ["Explorer"]

REACH = 1.3  # the picture shows both coordinates from -1.3 to 1.3
MOST = 200  # points that may be placed


class Explorer(widget.Widget, explorer="playground"):
    """A network that trains in the page, and ends where `dlnotes.playground.train` ends.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and what is changed in the picture changes the attribute. `run` gives the
    trained network.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> explorer = Explorer("blobs", units1=2, units2=0, lr=0.5, epochs=20)
    >>> explorer.run().history[-1]["train_accuracy"]
    1.0
    """

    @traitlets.validate("placed")
    def _points(self, proposal: Any) -> list[list[float]]:
        value = proposal.value
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST:
            raise traitlets.TraitError(
                f"placed must be a list of at most {MOST} points [x, y, class], got {value!r:.80}"
            )
        return [_point(point) for point in value]

    def settings(self) -> playground.Settings:
        """Return the settings of the run that is shown."""
        state = self.state()
        units = [state.pop(f"units{k}") for k in (1, 2, 3, 4)]
        del state["pace"]
        return playground.Settings(**state, hidden=units[: units.index(0)] if 0 in units else units)

    def run(self) -> playground.Run:
        """Return the run that is shown, trained again in Python."""
        return playground.train(**vars(self.settings()))

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there."""
        run = self.run()
        first, last = run.history[0], run.history[-1]
        layers = playground.report(run)
        return {
            "Epoch": len(run.history) - 1,
            "Learning rate now": run.settings.lr * playground.rate_factor(run),
            "Training loss": last["train_loss"],
            "Test loss": last["test_loss"],
            "Training accuracy": last["train_accuracy"],
            "Test accuracy": last["test_accuracy"],
            "first_loss": first["train_loss"],
            **{f"layer.{k}": k for k in range(1, len(layers))},
            **{f"gradient.{k}": norm for k, (norm, _) in enumerate(layers, 1)},
            **{f"stuck.{k}": share for k, (_, share) in enumerate(layers, 1)},
        }

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn of data: the points, the fitted curve, the losses."""
        run = self.run()
        epochs = np.arange(len(run.history))
        surface = {}
        for name, (x, y) in (("train", run.train), ("test", run.test)):
            if run.settings.data == "sine":
                surface[name] = np.column_stack([x[:, 0], y])
            elif len(y):
                surface |= {f"{name} {label}": x[y == label] for label in (0, 1)}
        if run.settings.data == "sine":
            along = np.linspace(-REACH, REACH, 101)
            fitted = playground.forward(run.params, along[:, None], run.settings).outs[-1][:, 0]
            if np.isfinite(fitted).all():
                surface["fit"] = np.column_stack([along, fitted])
        losses = {}
        for name in ("train", "test"):
            values = [row[f"{name}_loss"] for row in run.history]
            finite = np.logical_and.accumulate(np.isfinite(values))  # a curve ends at the first nan
            losses[name] = np.column_stack([epochs, values])[finite]
        return {
            "Surface": {mark: points for mark, points in surface.items() if len(points)},
            "Loss": {mark: points for mark, points in losses.items() if len(points)},
        }

    def _in_words(self) -> str:
        s = self.settings()
        layers = " and ".join(map(str, s.hidden)) or "no"
        return (
            f"a network with {layers} hidden {s.activation} units that learns the data {s.data!r} "
            f"with {s.rule}, learning rate {s.lr:g}; {s.epochs} epochs trained."
        )


def _point(point: Any) -> list[float]:
    """Return a placed point as [x, y, class], or say what is wrong with it."""
    good = isinstance(point, Sequence) and len(point) == 3
    if not (good and all(abs(v) <= REACH for v in point[:2]) and point[2] in (0, 1)):
        raise traitlets.TraitError(
            f"a placed point is [x, y, class], coordinates from {-REACH} to {REACH} and class "
            f"0 or 1, got {point!r}"
        )
    return [float(point[0]), float(point[1]), int(point[2])]
