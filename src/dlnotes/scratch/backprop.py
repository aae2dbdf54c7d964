r"""Backpropagation by hand: every number of a small network, then the same for a batch.

The first half is the network of the worked example, two inputs, two hidden units, two
outputs, sigmoids throughout, as a dict of floats: inputs ``i1 i2``, targets ``t1 t2``,
weights ``w1`` to ``w8``, and a bias a layer, ``b1`` and ``b2``. Each value and each
derivative has the name that it has on the page.

The second half is the same in matrices, for a batch and any number of layers. Samples
are rows, and a weight matrix has shape (out, in), as in ``torch.nn.Linear``: a layer
computes ``net = x @ w.T + b``, ``out = activation(net)``.

Backpropagation ends with the gradients. Only `step` does something with them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any  # numpy.ndarray of float64

INPUTS, TARGETS = ("i1", "i2"), ("t1", "t2")  #: Names in the worked example, in order.
#: The weights of the worked example; the first four lead to the hidden units.
WEIGHTS = ("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8")
BIASES = ("b1", "b2")  #: One a layer, shared by its units.


def example() -> dict[str, float]:
    """Return the network of the worked example, a new dict each time.

    The numbers are those of https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/.

    Examples
    --------
    >>> {**example(), "w5": 0.5}["w5"]
    0.5
    """
    return {
        **dict(zip(INPUTS, (0.05, 0.10), strict=True)),
        **dict(zip(TARGETS, (0.01, 0.99), strict=True)),
        **dict(zip(WEIGHTS, (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55), strict=True)),
        **dict(zip(BIASES, (0.35, 0.60), strict=True)),
    }


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), the logistic function.

    Examples
    --------
    >>> float(sigmoid(0.0)), float(sigmoid(-1000.0))
    (0.5, 0.0)
    """
    with np.errstate(over="ignore"):  # exp(1000) is inf, and 1 / inf is the right answer
        return 1 / (1 + np.exp(-x))


def forward(net: Mapping[str, float]) -> dict[str, float]:
    """Return every value of the forward pass, in the order of computation.

    Raises
    ------
    ValueError
        If a name is missing, or is not one of the network's.

    Examples
    --------
    >>> values = forward(example())
    >>> round(values["out_h1"], 9), round(values["E"], 9)
    (0.593269992, 0.298371109)
    """
    names = INPUTS + TARGETS + WEIGHTS + BIASES
    if wrong := sorted(set(names) ^ set(net)):
        raise ValueError(
            f"missing from the network, or not known to it: {', '.join(wrong)}; "
            "start from example() and change the values, as in {**example(), 'w5': 0.5}"
        )
    i1, i2, t1, t2, w1, w2, w3, w4, w5, w6, w7, w8, b1, b2 = (float(net[name]) for name in names)

    net_h1 = w1 * i1 + w2 * i2 + b1
    out_h1 = float(sigmoid(net_h1))
    net_h2 = w3 * i1 + w4 * i2 + b1
    out_h2 = float(sigmoid(net_h2))

    net_o1 = w5 * out_h1 + w6 * out_h2 + b2
    out_o1 = float(sigmoid(net_o1))
    net_o2 = w7 * out_h1 + w8 * out_h2 + b2
    out_o2 = float(sigmoid(net_o2))

    error_o1 = 0.5 * (t1 - out_o1) ** 2
    error_o2 = 0.5 * (t2 - out_o2) ** 2
    return {
        "net_h1": net_h1,
        "out_h1": out_h1,
        "net_h2": net_h2,
        "out_h2": out_h2,
        "net_o1": net_o1,
        "out_o1": out_o1,
        "net_o2": net_o2,
        "out_o2": out_o2,
        "E_o1": error_o1,
        "E_o2": error_o2,
        "E": error_o1 + error_o2,
    }


def backward(net: Mapping[str, float], values: Mapping[str, float]) -> dict[str, float]:
    """Return every local derivative and every gradient, in the order of computation.

    A derivative that is always one (of ``net_o1`` with respect to ``b2``, of ``E`` with
    respect to ``E_o1``) has no entry.

    Parameters
    ----------
    net : mapping
        The network.
    values : mapping
        What `forward` returned for it.

    Examples
    --------
    >>> d = backward(example(), forward(example()))
    >>> d["dE/dw5"] == d["dE/dout_o1"] * d["dout_o1/dnet_o1"] * d["dnet_o1/dw5"]
    True
    >>> round(d["dE/dw5"], 9)
    0.082167041
    """
    d: dict[str, float] = {}
    for o, t, weights in (("o1", "t1", ("w5", "w6")), ("o2", "t2", ("w7", "w8"))):
        out = values[f"out_{o}"]
        d[f"dE/dout_{o}"] = out - net[t]
        d[f"dout_{o}/dnet_{o}"] = out * (1 - out)
        d[f"dE/dnet_{o}"] = d[f"dE/dout_{o}"] * d[f"dout_{o}/dnet_{o}"]
        for w, h in zip(weights, ("h1", "h2"), strict=True):
            d[f"dnet_{o}/d{w}"] = values[f"out_{h}"]
            d[f"dE/d{w}"] = d[f"dE/dnet_{o}"] * d[f"dnet_{o}/d{w}"]

    # Each hidden unit reaches the error on two paths, one through each output: they add.
    for h, to_o1, to_o2, weights in (
        ("h1", "w5", "w7", ("w1", "w2")),
        ("h2", "w6", "w8", ("w3", "w4")),
    ):
        for o, w in (("o1", to_o1), ("o2", to_o2)):
            d[f"dnet_{o}/dout_{h}"] = net[w]
            d[f"dE_{o}/dout_{h}"] = d[f"dE/dnet_{o}"] * d[f"dnet_{o}/dout_{h}"]
        out = values[f"out_{h}"]
        d[f"dE/dout_{h}"] = d[f"dE_o1/dout_{h}"] + d[f"dE_o2/dout_{h}"]
        d[f"dout_{h}/dnet_{h}"] = out * (1 - out)
        d[f"dE/dnet_{h}"] = d[f"dE/dout_{h}"] * d[f"dout_{h}/dnet_{h}"]
        for w, i in zip(weights, INPUTS, strict=True):
            d[f"dnet_{h}/d{w}"] = net[i]
            d[f"dE/d{w}"] = d[f"dE/dnet_{h}"] * d[f"dnet_{h}/d{w}"]

    # Both units of a layer share its bias.
    d["dE/db1"] = d["dE/dnet_h1"] + d["dE/dnet_h2"]
    d["dE/db2"] = d["dE/dnet_o1"] + d["dE/dnet_o2"]
    return d


def step(net: Mapping[str, float], lr: float = 0.5, biases: bool = False) -> dict[str, float]:
    """Return the network after one step of gradient descent, all weights at once.

    The worked example leaves the biases as they are; ``biases=True`` updates them too.

    Examples
    --------
    >>> after = step(example())
    >>> round(after["w5"], 8), round(after["w1"], 9), after["b1"]
    (0.35891648, 0.149780716, 0.35)
    """
    if not lr > 0:
        raise ValueError(f"lr must be positive, got {lr}")
    d = backward(net, forward(net))
    names = WEIGHTS + BIASES if biases else WEIGHTS
    return {**net, **{name: net[name] - lr * d[f"dE/d{name}"] for name in names}}


class Layer(NamedTuple):
    """One fully connected layer: w of shape (out, in), b of shape (out,), an activation."""

    w: Array
    b: Array
    activation: str = "sigmoid"


class LayerGradient(NamedTuple):
    """Gradients of the loss at one layer, each with the shape of what it belongs to."""

    net: Array
    w: Array
    b: Array
    x: Array


#: By name, the function, and its derivative from what the forward pass has kept.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "sigmoid": (sigmoid, lambda net, out: out * (1 - out)),
    "tanh": (np.tanh, lambda net, out: 1 - out**2),
    "relu": (lambda net: np.maximum(net, 0), lambda net, out: (net > 0) * 1.0),
    "identity": (lambda net: net, lambda net, out: np.ones_like(net)),
}


def forward_batch(layers: Sequence[Layer], x: Array) -> tuple[list[Array], list[Array]]:
    """Run a batch through the layers, and keep what the backward pass will need.

    Parameters
    ----------
    layers : sequence of Layer
        The first layer first.
    x : array of shape (samples, features)
        One row a sample.

    Returns
    -------
    nets, outs : list of array
        Of shape (samples, units) each. ``outs`` starts with `x`, so that layer k makes
        ``nets[k]`` and ``outs[k + 1]`` from ``outs[k]``; ``outs[-1]`` is the answer.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an activation is not in `ACTIVATIONS`.

    Examples
    --------
    >>> layers = [Layer(np.array([[1.0, -1.0]]), np.array([0.5]), "relu")]
    >>> nets, outs = forward_batch(layers, np.array([[3.0, 1.0], [1.0, 3.0]]))
    >>> nets[0].ravel().tolist(), outs[-1].ravel().tolist()
    ([2.5, -1.5], [2.5, 0.0])
    """
    nets, outs = [], [np.asarray(x, dtype=float)]
    for k, (w, b, activation) in enumerate(layers):
        if np.ndim(w) != 2 or np.shape(b) != np.shape(w)[:1]:
            raise ValueError(
                f"layer {k}: w must have shape (out, in) and b (out,), "
                f"got {np.shape(w)} and {np.shape(b)}"
            )
        if outs[-1].ndim != 2 or outs[-1].shape[1] != np.shape(w)[1]:
            raise ValueError(
                f"layer {k}: w of shape {np.shape(w)} takes an input of shape "
                f"(samples, {np.shape(w)[1]}), got {outs[-1].shape}"
            )
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"layer {k}: activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}"
            )
        nets.append(outs[-1] @ np.asarray(w, dtype=float).T + b)
        outs.append(ACTIVATIONS[activation][0](nets[-1]))
    return nets, outs


def backward_batch(
    layers: Sequence[Layer], nets: Sequence[Array], outs: Sequence[Array], dout: Array
) -> list[LayerGradient]:
    """Carry the gradient of the loss back through the layers.

    Parameters
    ----------
    layers : sequence of Layer
        The network.
    nets, outs : sequence of array
        What `forward_batch` returned for it.
    dout : array of the shape of ``outs[-1]``
        Gradient of the loss with respect to the last output: the second value of
        `squared_error`, or of `cross_entropy` after a last layer with "identity".

    Returns
    -------
    list of LayerGradient
        One a layer, the first layer first.

    Examples
    --------
    >>> layers = [Layer(np.array([[2.0]]), np.array([0.0]), "identity")]
    >>> nets, outs = forward_batch(layers, np.array([[1.0], [3.0]]))
    >>> loss, dout = squared_error(outs[-1], np.array([[0.0], [0.0]]))
    >>> loss, backward_batch(layers, nets, outs, dout)[0].w.tolist()
    (10.0, [[10.0]])
    """
    if np.shape(dout) != outs[-1].shape:
        raise ValueError(
            f"dout must have the shape of outs[-1], {outs[-1].shape}, not {np.shape(dout)}"
        )
    gradients: list[LayerGradient] = []
    for layer, net, x, out in reversed(list(zip(layers, nets, outs[:-1], outs[1:], strict=True))):
        dnet = dout * ACTIVATIONS[layer.activation][1](net, out)
        dout = dnet @ layer.w  # becomes the dout of the layer before
        gradients.append(LayerGradient(net=dnet, w=dnet.T @ x, b=dnet.sum(0), x=dout))
    return gradients[::-1]


def squared_error(out: Array, target: Array) -> tuple[float, Array]:
    """Return half the squared error of a sample, averaged over the batch, and its gradient.

    Both arguments have shape (samples, outputs), and so has the gradient. For one sample
    this is the error of the worked example.

    Examples
    --------
    >>> loss, gradient = squared_error(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]]))
    >>> loss, gradient.tolist()
    (1.0, [[1.0], [0.0]])
    """
    if np.ndim(out) != 2 or np.shape(out) != np.shape(target):
        raise ValueError(
            "out and target must both have shape (samples, outputs), "
            f"got {np.shape(out)} and {np.shape(target)}"
        )
    difference = np.asarray(out, dtype=float) - target
    return float((difference**2).sum() / 2 / len(difference)), difference / len(difference)


def cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    r"""Return softmax and cross-entropy, averaged over the batch, and the gradient.

    .. math:: L = -\frac1N \sum_n \sum_c y_{nc} \log p_{nc}, \quad p = \mathrm{softmax}(z), \quad
              \frac{\partial L}{\partial z} = \frac1N (p - y).

    Parameters
    ----------
    z : array of shape (samples, classes)
        Logits: the output of a layer without an activation.
    y : array of shape (samples, classes)
        One row of probabilities a sample; one-hot for labels, ``np.eye(classes)[labels]``.

    Returns
    -------
    loss : float
        In nats.
    gradient : array of shape (samples, classes)
        With respect to `z`.

    Examples
    --------
    >>> loss, gradient = cross_entropy(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    >>> round(loss, 4), gradient.tolist()
    (0.6931, [[-0.5, 0.5]])
    """
    z, y = np.asarray(z, dtype=float), np.asarray(y, dtype=float)
    if z.ndim != 2 or z.shape != y.shape:
        raise ValueError(
            f"z and y must both have shape (samples, classes), got {z.shape} and {y.shape}; "
            "turn labels into rows with np.eye(classes)[labels]"
        )
    if not np.allclose(y.sum(axis=1), 1):
        raise ValueError("each row of y must sum to one: only then is the gradient p - y")
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(y * log_p).sum() / len(z)), (np.exp(log_p) - y) / len(z)


def batch_norm(x: Array, gamma: Array | float, beta: Array | float, eps: float = 1e-5) -> Array:
    """Normalise each feature over the batch (variance divided by N), then scale and shift.

    Examples
    --------
    >>> batch_norm(np.array([[1.0], [3.0]]), 2.0, 5.0, eps=0.0).tolist()
    [[3.0], [7.0]]
    """
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta


def batch_norm_backward(
    dout: Array, x: Array, gamma: Array | float, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    r"""Return the gradients of `batch_norm` with respect to x, gamma and beta.

    With :math:`\hat x` the normalised input and the means taken over the batch,

    .. math:: \frac{\partial L}{\partial x} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}
              \left(g - \overline{g} - \hat x\, \overline{g \hat x}\right), \quad
              g = \frac{\partial L}{\partial\, \mathrm{out}}.

    Mean and variance depend on x too: each of the last two terms is the share of one.

    Parameters
    ----------
    dout, x : array of shape (samples, features)
        Gradient at the output, and the input.
    gamma : float, or array of shape (features,)
        The scale.
    eps : float
        As in `batch_norm`.

    Examples
    --------
    >>> x, dout = np.array([[1.0], [3.0], [8.0]]), np.array([[1.0], [0.0], [0.0]])
    >>> dx, dgamma, dbeta = batch_norm_backward(dout, x, np.array([1.0]))
    >>> bool(abs(dx.sum()) < 1e-12), dbeta.tolist()  # moving all of x changes nothing
    (True, [1.0])
    """
    if np.ndim(x) != 2 or np.shape(dout) != np.shape(x):
        raise ValueError(
            "dout and x must both have shape (samples, features), "
            f"got {np.shape(dout)} and {np.shape(x)}"
        )
    scale = np.sqrt(x.var(0) + eps)
    x_hat = (x - x.mean(0)) / scale
    dx = gamma / scale * (dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0))
    return dx, (dout * x_hat).sum(0), dout.sum(0)


def numerical_gradient(f: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """Return the gradient of `f` at `x` by central differences, in float64.

    Each entry is moved by `h` to either side while the others stay: two calls of `f` an
    entry. The error is of order h² from the formula and 1e-16 |f| / h from rounding.

    Examples
    --------
    >>> numerical_gradient(lambda x: (x**3).sum(), np.array([1.0, 2.0])).round(6).tolist()
    [3.0, 12.0]
    """
    x = np.array(x, dtype=float)  # a copy: the caller's array stays as it is
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[i] = h
        gradient[i] = (f(x + nudge) - f(x - nudge)) / (2 * h)
    return gradient
