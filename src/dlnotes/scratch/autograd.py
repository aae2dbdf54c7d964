r"""Automatic differentiation in reverse, on graphs of NumPy arrays: the engine of chapter 02.

A `Node` is an array that remembers how it was made: from which nodes, and by which rule a
slope of the result becomes slopes of the inputs. The rules are written in operations of
this module, so that what they compute can be differentiated again.

Names and shapes are those of ``torch``: operations broadcast, `backward` adds to ``grad``
of the leaves, `grad` returns slopes. Everything is float64. Unlike in ``torch`` the graph
is never freed, so `backward` can walk it again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Rule = Callable[..., tuple["Node", ...]]


class Node:
    """An array and how it was made; a leaf if no operation made it.

    Parameters
    ----------
    data : array_like
        The value, of any shape; stored as float64.
    requires_grad : bool
        Whether slopes with respect to it are wanted.
    inputs, rule
        Set by operations: ``rule(g, out, *inputs)`` returns a slope for each input, where
        g is the slope of the result ``out``.

    Examples
    --------
    >>> x = Node(2.0, requires_grad=True)
    >>> y = x * x + x**3
    >>> backward(y)
    >>> y, x.grad
    (Node(12.), Node(16.))
    """

    __array_ufunc__ = None  # array * Node is ours to compute, not NumPy's

    def __init__(
        self,
        data: ArrayLike,
        requires_grad: bool = False,
        inputs: tuple["Node", ...] = (),
        rule: Rule | None = None,
    ) -> None:
        self.data = np.asarray(data, dtype=np.float64)
        self.requires_grad = requires_grad
        self.inputs, self.rule = inputs, rule
        self.grad: Node | None = None

    def __repr__(self) -> str:
        return f"Node({np.array2string(self.data, separator=', ')})"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.data.shape

    @property
    def T(self) -> "Node":  # noqa: N802  as in NumPy
        """The last two axes swapped."""
        return transpose(self)

    def detach(self) -> "Node":
        """Return the value alone: a leaf that no slope passes through."""
        return Node(self.data)

    def __add__(self, other: Any) -> "Node":
        return add(self, other)

    def __mul__(self, other: Any) -> "Node":
        return multiply(self, other)

    def __pow__(self, exponent: float) -> "Node":
        return power(self, exponent)

    def __matmul__(self, other: Any) -> "Node":
        return matmul(self, other)

    def __rmatmul__(self, other: Any) -> "Node":
        return matmul(other, self)

    def __getitem__(self, key: Any) -> "Node":
        return index(self, key)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> "Node":
        return self * -1

    def __sub__(self, other: Any) -> "Node":
        return self + -node(other)

    def __rsub__(self, other: Any) -> "Node":
        return add(-self, other)

    def __truediv__(self, other: Any) -> "Node":
        return self * node(other) ** -1

    def __rtruediv__(self, other: Any) -> "Node":
        return node(other) * self**-1

    def sum(self, axis: int | tuple[int, ...] | None = None) -> "Node":
        """Sum over one axis, several, or all."""
        return total(self, axis)

    def mean(self, axis: int | tuple[int, ...] | None = None) -> "Node":
        """Average over one axis, several, or all."""
        sums = total(self, axis)
        return sums * (sums.data.size / self.data.size)

    def reshape(self, *shape: int) -> "Node":
        """Return the same numbers in another shape."""
        return reshape(self, shape)


def node(value: Any) -> Node:
    """Return `value` if it is a node, else a constant."""
    return value if isinstance(value, Node) else Node(value)


def operation(data: ArrayLike, rule: Rule, *inputs: Node) -> Node:
    """Return the result of an operation; if no input needs a slope, nothing is remembered."""
    if any(source.requires_grad for source in inputs):
        return Node(data, True, inputs, rule)
    return Node(data)


# ---- operations ------------------------------------------------------------------


def add(a: Any, b: Any) -> Node:
    """Return a + b."""
    a, b = node(a), node(b)
    return operation(
        a.data + b.data, lambda g, out, a, b: (sum_to(g, a.shape), sum_to(g, b.shape)), a, b
    )


def multiply(a: Any, b: Any) -> Node:
    """Return a · b, entry by entry."""
    a, b = node(a), node(b)
    return operation(
        a.data * b.data,
        lambda g, out, a, b: (sum_to(g * b, a.shape), sum_to(g * a, b.shape)),
        a,
        b,
    )


def power(a: Any, exponent: float) -> Node:
    """Return a to a constant power."""
    if isinstance(exponent, Node):
        raise TypeError("the exponent must be a number: for a node write exp(exponent * log(a))")
    a = node(a)

    def rule(g: Node, out: Node, a: Node) -> tuple[Node]:
        if exponent == 0:  # a constant, although 0 · a**-1 is nan at 0
            return (Node(np.zeros(a.shape)),)
        return (g * (exponent * a ** (exponent - 1)),)

    return operation(a.data**exponent, rule, a)


def exp(a: Any) -> Node:
    """Return e to the power of a."""
    a = node(a)
    return operation(np.exp(a.data), lambda g, out, a: (g * out,), a)


def log(a: Any) -> Node:
    """Return the natural logarithm."""
    a = node(a)
    return operation(np.log(a.data), lambda g, out, a: (g * a**-1,), a)


def tanh(a: Any) -> Node:
    """Return the hyperbolic tangent, whose slope is 1 - tanh²."""
    a = node(a)
    return operation(np.tanh(a.data), lambda g, out, a: (g * (1 - out * out),), a)


def sin(a: Any) -> Node:
    """Return the sine."""
    a = node(a)
    return operation(np.sin(a.data), lambda g, out, a: (g * sin(a + np.pi / 2),), a)


def relu(a: Any) -> Node:
    """Return max(a, 0); at 0 the slope is 0, as in ``torch``."""
    a = node(a)
    return operation(np.maximum(a.data, 0), lambda g, out, a: (g * (a.data > 0),), a)


def total(a: Any, axis: int | tuple[int, ...] | None = None) -> Node:
    """Return the sum over the given axes, or over all."""
    a = node(a)
    kept = a.data.sum(axis, keepdims=True).shape

    def rule(g: Node, out: Node, a: Node) -> tuple[Node]:
        return (expand(reshape(g, kept), a.shape),)

    return operation(a.data.sum(axis), rule, a)


def expand(a: Any, shape: tuple[int, ...]) -> Node:
    """Stretch to a shape, as broadcasting does."""
    a = node(a)
    return operation(np.broadcast_to(a.data, shape), lambda g, out, a: (sum_to(g, a.shape),), a)


def sum_to(g: Node, shape: tuple[int, ...]) -> Node:
    """Undo a stretching: sum over every axis that was added or stretched.

    Examples
    --------
    >>> sum_to(Node(np.ones((2, 3, 4))), (3, 1)).data.tolist()
    [[8.0], [8.0], [8.0]]
    """
    if g.shape == shape:
        return g
    new = len(g.shape) - len(shape)
    stretched = [new + k for k, size in enumerate(shape) if size < g.shape[new + k]]
    return reshape(total(g, (*range(new), *stretched)), shape)


def reshape(a: Any, shape: tuple[int, ...]) -> Node:
    """Return the same numbers in another shape."""
    a = node(a)
    return operation(a.data.reshape(shape), lambda g, out, a: (reshape(g, a.shape),), a)


def transpose(a: Any) -> Node:
    """Swap the last two axes."""
    a = node(a)
    return operation(np.swapaxes(a.data, -1, -2), lambda g, out, a: (transpose(g),), a)


def matmul(a: Any, b: Any) -> Node:
    """Return the matrix product; axes before the last two broadcast."""
    a, b = node(a), node(b)
    if min(a.data.ndim, b.data.ndim) < 2:
        raise ValueError(
            f"@ takes matrices, got shapes {a.shape} and {b.shape}: "
            "make a vector a matrix with reshape(1, -1) or reshape(-1, 1)"
        )
    return operation(
        a.data @ b.data,
        lambda g, out, a, b: (sum_to(g @ b.T, a.shape), sum_to(a.T @ g, b.shape)),
        a,
        b,
    )


def index(a: Any, key: Any) -> Node:
    """Return ``a[key]`` for any key that NumPy takes."""
    a = node(a)
    return operation(a.data[key], lambda g, out, a: (scatter(g, key, a.shape),), a)


def scatter(g: Any, key: Any, shape: tuple[int, ...]) -> Node:
    """Add the entries of g into zeros, at the places that `key` takes them from."""
    g = node(g)
    data = np.zeros(shape)
    np.add.at(data, key, g.data)  # unlike data[key] += g, counts a place that occurs twice
    return operation(data, lambda h, out, g: (index(h, key),), g)


# ---- backwards -------------------------------------------------------------------


def order(output: Node) -> list[Node]:
    """Return all that `output` is made of, every node after its inputs, itself last.

    A loop with a stack of its own: recursion would end at a chain of a thousand nodes.
    """
    ordered: list[Node] = []
    seen: set[Node] = set()
    stack = [(output, False)]
    while stack:
        current, inputs_done = stack.pop()
        if inputs_done:
            ordered.append(current)
        elif current not in seen:
            seen.add(current)
            stack.append((current, True))
            stack.extend((source, False) for source in current.inputs)
    return ordered


def slopes(output: Node, v: Any = None, create_graph: bool = False) -> dict[Node, Node]:
    """Return the slope of `output` with respect to every node that it is made of.

    Parameters
    ----------
    output : Node
        Where to start, a single number unless `v` is given.
    v : array_like, optional
        Of the shape of `output`: the slopes are then those of ``sum(v * output)``.
    create_graph : bool
        Remember how the slopes are made, so that they can be differentiated too.

    Raises
    ------
    ValueError
        If `output` needs no gradient or is no single number, or `v` has another shape.
    """
    if not output.requires_grad:
        raise ValueError("nothing to do: no leaf with requires_grad=True went into the output")
    if v is None and output.data.size != 1:
        raise ValueError(
            f"the output has shape {output.shape}, and one number is needed: "
            "sum it, or pass v to weight its entries"
        )
    start = Node(np.ones(output.shape)) if v is None else node(v)
    if start.shape != output.shape:
        raise ValueError(f"v must have the output's shape {output.shape}, got {start.shape}")
    keep: Callable[[Node], Node] = (lambda n: n) if create_graph else Node.detach
    sums = {output: start}
    for current in reversed(order(output)):
        if current.rule is None:
            continue
        shares = current.rule(sums[current], keep(current), *map(keep, current.inputs))
        for source, share in zip(current.inputs, shares, strict=True):
            if source.requires_grad:
                sums[source] = sums[source] + share if source in sums else share
    return sums


def backward(output: Node, v: Any = None, create_graph: bool = False) -> None:
    """Add the slopes of `output` to ``grad`` of the leaves that require it; see `slopes`."""
    for leaf, slope in slopes(output, v, create_graph).items():
        if leaf.rule is None:
            leaf.grad = slope if leaf.grad is None else leaf.grad + slope


def grad(
    output: Node, inputs: Sequence[Node], v: Any = None, create_graph: bool = False
) -> list[Node]:
    """Return the slope of `output` for each input, zeros where it does not depend on it.

    Examples
    --------
    >>> x = Node(2.0, requires_grad=True)
    >>> (first,) = grad(x**3, [x], create_graph=True)
    >>> first, grad(first, [x])[0]
    (Node(12.), Node(12.))
    """
    found = slopes(output, v, create_graph)
    return [found.get(source, Node(np.zeros(source.shape))) for source in inputs]
