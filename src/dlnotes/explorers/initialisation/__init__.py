"""The initialisation explorer: how large signals and gradients are in a network just drawn."""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dlnotes import portable
from dlnotes.explorers import widget
from dlnotes.scratch import init, meanfield
from dlnotes.scratch.activations import ACTIVATIONS, Array

__all__ = ["Explorer", "Levels", "Network"]

FLAT = 0.01  # a slope of this size, or less, passes next to nothing on


class Network(NamedTuple):
    """A network that was really drawn, its layers equally wide, and two inputs of it."""

    weights: Array  # (layers, out, in)
    biases: Array  # (layers, units)
    inputs: Array  # (2, units), each with mean square 1
    top: Array  # (units,) the gradient by the last pre-activations, with mean square 1


class Levels(NamedTuple):
    """What is measured in a network, by layer: root mean squares over the units."""

    signals: Array  # of the pre-activations of the first input
    gradients: Array  # of the gradient by them
    cosine: float  # of the last pre-activations of the two inputs
    flat: float  # share of the units with a slope below `FLAT`


class Explorer(widget.Widget, explorer="initialisation"):
    """An interactive picture of a deep network before training: signals and gradients.

    Every argument is also an attribute that can be set later; in Jupyter the picture
    follows, and what is changed in the picture changes the attribute.

    Raises
    ------
    traitlets.TraitError
        If an argument is of the wrong type or outside its range.

    Examples
    --------
    >>> explorer = Explorer("relu", "xavier", depth=21)
    >>> numbers = explorer.numbers()
    >>> measured, theory = numbers["Pre-activations, factor a layer"]
    >>> round(measured, 2), round(theory, 2)
    (0.68, 0.71)
    """

    activation: str
    scheme: str
    gain: float
    depth: int
    width: int
    seed: int

    def stds(self) -> tuple[float, float]:
        """Return the standard deviations of the weights and of the biases."""
        n = self.width
        match self.scheme:
            case "xavier":
                return init.xavier_std(n, n), 0.0
            case "kaiming":
                return init.kaiming_std(n, init.GAINS["relu"]), 0.0
            case "fitted":
                gain = meanfield.fitted_gain(ACTIVATIONS[self.activation])
                return init.kaiming_std(n, gain), 0.0
            case "default":
                std = init.linear_bound(n) / math.sqrt(3)
                return std, std
        return init.kaiming_std(n, self.gain), 0.0

    def network(self) -> Network:
        """Return the network that is shown, the same as in the page.

        Examples
        --------
        >>> Explorer(depth=3, width=16).network().weights.shape
        (3, 16, 16)
        """
        n, most = self.width, self._spec["settings"]["width"]["limits"][1]
        kind = "uniform" if self.scheme == "default" else "normal"
        drawn = np.stack([_standard(self.seed, k, kind) for k in range(1, self.depth + 1)])
        blocks = drawn.reshape(self.depth, most + 1, most)
        given = _standard(self.seed, 0, "normal")[: 3 * most].reshape(3, most)[:, :n]
        given = given / np.sqrt((given**2).mean(axis=1, keepdims=True))
        weight_std, bias_std = self.stds()
        return Network(
            weight_std * blocks[:, :n, :n], bias_std * blocks[:, most, :n], given[:2], given[2]
        )

    def measured(self) -> Levels:
        """Return the root mean squares of the network that is shown.

        Examples
        --------
        >>> levels = Explorer("identity", "xavier", depth=4).measured()
        >>> levels.signals.shape, levels.gradients.round(2).tolist()[-1]
        ((4,), 1.0)
        """
        value, slope = ACTIVATIONS[self.activation]
        net = self.network()
        out, pre = net.inputs, []
        for weight, bias in zip(net.weights, net.biases, strict=True):
            pre.append(out @ weight.T + bias)
            out = value(pre[-1])
        slopes = [slope(z[0]) for z in pre]
        gradients = [net.top]
        for weight, at in zip(net.weights[:0:-1], slopes[-2::-1], strict=True):
            gradients.append(at * (gradients[-1] @ weight))
        one, other = pre[-1]
        with np.errstate(invalid="ignore"):  # 0/0 where all units are off
            cosine = one @ other / np.sqrt(one @ one * (other @ other))
        return Levels(
            _rms(np.stack(pre)[:, 0]),
            _rms(np.stack(gradients[::-1])),
            float(cosine),
            float((np.abs(slopes) < FLAT).mean()),
        )

    def expected(self) -> dict[str, dict[str, Array]]:
        """Return what `dlnotes.scratch.meanfield` expects, by plot and layer.

        Returns
        -------
        dict
            For signals and gradients "theory", the root mean squares in an infinitely wide
            network, and where there is a theory of it "low" and "high": 19 of 20 networks
            of this width lie between them.

        Examples
        --------
        >>> Explorer("relu", "kaiming", depth=3).expected()["gradients"]["theory"].round(6).tolist()
        [1.0, 1.0, 1.0]
        """
        activation = ACTIVATIONS[self.activation]
        std, bias = self.stds()
        gain = std * math.sqrt(self.width)
        q = meanfield.forward(activation, gain, self.depth, bias)
        means = {"signals": q, "gradients": meanfield.backward(activation, gain, q)}
        found = {name: {"theory": np.sqrt(mean)} for name, mean in means.items()}
        scatter = meanfield.scatter(activation, gain, q, self.width, bias)
        for one, (shift, sd) in zip(found.values(), scatter or (), strict=False):
            for side, name in ((-2, "low"), (2, "high")):
                one[name] = one["theory"] * np.exp((shift + side * sd) / 2)
        return found

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there.

        A factor a layer is a pair: of the network that is drawn, and of theory.
        """
        levels, theory = self.measured(), self.expected()
        signals = [levels.signals, theory["signals"]["theory"]]
        gradients = [levels.gradients, theory["gradients"]["theory"]]
        root = 1 / (self.depth - 1)
        return {
            "Gain of these weights": self.stds()[0] * math.sqrt(self.width),
            "Share of slopes below 0.01": levels.flat,
            "Pre-activations, factor a layer": [float(v[-1] / v[0]) ** root for v in signals],
            "Gradients, factor a layer": [float(v[0] / v[-1]) ** root for v in gradients],
            "Gradient, first layer / last": float(levels.gradients[0] / levels.gradients[-1]),
            "Cosine of two unrelated inputs, last layer": levels.cosine,
            "signal": float(levels.signals[-1] / levels.signals[0]),
        }

    def marks(self) -> dict[str, dict[str, widget.Points]]:
        """Return what is drawn of data: by layer what is measured, and what is expected."""
        levels, theory = self.measured(), self.expected()
        layers = np.arange(1, self.depth + 1)
        plots = {}
        for title, name, values, end in (
            ("Pre-activations", "signals", levels.signals, -1),
            ("Gradients", "gradients", levels.gradients, 0),
        ):
            curves = {mark: np.column_stack([layers, v]) for mark, v in theory[name].items()}
            measured = np.column_stack([layers, values])[values > 0]  # zero is off the scale
            plots[title] = {**curves, "measured": measured, "end": curves["theory"][[end]]}
        return plots

    def _in_words(self) -> str:
        gain = f", gain {self.gain:g}" if self.scheme == "normal" else ""
        return (
            f"a random network of {self.depth} layers of {self.width} {self.activation} units, "
            f"weights {self.scheme}{gain}: the root mean square of the pre-activations and of "
            "the gradients in each layer, with theory and its band beside them."
        )


def _rms(values: Array) -> Array:
    return np.asarray(np.sqrt((values**2).mean(axis=-1)))


@functools.lru_cache(maxsize=512)
def _standard(seed: int, layer: int, kind: str) -> Array:
    """Return numbers of standard deviation 1 for a layer: weights into each unit, then biases.

    In layer 0 two inputs and a gradient. They are drawn for the widest network, and a
    narrower one takes a corner of them, so that no slider of the page draws anew.
    """
    most = Explorer._spec["settings"]["width"]["limits"][1]
    random = portable.Generator(seed, stream=layer)
    if kind == "uniform":
        return np.array(
            [math.sqrt(3) * (2 * random.uniform() - 1) for _ in range((most + 1) * most)]
        )
    return np.array([random.normal() for _ in range((most + 1) * most)])
