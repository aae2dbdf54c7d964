"""The backprop explorer: the network of the worked example, one operation at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from dlnotes.explorers import widget
from dlnotes.scratch import backprop

__all__ = ["Explorer"]


class Explorer(widget.Widget, explorer="backprop"):
    """An interactive picture of backpropagation through two, two and two sigmoid units.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and stepping or editing in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type, unknown, or outside its range.

    Examples
    --------
    >>> Explorer(at="E").numbers()["E"]  # doctest: +ELLIPSIS
    0.29837110...
    """

    net: dict[str, float]
    lr: float
    biases: bool
    steps: int
    at: str

    @staticmethod
    def _complete(settings: dict[str, Any]) -> dict[str, Any]:
        given = settings["net"]
        return {**settings, "net": backprop.example() if given is None else dict(given)}

    @traitlets.validate("net")
    def _whole_network(self, proposal: Any) -> dict[str, float]:
        net: dict[str, Any] = dict(proposal.value)
        if wrong := sorted(set(net) ^ set(backprop.example())):
            raise traitlets.TraitError(
                f"net: missing or not known: {', '.join(wrong)}; start from "
                "dlnotes.scratch.backprop.example() and change the values"
            )
        limits = self._spec["settings"]["net"]["limits"]
        return {
            name: widget.within(name, net[name], limits[name[0]]) for name in backprop.example()
        }

    @traitlets.validate("at")
    def _known_operation(self, proposal: Any) -> str:
        at: str = proposal.value
        if at not in ("", *operations(self.biases)):
            hint = "; b1+ and b2+ need biases=True" if at in ("b1+", "b2+") else ""
            raise traitlets.TraitError(
                "at must be a name that forward or backward of dlnotes.scratch.backprop "
                f'returns, "w1+" to "w8+", or "" for none, got {at!r}{hint}'
            )
        return at

    @traitlets.observe("biases")
    def _stay_in_the_round(self, change: Any) -> None:
        if self.at not in ("", *operations(self.biases)):
            self.at = "w8+"

    def _descent(self) -> tuple[dict[str, float], list[float]]:
        """Return the network after the steps taken, and the error before and after each.

        It stops, as the picture does, once a weight has left the range of the settings.
        """
        net, errors = dict(self.net), [backprop.forward(self.net)["E"]]
        while len(errors) <= self.steps and all(
            abs(net[name]) <= _limits(name)[1] for name in backprop.WEIGHTS + backprop.BIASES
        ):
            net = backprop.step(net, self.lr, self.biases)
            errors.append(backprop.forward(net)["E"])
        return net, errors

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        Computed by `dlnotes.scratch.backprop`; the picture computes the same in
        JavaScript.

        Returns
        -------
        dict
            The network after `steps` steps, what ``forward`` and ``backward`` return for it,
            the weights after one more step as ``"w1+"`` and so on, and the read-outs.

        Examples
        --------
        >>> numbers = Explorer().numbers()
        >>> round(numbers["dE/dw5"], 9), round(numbers["w5+"], 8)
        (0.082167041, 0.35891648)
        """
        net, errors = self._descent()
        values = backprop.forward(net)
        after = backprop.step(net, self.lr, self.biases)
        moved = backprop.WEIGHTS + (backprop.BIASES if self.biases else ())
        gradients = backprop.backward(net, values)
        phases = (list(values), list(gradients), [f"{name}+" for name in moved])
        here = [(names.index(self.at) + 1, len(names)) for names in phases if self.at in names]
        order = ["", *(name for names in phases for name in names)]
        return {
            **net,
            **values,
            **gradients,
            **{f"{name}+": after[name] for name in moved},
            **({"operation": here[0]} if here else {}),
            "position": (order.index(self.at), len(order) - 1),
            "Descent steps": len(errors) - 1,
            "Error E": values["E"],
            "out_o1 for t1": values["out_o1"],
            "out_o2 for t2": values["out_o2"],
        }

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn of data: the error after each step of the descent."""
        errors = self._descent()[1]
        curve = np.column_stack([np.arange(len(errors)), np.maximum(errors, 1e-12)])
        return {"Error E": widget.along(curve, len(errors) - 1)}

    def _in_words(self) -> str:
        return (
            "a network of two inputs, two hidden units and two outputs, and every operation "
            f"of its forward and backward pass, up to {self.at or 'none yet'}; learning rate "
            f"{self.lr:g}, {self.steps} steps taken."
        )


def _limits(name: str) -> tuple[float, float]:
    """Return the limits of a number of the network: by its first letter."""
    low, high = Explorer._spec["settings"]["net"]["limits"][name[0]]
    return low, high


def operations(biases: bool = False) -> tuple[str, ...]:
    """Return the names of what is computed in one round, in order.

    Examples
    --------
    >>> operations()[0], operations()[11], operations()[-1], len(operations())
    ('net_h1', 'dE/dout_o1', 'w8+', 57)
    """
    net = backprop.example()
    values = backprop.forward(net)
    moved = backprop.WEIGHTS + (backprop.BIASES if biases else ())
    return (*values, *backprop.backward(net, values), *(f"{name}+" for name in moved))
