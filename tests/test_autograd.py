"""The engine, of the package and of chapter 02, against torch; and its manners."""

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlnotes.exercises import autograd as check
from dlnotes.scratch import autograd
from dlnotes.scratch.autograd import Node

thorough = settings(max_examples=300)
SHAPES = [(), (3,), (1, 3), (2, 1), (2, 3), (4, 2, 3)]
CLOSE = {"rtol": 1e-11, "atol": 1e-12}

NOTEBOOK = Path(__file__).parents[1] / "notebooks/02_autograd.ipynb"


def page():
    """Return the engine that chapter 02 writes, made of the cells that hold it."""
    cells = json.loads(NOTEBOOK.read_text("utf8"))["cells"]
    names = {"np": np}
    for cell in cells:
        if cell["id"].startswith("engine-") and cell["cell_type"] == "code":
            if cell["id"].startswith("engine-first"):
                break
            exec("".join(cell["source"]), names)  # the chapter's own code
    return SimpleNamespace(**names)


ENGINES = {"package": autograd, "page": page()}


def numel(a):
    return (a if isinstance(a, torch.Tensor) else torch.tensor(a.data)).numel()


def turned(a):
    return a.mT if isinstance(a, torch.Tensor) else a.T


# Name: the operation, in an engine or in torch. Each keeps values moderate.
UNARY = {
    "negative": lambda lib, a: -a,
    "power": lambda lib, a: (1 + a * a) ** -1.5,
    "reciprocal": lambda lib, a: 1 / (2 + a * a),
    "exp": lambda lib, a: lib.exp(lib.tanh(a)),
    "log": lambda lib, a: lib.log(1 + a * a),
    "tanh": lambda lib, a: lib.tanh(a),
    "sin": lambda lib, a: lib.sin(a),
    "relu": lambda lib, a: lib.relu(a),
    "sum": lambda lib, a: a.sum(),
    "sum last": lambda lib, a: a.sum(-1) if a.shape else a,
    "sum first": lambda lib, a: a.sum(0) / 3 if a.shape else a,
    "rows, one twice": lambda lib, a: a[[0, -1, 0]] if a.shape else a,
    "slice": lambda lib, a: a[..., :2] if a.shape else a,
    "flat": lambda lib, a: a.reshape(numel(a)),
    "gram": lambda lib, a: lib.tanh(a @ turned(a)) if len(a.shape) > 1 else a,
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
        values.append(evaluate([step], values, torch)[-1])
    return leaves, steps


def evaluate(steps, leaves, lib):
    """Carry out the steps with the functions of an engine, or of torch."""
    values = list(leaves)
    for name, *places in steps:
        inputs = [values[place] for place in places]
        values.append(BINARY[name](*inputs) if name in BINARY else UNARY[name](lib, *inputs))
    return values


def both(leaves, engine=autograd):
    return (
        [engine.Node(leaf, requires_grad=True) for leaf in leaves],
        [torch.tensor(leaf, requires_grad=True) for leaf in leaves],
    )


@pytest.mark.parametrize("name", ENGINES)
@thorough
@given(expressions())
def test_values_and_slopes_of_random_expressions_are_those_of_torch(name, expression):
    (leaves, steps), engine = expression, ENGINES[name]
    ours, theirs = both(leaves, engine)
    values, expected = evaluate(steps, ours, engine), evaluate(steps, theirs, torch)
    for value, wanted in zip(values, expected, strict=True):
        np.testing.assert_allclose(value.data, wanted.detach().numpy(), **CLOSE)
    v = np.random.default_rng(0).normal(size=value.shape)
    engine.backward((value * v).sum())
    wanted.backward(torch.tensor(v))
    for leaf, peer in zip(ours, theirs, strict=True):
        assert (leaf.grad is None) == (peer.grad is None)
        if leaf.grad is not None:
            assert leaf.grad.shape == tuple(peer.grad.shape)
            np.testing.assert_allclose(leaf.grad.data, peer.grad.numpy(), **CLOSE)


@pytest.mark.parametrize("name", ENGINES)
@thorough
@given(expressions())
def test_second_derivatives_of_random_expressions_are_those_of_torch(name, expression):
    (leaves, steps), engine = expression, ENGINES[name]
    ours, theirs = both(leaves, engine)
    # A last square, so that the first slopes depend on something.
    output = (evaluate(steps, ours, engine)[-1] ** 2).sum()
    expected = (evaluate(steps, theirs, torch)[-1] ** 2).sum()
    first = engine.grad(output, ours, create_graph=True)
    wanted = torch.autograd.grad(expected, theirs, create_graph=True, materialize_grads=True)
    length = sum(((g * g).sum() for g in first), engine.Node(0.0))
    wanted_length = sum((g * g).sum() for g in wanted)
    if not wanted_length.requires_grad:
        assert not length.requires_grad
        return
    second = engine.grad(length, ours)
    wanted = torch.autograd.grad(wanted_length, theirs, materialize_grads=True)
    for got, peer in zip(second, wanted, strict=True):
        scale = 1 + float(peer.abs().max())
        np.testing.assert_allclose(got.data, peer.numpy(), rtol=1e-9, atol=1e-12 * scale)


def test_a_weighted_output_and_means_are_those_of_torch():
    x = np.random.default_rng(0).normal(size=(4, 3))
    v = np.random.default_rng(1).normal(size=(3,))
    ours, theirs = both([x])
    autograd.backward((ours[0] ** 2).mean(0) + ours[0].mean(), v)
    ((theirs[0] ** 2).mean(0) + theirs[0].mean()).backward(torch.tensor(v))
    np.testing.assert_allclose(ours[0].grad.data, theirs[0].grad.numpy(), **CLOSE)


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
    output = evaluate(steps, both(leaves)[0], autograd)[-1]
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


# ---- powers of zero, and what is no number ---------------------------------------


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda lib, x: x**2 * lib.sin(x), [0, 0, 6]),
        (lambda lib, x: x**2 + x**3, [0, 2, 6]),
        (lambda lib, x: x**1 * x**0 + x**2 * 0, [1, 0]),
    ],
)
def test_derivatives_of_powers_at_zero_are_numbers(name, f, expected):
    engine = ENGINES[name]
    x = engine.Node(0.0, requires_grad=True)
    slope = f(engine, x)
    for wanted in expected:
        (slope,) = engine.grad(slope, [x], create_graph=True)
        assert slope.data == wanted


@pytest.mark.parametrize("name", ENGINES)
def test_a_vector_has_no_slope_of_its_own(name):
    x = ENGINES[name].Node([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"\(2,\).*sum it"):
        ENGINES[name].backward(x * 2)


# ---- the exercises: right answers of another form, wrong ones that look right ----

LAB = check.lab


def rows_of_the_hessian(f, x, v):
    x = x.requires_grad_()
    (slopes,) = torch.autograd.grad(f(x), x, create_graph=True)
    return torch.stack([torch.autograd.grad(s, x, retain_graph=True)[0] for s in slopes]) @ v


def differences_of_slopes(f, x, v):
    def slope(at):
        at = at.clone().requires_grad_()
        return torch.autograd.grad(f(at), at)[0]

    return (slope(x + 1e-5 * v) - slope(x - 1e-5 * v)) / 2e-5


def path_by_path(tape, leaves):
    values = check._run(tape, leaves)
    sums = [np.zeros_like(value) for value in values]

    def walk(line, g):
        name, *places = tape[line]
        sums[line] = sums[line] + g
        if name != "leaf":
            inputs = [values[p] for p in places]
            shares = check._RULES[name](g, values[line], *inputs)
            for place, share in zip(places, shares, strict=True):
                walk(place, check._unbroadcast(share, values[place].shape))

    walk(len(tape) - 1, np.ones_like(values[-1]))
    return check._at_leaves(tape, sums)


def tape_differences(tape, leaves):
    found = []
    for k, leaf in enumerate(leaves):
        slope = np.zeros_like(leaf)
        for at in np.ndindex(leaf.shape):
            ends = []
            for sign in (1, -1):
                moved = [np.array(other) for other in leaves]
                moved[k][at] += sign * 1e-5
                ends.append(check._run(tape, moved)[-1])
            slope[at] = (ends[0] - ends[1]) / 2e-5
        found.append(slope)
    return tuple(found)


def counts_once_per_distinct_input(graph, output):
    waiting = {name: len(sources) for name, sources in graph.items()}
    ready = [name for name, n in waiting.items() if n == 0]
    users = {name: [] for name in graph}
    for name, sources in graph.items():
        for source in dict.fromkeys(sources):
            users[source].append(name)
    for name in ready:
        for user in users[name]:
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    needed = set(check._depth_first(graph, output))
    return [name for name in ready if name in needed]


@contextlib.contextmanager
def rules(**changed):
    before = check._RULES | {"unbroadcast": check._unbroadcast}
    check._unbroadcast = changed.pop("unbroadcast", check._unbroadcast)
    check._RULES.update(changed)
    try:
        yield
    finally:
        check._unbroadcast = before.pop("unbroadcast")
        check._RULES.update(before)


def collected(tape, leaves):
    return check._at_leaves(tape, check._walk(tape, leaves))


def test_a_quotient_may_be_written_with_its_result():
    assert LAB["div"].verdict(lambda g, out, a, b: (g / b, -g * out / b)) == "Right."


@pytest.mark.parametrize("name", ["tanh", "sum", "index"])
def test_a_share_without_its_tuple_is_told(name):
    right = LAB[name].right
    assert LAB[name].verdict(right) == "Right."
    assert LAB[name].verdict(lambda *case: list(right(*case))) == "Right."
    assert LAB[name].verdict(lambda *case: right(*case)[0]) == f"Not yet. {check._NO_TUPLE}"


def test_losses_may_be_a_list_or_a_tuple():
    for kind in (list, tuple):
        assert LAB["train"].verdict(lambda *case, kind=kind: kind(check._train(*case))) == "Right."
    assert LAB["train"].verdict(lambda *case: (1.0,) * 20) != "Right."


@pytest.mark.parametrize(
    "answer",
    [rows_of_the_hessian, differences_of_slopes, lambda f, x, v: f(x) * v.nothing],
)
def test_hessian_vector_tells_errors_and_refuses_the_long_way(answer):
    said = check.hessian_vector.verdict(answer)
    assert "numpy" not in said
    assert ("two walks" in said, "one call" in said, "'nothing'" in said) == (
        answer is rows_of_the_hessian,
        answer is differences_of_slopes,
        answer not in (rows_of_the_hessian, differences_of_slopes),
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x.clamp(min=1e-26).sqrt(), "largest difference"),
        (lambda x: torch.zeros_like(x), "must be recorded"),
        (lambda x: x.no_such(), "has no attribute 'no_such'"),
        (lambda x: (x, x), "one tensor is expected, got tuple"),
        (lambda x: torch.where(x > 0, x, 0.0).sqrt(), "Right."),  # where hands no slope on
    ],
)
def test_root_is_differentiated_by_the_check(answer, words):
    assert words in check.root.verdict(check.with_slope(answer))


def test_an_order_that_waits_for_an_input_twice_is_refused():
    assert "missing" in LAB["order"].verdict(counts_once_per_distinct_input)


def test_backward_refuses_paths_differences_and_broken_rules():
    assert LAB["backward"].verdict(collected) == "Right."
    assert "still running" in LAB["backward"].verdict(path_by_path)
    assert "largest difference" in LAB["backward"].verdict(tape_differences)
    with rules(sum=lambda g, out, a: (np.ones_like(a),)):
        assert LAB["backward"].verdict(collected) != "Right."
    with rules(unbroadcast=check._leading_only):
        assert LAB["backward"].verdict(collected) != "Right."


def sigmoid_of(engine, share):
    return lambda a: engine.operation(1 / (1 + np.exp(-a.data)), share, a)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (sigmoid_of(autograd, lambda g, out, a: g * out * (1 - out)), "(share,)"),
        (sigmoid_of(autograd, lambda g, out, a: (g.data,)), "must be nodes"),
        (sigmoid_of(ENGINES["page"], lambda g, out, a: (g * out * (1 - out),)), "this page"),
        (lambda a: autograd.Node(a.data), "has no rule"),
        (lambda a: a.no_such, "a.no_such"),
        (lambda a: ..., "No answer yet"),
    ],
)
def test_second_says_what_is_no_node_and_where(operation, words):
    assert words in LAB["second"].verdict(check.derivatives(operation))


@pytest.mark.parametrize("word", ["raises", "Raises", "raise", RuntimeError])
def test_predictions_may_be_written_in_several_ways(word):
    answer = {"a": word, "b": "2", "c": word, "d": 11, "e": torch.tensor(12.0)}
    assert check.predict.verdict(answer) == "Right."
    said = check.predict.verdict({**answer, "b": "doubled"})
    assert said == "Not yet. b: write the word raises, or a number."


@pytest.mark.parametrize("shapes", check._SHAPES)
def test_broadcast_shape_names_the_pair(shapes):
    def answer(a, b):
        return "no" if (a, b) == shapes else check._broadcast(a, b)

    assert f"for {shapes[0]} and {shapes[1]} is wrong" in check.broadcast_shape.verdict(answer)
