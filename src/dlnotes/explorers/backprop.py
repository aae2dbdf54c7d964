"""The backprop explorer: the network of the worked example, one operation at a time.

The picture itself is drawn by ``backprop.js`` with the formulas of ``network.js``; this
class holds its state, checks it, and shows it in Jupyter, in Colab and, through the
``text/html`` part, in the built book.
"""

from collections.abc import Mapping
from typing import Any

import traitlets

from dlnotes.explorers import esm, widget
from dlnotes.scratch import backprop

# By the first letter of a name in the network, and by the name of an attribute.
LIMITS = {
    "i": (-10.0, 10.0),
    "t": (0.0, 1.0),
    "w": (-1000.0, 1000.0),
    "b": (-1000.0, 1000.0),
    "lr": (1e-4, 10.0),
    "steps": (0, 10000),
}


class Explorer(widget.Widget):
    """An interactive picture of backpropagation through two, two and two sigmoid units.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and stepping or editing in the picture changes the attribute.

    Parameters
    ----------
    net : mapping, optional
        The network as in `dlnotes.scratch.backprop`: inputs ``i1 i2`` (-10 to 10), targets
        ``t1 t2`` (0 to 1), weights ``w1`` to ``w8`` and biases ``b1 b2`` (-1000 to 1000).
        The worked example if left out.
    lr : float
        Learning rate, 0.0001 to 10.
    biases : bool
        Whether a step moves the biases too; the worked example leaves them alone.
    steps : int
        Steps of gradient descent taken from `net` before the round that is shown, 0 to
        10 000.
    at : str
        The last operation that is shown: a name that `forward` or `backward` returns,
        ``"w1+"`` to ``"w8+"`` for the weights after the step (with `biases` also ``"b1+"``
        and ``"b2+"``), or ``""`` for none yet.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type, unknown, or outside its range.

    Examples
    --------
    >>> Explorer(at="E").numbers()["E"]  # doctest: +ELLIPSIS
    0.29837110...
    """

    _name = "backprop"
    _keys = ("net", "lr", "biases", "steps", "at")
    _esm = esm.module(_name)

    net = traitlets.Dict().tag(sync=True)
    lr = traitlets.Float(0.5).tag(sync=True)
    biases = traitlets.Bool(False).tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    at = traitlets.Unicode("net_h1").tag(sync=True)

    def __init__(
        self,
        net: Mapping[str, float] | None = None,
        lr: float = 0.5,
        biases: bool = False,
        steps: int = 0,
        at: str = "net_h1",
    ) -> None:
        net = backprop.example() if net is None else dict(net)
        super().__init__(net=net, lr=lr, biases=biases, steps=steps, at=at)

    @traitlets.validate("net")
    def _whole_network(self, proposal: Any) -> dict[str, float]:
        net: dict[str, Any] = proposal.value
        if wrong := sorted(set(net) ^ set(backprop.example())):
            raise traitlets.TraitError(
                f"net: missing or not known: {', '.join(wrong)}; start from "
                "dlnotes.scratch.backprop.example() and change the values"
            )
        for name, value in net.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise traitlets.TraitError(f"{name} must be a number, got {value!r}")
            widget.within(name, value, LIMITS[name[0]])
        return {name: float(net[name]) for name in backprop.example()}

    @traitlets.validate("lr", "steps")
    def _in_range(self, proposal: Any) -> float:
        name: str = proposal.trait.name
        return widget.within(name, proposal.value, LIMITS[name])

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

    def numbers(self) -> dict[str, float]:
        """Return every number of the round that is shown, by name.

        Computed by `dlnotes.scratch.backprop`; the picture computes the same in
        JavaScript. It stops, with a warning, if a weight leaves -1000 to 1000; this does
        not.

        Returns
        -------
        dict
            The network after `steps` steps, what `forward` and `backward` return for it,
            and the weights after one more step as ``"w1+"`` and so on.

        Examples
        --------
        >>> numbers = Explorer().numbers()
        >>> round(numbers["dE/dw5"], 9), round(numbers["w5+"], 8)
        (0.082167041, 0.35891648)
        """
        net = self.net
        for _ in range(self.steps):
            net = backprop.step(net, self.lr, self.biases)
        values = backprop.forward(net)
        after = backprop.step(net, self.lr, self.biases)
        moved = backprop.WEIGHTS + (backprop.BIASES if self.biases else ())
        return {
            **net,
            **values,
            **backprop.backward(net, values),
            **{f"{name}+": after[name] for name in moved},
        }

    def _in_words(self) -> str:
        return (
            "a network of two inputs, two hidden units and two outputs, and every operation "
            f"of its forward and backward pass, up to {self.at or 'none yet'}; learning rate "
            f"{self.lr:g}, {self.steps} steps taken."
        )


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
