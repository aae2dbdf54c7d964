"""The descent explorer: a surface, an update rule, and the path that it takes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dlnotes.explorers import terrain, widget
from dlnotes.scratch import optimizers

__all__ = ["Explorer"]

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


class Explorer(terrain.Explorer, explorer="descent"):
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

    optimizer: str
    lr: float
    momentum: float
    steps: int

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
        return terrain.until_lost(self.path(), self._chosen())[0]

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
        above = np.maximum(losses - lowest, terrain.FLOOR)
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
