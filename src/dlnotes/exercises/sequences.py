"""The exercises of chapter 12, third part: sequences."""

from typing import Any

import numpy as np

from dlnotes.exercises import Check, Lab

Array = Any


def _lstm_parameters(
    inputs: int, hidden: int, layers: int, outputs: int, *, gates: int = 4, biases: int = 2
) -> int:
    rows = gates * hidden
    first = rows * (inputs + hidden + biases)
    return first + (layers - 1) * rows * (2 * hidden + biases) + outputs * (hidden + 1)


# The parameters of a classifier made of stacked LSTM layers and a linear one.
parameters = Check(
    cases=[(10, 20, 1, 1), (8, 16, 2, 10), (3, 5, 4, 2)],
    right=_lstm_parameters,
    mistakes={
        "From the second layer on the inputs are the states of the layer below.": (
            lambda i, h, n, o: (
                _lstm_parameters(i, h, n, o) - 4 * h * (n - 1) * (h - i)
            )
        ),
        "torch keeps two biases for every row.": (
            lambda i, h, n, o: _lstm_parameters(i, h, n, o, biases=1)
        ),
        "An LSTM has four blocks of rows, three is a GRU.": (
            lambda i, h, n, o: _lstm_parameters(i, h, n, o, gates=3)
        ),
        "An LSTM has four blocks of rows, one is a plain RNN.": (
            lambda i, h, n, o: _lstm_parameters(i, h, n, o, gates=1)
        ),
        "The linear layer at the end has a bias too.": (
            lambda i, h, n, o: _lstm_parameters(i, h, n, o) - o
        ),
        "The linear layer at the end is missing.": (
            lambda i, h, n, o: _lstm_parameters(i, h, n, o) - o * (h + 1)
        ),
    },
)  # fmt: skip


def _logit(p: Array) -> Array:
    return np.log(p / (1 - p))


# The bias of a forget gate that keeps one half over so many steps.
half_bias = Check(
    cases=[(1,), (10,), (100,)],
    right=lambda steps: _logit(0.5 ** (1 / steps)),
    mistakes={
        "This is the value of the gate: which bias gives it?": lambda steps: 0.5 ** (1 / steps),
        "The sign is flipped: a gate above one half needs a positive bias.": (
            lambda steps: -_logit(0.5 ** (1 / steps))
        ),
        "The factors multiply: the gate is a root of one half.": (
            lambda steps: _logit(1 - 0.5 / steps)
        ),
        "This solves f · steps = 1/2; the factors multiply.": (
            lambda steps: _logit(0.5 / steps)
        ),
        "The gate is right; the inverse of the sigmoid is not the logarithm alone.": (
            lambda steps: np.log(0.5 ** (1 / steps))
        ),
    },
)  # fmt: skip


def _bptt(
    dlast: Array,
    states: Array,
    x: Array,
    w_h: Array,
    *,
    slope: bool = True,
    turned: bool = True,
    late: int = 0,
    after: int = 1,
    steps: int | None = None,
) -> tuple[Array, Array, Array]:
    """Return the gradients of W_x, W_h and b: right by default, each option a mistake."""
    dw_x, dw_h, db = np.zeros((len(w_h), x.shape[1])), np.zeros_like(w_h), np.zeros(len(w_h))
    dh = np.asarray(dlast, dtype=float)
    for t in range(len(x) - 1, len(x) - 1 - (steps or len(x)), -1):
        da = dh * (1 - states[t + after] ** 2) if slope else dh
        dw_x = dw_x + np.outer(da, x[t])
        dw_h = dw_h + np.outer(da, states[t + late])
        db = db + da
        dh = (w_h.T if turned else w_h) @ da
    return dw_x, dw_h, db


def _network(steps: int, inputs: int, hidden: int, seed: int) -> tuple[Array, ...]:
    """Return a gradient at the last state, states (steps + 1, hidden), inputs and W_h."""
    rng = np.random.default_rng(seed)
    w_x, w_h = rng.normal(size=(hidden, inputs)), rng.normal(size=(hidden, hidden)) / 2
    x, states = rng.normal(size=(steps, inputs)), [rng.normal(size=hidden) / 2]
    for x_t in x:
        states.append(np.tanh(w_x @ x_t + w_h @ states[-1]))
    return rng.normal(size=hidden), np.array(states), x, w_h


# Backpropagation through time.
bptt = Check(
    parts=("W_x", "W_h", "b"),
    cases=[_network(1, 2, 3, 0), _network(6, 3, 4, 1)],
    right=_bptt,
    mistakes={
        "The slope of tanh is missing: at h it is 1 - h².": (
            lambda *case: _bptt(*case, slope=False)
        ),
        "The slope of a step is that at the state which the step makes.": (
            lambda *case: _bptt(*case, after=0)
        ),
        "On the way back the weights of the state are transposed.": (
            lambda *case: _bptt(*case, turned=False)
        ),
        "W_h is multiplied by the state before the step, not by the one after it.": (
            lambda *case: _bptt(*case, late=1)
        ),
        "These are the gradients of the last step alone: the weights are used at every step.": (
            lambda *case: _bptt(*case, steps=1)
        ),
    },
)


def _attend(
    q: Array, k: Array, v: Array, *, scale: bool = True, axis: int = -1, before: bool = True
) -> Array:
    """Return causal attention: right by default, each option one of the three bugs."""
    d = q.shape[-1]
    scores = q @ k.T / (np.sqrt(d) if scale else d)
    seen = np.tril(np.ones(scores.shape, dtype=bool))
    if before:
        scores = np.where(seen, scores, -1e30)
    weights = np.exp(scores - scores.max(axis, keepdims=True))
    weights = weights / weights.sum(axis, keepdims=True)
    return (weights if before else np.where(seen, weights, 0.0)) @ v


_rng = np.random.default_rng(12)
_three = tuple(_rng.normal(size=(3, 5, 4)))
_small = tuple(_rng.normal(size=(3, 2, 3)))
_large = 60 * np.array(
    [[[1.0, 0.0], [1.0, 0.0]], [[-1.0, 0.0], [1.0, 0.0]], [[1.0, 2.0], [3.0, 4.0]]]
)


def _renormalised(q: Array, k: Array, v: Array) -> Array:
    """Hide after the exponential: on paper the same, but a large hidden score wins."""
    scores = q @ k.T / np.sqrt(q.shape[-1])
    weights = np.tril(np.exp(scores - scores.max(-1, keepdims=True)))
    with np.errstate(invalid="ignore"):
        return weights / weights.sum(-1, keepdims=True) @ v


# Three bugs in causal attention.
repaired = Check(
    cases=[_three, _small, tuple(_large)],
    right=_attend,
    mistakes={
        "A hidden score still sets the maximum, and a large one leaves nothing of the row: "
        "hide before the exponential.": _renormalised,
        "The mask is the wrong way round: each position sees the later ones.": (
            lambda q, k, v: _attend(q[::-1], k[::-1], v[::-1])[::-1]
        ),
        "The scores are not divided at all: what keeps their variance at 1?": (
            lambda q, k, v: _attend(q * np.sqrt(q.shape[-1]), k, v)
        ),
    } | {
        f"{count} still there: {text}.": (lambda *case, wrong=wrong: _attend(*case, **wrong))
        for count, text, wrong in (
            ("One bug is", "by what are the scores divided", {"scale": False}),
            ("One bug is", "which sums are to be 1", {"axis": 0}),
            ("One bug is", "do the weights of what is seen still sum to 1", {"before": False}),
            ("Two bugs are", "the scale, and which sums are 1", {"scale": False, "axis": 0}),
            ("Two bugs are", "the scale, and the mask", {"scale": False, "before": False}),
            ("Two bugs are", "which sums are 1, and the mask", {"axis": 0, "before": False}),
            ("All three bugs are", "compare it with attention in the chapter",
             {"scale": False, "axis": 0, "before": False}),
        )
    },
)  # fmt: skip


def _last(outputs: Array, lengths: Array) -> Array:
    return outputs[np.arange(len(lengths)), np.asarray(lengths) - 1]


_padded = _rng.normal(size=(4, 6, 3))
_lengths = np.array([5, 2, 1, 4])  # none is full: one step too far is still a step

# The last real state of each sequence of a padded batch.
last_states = Check(
    cases=[(_padded, _lengths), (_padded[:1, :3], np.array([2]))],
    right=_last,
    mistakes={
        "These are the states after the padding.": lambda outputs, lengths: outputs[:, -1],
        "One too far: the state after n steps stands at index n - 1.": (
            lambda outputs, lengths: _last(outputs, np.asarray(lengths) + 1)
        ),
        "One too early.": lambda outputs, lengths: _last(outputs, np.maximum(lengths - 1, 1)),
        "Whole rows are taken: pair each sequence with its own step.": (
            lambda outputs, lengths: outputs[:, np.asarray(lengths) - 1]
        ),
        "This is the mean over the real steps.": (
            lambda outputs, lengths: np.stack(
                [row[:n].mean(0) for row, n in zip(outputs, lengths, strict=True)]
            )
        ),
    },
)

_ALPHABET = "$AB "
_TEXTS = ["AB AB", "ABBA", "BAB AB", "A BAB", "AB BA"] * 3
_PREFIXES = ["", "A", "AB", "AB A", "BBBBB", "B A"]
# The last two characters of these prefixes are the same: what follows hangs on the first.
_DOUBLES = ["A AA", "B AB"] * 10
_CROSSED = ["A AB", "B AA"] * 10
_STARTS = ["A A", "B A", "A", ""]
NOT_PROBABILITIES = "Each row must hold probabilities: none below 0, and a sum of 1."
CERTAIN = "Some probability is 0: one surprise, and the score is infinite."
NO_CONTEXT = "All rows are the same: the characters before must count."
FORGETFUL = (
    "On a small text it is unsure of a character that the three or four before it settle: "
    "longer contexts must count more."
)


def _blend(train: list[str], prefixes: list[str], alphabet: str, orders: int = 6) -> Array:
    """Return interpolated n-grams: the weight of an order is its number of sightings."""
    counts: dict[str, Array] = {}
    for text in train:
        text = "^" * (orders - 1) + text + "$"
        for i in range(orders - 1, len(text)):
            for n in range(orders):
                context = text[i - n : i]
                counts.setdefault(context, np.zeros(len(alphabet)))[alphabet.index(text[i])] += 1
    rows = []
    for prefix in prefixes:
        prefix, p = "^" * (orders - 1) + prefix, np.full(len(alphabet), 1 / len(alphabet))
        for n in range(orders):
            found = counts.get(prefix[len(prefix) - n :])
            if found is not None:
                kinds = (found > 0).sum()
                p = (found + kinds * p) / (found.sum() + kinds)
        rows.append(p)
    return np.array(rows)


def _judge_guess(answer: Any, train: list[str], prefixes: list[str], alphabet: str) -> str:
    p = np.asarray(answer, dtype=float)
    if p.shape != (len(prefixes), len(alphabet)):
        return (
            f"The shape is {p.shape}; a row for each prefix and a column for each character "
            f"are expected: {(len(prefixes), len(alphabet))}."
        )
    if not (np.isfinite(p).all() and (p >= 0).all() and np.allclose(p.sum(1), 1)):
        return NOT_PROBABILITIES
    if (p == 0).any():
        return CERTAIN
    if np.allclose(p, p[0]):
        return NO_CONTEXT
    for prefix, row in zip(prefixes, p, strict=True):
        following = {(text + alphabet[0])[len(prefix)] for text in train if text.startswith(prefix)}
        settled = row[[alphabet.index(character) for character in following]]
        if len(prefix) > 2 and len(settled) == 1 and settled[0] < 0.75:
            return FORGETFUL
    return ""


# A character model of one's own.
guess = Check(
    cases=[
        (_TEXTS, _PREFIXES, _ALPHABET),
        (_DOUBLES, [*_STARTS, *_DOUBLES[:2]], _ALPHABET),
        (_CROSSED, [*_STARTS, *_CROSSED[:2]], _ALPHABET),
    ],
    right=_blend,
    judge=_judge_guess,
    mistakes={
        NOT_PROBABILITIES: lambda train, prefixes, alphabet: 2 * _blend(train, prefixes, alphabet),
        CERTAIN: lambda train, prefixes, alphabet: np.eye(len(alphabet))[
            _blend(train, prefixes, alphabet).argmax(1)
        ],
        NO_CONTEXT: lambda train, prefixes, alphabet: _blend(train, prefixes, alphabet, orders=1),
        FORGETFUL: lambda train, prefixes, alphabet: _blend(train, prefixes, alphabet, orders=3),
    },
)


# ---- the lab ---------------------------------------------------------------------


def _masked_softmax(scores: Array, visible: Array, *, empty: bool = True) -> Array:
    shown = np.where(visible, scores, -np.inf)
    top = shown.max(-1, keepdims=True)
    e = np.where(visible, np.exp(shown - np.where(np.isfinite(top), top, 0.0)), 0.0)
    total = e.sum(-1, keepdims=True)
    flat = np.full(scores.shape, 1 / scores.shape[-1])
    return np.where(total > 0, e / np.where(total > 0, total, 1.0), 0.0 if empty else flat)


def _leaky_softmax(scores: Array, visible: Array) -> Array:
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return np.where(visible, e / e.sum(-1, keepdims=True), 0.0)


def _zeroed_softmax(scores: Array, visible: Array) -> Array:
    shown = np.where(visible, scores, 0.0)
    e = np.exp(shown - shown.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _attention_backward(
    dout: Array, q: Array, k: Array, v: Array, *, jacobian: bool = True, scale: bool = True
) -> tuple[Array, Array, Array]:
    root = np.sqrt(q.shape[-1])
    p = _masked_softmax(q @ k.T / root, np.ones((len(q), len(k)), dtype=bool))
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) if jacobian else p * dp
    ds = ds / root if scale else ds
    return ds @ k, ds.T @ q, p.T @ dout


def _sinusoids(steps: int, d: int, *, apart: bool = False, base: float = 10_000.0) -> Array:
    angle = np.arange(steps)[:, None] / base ** (np.arange(0, d, 2) / d)
    if apart:
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(steps, d)


def _shared(q: Array, k: Array, v: Array, *, d: float | None = None) -> Array:
    """Return heads side by side, (steps, heads · d), that share keys and values."""
    root = np.sqrt(q.shape[-1] if d is None else d)
    p = _masked_softmax(q @ k.T / root, np.ones((*q.shape[:2], len(k)), dtype=bool))
    return np.concatenate(list(p @ v), axis=-1)


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _paper_gru(a: Array, h: Array, w: Array, *, late: bool = False, swap: bool = False) -> Array:
    """Return the next state; a is (3, hidden), w (3, hidden, hidden), in the order r, z, n."""
    r, z = _sigmoid(a[0] + w[0] @ h), _sigmoid(a[1] + w[1] @ h)
    n = np.tanh(a[2] + (r * (w[2] @ h) if late else w[2] @ (r * h)))
    return z * n + (1 - z) * h if swap else (1 - z) * n + z * h


def _direct_path(logits: Array, *, own: bool = False) -> Array:
    gates = _sigmoid(logits)
    out, path = np.ones_like(gates), np.ones(gates.shape[1:])
    for t in range(len(gates) - 1, -1, -1):
        if own:
            path = path * gates[t]
        out[t] = path
        if not own:
            path = path * gates[t]
    return out


def _nats(logits: Array, targets: Array, padding: int) -> Array:
    top = logits.max(-1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    real = targets != padding
    index = np.where(real, targets, 0)
    return np.where(real, -np.take_along_axis(log_p, index[..., None], -1)[..., 0], 0.0)


def _lost_nats(logits: Array, targets: Array, padding: int) -> float:
    p = _masked_softmax(logits, np.ones(logits.shape, dtype=bool))
    real = targets != padding
    with np.errstate(divide="ignore"):
        return float(-np.log(p[real, targets[real]]).mean())


def _probabilities(logits: Array, temperature: float) -> Array:
    return _masked_softmax(logits / temperature, np.ones(len(logits), dtype=bool))


def _draw(logits: Array, temperature: float, u: float) -> int:
    p = _probabilities(logits, temperature)
    return int(min((p.cumsum() <= u).sum(), len(p) - 1))


def _overflowing_draw(logits: Array, temperature: float, u: float) -> int:
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(logits / temperature)
        return int(((e / e.sum()).cumsum() <= u).sum())


def _backwards(x: Array, lengths: Array) -> Array:
    out = x.copy()
    for row, n in zip(out, lengths, strict=True):
        row[:n] = row[:n][::-1].copy()
    return out


def _clip(gradients: Array, limit: float) -> tuple[Array, ...]:
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return tuple(g * (limit / max(norm, limit)) for g in gradients)


_matrix = _rng.normal(size=(3, 3))
_skew = np.array([[0.0, 3.0], [0.1, 0.0]])  # eigenvalues of size 0.55, a singular value of 3
_scores = np.concatenate([_rng.normal(size=(3, 4)), [[1000.0, 999.0, -1000.0, 0.0]]])
_visible = np.array([[1, 0, 0, 0], [1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]], dtype=bool)
_logits = _rng.normal(size=(2, 4, 5))
_logits[1, 0] = [1000.0, 990.0, -1000.0, 0.0, 5.0]
_targets = np.array([[0, 4, 2, 1], [1, 3, -1, -1]])
_short = np.array([0.0, 0.3, -0.3, -0.9, -0.5, -1.0, 0.1])
_unlikely = np.array([[[0.0, 800.0, 3.0], [1.0, 2.0, 0.0], [0.5, 0.0, 1.0]]])
_tables = (_rng.normal(size=(5, 4)), *_rng.normal(size=(2, 6, 4)))
_heads = (_rng.normal(size=(3, 5, 4)), *_rng.normal(size=(2, 5, 4)))
_gru = (_rng.normal(size=(3, 4)), _rng.normal(size=4), _rng.normal(size=(3, 4, 4)))
_gate_logits = _rng.normal(size=(5, 3)) + 1
_gradients = [np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([12.0])]

lab = Lab(
    influence=Check(
        cases=[(0.5, 4), (-1.2, 6), (0.9, 1)],
        right=lambda w, steps: w ** np.arange(steps - 1, -1, -1.0),
        mistakes={
            "The last input has gone through no weight of the state.": (
                lambda w, steps: w ** np.arange(steps, 0, -1.0)
            ),
            "The first input has the longest way.": lambda w, steps: w ** np.arange(0.0, steps),
            "The sign of w counts.": lambda w, steps: abs(w) ** np.arange(steps - 1, -1, -1.0),
        },
    ),
    bound=Check(
        cases=[(_matrix, 3), (_skew, 5), (0.5 * np.eye(2), 10)],
        right=lambda w, steps: np.linalg.norm(w, 2) ** steps,
        mistakes={
            "That is the largest eigenvalue: one step can stretch by more than that.": (
                lambda w, steps: abs(np.linalg.eigvals(w)).max() ** steps
            ),
            "That is the norm if all slopes are 1: the bound takes the norm of one factor first.": (
                lambda w, steps: np.linalg.norm(np.linalg.matrix_power(w, steps), 2)
            ),
            "That is the Frobenius norm: a bound too, but not the smaller of the two.": (
                lambda w, steps: np.linalg.norm(w) ** steps
            ),
            "That is the smallest singular value.": (
                lambda w, steps: np.linalg.norm(w, -2) ** steps
            ),
            "One factor for each step.": lambda w, steps: np.linalg.norm(w, 2),
        },
    ),
    clip=Check(
        cases=[
            (_gradients, 2.0),
            (_gradients, 20.0),
            (_gradients, 13.0),
            ([0 * g for g in _gradients], 1.0),
        ],
        right=_clip,
        mistakes={
            "A gradient below the limit is left alone.": lambda gradients, limit: tuple(
                g * limit / 13 for g in gradients
            ),
            "Each array is clipped for itself: the norm is that of all entries together.": (
                lambda gradients, limit: tuple(_clip([g], limit)[0] for g in gradients)
            ),
            "The entries are clipped one by one, which changes the direction.": (
                lambda gradients, limit: tuple(np.clip(g, -limit, limit) for g in gradients)
            ),
            "The result has norm 1, not the limit.": lambda gradients, limit: tuple(
                g / 13 if limit < 13 else g for g in gradients
            ),
        },
    ),
    backwards=Check(
        cases=[(_padded, _lengths), (_padded[:2], np.array([3, 6]))],
        right=_backwards,
        mistakes={
            "The padding must stay at the end: turn round the real steps alone.": (
                lambda x, lengths: x[:, ::-1]
            ),
            "It is the steps that are turned round, not the features.": (
                lambda x, lengths: x[..., ::-1]
            ),
            "The sequences are in another order: turn round each for itself.": (
                lambda x, lengths: x[::-1]
            ),
        },
    ),
    paper_gru=Check(
        cases=[_gru, (0 * _gru[0], *_gru[1:])],
        right=_paper_gru,
        mistakes={
            "This is torch's way: here the gate multiplies the old state before the weights.": (
                lambda *case: _paper_gru(*case, late=True)
            ),
            "z is the share of the old state.": lambda *case: _paper_gru(*case, swap=True),
            "r and z are exchanged.": lambda a, h, w: _paper_gru(a[[1, 0, 2]], h, w[[1, 0, 2]]),
        },
    ),
    direct_path=Check(
        cases=[(_gate_logits,), (_gate_logits[:1],)],
        right=_direct_path,
        mistakes={
            "The gate of step t acts before c_t is there: begin with the one after it.": (
                lambda logits: _direct_path(logits, own=True)
            ),
            "These are the products from the start: the way leads to the end.": (
                lambda logits: _sigmoid(logits).cumprod(0)
            ),
            "The gates are the sigmoids of what is given.": lambda logits: _direct_path(
                _logit(np.clip(logits, 1e-9, 1 - 1e-9))
            ),
        },
    ),
    softmax=Check(
        cases=[(_scores, _visible)],
        right=_masked_softmax,
        mistakes={
            "What is seen must sum to 1: hide before the softmax, not after it.": _leaky_softmax,
            "A score of 0 is not hidden: it still has exp(0) = 1.": _zeroed_softmax,
            "A row that sees nothing is to be zero.": (
                lambda scores, visible: _masked_softmax(scores, visible, empty=False)
            ),
            "visible is True where a query may look.": (
                lambda scores, visible: _masked_softmax(scores, ~visible)
            ),
        },
    ),
    backward=Check(
        parts=("q", "k", "v"),
        cases=[(_tables[0], _three[0], *_tables[1:]), (_small[0], _small[1], *_small[1:])],
        right=_attention_backward,
        mistakes={
            "The softmax's own gradient is more than p times what comes in: all weights of a "
            "row share one sum.": lambda *case: _attention_backward(*case, jacobian=False),
            "The scores were divided by the root of d: so are their gradients.": (
                lambda *case: _attention_backward(*case, scale=False)
            ),
            "The gradients of q and k are exchanged.": (
                lambda *case: tuple(_attention_backward(*case)[n] for n in (1, 0, 2))
            ),
        },
    ),
    shared_heads=Check(
        cases=[_heads, (_heads[0][:1], *_heads[1:])],
        right=_shared,
        mistakes={
            "Divide by the root of the features of one head.": (
                lambda q, k, v: _shared(q, k, v, d=q.shape[0] * q.shape[-1])
            ),
            "Put the heads side by side; they are not added up.": lambda q, k, v: sum(
                np.split(_shared(q, k, v), len(q), axis=1)
            ),
            "The axis of the heads comes first: a plain reshape mixes positions.": (
                lambda q, k, v: np.stack(np.split(_shared(q, k, v), len(q), axis=1)).reshape(
                    len(k), -1
                )
            ),
            "The features of one head stay together.": lambda q, k, v: (
                _shared(q, k, v).reshape(len(k), len(q), -1).swapaxes(1, 2).reshape(len(k), -1)
            ),
        },
    ),
    sinusoids=Check(
        cases=[(6, 4), (3, 2), (40, 8)],
        right=_sinusoids,
        mistakes={
            "Sines and cosines alternate.": lambda steps, d: _sinusoids(steps, d, apart=True),
            "The first position is 0.": lambda steps, d: _sinusoids(steps + 1, d)[1:],
            "The power of 10000 is 2 i / d.": lambda steps, d: _sinusoids(steps, d, base=100.0),
        },
    ),
    nats=Check(
        cases=[
            (_logits, _targets, -1),
            (_logits[:1], _targets[:1], -1),
            (_unlikely, np.array([[2, 1, 0]]), 0),
        ],
        right=lambda logits, targets, padding: (
            _nats(logits, targets, padding).sum() / (targets != padding).sum()
        ),
        mistakes={
            "The padding is counted: divide by the number of real characters.": (
                lambda logits, targets, padding: _nats(logits, targets, padding).mean()
            ),
            "This is a mean of the sequences' means: each character counts once.": (
                lambda logits, targets, padding: np.mean(
                    _nats(logits, targets, padding).sum(1) / (targets != padding).sum(1)
                )
            ),
            "This is in bits: take the natural logarithm.": lambda logits, targets, padding: (
                _nats(logits, targets, padding).sum() / (targets != padding).sum() / np.log(2)
            ),
            "This is the sum: divide by the number of real characters.": (
                lambda logits, targets, padding: _nats(logits, targets, padding).sum()
            ),
            "The padding is the value that is given; it need not be negative.": (
                lambda logits, targets, padding: (
                    _nats(logits, targets, -1).sum() / (targets >= 0).sum()
                )
            ),
            "A probability underflows to 0, and its logarithm is lost: work with logarithms "
            "throughout.": _lost_nats,
        },
    ),
    draw=Check(
        cases=[
            (np.array([0.0, 1.0, 2.0]), 1.0, 0.05),
            (np.array([0.0, 1.0, 2.0]), 1.0, 0.2),
            (np.array([0.0, 1.0, 2.0]), 1.0, 0.9),
            (np.array([3.0, 1.0, 2.0]), 0.2, 0.99),
            (np.array([3.0, 1.0, 2.0]), 5.0, 0.5),
            (np.array([2.0, 1.0, 0.0]), 0.5, 0.85),
            (np.array([1000.0, 0.0, 999.0]), 1.0, 0.8),
            (np.array([0.0, 0.0]), 1.0, 0.5),  # the first sum is u, not above it
            (_short, 1.0, np.nextafter(1.0, 0.0)),  # the last sum may be below u, by rounding
        ],
        right=_draw,
        mistakes={
            "The logits are divided by the temperature, not multiplied.": (
                lambda logits, temperature, u: _draw(logits, 1 / temperature, u)
            ),
            "The temperature does nothing.": lambda logits, temperature, u: _draw(logits, 1.0, u),
            "This is always the likeliest.": lambda logits, temperature, u: int(logits.argmax()),
            "The running sum must be above u: one that equals u is not.": (
                lambda logits, temperature, u: min(
                    int((_probabilities(logits, temperature).cumsum() < u).sum()), len(logits) - 1
                )
            ),
            "The exponential overflows, and nan is not above u: subtract the largest logit.": (
                _overflowing_draw
            ),
            "One too far: the first character whose running sum is above u.": (
                lambda logits, temperature, u: min(
                    _draw(logits, temperature, u) + 1, len(logits) - 1
                )
            ),
        },
    ),
)
