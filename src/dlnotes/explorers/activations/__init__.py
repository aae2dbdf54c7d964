"""The activations explorer: one layer, and what a chain of them does to value and gradient."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dlnotes.explorers import widget
from dlnotes.scratch.activations import ACTIVATIONS

__all__ = ["Chain", "Explorer"]

Array = npt.NDArray[np.float64]

# Where each activation is steepest. To the right of 0 a piecewise one has slope 1.
STEEPEST = {"sigmoid": 0.0, "tanh": 0.0, "gelu": 2**0.5, "silu": 2.3993572805154675}
FAR = 1e4  # a height that is out of every picture


class Chain(NamedTuple):
    """What happens to a number on its way through the layers.

    The input of a layer times its weight, plus its bias, is z; f(z) is its value and f'(z)
    its slope.
    """

    values: Array  #: the input and the value after each layer, shape (layers + 1,)
    slopes: Array  #: slope of each layer, shape (layers,)
    slope_products: Array  #: product of the slopes after 0, 1, ... layers, shape (layers + 1,)
    gradients: Array  #: the same of slopes times weights: d value / d input, (layers + 1,)


class Explorer(widget.Widget, explorer="activations"):
    """An interactive picture of one activation, applied layer after layer.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and dragging or sliding in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> Explorer("tanh", layers=50, x=2.0)
    Explorer(activation='tanh', layers=50, x=2.0, weight=1.0, bias=0.0)
    """

    activation: str
    layers: int
    x: float
    weight: float
    bias: float

    def layer(self, inputs: Array) -> tuple[Array, Array]:
        """Return the value f(z) of a layer and its slope f'(z), for inputs of any shape.

        Examples
        --------
        >>> value, slope = Explorer("relu", weight=2.0, bias=-1.0).layer(np.array([0.0, 3.0]))
        >>> value.tolist(), slope.tolist()
        ([0.0, 5.0], [0.0, 1.0])
        """
        f, slope = ACTIVATIONS[self.activation]
        z = self.weight * inputs + self.bias
        return f(z), slope(z)

    def chain(self) -> Chain:
        """Return the values, the slopes and their products, layer by layer.

        Examples
        --------
        >>> chain = Explorer("sigmoid", layers=30).chain()
        >>> chain.values[-1].round(5), chain.slopes[-1].round(4)
        (np.float64(0.65905), np.float64(0.2247))
        """
        values, slopes = np.full(self.layers + 1, self.x), np.empty(self.layers)
        for k in range(self.layers):
            values[k + 1], slopes[k] = self.layer(values[k])
        products, gradients = (
            np.cumprod(np.concatenate([[1.0], factors]))
            for factors in (slopes, self.weight * slopes)
        )
        return Chain(values, slopes, products, gradients)

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        Examples
        --------
        >>> numbers = Explorer("sigmoid", layers=2, x=0.0, weight=4.0, bias=-2.0).numbers()
        >>> round(numbers["Product of f′"], 4), round(numbers["Product of w × f′"], 4)
        (0.0154, 0.2469)
        """
        chain = self.chain()
        ended = np.flatnonzero(chain.slope_products == 0)
        return {
            "Value": float(chain.values[-1]),
            "Slope f′": float(chain.slopes[-1]),
            "Product of f′": float(chain.slope_products[-1]),
            "Product of w × f′": float(chain.gradients[-1]),
            "factor": float(self.weight * chain.slopes[-1]),
            **({"end": int(ended[0])} if ended.size else {}),
        }

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn: a layer over its input, the way through the layers, products.

        For a plain chain of tanh (weight 1, bias 0) "law" is x / √(1 + 2nx²/3), which solves
        dh/dn = -h³/3, the first term by which tanh h differs from h.

        Examples
        --------
        >>> Explorer("relu", layers=2, x=-1.0).marks()["Product"]["slopes"].tolist()
        [[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]]
        """
        chain = self.chain()
        low, high = self._spec["settings"]["x"]["limits"]
        across = np.linspace(low, high, 401)
        value, slope = self.layer(across)
        inputs, outputs = chain.values[:-1], chain.values[1:]
        stairs = np.column_stack([inputs, outputs, outputs, outputs]).reshape(-1, 2)[:-1]
        steps = np.arange(self.layers + 1)
        drawn: dict[str, dict[str, tuple[npt.ArrayLike, npt.ArrayLike]]] = {
            "Output": {
                "input": ([self.x, self.x], [outputs[0], -FAR]),
                "function": (across, value),
                "next": ([low, high], [low, high]),
                "stairs": (stairs[:, 0], stairs[:, 1]),
                "layers": (inputs, outputs),
                "start": (inputs[:1], outputs[:1]),
                "last": (inputs[-1:], outputs[-1:]),
            },
            "Slope": {
                "input": ([self.x, self.x], [FAR, -FAR]),
                "slope": (across, slope),
                "factor": (across, self.weight * slope),
                "slopes": (inputs, chain.slopes),
                "factors": (inputs, self.weight * chain.slopes),
            },
            "Value": {"value": (steps, chain.values)},
            "Product": {
                "slopes": (steps, np.abs(chain.slope_products)),
                "gradients": (steps, np.abs(chain.gradients)),
                "bound": (steps, largest_slope(self.activation) ** steps),
            },
        }
        if (self.activation, self.weight, self.bias) == ("tanh", 1, 0):
            law = self.x / np.sqrt(1 + 2 / 3 * steps * self.x**2)
            drawn["Value"]["law"] = (steps, law)
        return {
            plot: {name: np.column_stack(points) for name, points in marks.items()}
            for plot, marks in drawn.items()
        }

    def _in_words(self) -> str:
        return (
            f"{self.layers} layers of {self.activation} with weight {self.weight:g} and bias "
            f"{self.bias:g}, from the input {self.x:g}: the value after each layer, and the "
            "product of the slopes with and without the weights."
        )


def largest_slope(activation: str) -> float:
    """Return the largest slope that an activation has anywhere.

    Examples
    --------
    >>> largest_slope("sigmoid"), largest_slope("relu"), round(largest_slope("gelu"), 3)
    (0.25, 1.0, 1.129)
    """
    return float(ACTIVATIONS[activation][1](np.array(STEEPEST.get(activation, 1.0))))
