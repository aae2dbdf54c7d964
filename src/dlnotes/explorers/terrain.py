"""What the explorers of a surface share: where a path starts, and where it is lost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from dlnotes import surfaces
from dlnotes.explorers import widget

FLOOR = 1e-12  #: What a height of zero is drawn as on a scale of powers of ten.


class Explorer(widget.Widget):
    """An explorer with a surface, and with a starting point that lies in its picture.

    A start that is left out is the surface's own; so is one that the surface chosen next
    does not show.
    """

    surface: str
    condition: float
    start: list[float]

    @staticmethod
    def _complete(settings: dict[str, Any]) -> dict[str, Any]:
        if settings["start"] is None:  # of a surface that is not known the trait will complain
            surface = _surface(settings)
            settings = {**settings, "start": surface.start if surface else ()}
        return settings

    @traitlets.validate("start")
    def _near_window(self, proposal: Any) -> list[float]:
        # In the constructor traitlets checks the surface before or after this, as it likes.
        if problem := self._start_problem(proposal.value):
            raise traitlets.TraitError(problem)
        return [float(v) for v in proposal.value]

    @traitlets.observe("surface", "angle")
    def _start_again(self, change: Any) -> None:
        if self._start_problem(self.start):
            self.start = list(self._chosen().start)

    def _start_problem(self, start: Any) -> str | None:
        surface = _surface(self.state())  # if there is none, the setting's own check says so
        return surface and start_problem(surface, start)

    def _chosen(self) -> surfaces.Surface:
        surface = _surface(self.state())
        assert surface is not None
        return surface


def _surface(settings: Mapping[str, Any]) -> surfaces.Surface | None:
    """Return the surface, or None if the settings are no good: their own checks say so."""
    name = settings["surface"]
    if name != "ravine":
        return surfaces.SURFACES.get(name) if isinstance(name, str) else None
    try:
        return surfaces.ravine(settings["condition"], settings.get("angle", 0.0))
    except (TypeError, ValueError):
        return None


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


def until_lost(
    path: npt.NDArray[np.float64], surface: surfaces.Surface
) -> tuple[npt.NDArray[np.float64], bool]:
    """Return a path up to its first point a thousand times out of the window, and if it has one.

    Examples
    --------
    >>> path, lost = until_lost(np.array([[0.0, 0], [0, 9e9], [1, 1]]), surfaces.ravine())
    >>> len(path), lost
    (2, True)
    """
    low, high = np.array(surface.window).T
    inside = np.abs(path - (low + high) / 2) <= 500 * (high - low)
    lost = np.flatnonzero(~inside.all(axis=-1))
    return (path[: lost[0] + 1], True) if lost.size else (path, False)
