"""The engine against torch: random expressions, twice differentiated, and its manners."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlnotes.scratch import autograd
from dlnotes.scratch.autograd import Node

thorough = settings(max_examples=300, deadline=None)
SHAPES = [(), (3,), (1, 3), (2, 1), (2, 3), (4, 2, 3)]
CLOSE = {"rtol": 1e-11, "atol": 1e-12}

# Name: the operation here, and in torch. Each keeps values moderate.
UNARY = {
    "negative": (lambda a: -a, lambda a: -a),
    "power": (lambda a: (1 + a * a) ** -1.5, lambda a: (1 + a * a) ** -1.5),
    "reciprocal": (lambda a: 1 / (2 + a * a), lambda a: 1 / (2 + a * a)),
    "exp": (lambda a: autograd.exp(autograd.tanh(a)), lambda a: torch.exp(torch.tanh(a))),
    "log": (lambda a: autograd.log(1 + a * a), lambda a: torch.log(1 + a * a)),
    "tanh": (autograd.tanh, torch.tanh),
    "sin": (autograd.sin, torch.sin),
    "relu": (autograd.relu, torch.relu),
    "sum": (lambda a: a.sum(), lambda a: a.sum()),
    "mean": (lambda a: a.mean(), lambda a: a.mean()),
    "sum last": (
        lambda a: a.sum(-1) if a.shape else a,
        lambda a: a.sum(-1) if a.shape else a,
    ),
    "mean first": (
        lambda a: a.mean(0) if a.shape else a,
        lambda a: a.mean(0) if a.shape else a,
    ),
    "rows, one twice": (
        lambda a: a[[0, -1, 0]] if a.shape else a,
        lambda a: a[[0, -1, 0]] if a.shape else a,
    ),
    "slice": (lambda a: a[..., :2] if a.shape else a, lambda a: a[..., :2] if a.shape else a),
    "flat": (lambda a: a.reshape(-1), lambda a: a.reshape(-1)),
    "gram": (
        lambda a: autograd.tanh(a @ a.T) if len(a.shape) > 1 else a,
        lambda a: torch.tanh(a @ a.mT) if len(a.shape) > 1 else a,
    ),
}
BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (2 + b * b),
    "matmul": lambda a, b: a @ b,
}


def fits(name, a, b):
    """Tell whether two shapes go together."""
    try:
        made = BINARY[name](np.ones(a), np.ones(b))
    except ValueError:
        return False
    return made.ndim < 5 and made.size < 500 and (name != "matmul" or min(len(a), len(b)) > 1)


@st.composite
def expressions(draw):
    """Draw leaves and a list of steps, each on earlier results; nodes are shared freely."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    leaves = [
        rng.normal(size=draw(st.sampled_from(SHAPES))) for _ in range(draw(st.integers(1, 4)))
    ]
    values, steps = [torch.tensor(leaf) for leaf in leaves], []
    for _ in range(draw(st.integers(1, 8))):
        places = range(len(values))
        pairs = [
            (name, i, j)
            for name in BINARY
            for i in places
            for j in places
            if fits(name, values[i].shape, values[j].shape)
        ]
        singles = [(name, i) for name in UNARY for i in places]
        step = draw(st.one_of(st.sampled_from(singles), st.sampled_from(pairs)))
        steps.append(step)
        values.append(evaluate([step], values, 1)[-1])
    return leaves, steps


def evaluate(steps, leaves, engine):
    """Carry out the steps: engine 0 is ours, 1 is torch."""
    values = list(leaves)
    for name, *places in steps:
        function = BINARY.get(name) or UNARY[name][engine]
        values.append(function(*(values[place] for place in places)))
    return values


def both(leaves):
    return (
        [Node(leaf, requires_grad=True) for leaf in leaves],
        [torch.tensor(leaf, requires_grad=True) for leaf in leaves],
    )


@thorough
@given(expressions())
def test_values_and_slopes_of_random_expressions_are_those_of_torch(expression):
    leaves, steps = expression
    ours, theirs = both(leaves)
    for value, expected in zip(evaluate(steps, ours, 0), evaluate(steps, theirs, 1), strict=True):
        np.testing.assert_allclose(value.data, expected.detach().numpy(), **CLOSE)
    v = np.random.default_rng(0).normal(size=value.shape)
    autograd.backward(value, v)
    expected.backward(torch.tensor(v))
    for leaf, wanted in zip(ours, theirs, strict=True):
        assert (leaf.grad is None) == (wanted.grad is None)
        if leaf.grad is not None:
            assert leaf.grad.shape == tuple(wanted.grad.shape)
            np.testing.assert_allclose(leaf.grad.data, wanted.grad.numpy(), **CLOSE)


@thorough
@given(expressions())
def test_second_derivatives_of_random_expressions_are_those_of_torch(expression):
    leaves, steps = expression
    ours, theirs = both(leaves)
    # A last square, so that the first slopes depend on something.
    output = (evaluate(steps, ours, 0)[-1] ** 2).sum()
    expected = (evaluate(steps, theirs, 1)[-1] ** 2).sum()
    first = autograd.grad(output, ours, create_graph=True)
    wanted = torch.autograd.grad(expected, theirs, create_graph=True, materialize_grads=True)
    length = sum(((g * g).sum() for g in first), Node(0.0))
    wanted_length = sum((g * g).sum() for g in wanted)
    if not wanted_length.requires_grad:
        assert not length.requires_grad
        return
    second = autograd.grad(length, ours)
    wanted = torch.autograd.grad(wanted_length, theirs, materialize_grads=True)
    for got, their in zip(second, wanted, strict=True):
        scale = 1 + float(their.abs().max()) if their.numel() else 1
        np.testing.assert_allclose(got.data, their.numpy(), rtol=1e-9, atol=1e-12 * scale)


def test_a_third_derivative():
    x = Node(3.6, requires_grad=True)
    t = torch.tensor(3.6, dtype=torch.float64, requires_grad=True)
    ours, theirs = x**2 * autograd.sin(x), t**2 * torch.sin(t)
    for _ in range(3):
        (ours,) = autograd.grad(ours, [x], create_graph=True)
        (theirs,) = torch.autograd.grad(theirs, [t], create_graph=True)
        assert ours.data == pytest.approx(theirs.item(), rel=1e-12)


# ---- the order -------------------------------------------------------------------


@pytest.mark.parametrize(
    "f", [lambda a, x: a + a * x, lambda a, x: a * x + a, lambda a, x: x * a + a]
)
def test_a_value_used_on_paths_of_different_length(f):
    x = Node(2.0, requires_grad=True)
    autograd.backward(f(x * x, x))
    assert x.grad.data == 16.0


@thorough
@given(expressions())
def test_every_node_comes_once_and_after_its_inputs(expression):
    leaves, steps = expression
    output = evaluate(steps, both(leaves)[0], 0)[-1]
    ordered = autograd.order(output)
    place = {node: k for k, node in enumerate(ordered)}
    assert len(place) == len(ordered)
    assert ordered[-1] is output
    assert all(place[source] < place[node] for node in ordered for source in node.inputs)


def test_a_long_chain_and_two_to_the_thousandth_paths():
    x = y = Node(1.0, requires_grad=True)
    for _ in range(5000):
        y = y * 1.0
    for _ in range(1000):
        y = y + y
    autograd.backward(y)
    assert x.grad.data == 2.0**1000


# ---- leaves ----------------------------------------------------------------------


def test_two_backward_calls_sum_and_only_leaves_keep_anything():
    x = Node(3.0, requires_grad=True)
    inner = x
    for _ in range(4):
        inner = inner * 1.0
    for times in (1, 2, 3):
        autograd.backward(inner)
        assert x.grad.data == times
    assert inner.grad is None


def test_what_needs_no_slope_is_not_remembered():
    a, w = Node([1.0, 2.0]), Node([3.0, 4.0], requires_grad=True)
    constant = autograd.exp(a * 2 + 1)
    assert (constant.inputs, constant.rule, constant.requires_grad) == ((), None, False)
    autograd.backward((constant * w).sum())
    assert a.grad is None
    assert constant.grad is None
    np.testing.assert_array_equal(w.grad.data, constant.data)


def test_detach_stops_the_slope():
    x = Node(2.0, requires_grad=True)
    autograd.backward(x * (3 * x).detach())
    assert x.grad.data == 6.0  # 12 without detach


def test_slopes_leave_no_graph_behind_unless_asked():
    x = Node(2.0, requires_grad=True)
    y = x**3
    assert not autograd.grad(y, [x])[0].requires_grad
    assert autograd.grad(y, [x], create_graph=True)[0].requires_grad


def test_a_leaf_that_was_not_used_has_slope_zero():
    x, other = Node(2.0, requires_grad=True), Node([1.0, 2.0], requires_grad=True)
    assert autograd.grad(x * x, [other])[0].data.tolist() == [0.0, 0.0]


def test_numbers_and_arrays_may_stand_on_either_side():
    x = Node([2.0, 4.0], requires_grad=True)
    array = np.array([1.0, 3.0])
    for made, expected in (
        (1 + x, [3, 5]),
        (1 - x, [-1, -3]),
        (8 / x, [4, 2]),
        (array * x, [2, 12]),
        (array - x, [-1, -1]),
        (np.eye(2) @ x.reshape(2, 1), [[2], [4]]),
    ):
        assert isinstance(made, Node)
        assert made.data.tolist() == expected


def test_relu_has_slope_zero_at_zero_as_in_torch():
    x = Node([-1.0, 0.0, 1.0], requires_grad=True)
    autograd.backward(autograd.relu(x).sum())
    assert x.grad.data.tolist() == [0.0, 0.0, 1.0]


# ---- manners ---------------------------------------------------------------------

X = Node([[1.0, 2.0]], requires_grad=True)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: autograd.backward(X), ValueError, r"shape \(1, 2\).*sum it, or pass v"),
        (lambda: autograd.backward(X, [1.0, 2.0]), ValueError, r"v must have .*\(1, 2\), got \(2,"),
        (lambda: autograd.backward(Node(1.0)), ValueError, "no leaf with requires_grad=True"),
        (lambda: X @ Node([1.0, 2.0]), ValueError, r"@ takes matrices.*reshape\(1, -1\)"),
        (lambda: X**X, TypeError, r"exp\(exponent \* log\(a\)\)"),
    ],
)
def test_bad_input_says_what_to_change(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_node_shows_its_numbers():
    assert repr(Node([[1.0, -0.5]])) == "Node([[ 1. , -0.5]])"
