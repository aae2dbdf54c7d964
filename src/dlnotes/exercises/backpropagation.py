"""The exercises of chapter 07, backpropagation by hand.

The lab is a classifier in atomic operations. `start` returns its data and parameters;
`_forward` and `_backward` are the answer, one line an operation.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from dlnotes import data
from dlnotes.exercises import Check, Lab

Answer = Callable[..., Any]
EPS, PENALTY = 1e-5, 1e-3  # of the lab

# ---- 1. a value that is used twice -----------------------------------------------


def _sum(a: float, b: float) -> float:
    return a * b + a


def _arrives(s: float) -> float:
    return float(np.cos(s) - s * np.sin(s))


# The gradient of s cos(s), where s = a b + a, with respect to a and b.
used_twice = Check(
    cases=[(0.7, -0.4), (1.3, 0.9)],
    right=lambda a, b: (_arrives(_sum(a, b)) * (b + 1), _arrives(_sum(a, b)) * a),
    mistakes={
        "The way back to a is incomplete: it enters s on two paths.": (
            lambda a, b: (_arrives(_sum(a, b)) * b, _arrives(_sum(a, b)) * a)
        ),
        "Of the two paths from a to s, only the short one is there.": (
            lambda a, b: (_arrives(_sum(a, b)), _arrives(_sum(a, b)) * a)
        ),
        "s is used twice: the path through the cosine is missing.": (
            lambda a, b: (np.cos(_sum(a, b)) * (b + 1), np.cos(_sum(a, b)) * a)
        ),
        "s is used twice: the path beside the cosine is missing.": (
            lambda a, b: tuple(-_sum(a, b) * np.sin(_sum(a, b)) * np.array([b + 1, a]))
        ),
        "The cosine falls where the sine is positive: look at a sign.": (
            lambda a, b: tuple(
                (np.cos(_sum(a, b)) + _sum(a, b) * np.sin(_sum(a, b))) * np.array([b + 1, a])
            )
        ),
        "The two derivatives are the right ones, in the wrong order.": (
            lambda a, b: (_arrives(_sum(a, b)) * a, _arrives(_sum(a, b)) * (b + 1))
        ),
    },
)

# ---- 2. one weight, at every step of time ----------------------------------------


def _states(w: float, x: Any, start: float) -> list[float]:
    states = [start]
    for value in x:
        states.append(float(np.tanh(w * states[-1] + value)))
    return states


def _recurrent(
    slope: Callable[[float], float] = lambda h: 1 - h**2,
    back: Callable[[float], float] = lambda w: w,
    sloped: int = 1,
    incoming: int = 0,
    last_only: bool = False,
    overwritten: bool = False,
    kept: bool = False,
) -> Answer:
    def gradient(w: float, x: Any, start: float, target: float) -> float:
        states = _states(w, x, start)
        dw, dstate = 0.0, states[-1] - target
        for t in reversed(range(len(x))):
            delta = dstate * slope(states[t + sloped])
            dw = delta * states[t + incoming] + (0.0 if overwritten else dw)
            dstate = delta * back(w) + (dstate if kept else 0.0)
            if last_only:
                break
        return dw

    return gradient


# dE/dw of a recurrent unit: state = tanh(w * state + x[t]), E = (state - target)² / 2.
through_time = Check(
    cases=[(0.8, np.array([0.3, -0.5, 0.9]), 0.4, 0.1), (-1.1, np.array([0.2, 0.6]), -0.7, 0.5)],
    right=_recurrent(),
    mistakes={
        "Only the last step is there: w is used at every step.": _recurrent(last_only=True),
        "Only the first step is left: what was there is overwritten. += adds.": (
            _recurrent(overwritten=True)
        ),
        "A factor is missing: the slope of tanh at each step.": _recurrent(slope=lambda h: 1.0),
        "This is the slope of a sigmoid: the one of tanh is 1 - tanh².": (
            _recurrent(slope=lambda h: h * (1 - h))
        ),
        "The signal does not pass through w on its way to the step before.": (
            _recurrent(back=lambda w: 1.0)
        ),
        "At each step w multiplies the state before it, not the one that it makes.": (
            _recurrent(incoming=1)
        ),
        "The slope of tanh is made of the state that the step makes, not of the one before.": (
            _recurrent(sloped=0)
        ),
        "A state is used by one later step only: what arrives at it is new each time, so = and "
        "not +=.": _recurrent(kept=True),
        "The sign is flipped.": lambda *case: -_recurrent()(*case),
    },
)

# ---- 3. the loop, with shortcuts --------------------------------------------------


def _with_shortcuts(
    around: float = 1.0,
    through: float = 1.0,
    slope_of: str = "activation",
    averaged: bool = True,
    transposed: bool = False,
    swapped: bool = False,
    bias: Callable[[Any], Any] = lambda delta: delta.sum(0),
) -> Answer:
    def gradients(w: Any, b: Any, x: Any, target: Any) -> tuple[Any, Any]:
        outs, kept = [x], []
        for matrix, shift in zip(w, b, strict=True):
            kept.append(np.tanh(outs[-1] @ matrix.T + shift))
            outs.append(outs[-1] + kept[-1])
        dw, db = np.empty_like(w), np.empty_like(b)
        dout = (outs[-1] - target) / (len(x) if averaged else 1)
        for k in reversed(range(len(w))):
            value = {"activation": kept[k], "out": outs[k + 1], "nothing": 0.0}[slope_of]
            delta = dout * (1 - value**2)
            dw[k], db[k] = (outs[k].T @ delta if swapped else delta.T @ outs[k]), bias(delta)
            dout = around * dout + through * delta @ (w[k].T if transposed else w[k])
        return dw, db

    return gradients


def _shortcut_case(layers: int, samples: int, width: int, seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    shapes = ((layers, width, width), (layers, width), (samples, width), (samples, width))
    return tuple(0.5 * rng.normal(size=shape) for shape in shapes)


# Gradients of a stack of layers out = x + tanh(x Wᵀ + b), mean over samples of E.
shortcuts = Check(
    parts=("dw", "db"),
    cases=[_shortcut_case(3, 5, 4, 11), _shortcut_case(2, 4, 3, 12)],
    right=_with_shortcuts(),
    mistakes={
        "Only the last layer is right: the signal also goes back along the shortcut, and the "
        "two paths add.": _with_shortcuts(around=0.0),
        "Only the last layer is right: the signal also goes back through the layer, and the "
        "two paths add.": _with_shortcuts(through=0.0),
        "A factor is missing: the slope of tanh in each layer.": (
            _with_shortcuts(slope_of="nothing")
        ),
        "dw is transposed: a row of w belongs to a unit, so the signals stand in front.": (
            _with_shortcuts(swapped=True)
        ),
        "The slope of tanh is taken at the wrong value: keep what tanh returned, before x is "
        "added.": _with_shortcuts(slope_of="out"),
        "The batch is not averaged: divide by the number of samples, once.": (
            _with_shortcuts(averaged=False)
        ),
        "On the way back the signal meets the transposed matrix.": _with_shortcuts(transposed=True),
        "The biases are averaged twice: their gradient is a sum of the signals.": (
            _with_shortcuts(bias=lambda delta: delta.mean(0))
        ),
        "The gradients are the right ones, and the layers in the wrong order.": (
            lambda *case: tuple(part[::-1] for part in _with_shortcuts()(*case))
        ),
        "The sign is flipped.": lambda *case: tuple(-part for part in _with_shortcuts()(*case)),
    },
)

# ---- 4. find three bugs ------------------------------------------------------------

PARTS = ("dw1", "db1", "dw2", "db2")


def _classifier(late: bool = False, averaged_twice: bool = False, one_path: bool = False) -> Answer:
    def gradients(
        x: Any, labels: Any, w1: Any, b1: Any, w2: Any, b2: Any, penalty: float
    ) -> tuple[Any, ...]:
        samples = np.arange(len(x))
        net = x @ w1.T + b1
        hidden = np.maximum(net, 0)
        logits = hidden @ w2.T + b2
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        dlogits = probs / len(x)
        dlogits[samples, labels] -= 1.0 if late else 1 / len(x)
        dnet = dlogits @ w2 * (net > 0)
        return (
            dnet.T @ x + (0 if one_path else penalty * w1),
            dnet.mean(axis=0) if averaged_twice else dnet.sum(axis=0),
            dlogits.T @ hidden + penalty * w2,
            dlogits.sum(axis=0),
        )

    return gradients


def _wrong_parts(result: Any, *case: Any) -> str:
    """Say how many of the gradients are wrong: which ones, the learner finds out."""
    if not isinstance(result, tuple | list) or len(result) != len(PARTS):
        return f"Return the four gradients as a tuple: {', '.join(PARTS)}."
    expected = _classifier()(*case)
    wrong = sum(
        np.shape(a) != b.shape or not np.allclose(a, b, rtol=1e-6, atol=1e-12)
        for a, b in zip(result, expected, strict=True)
    )
    return f"Gradients that do not agree with finite differences: {wrong} of 4." if wrong else ""


_rng = np.random.default_rng(9)
# The corrected gradients of a classifier with ReLU and a penalty.
three_bugs = Check(
    cases=[
        (
            _rng.normal(size=(n, 4)),
            _rng.integers(3, size=n),
            *(_rng.normal(size=shape) for shape in ((5, 4), (5,), (3, 5), (3,))),
            0.1,
        )
        for n in (6, 9)
    ],
    right=_classifier(),
    judge=_wrong_parts,
    mistakes={
        "Gradients that do not agree with finite differences: 4 of 4.": _classifier(late=True),
        "Gradients that do not agree with finite differences: 2 of 4.": (
            _classifier(averaged_twice=True, one_path=True)
        ),
        "Gradients that do not agree with finite differences: 1 of 4.": (
            _classifier(one_path=True)
        ),
        "Return the four gradients as a tuple: dw1, db1, dw2, db2.": (
            lambda *case: _classifier()(*case)[:2]
        ),
    },
)

# ---- the lab: a classifier in atoms -----------------------------------------------


class Start(NamedTuple):
    """What the lab begins with: a batch, the share of each sample, and parameters."""

    pixels: Any
    labels: Any
    share: Any
    w_in: Any
    gamma: Any
    beta: Any
    w_out: Any
    b_out: Any


@cache
def start(samples: int = 32, width: int = 16) -> Start:
    """Return a batch of digits, and parameters that are neither all 0 nor all 1.

    pixels has shape (samples, 64), labels and share (samples,) with shares that sum to one,
    w_in (width, 64), gamma and beta (width,), w_out (10, width), b_out (10,).

    Examples
    --------
    >>> batch = start()
    >>> batch.pixels.shape, batch.w_out.shape, round(float(batch.share.sum()), 12)
    ((32, 64), (10, 16), 1.0)
    """
    rng = np.random.default_rng(7)
    part = data.digits().train
    share = rng.uniform(0.5, 1.5, samples)
    return Start(
        pixels=part.x[:samples].double().numpy(),
        labels=part.y[:samples].numpy(),
        share=share / share.sum(),
        w_in=rng.normal(size=(width, 64)) / 8,
        gamma=rng.uniform(0.5, 1.5, width),
        beta=0.3 * rng.normal(size=width),
        w_out=rng.normal(size=(10, width)) / np.sqrt(width),
        b_out=0.3 * rng.normal(size=10),
    )


def _forward(s: Start, less: int = 1) -> SimpleNamespace:
    """Return every value of the forward pass of the chapter's lab."""
    n = len(s.pixels)
    v = SimpleNamespace()
    v.sums = s.pixels @ s.w_in.T
    v.mean = v.sums.sum(axis=0) / n
    v.diff = v.sums - v.mean
    v.square = v.diff**2
    v.var = v.square.sum(axis=0) / (n - less)
    v.inv_std = (v.var + EPS) ** -0.5
    v.x_hat = v.diff * v.inv_std
    v.pre = s.gamma * v.x_hat + s.beta
    v.hidden = np.tanh(v.pre)
    v.logits = v.hidden @ s.w_out.T + s.b_out
    v.shifted = v.logits - v.logits.max(axis=1, keepdims=True)
    v.exps = np.exp(v.shifted)
    v.total = v.exps.sum(axis=1, keepdims=True)
    v.inv_total = 1 / v.total
    v.probs = v.exps * v.inv_total
    v.log_probs = np.log(v.probs)
    return v


def _backward(s: Start, v: SimpleNamespace) -> SimpleNamespace:
    """Return the gradient of the lab's loss with respect to every value."""
    n = len(s.pixels)
    g = SimpleNamespace()
    g.dpicked = -s.share
    g.dlog_probs = np.zeros_like(v.log_probs)
    g.dlog_probs[np.arange(n), s.labels] += g.dpicked
    g.dprobs = g.dlog_probs / v.probs
    g.dinv_total = (g.dprobs * v.exps).sum(axis=1, keepdims=True)
    g.dtotal = -g.dinv_total * v.inv_total**2
    g.dexps = g.dprobs * v.inv_total + g.dtotal
    g.dshifted = g.dexps * v.exps
    g.dtop = -g.dshifted.sum(axis=1, keepdims=True)
    g.dlogits = g.dshifted.copy()
    g.dlogits[np.arange(n), v.logits.argmax(axis=1)] += g.dtop[:, 0]
    g.db_out = g.dlogits.sum(axis=0)
    g.dw_out = g.dlogits.T @ v.hidden
    g.dhidden = g.dlogits @ s.w_out
    g.dpre = g.dhidden * (1 - v.hidden**2)
    g.dbeta = g.dpre.sum(axis=0)
    g.dgamma = (g.dpre * v.x_hat).sum(axis=0)
    g.dx_hat = g.dpre * s.gamma
    g.dinv_std = (g.dx_hat * v.diff).sum(axis=0)
    g.dvar = g.dinv_std * -0.5 * (v.var + EPS) ** -1.5
    g.dsquare = np.tile(g.dvar / (n - 1), (n, 1))
    g.ddiff = g.dx_hat * v.inv_std + g.dsquare * 2 * v.diff
    g.dmean = -g.ddiff.sum(axis=0)
    g.dsums = g.ddiff + g.dmean / n
    g.dw_in = g.dsums.T @ s.pixels + PENALTY * s.w_in
    return g


@cache
def _solved() -> tuple[Start, SimpleNamespace, SimpleNamespace]:
    values = _forward(start())
    return start(), values, _backward(start(), values)


def _step(name: str, mistakes: Mapping[str, Answer]) -> Check:
    """Return the check of one gradient; each mistake is made of start, values, gradients."""
    return Check(
        right=lambda: getattr(_solved()[2], name),
        mistakes={
            message: lambda wrong=wrong: wrong(*_solved()) for message, wrong in mistakes.items()
        },
    )


def _one_hot(labels: Any, classes: int) -> Any:
    return np.eye(classes)[labels]


def _by_column(dpicked: Any, labels: Any) -> Any:
    wrong = np.zeros((len(labels), 10))
    wrong[:, labels] = dpicked
    return wrong


def _logit_gradient(probs: Any, labels: Any, share: Any) -> Any:
    return share[:, None] * (probs - _one_hot(labels, probs.shape[1]))


def _norm_gradient(
    dx_hat: Any, x_hat: Any, inv_std: Any, *, mean: float = 1.0, var: float = 1.0, less: int = 1
) -> Any:
    along = (dx_hat * x_hat).sum(axis=0) / (len(x_hat) - less)
    return inv_std * (dx_hat - mean * dx_hat.mean(axis=0) - var * x_hat * along)


def _softmax_cases() -> Sequence[tuple[Any, ...]]:
    rng = np.random.default_rng(21)
    return [
        (
            rng.dirichlet(np.ones(classes), n),
            rng.integers(classes, size=n),
            rng.dirichlet(np.ones(n)),
        )
        for n, classes in ((5, 4), (7, 3))
    ]


def _norm_cases() -> Sequence[tuple[Any, ...]]:
    rng = np.random.default_rng(22)
    nets = [rng.normal(2, 3, size=shape) for shape in ((6, 3), (9, 2))]
    return [
        (rng.normal(size=net.shape), (net - net.mean(0)) / net.std(0, ddof=1),
         1 / net.std(0, ddof=1))
        for net in nets
    ]  # fmt: skip


def _all_gradients(
    w_in: Any, gamma: Any, beta: Any, w_out: Any, b_out: Any, x: Any, labels: Any,
    *, norm: Answer = _norm_gradient, less: int = 1,
) -> tuple[Any, ...]:  # fmt: skip
    s = Start(x, labels, np.full(len(x), 1 / len(x)), w_in, gamma, beta, w_out, b_out)
    v = _forward(s, less)
    g = _backward(s, v)
    dw_in = norm(g.dx_hat, v.x_hat, v.inv_std).T @ x + PENALTY * w_in
    return dw_in, g.dgamma, g.dbeta, g.dw_out, g.db_out


def _unaveraged(w_in: Any, *rest: Any) -> tuple[Any, ...]:
    n, (first, *others) = len(rest[-1]), _all_gradients(w_in, *rest)
    penalty = PENALTY * w_in
    return n * (first - penalty) + penalty, *(n * part for part in others)


def _gradient_cases() -> Sequence[tuple[Any, ...]]:
    rng = np.random.default_rng(23)
    return [
        (
            *(rng.normal(size=shape) for shape in ((4, 6), (4,), (4,), (3, 4), (3,), (n, 6))),
            rng.integers(3, size=n),
        )
        for n in (8, 11)
    ]


def _accuracy(
    w_in: Any, gamma: Any, beta: Any, w_out: Any, b_out: Any,
    *, of: str = "train", by_unit: int | None = 0, normalised: bool = True, scaled: bool = True,
    read: str = "test",
) -> float:  # fmt: skip
    """Return the share of digits that are named correctly, or that of a mistake."""
    parts = data.digits()
    known, asked = (getattr(parts, part).x.double().numpy() @ w_in.T for part in (of, read))
    std = np.sqrt(known.var(axis=by_unit, ddof=1) + EPS)
    x_hat = (asked - known.mean(axis=by_unit)) / std if normalised else asked
    hidden = np.tanh(gamma * x_hat + beta if scaled else x_hat)
    named = (hidden @ w_out.T + b_out).argmax(axis=1)
    return float(np.mean(named == getattr(parts, read).y.numpy()))


def _readers() -> Sequence[tuple[Any, ...]]:
    """Return parameters of networks that were never trained: each mistake changes the hits."""
    shapes = ((20, 64), (20,), (20,), (10, 20), (10,))
    draws = [np.random.default_rng(seed).normal(size=(5, 64, 64)) for seed in (24, 25)]
    return [
        tuple(
            draw[k][tuple(map(slice, shape))] if len(shape) == 2 else draw[k][0, : shape[0]]
            for k, shape in enumerate(shapes)
        )
        for draw in draws
    ]


lab = Lab(
    dpicked=_step(
        "dpicked",
        {
            "The sign is flipped: a larger log-probability makes the loss smaller.": (
                lambda s, v, g: s.share
            ),
            "Each sample counts with its own share, not with 1/N.": (
                lambda s, v, g: np.full(len(s.pixels), -1 / len(s.pixels))
            ),
        },
    ),
    dlog_probs=_step(
        "dlog_probs",
        {
            "The places are right: what arrives there is dpicked, not 1.": (
                lambda s, v, g: _one_hot(s.labels, 10)
            ),
            "The places are right: what arrives there is dpicked, not -1.": (
                lambda s, v, g: -_one_hot(s.labels, 10)
            ),
            "[:, labels] means these columns in every row: one place a row is picked by "
            "[np.arange(N), labels].": lambda s, v, g: _by_column(g.dpicked, s.labels),
            "Every class gets a gradient here, and only the picked ones are in the loss: the "
            "others get 0.": lambda s, v, g: np.tile(g.dpicked[:, None], (1, 10)),
            "The sign is flipped.": lambda s, v, g: -g.dlog_probs,
            "Right values, and only the picked ones: put them into an array of zeros of the "
            "shape of log_probs.": lambda s, v, g: g.dpicked,
        },
    ),
    dprobs=_step(
        "dprobs",
        {
            "The derivative of log is one over its argument.": lambda s, v, g: (
                g.dlog_probs * v.probs
            ),
            "This is the local derivative alone: it multiplies what arrives.": (
                lambda s, v, g: 1 / v.probs
            ),
            "The sign is flipped.": lambda s, v, g: -g.dprobs,
        },
    ),
    dinv_total=_step(
        "dinv_total",
        {
            "inv_total was stretched over the classes on the way forward: on the way back "
            "their gradients are summed.": lambda s, v, g: g.dprobs * v.exps,
            "The classes are averaged: they are to be summed.": (
                lambda s, v, g: (g.dprobs * v.exps).mean(axis=1, keepdims=True)
            ),
            "The values are right: keep the axis, so that the shape is that of inv_total.": (
                lambda s, v, g: (g.dprobs * v.exps).sum(axis=1)
            ),
            "The local derivative is missing: inv_total is multiplied by exps.": (
                lambda s, v, g: g.dprobs.sum(axis=1, keepdims=True)
            ),
        },
    ),
    dtotal=_step(
        "dtotal",
        {
            "This is the local derivative alone: it multiplies what arrives.": (
                lambda s, v, g: -(v.inv_total**2)
            ),
            "The sign is flipped: 1/x falls where x grows.": lambda s, v, g: -g.dtotal,
            "The derivative of 1/x has x² in it, not x.": lambda s, v, g: (
                -g.dinv_total * v.inv_total
            ),
            "The square belongs below the line: total² divides.": lambda s, v, g: (
                -g.dinv_total * v.total**2
            ),
        },
    ),
    dexps=_step(
        "dexps",
        {
            "exps is used twice: the path through total is missing.": lambda s, v, g: (
                g.dprobs * v.inv_total
            ),
            "exps is used twice: the path straight into probs is missing.": (
                lambda s, v, g: np.tile(g.dtotal, (1, 10))
            ),
        },
    ),
    dshifted=_step(
        "dshifted",
        {
            "The derivative of exp is exp itself, and exps holds it.": lambda s, v, g: (
                g.dexps * v.shifted
            ),
            "The exponential is applied twice: exps is already its value.": (
                lambda s, v, g: g.dexps * np.exp(v.exps)
            ),
            "Nothing is done on the way through exp.": lambda s, v, g: g.dexps,
        },
    ),
    dtop=_step(
        "dtop",
        {
            "top was stretched over the classes: sum over them.": lambda s, v, g: -g.dshifted,
            "The values are right: keep the axis, so that the shape is that of top.": (
                lambda s, v, g: g.dtop[:, 0]
            ),
            "This sums over the samples: each row has its own top.": (
                lambda s, v, g: -g.dshifted.sum(axis=0)
            ),
        },
    ),
    dlogits=_step(
        "dlogits",
        {
            "The sign is flipped.": lambda s, v, g: -g.dlogits,
            "Each sample counts with its own share, not with 1/N.": (
                lambda s, v, g: (v.probs - _one_hot(s.labels, 10)) / len(s.pixels)
            ),
            "These are the probabilities' share: the true class is still to be subtracted.": (
                lambda s, v, g: s.share[:, None] * v.probs
            ),
        },
    ),
    db_out=_step(
        "db_out",
        {
            "b_out was stretched over the samples: sum over them.": lambda s, v, g: g.dlogits,
            "The samples are averaged: the shares are in dlogits already, so sum.": (
                lambda s, v, g: g.dlogits.mean(axis=0)
            ),
            "This sums over the classes: each class has its own bias.": (
                lambda s, v, g: g.dlogits.sum(axis=1)
            ),
        },
    ),
    dw_out=_step(
        "dw_out",
        {
            "This is the transpose: a gradient has the shape of its matrix.": (
                lambda s, v, g: g.dw_out.T
            ),
            "The value that comes in is hidden, after the activation.": (
                lambda s, v, g: g.dlogits.T @ v.pre
            ),
        },
    ),
    dhidden=_step(
        "dhidden",
        {
            "One step too far: the slope of tanh belongs to dpre.": lambda s, v, g: g.dpre,
            "The sign is flipped.": lambda s, v, g: -g.dhidden,
        },
    ),
    dpre=_step(
        "dpre",
        {
            "This is the local derivative alone: it multiplies what arrives.": (
                lambda s, v, g: 1 - v.hidden**2
            ),
            "A factor is missing: the slope of tanh.": lambda s, v, g: g.dhidden,
            "This is the slope of a sigmoid: the one of tanh is 1 - tanh².": (
                lambda s, v, g: g.dhidden * v.hidden * (1 - v.hidden)
            ),
            "The slope of tanh is made of its value, hidden, not of its argument.": (
                lambda s, v, g: g.dhidden * (1 - v.pre**2)
            ),
            "tanh is applied twice: hidden is already its value.": (
                lambda s, v, g: g.dhidden * (1 - np.tanh(v.hidden) ** 2)
            ),
        },
    ),
    dbeta=_step(
        "dbeta",
        {
            "beta was stretched over the samples: sum over them.": lambda s, v, g: g.dpre,
            "The samples are averaged: they are to be summed.": (
                lambda s, v, g: g.dpre.mean(axis=0)
            ),
        },
    ),
    dgamma=_step(
        "dgamma",
        {
            "gamma was stretched over the samples: sum over them.": lambda s, v, g: (
                g.dpre * v.x_hat
            ),
            "The local derivative is missing: gamma multiplies x_hat.": lambda s, v, g: g.dbeta,
            "gamma multiplies x_hat, not diff.": lambda s, v, g: (g.dpre * v.diff).sum(axis=0),
        },
    ),
    dx_hat=_step(
        "dx_hat",
        {
            "A factor is missing: x_hat is multiplied by gamma.": lambda s, v, g: g.dpre,
            "gamma multiplies on the way back too: this divides.": lambda s, v, g: g.dpre / s.gamma,
        },
    ),
    dinv_std=_step(
        "dinv_std",
        {
            "inv_std was stretched over the samples: sum over them.": (
                lambda s, v, g: g.dx_hat * v.diff
            ),
            "inv_std multiplies diff, not x_hat.": lambda s, v, g: (g.dx_hat * v.x_hat).sum(axis=0),
        },
    ),
    dvar=_step(
        "dvar",
        {
            "This is the local derivative alone: it multiplies what arrives.": (
                lambda s, v, g: -0.5 * (v.var + EPS) ** -1.5
            ),
            "The power -1.5 belongs to var + 1e-5; inv_std is its power -0.5 already.": (
                lambda s, v, g: g.dinv_std * -0.5 * v.inv_std**-1.5
            ),
            "The sign is flipped: a larger variance makes inv_std smaller.": lambda s, v, g: (
                -g.dvar
            ),
            "The exponent goes down by one: from -0.5 to -1.5.": (
                lambda s, v, g: g.dinv_std * -0.5 * v.inv_std
            ),
            "The factor 1/2 from the exponent is missing.": lambda s, v, g: 2 * g.dvar,
        },
    ),
    dsquare=_step(
        "dsquare",
        {
            "The values are right: every sample gets them, so the shape is that of square.": (
                lambda s, v, g: g.dsquare[0]
            ),
            "The variance here divides by N - 1, not by N.": (
                lambda s, v, g: g.dsquare * (len(s.pixels) - 1) / len(s.pixels)
            ),
            "The division by N - 1 is missing.": lambda s, v, g: g.dsquare * (len(s.pixels) - 1),
        },
    ),
    ddiff=_step(
        "ddiff",
        {
            "This is dsums: = gives the same array a second name, and += then writes into both. "
            "Start dsums from ddiff.copy().": lambda s, v, g: g.dsums,
            "What arrives at square is dsquare, with the division by N - 1 in it, not dvar.": (
                lambda s, v, g: g.dx_hat * v.inv_std + g.dvar * 2 * v.diff
            ),
            "diff is used twice: the path through the variance is missing.": (
                lambda s, v, g: g.dx_hat * v.inv_std
            ),
            "diff is used twice: the path straight into x_hat is missing.": (
                lambda s, v, g: g.dsquare * 2 * v.diff
            ),
            "The derivative of a square has a factor 2.": (
                lambda s, v, g: g.dx_hat * v.inv_std + g.dsquare * v.diff
            ),
        },
    ),
    dmean=_step(
        "dmean",
        {
            "mean is subtracted from every row of sums, so something comes back from each.": (
                lambda s, v, g: np.zeros_like(v.mean)
            ),
            "mean was stretched over the samples: sum over them.": lambda s, v, g: -g.ddiff,
            "The sign is flipped: mean is subtracted.": lambda s, v, g: -g.dmean,
            "The samples are averaged here: they are summed, the 1/N comes on the way to sums.": (
                lambda s, v, g: g.dmean / len(s.pixels)
            ),
        },
    ),
    dsums=_step(
        "dsums",
        {
            "sums is used twice: the path straight into diff is missing.": (
                lambda s, v, g: np.tile(g.dmean / len(s.pixels), (len(s.pixels), 1))
            ),
            "sums is used twice: the path through the mean is missing.": lambda s, v, g: g.ddiff,
            "The mean divides by N, and so does the way back through it.": (
                lambda s, v, g: g.ddiff + g.dmean
            ),
        },
    ),
    dw_in=_step(
        "dw_in",
        {
            "The penalty is half a square: its derivative has no half.": (
                lambda s, v, g: g.dsums.T @ s.pixels + PENALTY / 2 * s.w_in
            ),
            "w_in is used twice: the path through the penalty is missing.": (
                lambda s, v, g: g.dsums.T @ s.pixels
            ),
            "The half in front of the penalty cancels the 2 of the square.": (
                lambda s, v, g: g.dsums.T @ s.pixels + 2 * PENALTY * s.w_in
            ),
            "This is the transpose: a gradient has the shape of its matrix.": (
                lambda s, v, g: g.dw_in.T
            ),
        },
    ),
    logit_gradient=Check(
        cases=_softmax_cases(),
        right=_logit_gradient,
        mistakes={
            "The sign is flipped: a larger logit of a wrong class makes the loss larger.": (
                lambda *case: -_logit_gradient(*case)
            ),
            "The shares are missing: each row is multiplied by the share of its sample.": (
                lambda probs, labels, share: probs - _one_hot(labels, probs.shape[1])
            ),
            "Each sample counts with its own share, not with 1/N.": (
                lambda probs, labels, share: (probs - _one_hot(labels, probs.shape[1])) / len(probs)
            ),
            "The share multiplies the true class too.": (
                lambda probs, labels, share: (
                    share[:, None] * probs - _one_hot(labels, probs.shape[1])
                )
            ),
        },
    ),
    norm_gradient=Check(
        cases=_norm_cases(),
        right=_norm_gradient,
        mistakes={
            "This is the formula for a variance that is divided by N: here it is N - 1.": (
                lambda g, x_hat, std: _norm_gradient(g, x_hat, std, less=0)
            ),
            "The share of the mean is missing: the columns do not sum to 0.": (
                lambda g, x_hat, std: _norm_gradient(g, x_hat, std, mean=0.0)
            ),
            "The share of the variance is missing.": lambda g, x_hat, std: _norm_gradient(
                g, x_hat, std, var=0.0
            ),
            "This treats mean and variance as constants.": (
                lambda g, x_hat, std: _norm_gradient(g, x_hat, std, mean=0.0, var=0.0)
            ),
            "The share of the variance has the wrong sign.": (
                lambda g, x_hat, std: _norm_gradient(g, x_hat, std, var=-1.0)
            ),
            "The factor inv_std is missing: sums is on another scale than x_hat.": (
                lambda dx_hat, x_hat, inv_std: _norm_gradient(dx_hat, x_hat, 1.0)
            ),
        },
    ),
    gradients=Check(
        cases=_gradient_cases(),
        right=_all_gradients,
        parts=("dw_in", "dgamma", "dbeta", "dw_out", "db_out"),
        mistakes={
            "The variance divides by N - 1, forward and backward; NumPy's var divides by N unless "
            "it is told ddof=1.": lambda *case: _all_gradients(
                *case, less=0, norm=lambda *given: _norm_gradient(*given, less=0)
            ),
            "The variance divides by N - 1 on the way forward too; NumPy's var divides by N unless "
            "it is told ddof=1.": lambda *case: _all_gradients(*case, less=0),
            "dw_in: the way back through the normalisation is that of a variance that is divided "
            "by N.": lambda *case: _all_gradients(
                *case, norm=lambda *given: _norm_gradient(*given, less=0)
            ),
            "dw_in: mean and variance are treated as constants on the way back.": (
                lambda *case: _all_gradients(
                    *case, norm=lambda *given: _norm_gradient(*given, mean=0.0, var=0.0)
                )
            ),
            "dw_in: the way back through the normalisation lacks the factor inv_std.": (
                lambda *case: _all_gradients(
                    *case, norm=lambda dx_hat, x_hat, _: _norm_gradient(dx_hat, x_hat, 1.0)
                )
            ),
            "The penalty is missing in the gradient of w_in.": lambda w_in, *rest: (
                _all_gradients(w_in, *rest)[0] - PENALTY * w_in,
                *_all_gradients(w_in, *rest)[1:],
            ),
            "The batch is not averaged: here each sample has the share 1/N.": _unaveraged,
            "The gradients of gamma and beta are in each other's place.": (
                lambda *case: tuple(_all_gradients(*case)[k] for k in (0, 2, 1, 3, 4))
            ),
        },
    ),
    test_accuracy=Check(
        cases=_readers(),
        right=_accuracy,
        mistakes={
            "These are per cent: return the share, between 0 and 1.": (
                lambda *case: 100 * _accuracy(*case)
            ),
            "This is the share of the digits that are named wrongly.": (
                lambda *case: 1 - _accuracy(*case)
            ),
            "These are the training digits: read the test digits.": (
                lambda *case: _accuracy(*case, read="train")
            ),
            "The mean and variance are those of the test digits: a digit that comes alone has "
            "none. Take those of sums on the training digits.": (
                lambda *case: _accuracy(*case, of="test")
            ),
            "Each unit has its own mean and variance: average over the samples, axis 0.": (
                lambda *case: _accuracy(*case, by_unit=None)
            ),
            "The normalisation is missing: gamma and beta were trained behind it.": (
                lambda *case: _accuracy(*case, normalised=False)
            ),
            "Scale and shift are missing, gamma and beta.": (
                lambda *case: _accuracy(*case, scaled=False)
            ),
        },
    ),
)
