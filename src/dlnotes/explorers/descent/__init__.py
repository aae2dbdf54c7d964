"""The descent explorer: a surface, an update rule, and the path that it takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from dlnotes import surfaces
from dlnotes.explorers import widget
from dlnotes.scratch import optimizers

# What the momentum slider means in each rule.
OPTIMIZERS = {
    "gd": lambda share: optimizers.gd(),
    "momentum": lambda share: optimizers.momentum(share),
    "nesterov": lambda share: optimizers.nesterov(share),
    "adagrad": lambda share: optimizers.adagrad(),
    "rmsprop": lambda share: optimizers.rmsprop(share),
    "adam": lambda share: optimizers.adam((share, 0.999)),
    "adamw": lambda share: optimizers.adamw((share, 0.999)),
}
FLOOR = 1e-12  # what a height of zero is drawn as on a scale of powers of ten


class Explorer(widget.Widget, explorer="descent"):
    """An interactive picture of descent on a test surface.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and dragging or sliding in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> Explorer(surface="bowl", lr=0.4, steps=10)  # doctest: +NORMALIZE_WHITESPACE
    Explorer(surface='bowl', optimizer='gd', lr=0.4, momentum=0.9, start=[-2.0, 1.5],
             steps=10, condition=20.0)
    """

    surface: str
    optimizer: str
    lr: float
    momentum: float
    start: list[float]
    steps: int
    condition: float

    @staticmethod
    def _complete(settings: dict[str, Any]) -> dict[str, Any]:
        surface, start = settings["surface"], settings["start"]
        if start is None:  # of a surface that is not known the trait will complain
            known = isinstance(surface, str) and surface in surfaces.SURFACES
            start = surfaces.SURFACES[surface].start if known else ()
        return {**settings, "start": start}

    @traitlets.validate("start")
    def _near_window(self, proposal: Any) -> list[float]:
        # In the constructor traitlets checks the surface before or after this, as it likes.
        if problem := self._start_problem(proposal.value):
            raise traitlets.TraitError(problem)
        return [float(v) for v in proposal.value]

    @traitlets.observe("surface")
    def _start_again(self, change: Any) -> None:
        if self._start_problem(self.start):
            self.start = list(surfaces.SURFACES[self.surface].start)

    def _start_problem(self, start: Any) -> str | None:
        known = surfaces.SURFACES.get(self.surface)  # if not, the surface's own check says so
        return known and start_problem(known, start)

    def _chosen(self) -> surfaces.Surface:
        if self.surface == "ravine":
            return surfaces.ravine(self.condition)
        return surfaces.SURFACES[self.surface]

    def path(self) -> npt.NDArray[np.float64]:
        """Return the points of the path, computed by `dlnotes.scratch.optimizers`.

        The picture computes the same path in JavaScript, and stops when it diverges;
        here a diverged path goes on and may end in inf or nan.

        Returns
        -------
        array
            Shape ``(steps + 1, inputs of the surface)``, the start first.

        Examples
        --------
        >>> Explorer(surface="bowl", lr=0.25, steps=2).path().tolist()
        [[-2.0, 1.5], [-1.0, 0.75], [-0.5, 0.375]]
        """
        rule = OPTIMIZERS[self.optimizer](self.momentum)
        path: npt.NDArray[np.float64] = optimizers.descend(
            self._chosen().grad, np.array(self.start), rule, self.lr, self.steps
        )
        return path

    def _drawn_path(self) -> npt.NDArray[np.float64]:
        """Return the path up to the first point a thousand times out of the window."""
        path = self.path()
        low, high = np.array(self._chosen().window).T
        inside = np.abs(path - (low + high) / 2) <= 500 * (high - low)
        lost = np.flatnonzero(~inside.all(axis=-1))
        return path[: lost[0] + 1] if lost.size else path

    def numbers(self, step: int | None = None) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        Parameters
        ----------
        step : int, optional
            The step up to which the path is shown; the last one if left out.

        Examples
        --------
        >>> seen = Explorer(surface="bowl", lr=0.25, steps=2).numbers()
        >>> seen["Position"], seen["Loss"], seen["Gradient norm"]
        ([-0.5, 0.375], 0.390625, 1.25)
        """
        chosen, path = self._chosen(), self._drawn_path()
        last = len(path) - 1
        k = last if step is None else step
        return {
            "start": self.start,
            "shown": k,
            "Step": (k, last),
            "Position": path[k].tolist(),
            "Loss": float(chosen.value(path[k])),
            "first_loss": float(chosen.value(path[0])),
            "Gradient norm": float(np.linalg.norm(chosen.grad(path[k]))),
        }

    def marks(self, step: int | None = None) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn: the path on the surface, and the loss after each step.

        The loss is given in both ways in which it may be drawn: as it is, and above the
        lowest minimum. There, and where that is zero, less than 1e-12 is drawn as 1e-12.

        Examples
        --------
        >>> Explorer(surface="bowl", lr=0.25, steps=2).marks()["Loss"]["now"].tolist()
        [[2.0, 0.390625]]
        """
        chosen, path = self._chosen(), self._drawn_path()
        k = len(path) - 1 if step is None else step
        steps, losses = np.arange(len(path)), chosen.value(path)
        minima = np.array(chosen.minima)
        lowest = chosen.value(minima[0])
        above = np.maximum(losses - lowest, FLOOR)
        if chosen.dim == 1:  # drawn on the graph of the function
            path = np.column_stack([path, losses])
            minima = np.column_stack([minima, chosen.value(minima)])
        return {
            "Surface": {**widget.along(path, k), "start": path[:1], "minimum": minima},
            "Loss": widget.along(np.column_stack([steps, losses if lowest else above]), k),
            "Loss above the minimum": widget.along(np.column_stack([steps, above]), k),
        }

    def _in_words(self) -> str:
        start = ", ".join(f"{v:g}" for v in self.start)
        return (
            f"the path of {self.optimizer} on the {self.surface} surface "
            f"from ({start}), learning rate {self.lr:g}, {self.steps} steps."
        )


def picture(window: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return what the picture shows of each input: a window, widened to 4 by 3 in 2-D.

    One unit is then equally long in both directions, so that steps of gradient descent
    are seen at right angles to the contours. In 1-D the window itself.

    Examples
    --------
    >>> picture(surfaces.SURFACES["bowl"].window)[1]
    (-2.5, 2.5)
    >>> picture(surfaces.SURFACES["ravine"].window)[1]
    (-1.875, 1.875)
    """
    if len(window) == 1:
        return list(window)
    shape = (4, 3)
    unit = max((high - low) / side for (low, high), side in zip(window, shape, strict=True)) / 2
    middles = [(low + high) / 2 for low, high in window]
    return [(m - unit * side, m + unit * side) for m, side in zip(middles, shape, strict=True)]


def start_problem(surface: surfaces.Surface, start: Any) -> str | None:
    """Say what is wrong with a starting point on a surface, or return None."""
    name, reach = surface.name, picture(surface.window)
    given = len(start) if isinstance(start, Sequence | np.ndarray) else start
    if given != len(reach):
        return f"start needs {len(reach)} number(s) on the {name} surface, got {given}"
    for axis, value, (low, high) in zip("xy", start, reach, strict=False):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            return f"start {axis} must be a number, got {value!r}"
        room = 1e-9 * (high - low)  # the other side rounds the ends differently
        if not low - room <= value <= high + room:
            ends = f"from {low:g} to {high:g}"
            return f"start {axis} must be {ends} on the {name} surface, got {value:g}"
    return None
