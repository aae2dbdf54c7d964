"""The exercises of chapter 02, tensors and autograd.

The lab builds an engine on a tape: a list of lines ``(operation, *places)``, where a place
is the number of an earlier line. Rules are functions ``rule(g, out, *inputs)`` on arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from dlnotes.exercises import Check, Lab
from dlnotes.scratch import autograd

Answer = Callable[..., Any]
Shape = tuple[int, ...]
Tape = Sequence[tuple[Any, ...]]
Graph = Mapping[str, tuple[str, ...]]


def _told(check: Check, result: Any, case: tuple[Any, ...]) -> str:
    """Return what a check says about a result in one of its cases, "" where it is right."""
    said = replace(check, cases=[case], judge=None).verdict(lambda *given: result)
    return "" if said.startswith("Right") else said.removeprefix("Not yet. ")


@dataclass(frozen=True)
class _Derived:
    """What autograd makes of a function of the reader's; errors point to the reader's lines."""

    function: Answer
    found: Answer

    def __call__(self, x: Any) -> Any:
        return self.found(x)

    @property
    def __code__(self) -> Any:
        return self.function.__code__


# ---- single exercises ------------------------------------------------------------


def _broadcast(a: Shape, b: Shape) -> Any:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return "error"


def _from_the_left(a: Shape, b: Shape) -> Any:
    ranks = max(len(a), len(b))
    padded = [shape + (1,) * (ranks - len(shape)) for shape in (a, b)]
    return _broadcast(*padded)


def _padded(shape: Shape, length: int) -> Shape:
    return (1,) * (length - len(shape)) + shape


def _differ(a: Shape, b: Shape) -> bool:
    return any(p != q for p, q in zip(a[::-1], b[::-1], strict=False))


def _first_stretches(a: Shape, b: Shape) -> Any:
    made = _broadcast(a, b)
    return made if made in (a, b) else "error"


def _larger(a: Shape, b: Shape) -> Any:
    return tuple(max(p, q) for p, q in zip(_padded(a, len(b)), _padded(b, len(a)), strict=True))


# Two shapes, and what somebody has overlooked whose answer is wrong for these, and for none
# before them.
_SHAPES: dict[tuple[Shape, Shape], str] = {
    ((2, 3), (3,)): "line them up on the right and compare from the last axis.",
    ((2, 3), (2, 1)): "two sizes also go together if one of them is 1.",
    ((2, 3), (2,)): "sizes that differ go together only if one of them is 1.",
    ((3, 1), (4,)): "both sides may stretch in one operation.",
    ((), (5,)): "an axis that is missing counts as 1.",
    ((2, 1, 3), (1, 3)): "an axis that is missing counts as 1, one of size 1 may stay 1.",
    ((4, 2, 3), (2, 1)): "a short shape with an axis to stretch.",
    ((4, 2, 3), (3, 3)): "one pair of sizes that does not fit is enough.",
    ((0,), (1,)): "an axis may be empty; which of two sizes is it that stretches?",
}


def _about(a: Shape, b: Shape) -> str:
    return f"The answer for {a} and {b} is wrong: {_SHAPES[a, b]}"


def _judge_shape(answer: Any, a: Shape, b: Shape) -> str:
    answer = tuple(answer) if isinstance(answer, list) else answer
    return "" if answer == _broadcast(a, b) else _about(a, b)


# The shape of a sum.
broadcast_shape = Check(
    cases=list(_SHAPES),
    right=_broadcast,
    judge=_judge_shape,
    mistakes={
        _about((2, 3), (3,)): _from_the_left,
        _about((3, 1), (4,)): _first_stretches,
        _about((2, 3), (2, 1)): lambda a, b: "error" if _differ(a, b) else max(a, b, key=len),
        _about((2, 3), (2,)): _larger,
        _about((0,), (1,)): lambda a, b: "error" if _broadcast(a, b) == "error" else _larger(a, b),
    },
)

# What the slopes along x → u → z, x → u → v → z and x → v → z multiply to, for u = x²,
# v = 3x + u and z = u v at x = 2.
paths = Check(
    right=lambda: (40.0, 16.0, 12.0),
    mistakes={
        "The slope of z = u v along u is v, and along v it is u.": lambda: (16.0, 40.0, 30.0),
        "Slopes along a path multiply; you have added them.": lambda: (14.0, 9.0, 7.0),
        "The edge from u to v has slope 1; the 3 belongs to the edge from x to v.": (
            lambda: (40.0, 48.0, 12.0)
        ),
        "This is the derivative, the sum: keep the three paths apart.": lambda: 68.0,
    },
)

_PREDICTIONS = {
    "a": ("raises", "a: does the slope of a sine depend on x? Then what has the graph saved, and "
          "what became of it in the first call?"),
    "b": (2.0, "b: has a difference anything to save? And what does a second call do to .grad?"),
    "c": ("raises", "c: which node do both results share, and what does its rule need?"),
    "d": (11.0, "d: has the shared node anything to save? And what is in .grad after two calls?"),
    "e": (12.0, "e: is anything freed before the second call? And what does that do to .grad?"),
}  # fmt: skip


def _prediction(value: Any) -> Any:
    """Return what was meant: "raises", a number, or None."""
    if value is RuntimeError or str(value).strip().lower() in ("raises", "raise", "runtimeerror"):
        return "raises"
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _judge_predictions(answer: Any) -> str:
    if not isinstance(answer, Mapping):
        return 'A dict is expected, {"a": ..., "b": ..., "c": ..., "d": ..., "e": ...}.'
    for name, (right, message) in _PREDICTIONS.items():
        if name not in answer or answer[name] is ...:
            return f"The prediction for {name} is missing."
        meant = _prediction(answer[name])
        if meant is None:
            return f"{name}: write the word raises, or a number."
        if meant != right:
            return message
    return ""


def _predictions(**changed: Any) -> Answer:
    return lambda: {name: right for name, (right, _) in _PREDICTIONS.items()} | changed


# x.grad at the end of five snippets, or "raises".
predict = Check(
    right=_predictions(),
    judge=_judge_predictions,
    mistakes={
        message: _predictions(**{name: "raises" if right != "raises" else 12.0})
        for name, (right, message) in _PREDICTIONS.items()
    },
)


def with_slope(function: Answer) -> Answer:
    """Return a function that gives the values of `function`, and their slope by autograd."""

    def found(x: torch.Tensor) -> Any:
        leaf = x.clone().requires_grad_()
        values = function(leaf)
        if values is None or values is ...:
            return None
        if not isinstance(values, torch.Tensor):
            raise TypeError(f"one tensor is expected, got {type(values).__name__}")
        if not values.requires_grad:
            raise ValueError("the values must be recorded: compute them from x, without detach")
        (slope,) = torch.autograd.grad(values.sum(), leaf)
        return values, slope

    return _Derived(function, found)


def _root(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0)


# sqrt(x) for positive x and 0 elsewhere, and its slope from autograd.
root = Check(
    cases=[
        (torch.tensor(x, dtype=torch.float64),) for x in ([4.0, 0.25, 0.0, -1.0], [0.0], [1e-300])
    ],
    right=with_slope(_root),
    mistakes={
        "The slope is nan where x is not positive: where chooses the value, and still the slope "
        "of the branch not taken is multiplied by 0. Make the input of the root harmless.": (
            with_slope(lambda x: torch.where(x > 0, x.sqrt(), 0.0))
        ),
        "The values are right, and the slope is inf at 0 and nan below: clamp moves the input to "
        "the very place where the root is steepest.": with_slope(lambda x: x.clamp(min=0).sqrt()),
        "The values are right, and the slope is inf or nan where x is not positive: to mend the "
        "result is too late, the rule of the root has run.": (
            with_slope(lambda x: x.sqrt().nan_to_num())
        ),
        "The values at 0 and below should be 0: mask the input of the root, and then the "
        "result as well.": with_slope(lambda x: torch.where(x > 0, x, 1.0).sqrt()),
        "The slope of the root is not 1: does the mask replace the input everywhere?": (
            with_slope(lambda x: _root(x).detach() + x.clamp(min=0) - x.clamp(min=0).detach()
                       - (x == 0) * (x - x.detach()))
        ),
    },
)  # fmt: skip


def _quartic(x: torch.Tensor) -> torch.Tensor:
    return (x**4).sum() + x[0] ** 2 * x[-1] + (x[:-1] * x[1:]).sum()


class _Counted:
    """A function of a vector that wants to be called once, and walked back through a few times."""

    def __init__(self) -> None:
        self.calls = self.walks = 0

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("one call of f is enough: differentiate its gradient, exactly")
        watched = x * 1
        if watched.requires_grad:
            watched.register_hook(self._count)  # type: ignore[no-untyped-call]
        return _quartic(watched)

    def _count(self, g: torch.Tensor) -> None:
        self.walks += 1
        if self.walks > 4:
            raise RuntimeError("two walks are enough: the whole Hessian is not needed")


def _gradient(f: Answer, x: Any, create_graph: bool = False) -> Any:
    leaf = x.clone().requires_grad_()
    return leaf, torch.autograd.grad(f(leaf), leaf, create_graph=create_graph)[0]


def _product(f: Answer, x: Any, v: Any) -> Any:
    leaf, slopes = _gradient(f, x, create_graph=True)
    return torch.autograd.grad(slopes @ v, leaf)[0]


_RANDOM = torch.Generator().manual_seed(2)

# The Hessian times a vector.
hessian_vector = Check(
    cases=[
        (_Counted(), *torch.randn(2, n, dtype=torch.float64, generator=_RANDOM)) for n in (8, 3)
    ],
    right=_product,
    mistakes={
        "This is the gradient times v, entry by entry: differentiate the sum of these products "
        "once more.": lambda f, x, v: _gradient(f, x)[1] * v,
        "This is one number, the slope along v: differentiate it once more.": (
            lambda f, x, v: _gradient(f, x)[1] @ v
        ),
        "v is missing: this is the Hessian times a vector of ones.": (
            lambda f, x, v: _product(f, x, torch.ones_like(v))
        ),
        "This is vᵀHv, one number.": lambda f, x, v: v @ _product(f, x, v),
    },
)

_CHECKED, _WHERE = np.array([0.3, 1.1, 2.0]), np.linspace(-3, 3, 60_001)


_NOWHERE = (
    "At none of the 60001 places from -3 to 3 where we looked is it wrong by more than a half."
)


def _judge_impostor(slope: Any, x: Any) -> str:
    slope = np.asarray(slope, dtype=float)
    if slope.shape != x.shape:
        return f"The shape is {slope.shape}, and {x.shape} is expected."
    gaps = abs(slope - np.cos(x))
    if len(x) == len(_CHECKED):
        if (gaps > 1e-5 + 1e-3 * abs(np.cos(x))).any():
            return "The check sees it: at one of the three points it is too far from cos(x)."
    elif not (gaps > 0.5).any():
        return _NOWHERE
    return ""


# A wrong slope of sin that passes a gradient check at three points.
impostor = Check(
    cases=[(_CHECKED,), (_WHERE,)],
    right=lambda x: np.cos(x) + (x - 0.3) * (x - 1.1) * (x - 2),
    judge=_judge_impostor,
    mistakes={
        "The check sees it: at one of the three points it is too far from cos(x).": (
            lambda x: -np.cos(x)
        ),
        _NOWHERE: lambda x: 1.0009 * np.cos(x),
    },
)

# ---- the lab: an engine on a tape ------------------------------------------------

FORWARD: dict[str, Answer] = {
    **{"add": np.add, "mul": np.multiply, "div": np.divide, "matmul": np.matmul},
    **{"tanh": np.tanh, "sum": np.sum, "detach": np.copy},
}


def _run(tape: Tape, leaves: Sequence[Any]) -> tuple[Any, ...]:
    values: list[Any] = []
    given = iter(leaves)
    for name, *places in tape:
        values.append(
            next(given) if name == "leaf" else FORWARD[name](*(values[p] for p in places))
        )
    return tuple(values)


def _by_place(tape: Tape, leaves: Sequence[Any]) -> tuple[Any, ...]:
    values: list[Any] = []
    for at, (name, *places) in enumerate(tape):
        values.append(
            leaves[min(at, len(leaves) - 1)]
            if name == "leaf"
            else FORWARD[name](*(values[p] for p in places))
        )
    return tuple(values)


def _of_leaves(tape: Tape, leaves: Sequence[Any]) -> tuple[Any, ...]:
    """Take every input from the leaves: right only where a line uses nothing but leaves."""
    values = list(_run(tape, leaves))
    for at, (name, *places) in enumerate(tape):
        if name != "leaf":
            values[at] = FORWARD[name](*(leaves[min(p, len(leaves) - 1)] for p in places))
    return tuple(values)


_SQUARES: Tape = [("leaf",), ("mul", 0, 0), ("mul", 1, 0), ("add", 1, 2)]
_LATE_LEAF: Tape = [("leaf",), ("tanh", 0), ("leaf",), ("mul", 1, 2), ("add", 3, 0), ("sum", 4)]
_THREE: Tape = [("leaf",), ("tanh", 0), ("leaf",), ("leaf",), ("mul", 1, 2), ("add", 4, 3),
                ("sum", 5)]  # fmt: skip
_LAYER: Tape = [("leaf",), ("leaf",), ("leaf",), ("matmul", 0, 1), ("add", 3, 2), ("tanh", 4),
                ("div", 5, 2), ("mul", 6, 6), ("sum", 7)]  # fmt: skip
_UNUSED: Tape = [("leaf",), ("leaf",), ("mul", 0, 0)]
_DETACHED: Tape = [("leaf",), ("add", 0, 0), ("detach", 1), ("mul", 0, 2)]
_DOUBLED: Tape = [("leaf",), *(("add", k, k) for k in range(40))]  # 2⁴⁰ paths
_SUMMED: Tape = [("leaf",), ("leaf",), ("add", 0, 1), ("sum", 2), ("mul", 3, 3)]
_STEEP: Tape = [("leaf",), ("leaf",), ("div", 0, 1)]  # beyond any difference, at 1e-6

_RNG = np.random.default_rng(2)
_A, _B, _G = _RNG.normal(size=(3, 2, 3)) + 0.1
_SQUARE_A, _SQUARE_B, _SQUARE_G = _RNG.normal(size=(3, 3, 3))
_ON_TAPE: list[tuple[Any, ...]] = [
    (_SQUARES, [np.array(2.0)]),
    (_LATE_LEAF, [_A, _B]),
    (_THREE, [_A, _B, _G]),
    (_LAYER, [_A, _SQUARE_A, np.array([0.7, -1.1, 2.0])]),
]


def _slopes(tape: Tape, leaves: Sequence[Any], through: bool = False) -> tuple[Any, ...]:
    """Return the slope of the last line for each leaf, computed by torch.

    With `through`, detach is an operation like any other.
    """
    tensors = [torch.tensor(leaf, dtype=torch.float64, requires_grad=True) for leaf in leaves]
    functions: dict[str, Answer] = {
        **{"add": torch.add, "mul": torch.mul, "div": torch.div, "matmul": torch.matmul},
        **{"tanh": torch.tanh, "sum": torch.sum},
        "detach": torch.clone if through else torch.detach,
    }
    values: list[Any] = []
    given = iter(tensors)
    for name, *places in tape:
        values.append(
            next(given) if name == "leaf" else functions[name](*(values[p] for p in places))
        )
    return tuple(
        slope.numpy() for slope in torch.autograd.grad(values[-1], tensors, materialize_grads=True)
    )


def _walk(tape: Tape, leaves: Sequence[Any], step: int = -1, add: bool = True) -> list[Any]:
    """Return the slope of every line: forwards with step 1, the latest share without `add`."""
    values = _run(tape, leaves)
    slopes: list[Any] = [np.zeros_like(value) for value in values]
    slopes[-1] = np.ones_like(values[-1])
    for at in range(len(tape))[::step]:
        name, *places = tape[at]
        if name == "leaf":
            continue
        inputs = [values[p] for p in places]
        for place, share in zip(places, _RULES[name](slopes[at], values[at], *inputs), strict=True):
            share = _unbroadcast(share, np.shape(values[place]))
            slopes[place] = slopes[place] + share if add else share
    return slopes


def _at_leaves(tape: Tape, slopes: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(slopes[at] for at, line in enumerate(tape) if line[0] == "leaf")


def _none_for_unused(tape: Tape, leaves: Sequence[Any]) -> tuple[Any, ...]:
    used = {place for _, *places in tape for place in places}
    found = [slope if at in used else None for at, slope in enumerate(_walk(tape, leaves))]
    return _at_leaves(tape, found)


def _unbroadcast(g: Any, shape: Shape) -> Any:
    leading = np.ndim(g) - len(shape)
    g = g.sum(axis=tuple(range(leading)))
    stretched = tuple(k for k, size in enumerate(shape) if size < g.shape[k])
    return g.sum(axis=stretched, keepdims=True)


def _leading_only(g: Any, shape: Shape) -> Any:
    return g.sum(axis=tuple(range(np.ndim(g) - len(shape))))


def _ones_only(g: Any, shape: Shape) -> Any:
    leading = np.ndim(g) - len(shape)
    stretched = tuple(k + leading for k, n in enumerate(shape) if n < g.shape[k + leading])
    return g.sum(axis=stretched, keepdims=True)


def _mean_instead(g: Any, shape: Shape) -> Any:
    made = _unbroadcast(g, shape)
    return made * np.size(made) / np.size(g)


def _dropped(g: Any, shape: Shape) -> Any:
    return np.squeeze(_unbroadcast(g, shape))


def _put(g: Any, out: Any, a: Any, rows: Any) -> Any:
    made = np.zeros_like(a)
    np.add.at(made, rows, g)
    return (made,)


def _put_once(g: Any, out: Any, a: Any, rows: Any) -> Any:
    made = np.zeros_like(a)
    made[rows] += g
    return (made,)


_RULES: dict[str, Answer] = {
    "add": lambda g, out, a, b: (g, g),
    "mul": lambda g, out, a, b: (g * b, g * a),
    "div": lambda g, out, a, b: (g / b, -g * a / b**2),
    "matmul": lambda g, out, a, b: (g @ b.T, a.T @ g),
    "tanh": lambda g, out, a: (g * (1 - out**2),),
    "sum": lambda g, out, a: (g * np.ones_like(a),),
    "detach": lambda g, out, a: (np.zeros_like(a),),
}


def _pair(name: str) -> list[tuple[Any, ...]]:
    """Return cases for the rule of an operation of two inputs, each with its own result."""
    a, b = np.array(3.0), np.array(5.0)
    return [
        (_G, FORWARD[name](_A, _B), _A, _B),
        (np.array(2.0), FORWARD[name](a, b), a, b),
    ]


_ONE: list[tuple[Any, ...]] = [
    (_G, np.tanh(_A), _A),
    (np.array(2.0), np.tanh(np.array(0.5)), np.array(0.5)),
]

_NO_TUPLE = "Return a tuple, also of one: (share,)."


def _rule(cases: list[tuple[Any, ...]], right: Answer, mistakes: Mapping[str, Answer]) -> Check:
    """Return the check of a rule: the tape takes one share for each input, so a tuple."""

    def judge(shares: Any, *case: Any) -> str:
        if not isinstance(shares, tuple | list):
            return _NO_TUPLE
        return _told(plain, tuple(shares), case)

    plain = Check(right=right, mistakes=mistakes, cases=cases)
    bare = {_NO_TUPLE: lambda *case: right(*case)[0]}
    return replace(plain, judge=judge, mistakes={**mistakes, **bare})


# What _judge_order says, each with an order that deserves it.
_ORDER_MESSAGES = {
    "In a diamond, where two nodes use one input, each must stand after that input, and the "
    "input only once.": lambda graph, output: _depth_first(graph, output, again=True),
    "A node stands before one of its inputs. Turning round the order in which nodes are met is "
    "not enough: in a diamond, a long path and a short one lead to the same node.": (
        lambda graph, output: _breadth_first(graph, output)
    ),
    "A node that the output does not depend on is in the list.": (
        lambda graph, output: [name for name in graph if name != output] + [output]
    ),
    "A node is missing.": lambda graph, output: _depth_first(graph, output)[1:],
}


def _depth_first(graph: Graph, output: str, again: bool = False) -> list[str]:
    done: list[str] = []
    seen: set[str] = set()
    stack = [(output, False)]
    while stack:
        name, ready = stack.pop()
        if ready:
            done.append(name)
        elif again and len(graph) < 10:
            stack += [(name, True), *((source, False) for source in graph[name])]
        elif name not in seen:
            seen.add(name)
            stack += [(name, True), *((source, False) for source in graph[name])]
    return done


def _breadth_first(graph: Graph, output: str) -> list[str]:
    met = [output]
    for name in met:
        met += [source for source in graph[name] if source not in met]
    return met[::-1]


def _judge_order(answer: Sequence[str], graph: Graph, output: str) -> str:
    twice, early, more, missing = _ORDER_MESSAGES
    answer = list(answer)
    needed = set(_depth_first(graph, output))
    if set(answer) - needed:
        return more
    if needed - set(answer):
        return missing
    if len(answer) > len(needed):
        return twice
    place = {name: k for k, name in enumerate(answer)}
    if any(place[source] > place[name] for name in answer for source in graph[name]):
        return early
    return ""


_DIAMOND: Graph = {"x": (), "w": (), "a": ("x", "w"), "b": ("a", "x"), "y": ("a", "b"), "z": ("a",)}
_TWICE: Graph = {"x": (), "a": ("x", "x"), "b": ("a", "x"), "y": ("a", "b")}
_CHAIN: Graph = {"0": (), **{str(k): (str(k - 1),) for k in range(1, 3000)}}


def derivatives(operation: Answer) -> Answer:
    """Return a function that gives value, slope and second derivative of an operation.

    The operation takes a node of `dlnotes.scratch.autograd` and returns one. Where the
    slope does not depend on the input any more, the second derivative is 0.
    """

    def found(x: Any) -> Any:
        leaf = autograd.Node(x, requires_grad=True)
        value = operation(leaf)
        if value is None or value is ...:
            return None
        if not isinstance(value, autograd.Node):
            raise TypeError(
                "the result is no node of dlnotes.scratch.autograd: use autograd.operation, "
                "autograd.exp and so on, and not the engine of this page"
            )
        if value.rule is None:
            raise ValueError("the result has no rule: hand autograd.operation the node a itself")
        value.rule = _watched(value.rule)
        (first,) = autograd.grad(value.sum(), [leaf], create_graph=True)
        second = autograd.Node(np.zeros(leaf.shape))
        if first.requires_grad:
            (second,) = autograd.grad(first.sum(), [leaf])
        return value.data, first.data, second.data

    return _Derived(operation, found)


def _watched(rule: autograd.Rule) -> autograd.Rule:
    """Return the rule, which now says so if it returns something else than nodes in a tuple."""

    def watched(*given: autograd.Node) -> tuple[autograd.Node, ...]:
        shares: Any = rule(*given)
        if not isinstance(shares, tuple):
            raise TypeError("the rule must return a tuple, also of one: (share,)")
        if not all(isinstance(share, autograd.Node) for share in shares):
            raise TypeError("the shares must be nodes: compute them from g, out and a")
        return shares

    return watched


def _sigmoid(slope: Answer) -> Answer:
    def operation(a: autograd.Node) -> autograd.Node:
        return autograd.operation(
            1 / (1 + np.exp(-a.data)), lambda g, out, a: (slope(g, out, a),), a
        )

    return derivatives(operation)


def _moons() -> tuple[Any, ...]:
    from sklearn.datasets import make_moons

    x, label = make_moons(40, noise=0.1, random_state=0)
    rng = np.random.default_rng(0)
    w1, w2 = rng.normal(size=(2, 8)), 0.5 * rng.normal(size=(8, 1))
    return x, 2.0 * label[:, None] - 1, w1, np.zeros(8), w2, np.zeros(1)


def _train(
    x: Any, y: Any, *weights: Any, steps: int = 20, lr: float = 0.01, clear: bool = True,
    after: bool = False, sign: float = -1.0,
) -> Any:  # fmt: skip
    """Return the losses of gradient descent, computed by torch."""
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    leaves = [torch.as_tensor(w).clone().requires_grad_() for w in weights]

    def loss() -> Any:
        w1, b1, w2, b2 = leaves
        return ((torch.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).sum()

    losses: list[float] = []
    for _ in range(steps):
        current = loss()
        if clear:
            for leaf in leaves:
                leaf.grad = None
        current.backward()
        with torch.no_grad():
            for leaf in leaves:
                if leaf.grad is not None:
                    leaf += sign * lr * leaf.grad
            losses.append(float(loss()) if after else float(current))
    return np.array(losses)


def _judge_losses(losses: Any, *case: Any) -> str:
    """Take a tuple too, where `Check` would compare entry by entry."""
    return _told(_TRAIN, list(losses) if isinstance(losses, tuple) else losses, case)


_TRAIN = Check(
    cases=[_moons()],
    right=_train,
    judge=_judge_losses,
    mistakes={
        "The first loss is right and the others are not: is the slope of each step computed "
        "anew, or added to those before?": (lambda *given: _train(*given, clear=False)),
        "These are the losses after each step: note the loss before it.": (
            lambda *given: _train(*given, after=True)
        ),
        "The loss grows: step against the slope.": lambda *given: _train(*given, sign=1.0),
        "One loss for each of the 20 steps.": lambda *given: _train(*given)[-1],
    },
)

lab = Lab(
    run=Check(
        cases=_ON_TAPE,
        right=_run,
        mistakes={
            "The leaves come in turn, one for each line that says leaf, and not by the number "
            "of the line: a leaf may stand anywhere.": _by_place,
            "A place is the number of a line, not of a leaf: take inputs from the values so "
            "far.": _of_leaves,
            "Return the values of all lines, as a tuple.": lambda tape, leaves: (
                _run(tape, leaves)[-1]
            ),
        },
    ),
    add=_rule(
        cases=_pair("add"),
        right=_RULES["add"],
        mistakes={
            "This is the rule of a product: along a sum both slopes are 1.": _RULES["mul"],
            "Both inputs get the whole of g: a sum does not share it out.": (
                lambda g, out, a, b: (g / 2, g / 2)
            ),
            "g is missing: the local slope is 1, and it multiplies what arrives.": (
                lambda g, out, a, b: (np.ones_like(g), np.ones_like(g))
            ),
        },
    ),
    mul=_rule(
        cases=_pair("mul"),
        right=_RULES["mul"],
        mistakes={
            "The two are swapped: the slope along a is b.": lambda g, out, a, b: (g * a, g * b),
            "g is missing: these are the local slopes.": lambda g, out, a, b: (b, a),
            "This is the rule of a sum.": _RULES["add"],
        },
    ),
    div=_rule(
        cases=_pair("div"),
        right=_RULES["div"],
        mistakes={
            "The sign of the second slope: a larger b makes a / b smaller.": (
                lambda g, out, a, b: (g / b, g * a / b**2)
            ),
            "The square is missing: 1/b has the slope -1/b².": (
                lambda g, out, a, b: (g / b, -g * a / b)
            ),
            "The factor a is missing in the second slope.": (
                lambda g, out, a, b: (g / b, -g / b**2)
            ),
            "g is missing: these are the local slopes.": (
                lambda g, out, a, b: (1 / b, -a / b**2)
            ),
        },
    ),
    tanh=_rule(
        cases=_ONE,
        right=_RULES["tanh"],
        mistakes={
            "out is tanh(a) already: do not apply tanh again.": (
                lambda g, out, a: (g * (1 - np.tanh(out) ** 2),)
            ),
            "This takes a for tanh(a): the slope is 1 - tanh².": (
                lambda g, out, a: (g * (1 - a**2),)
            ),
            "g is missing: this is the local slope.": lambda g, out, a: (1 - out**2,),
            "This is the slope of a sigmoid.": lambda g, out, a: (g * out * (1 - out),),
        },
    ),
    sum=_rule(
        cases=[
            (np.array(2.0), _A.sum(), _A),
            (np.array(-1.0), np.array(5.0), np.array([2.0, 3.0])),
        ],
        right=_RULES["sum"],
        mistakes={
            "Every entry of a counts once, so every entry gets g: the answer has the shape of "
            "a.": lambda g, out, a: (g,),
            "This is the rule of a mean: a sum has slope 1 along each entry.": (
                lambda g, out, a: (g * np.ones_like(a) / np.size(a),)
            ),
            "The slope along an entry is 1, not its value.": lambda g, out, a: (g * a,),
            "g is missing: these are the local slopes.": lambda g, out, a: (np.ones_like(a),),
        },
    ),
    unbroadcast=Check(
        cases=[
            (_RNG.normal(size=(4, 2, 3)), (3,)),
            (_RNG.normal(size=(2, 3)), (2, 1)),
            (_RNG.normal(size=(4, 2, 3)), (1, 3)),
            (_RNG.normal(size=(2, 3)), ()),
            (_RNG.normal(size=(2, 3)), (2, 3)),
        ],
        right=_unbroadcast,
        mistakes={
            "Axes that were added in front are summed, axes of size 1 are not yet.": _leading_only,
            "Axes of size 1 are summed, axes that were added in front are not yet.": _ones_only,
            "The slopes of all copies add: this takes their mean.": _mean_instead,
            "The axes of size 1 are lost: sum with keepdims=True.": _dropped,
        },
    ),
    matmul=_rule(
        cases=[(_SQUARE_G, _SQUARE_A @ _SQUARE_B, _SQUARE_A, _SQUARE_B), (_G, _A, _A, _SQUARE_B)],
        right=_RULES["matmul"],
        mistakes={
            "The transposes are missing: forward it is B, backward Bᵀ.": (
                lambda g, out, a, b: (g @ b, (a.T if len(a) != len(g.T) else a) @ g)
            ),
            "g is missing: what arrives must go through the matrices.": (
                lambda g, out, a, b: (np.ones_like(g) @ b.T, a.T @ np.ones_like(g))
            ),
            "The two are swapped: the slope of A has the shape of A.": (
                lambda g, out, a, b: (a.T @ g, g @ b.T)
            ),
        },
    ),
    index=_rule(
        cases=[
            (np.arange(1.0, 4.0), np.zeros(3), np.array([5.0, 6.0, 7.0]), [0, 0, 1]),
            (_G, _A[[1, 1]], _A, [1, 1]),
        ],
        right=_put,
        mistakes={
            "A row that was taken twice gets two slopes: slope[rows] += g counts it once.": (
                _put_once
            ),
            "The answer has the shape of a, with zeros where nothing was taken.": (
                lambda g, out, a, rows: (g,)
            ),
            "This indexes g: the slopes go the other way, into zeros.": (
                lambda g, out, a, rows: (np.asarray(g)[rows],)
            ),
        },
    ),
    order=Check(
        cases=[(_DIAMOND, "y"), (_TWICE, "y"), (_CHAIN, "2999")],
        right=_depth_first,
        judge=_judge_order,
        mistakes=_ORDER_MESSAGES,
        seconds=5.0,
    ),
    backward=Check(
        cases=[
            *_ON_TAPE,
            (_UNUSED, [np.array(3.0), np.array(4.0)]),
            (_SUMMED, [_A[:, :1], _B]),
            (_STEEP, [np.array(2.0), np.array(1e-6)]),
            (_DOUBLED, [np.array(1.5)]),
        ],
        right=_slopes,
        mistakes={
            "A value used twice gets two shares: add them, the second must not replace the "
            "first.": lambda tape, leaves: _at_leaves(tape, _walk(tape, leaves, add=False)),
            "The walk goes forwards: start at the last line, so that a line has all its shares "
            "before it hands them on.": (
                lambda tape, leaves: _at_leaves(tape, _walk(tape, leaves, step=1))
            ),
            "A leaf that plays no part has a slope too, of zeros: do not return None.": (
                _none_for_unused
            ),
            "These are the slopes of all lines: return those of the leaves.": (
                lambda tape, leaves: tuple(_walk(tape, leaves))
            ),
        },
        seconds=5.0,
    ),
    detach=Check(
        cases=[(_DETACHED, [np.array(2.0)]), (_DETACHED, [np.array([1.0])])],
        right=_slopes,
        mistakes={
            "The slope goes through detach: the line must pass on its value and no slope.": (
                lambda tape, leaves: _slopes(tape, leaves, through=True)
            ),
            "Everything is cut off: detach stops one path, and the other one stays.": (
                lambda tape, leaves: (np.zeros_like(leaves[0]),)
            ),
        },
    ),
    second=Check(
        cases=[(np.array([-1.0, 0.0, 0.5, 3.0]),)],
        right=_sigmoid(lambda g, out, a: g * out * (1 - out)),
        mistakes={
            "The slope is right and the second derivative is 0: the rule computes with raw "
            "numbers (.data), and leaves no graph behind.": (
                _sigmoid(lambda g, out, a: g * (out.data * (1 - out.data)))
            ),
            "The second derivative is wrong although the slope is right: part of the rule uses "
            "raw numbers (.data).": _sigmoid(lambda g, out, a: g * out * (1 - out.data)),
            "The slope is not that of a sigmoid: it is out · (1 - out).": (
                _sigmoid(lambda g, out, a: g * (1 - out * out))
            ),
        },
    ),
    train=_TRAIN,
)  # fmt: skip
