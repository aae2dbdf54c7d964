"""The descent explorer: a surface, an update rule, and the path that it takes.

The picture itself is drawn by ``descent.js``; this class holds its state, checks it, and
shows it in Jupyter, in Colab and, through the ``text/html`` part, in the built book.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from dlnotes import surfaces
from dlnotes.explorers import esm, widget
from dlnotes.scratch import optimizers

# What the momentum slider means in each rule.
OPTIMIZERS = {
    "gd": lambda share: optimizers.gd(),
    "momentum": lambda share: optimizers.momentum(share),
    "nesterov": lambda share: optimizers.nesterov(share),
    "rmsprop": lambda share: optimizers.rmsprop(share),
    "adam": lambda share: optimizers.adam((share, 0.999)),
    "adamw": lambda share: optimizers.adamw((share, 0.999)),
}
LIMITS = {"lr": (1e-4, 10.0), "momentum": (0.0, 0.99), "steps": (1, 500), "condition": (1.0, 100.0)}


class Explorer(widget.Widget):
    """An interactive picture of descent on a test surface.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and dragging or sliding in the picture changes the attribute.

    Parameters
    ----------
    surface : str
        A name in `dlnotes.surfaces.SURFACES`.
    optimizer : str
        ``"gd"``, ``"momentum"``, ``"nesterov"``, ``"rmsprop"``, ``"adam"`` or ``"adamw"``:
        the update rules of `dlnotes.scratch.optimizers`.
    lr : float
        Learning rate, 0.0001 to 10.
    momentum : float
        Share of the running mean that is kept, 0 to 0.99: ``beta`` of momentum and
        Nesterov, ``alpha`` of RMSprop, ``betas[0]`` of Adam and AdamW. Gradient descent
        ignores it.
    start : sequence of float, optional
        One coordinate for each input of the surface, inside the `picture` of its window.
        The surface's own start if left out.
    steps : int
        Number of updates, 1 to 500.
    condition : float
        Condition number of the ravine, 1 to 100; the other surfaces ignore it.

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

    _name = "descent"
    _keys = ("surface", "optimizer", "lr", "momentum", "start", "steps", "condition")
    _esm = esm.module(_name)

    surface = traitlets.Unicode("ravine").tag(sync=True)
    optimizer = traitlets.Unicode("gd").tag(sync=True)
    lr = traitlets.Float(0.05).tag(sync=True)
    momentum = traitlets.Float(0.9).tag(sync=True)
    start = traitlets.List(traitlets.Float()).tag(sync=True)
    steps = traitlets.Int(50).tag(sync=True)
    condition = traitlets.Float(20.0).tag(sync=True)

    def __init__(
        self,
        surface: str = "ravine",
        optimizer: str = "gd",
        lr: float = 0.05,
        momentum: float = 0.9,
        start: Sequence[float] | None = None,
        steps: int = 50,
        condition: float = 20.0,
    ) -> None:
        if start is None:
            start = surfaces.SURFACES[surface].start if surface in surfaces.SURFACES else ()
        super().__init__(
            surface=surface,
            optimizer=optimizer,
            lr=lr,
            momentum=momentum,
            start=[float(v) for v in start],
            steps=steps,
            condition=condition,
        )

    @traitlets.validate("surface")
    def _known_surface(self, proposal: Any) -> str:
        return _known("surface", proposal.value, tuple(surfaces.SURFACES))

    @traitlets.validate("optimizer")
    def _known_optimizer(self, proposal: Any) -> str:
        return _known("optimizer", proposal.value, tuple(OPTIMIZERS))

    @traitlets.validate("lr", "momentum", "steps", "condition")
    def _in_range(self, proposal: Any) -> float:
        name: str = proposal.trait.name
        return widget.within(name, proposal.value, LIMITS[name])

    @traitlets.validate("start")
    def _near_window(self, proposal: Any) -> list[float]:
        # In the constructor traitlets checks the surface before or after this, as it likes.
        surface = _known("surface", self.surface, tuple(surfaces.SURFACES))
        problem = _start_problem(surface, proposal.value)
        if problem:
            raise traitlets.TraitError(problem)
        start: list[float] = proposal.value
        return start

    @traitlets.observe("surface")
    def _start_again(self, change: Any) -> None:
        if _start_problem(self.surface, self.start):
            self.start = list(surfaces.SURFACES[self.surface].start)

    def state(self) -> dict[str, Any]:
        """Return what the picture is drawn from, as plain JSON values.

        Examples
        --------
        >>> Explorer(surface="wave", lr=0.02).state()["start"]
        [3.6]
        """
        return super().state()

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
        chosen = surfaces.SURFACES[self.surface]
        if self.surface == "ravine":
            chosen = surfaces.ravine(self.condition)
        rule = OPTIMIZERS[self.optimizer](self.momentum)
        path: npt.NDArray[np.float64] = optimizers.descend(
            chosen.grad, np.array(self.start), rule, self.lr, self.steps
        )
        return path

    def _in_words(self) -> str:
        start = ", ".join(f"{v:g}" for v in self.start)
        return (
            f"the path of {self.optimizer} on the {self.surface} surface "
            f"from ({start}), learning rate {self.lr:g}, {self.steps} steps."
        )


def _known(name: str, value: str, names: tuple[str, ...]) -> str:
    if value not in names:
        raise traitlets.TraitError(f"{name} must be one of {', '.join(names)}, got {value!r}")
    return value


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


def _start_problem(surface: str, start: Sequence[float]) -> str | None:
    """Say what is wrong with a starting point, or return None."""
    if surface not in surfaces.SURFACES:
        return None  # traitlets checks in any order: the surface's own check says so
    reach = picture(surfaces.SURFACES[surface].window)
    if len(start) != len(reach):
        return f"start needs {len(reach)} number(s) on the {surface} surface, got {len(start)}"
    for axis, value, (low, high) in zip("xy", start, reach, strict=False):
        room = 1e-9 * (high - low)  # the other side rounds the ends differently
        if not low - room <= value <= high + room:
            ends = f"from {low:g} to {high:g}"
            return f"start {axis} must be {ends} on the {surface} surface, got {value:g}"
    return None
