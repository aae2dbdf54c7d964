"""The race: several update rules on one surface, each with a rate of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlnotes.explorers import terrain, widget
from dlnotes.scratch import optimizers

__all__ = ["Explorer", "Run"]

RULES = {
    "gd": optimizers.gd(),
    "momentum": optimizers.momentum(),
    "nesterov": optimizers.nesterov(),
    "adagrad": optimizers.adagrad(),
    "rmsprop": optimizers.rmsprop(),
    "adam": optimizers.adam(),
}


class Run(NamedTuple):
    """The run of one rule.

    Attributes
    ----------
    points : array of shape (updates + 1, 2)
        The path. It ends early where it is lost.
    heights : array of shape (updates + 1,)
        How high each point lies above the lowest minimum.
    lost : bool
        Whether it ends a thousand times further out than the window of the surface reaches.
    """

    points: npt.NDArray[np.float64]
    heights: npt.NDArray[np.float64]
    lost: bool


class Explorer(terrain.Explorer, explorer="race"):
    """An interactive race of update rules on a test surface with two inputs.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and what is changed in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> race = Explorer("bowl", gd_lr=0.25, momentum=False, adam=False, steps=2)
    >>> race.runs()["gd"].points.tolist()
    [[-2.0, 1.5], [-1.0, 0.75], [-0.5, 0.375]]
    """

    angle: float
    steps: int

    def runs(self) -> dict[str, Run]:
        """Return the run of each rule that takes part, computed by `dlnotes.scratch.optimizers`."""
        chosen = self._chosen()
        found = {}
        for name, rule in RULES.items():
            if not getattr(self, name):
                continue
            lr = getattr(self, f"{name}_lr")
            path = optimizers.descend(chosen.grad, np.array(self.start), rule, lr, self.steps)
            points, lost = terrain.until_lost(path, chosen)
            heights = chosen.value(points) - chosen.value(np.array(chosen.minima[0]))
            found[name] = Run(points, np.maximum(heights, 0), lost)
        return found

    def numbers(self, step: int | None = None) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        Parameters
        ----------
        step : int, optional
            The step up to which the paths are shown; the last one if left out.

        Examples
        --------
        >>> Explorer("bowl", gd_lr=0.25, steps=2).numbers()["loss.gd"]
        0.390625
        """
        k = self.steps if step is None else step
        shown: dict[str, float | Sequence[float]] = {}
        for name, (_, heights, lost) in self.runs().items():
            shown[f"loss.{name}"] = float(heights[: k + 1][-1])
            above = np.flatnonzero(~(heights < heights[0] / 1000))
            there = int(above[-1]) + 1 if above.size else 0
            if not lost and there < len(heights):
                shown[f"thousandth.{name}"] = there
        losses = [value for name, value in shown.items() if name.startswith("loss.")]
        return {
            **shown,
            "start": self.start,
            "shown": k,
            "Step": (k, self.steps),
            "Lowest loss above the minimum": min(losses, default=np.nan),  # type: ignore[type-var]
        }

    def marks(self, step: int | None = None) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn: the path of each rule, its end, and its loss at each step.

        Less than 1e-12 above the minimum is drawn as 1e-12.
        """
        k = self.steps if step is None else step
        drawn = {"start": np.array([self.start]), "minimum": np.array(self._chosen().minima)}
        losses = {}
        for name, (points, heights, _) in self.runs().items():
            drawn |= {name: points[: k + 1], f"{name} now": points[: k + 1][-1:]}
            kept = np.maximum(heights, terrain.FLOOR)
            losses[name] = np.column_stack([np.arange(len(kept)), kept])[: k + 1]
        return {"Surface": drawn, "Loss above the minimum": losses}

    def _in_words(self) -> str:
        rules = ", ".join(
            f"{name} with rate {getattr(self, f'{name}_lr'):g}"
            for name in RULES
            if getattr(self, name)
        )
        return f"a race on the {self.surface} surface over {self.steps} steps: {rules or 'nobody'}."
