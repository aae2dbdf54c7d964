"""The exercises of chapter 12, second part: codes and games."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from dlnotes.exercises import Check, Lab

Array = npt.NDArray[np.float64]
RNG = np.random.default_rng(13)


def _drawn(*shape: int) -> Array:
    return np.round(RNG.normal(size=shape), 2)


def _decoder(features: int, hidden: int, code: int) -> int:
    return hidden * (code + 1) + features * (hidden + 1)


# From how many images on codes and a decoder take less room than the images.
break_even = Check(
    cases=[(64, 64, 2), (5, 1, 1), (100, 10, 20)],
    right=lambda n, hidden, k: _decoder(n, hidden, k) // (n - k) + 1,
    mistakes={
        "Fewer numbers, not as many.": (lambda n, h, k: -(-_decoder(n, h, k) // (n - k))),
        "Each image costs its code: what is saved is the difference.": (
            lambda n, h, k: _decoder(n, h, k) // n + 1
        ),
        "Who has the codes needs the decoder, not the encoder.": (
            lambda n, h, k: (_decoder(n, h, k) + _decoder(k, h, n)) // (n - k) + 1
        ),
        "The biases of the decoder have to be kept too.": (
            lambda n, h, k: (_decoder(n, h, k) - h - n) // (n - k) + 1
        ),
        "The number of images is a whole number.": (lambda n, h, k: _decoder(n, h, k) / (n - k)),
    },
)


def _shares(p: Array, q: Array) -> tuple[Array, float]:
    best = p / (p + q)
    return best, float(-(p * np.log(best)).sum() - (q * np.log(1 - best)).sum())


_P = (np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.7, 0.1, 0.1, 0.1]), np.full(4, 0.25))
_Q = (np.full(4, 0.25), np.array([0.2, 0.3, 0.3, 0.2]), np.full(4, 0.25))

# The best discriminator between two distributions on four cells, and its loss.
referee = Check(
    cases=list(zip(_P, _Q, strict=True)),
    parts=("D", "loss"),
    right=_shares,
    mistakes={
        "D is the probability that a point is real: the share of p.": (
            lambda p, q: (q / (p + q), _shares(p, q)[1])
        ),
        "The two means are added; the loss is not half of it.": (
            lambda p, q: (_shares(p, q)[0], _shares(p, q)[1] / 2)
        ),
        "The loss has a minus before each logarithm.": (
            lambda p, q: (_shares(p, q)[0], -_shares(p, q)[1])
        ),
        "Each logarithm is weighted by how often such a point comes, real with p, made with q.": (
            lambda p, q: (
                _shares(p, q)[0],
                float(-np.log(p / (p + q)).mean() - np.log(q / (p + q)).mean()),
            )
        ),
        "What is made counts too: the second term of the loss is missing.": (
            lambda p, q: (_shares(p, q)[0], float(-(p * np.log(p / (p + q))).sum()))
        ),
    },
)


def _floor(x: Array, units: int, centre: bool = True) -> float:
    spread = np.linalg.svd(x - x.mean(0) * centre, compute_uv=False) ** 2
    return float(spread[units:].sum() / x.size)


# What the best linear autoencoder loses.
floor = Check(
    cases=[(_drawn(9, 5) + 1, 2), (_drawn(20, 4) - 2, 1), (_drawn(7, 3), 2)],
    right=_floor,
    mistakes={
        "Both layers have biases, so the mean of the columns costs nothing.": (
            lambda x, k: _floor(x, k, centre=False)
        ),
        "This is what the code keeps; asked is what it loses.": (
            lambda x, k: _floor(x, 0) - _floor(x, k)
        ),
        "Squared singular values are sums over all samples and features: take their mean.": (
            lambda x, k: _floor(x, k) * x.size
        ),
        "The mean is over samples and features.": lambda x, k: _floor(x, k) * x.shape[1],
        "The error is made of the squares of the singular values.": (
            lambda x, k: float(np.linalg.svd(x - x.mean(0), compute_uv=False)[k:].sum() / x.size)
        ),
    },
)


def _sigmoid(logit: Array) -> Array:
    return np.exp(-np.logaddexp(0, -logit))


def _powers(x: Array) -> Array:
    """Return 1, x and x² of each point, the inputs of the judge: shape (3, points)."""
    return np.stack([np.ones_like(x), x, x**2])


def _line_game(
    real: Array,
    noise: Array,
    judge: Array,
    generator: Array,
    rate: float,
    *,
    saturating: bool = False,
    judge_first: bool = True,
    divided: bool = True,
    bent: bool = True,
    both: bool = True,
) -> tuple[Array, Array]:
    """Play all rounds: right by default, each option a mistake."""
    for x, z in zip(real, noise, strict=True):
        made, before = generator[0] + generator[1] * z, judge
        batch = len(x) if divided else 1

        of_real, of_made = _powers(x), _powers(made)
        slope = of_real @ (_sigmoid(judge @ of_real) - 1)
        slope = slope + (of_made @ _sigmoid(judge @ of_made) if both else 0)
        judge = judge - rate * slope / batch

        met = judge if judge_first else before
        logit = met @ of_made
        dlogit = -_sigmoid(logit) if saturating else _sigmoid(logit) - 1
        dmade = dlogit * (met[1] + (2 * met[2] * made if bent else 0)) / batch
        generator = generator - rate * np.array([dmade.sum(), (dmade * z).sum()])
    return judge, generator


_ROUNDS = [
    (_drawn(1, 4), _drawn(1, 4), np.array([0.1, -0.4, 0.3]), np.array([-1.0, 0.5]), 0.1),
    (_drawn(5, 3) + 1, _drawn(5, 3), np.array([0.0, 0.2, -0.1]), np.array([0.5, 1.5]), 0.3),
]


def _playing(**mistake: Any) -> Callable[..., Any]:
    return lambda *case: _line_game(*case, **mistake)


# The loop of two players, with the gradients of both by hand.
line_game = Check(
    cases=_ROUNDS,
    parts=("judge", "generator"),
    right=_line_game,
    mistakes={
        "The generator meets the judge that has just moved, not the one from before.": (
            _playing(judge_first=False)
        ),
        "This is the saturating loss for the generator.": _playing(saturating=True),
        "The losses are means over the batch.": _playing(divided=False),
        "Through the judge: the slope of its logit in x has a term for x² too.": (
            _playing(bent=False)
        ),
        "The judge learns from the made points too.": _playing(both=False),
    },
)


def _judge_counts(counts: Any) -> str:
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != 1 or len(counts) < 5:
        return "Report at least five fresh runs, one number each."
    if (counts != counts.round()).any() or (counts < 0).any() or (counts > 8).any():
        return "Each number is a count of modes, from 0 to 8."
    if (low := int((counts < 7).sum())) > 0:
        return f"{low} of {len(counts)} runs cover fewer than seven modes."
    return ""


# How many modes each of several fresh runs covers.
repaired = Check(
    right=lambda: np.array([8, 8, 7, 8, 8, 8]),
    judge=_judge_counts,
    mistakes={
        "Report at least five fresh runs, one number each.": lambda: np.array([8, 8]),
        "Each number is a count of modes, from 0 to 8.": lambda: np.array([0.9] * 5),
        "1 of 5 runs cover fewer than seven modes.": lambda: np.array([8, 8, 8, 8, 3]),
    },
)

# ---- the lab ---------------------------------------------------------------------------


def _smallest(
    singular: Array, share: float, power: int = 2, kept: bool = False, strict: bool = False
) -> int:
    """Return how many units the code needs: right by default, each option a mistake."""
    sizes = np.asarray(singular) ** power
    for units in range(len(sizes) + 1):
        lost, limit = sizes[units:].sum(), share * sizes.sum()
        if kept and sizes[:units].sum() >= limit:
            return units
        if not kept and (lost < limit if strict else lost <= limit):
            return units
    return len(sizes)


def _slopes(x: Array, encoder: Array, decoder: Array, size: float = 0) -> tuple[Array, Array]:
    codes = x @ encoder.T
    dy = 2 * (codes @ decoder.T - x) / (size or x.size)
    return (dy @ decoder).T @ x, dy.T @ codes


def _decoded(x: Array, codes: Array, bias: bool = True) -> Array:
    inputs = np.column_stack([codes, np.ones(len(codes))]) if bias else codes
    return np.asarray(inputs @ np.linalg.lstsq(inputs, x, rcond=None)[0])


def _cosines(a: Array, b: Array, orthonormal: bool = True) -> Array:
    """Return the cosines of the angles between the planes of the rows, largest first."""
    if orthonormal:
        a, b = (np.linalg.qr(rows.T)[0].T for rows in (a, b))
    return np.asarray(np.linalg.svd(a @ b.T, compute_uv=False))


def _tally(points: Array, centres: Array, radius: float) -> Array:
    gaps = np.linalg.norm(points[:, None] - centres, axis=2)
    near = (gaps < radius).sum(0)
    return np.append(near, len(points) - near.sum())


def _nearest(points: Array, centres: Array, radius: float) -> Array:
    gaps = np.linalg.norm(points[:, None] - centres, axis=2)
    return np.append(np.bincount(gaps.argmin(1), minlength=len(centres)), 0)


def _divergence(p: Array, m: Array) -> float:
    there = p > 0
    return float((p[there] * np.log(p[there] / m[there])).sum())


def _js(p: Array, q: Array) -> float:
    return (_divergence(p, (p + q) / 2) + _divergence(q, (p + q) / 2)) / 2


def _no_zeros(p: Array, q: Array) -> float:
    return _js(p, q) if (p * q).all() else float("nan")


def _collapsed(modes: int, covered: int) -> float:
    total = modes + covered
    return float(-covered / modes * np.log(covered / total) - np.log(modes / total))


def _quadratic(real: Any, made: Any, power: int = 2, heights: bool = True) -> Array:
    (m, s), (n, t) = real, made
    v, w = s**power, t**power
    constant = np.log(t / s) * heights - m**2 / (2 * v) + n**2 / (2 * w)
    return np.array([constant, m / v - n / w, 1 / (2 * w) - 1 / (2 * v)])


def _orbit(g: float, d: float, rate: float, rounds: int, together: bool) -> tuple[float, float]:
    for _ in range(rounds):
        before = d
        d = d + rate * g
        g = g - rate * (before if together else d)
    return g, d


def _generator_first(g: float, d: float, rate: float, rounds: int, together: bool) -> Any:
    if together:
        return _orbit(g, d, rate, rounds, together)
    for _ in range(rounds):
        g = g - rate * d
        d = d + rate * g
    return g, d


def _both_down(g: float, d: float, rate: float, rounds: int, together: bool) -> Any:
    for _ in range(rounds):
        before = d
        d = d - rate * g
        g = g - rate * (before if together else d)
    return g, d


_EVEN, _OTHER = np.full(4, 0.25), np.array([0.7, 0.1, 0.1, 0.1])
_PLANE = _drawn(2, 5)
_CENTRES = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]])
_SPOTS = np.array([[2.1, 0.1], [1.9, -0.1], [0.0, 1.75], [0.0, 1.5], [-2.0, 0.0], [0.1, 0.0]])

lab = Lab(
    units=Check(
        cases=[
            (np.array([4.0, 3.0, 2.0, 1.0]), 0.2),
            (np.array([2.0, 2.0, 2.0, 2.0]), 0.25),
            (np.array([3.0, 1.0]), 0.0),
        ],
        right=_smallest,
        mistakes={
            "Variances are squares of singular values.": lambda s, share: _smallest(s, share, 1),
            "At most: to lose exactly this share is allowed.": (
                lambda s, share: _smallest(s, share, strict=True)
            ),
            "This is an index; with one unit the code keeps what stands at index 0.": (
                lambda s, share: _smallest(s, share) - 1
            ),
            "The share is what may be lost, not what is to be kept.": (
                lambda s, share: _smallest(s, share, kept=True)
            ),
        },
    ),
    slopes=Check(
        cases=[
            (_drawn(6, 4), _drawn(2, 4), _drawn(4, 2)),
            (_drawn(3, 3), _drawn(1, 3), _drawn(3, 1)),
        ],
        parts=("encoder", "decoder"),
        right=_slopes,
        mistakes={
            "The derivative of a square has a factor 2.": (
                lambda x, e, d: tuple(slope / 2 for slope in _slopes(x, e, d))
            ),
            "The loss is the mean over samples and features.": (
                lambda x, e, d: _slopes(x, e, d, len(x))
            ),
            "The loss is a mean, not a sum.": lambda x, e, d: _slopes(x, e, d, 1),
            "The sign is flipped: the error is output minus input.": (
                lambda x, e, d: tuple(-slope for slope in _slopes(x, e, d))
            ),
            "On its way back to the encoder the gradient passes through the decoder.": (
                lambda x, e, d: (
                    (2 * (x @ e.T @ d.T - x) / x.size @ e.T).T @ x,
                    _slopes(x, e, d)[1],
                )
            ),
        },
    ),
    decoded=Check(
        cases=[(_drawn(8, 3) + 2, _drawn(8, 1)), (_drawn(9, 5) - 1, _drawn(9, 2) + 1)],
        right=_decoded,
        mistakes={
            "The decoder has biases.": lambda x, codes: _decoded(x, codes, bias=False),
            "This is what is left over; asked is what comes out.": (
                lambda x, codes: x - _decoded(x, codes)
            ),
            "The mean has to be put back.": lambda x, codes: _decoded(x, codes) - x.mean(0),
        },
    ),
    angle=Check(
        cases=[
            (_drawn(2, 5), _drawn(2, 5)),
            (_PLANE, np.array([[1.0, 2.0], [-0.5, 3.0]]) @ _PLANE),
            (_drawn(3, 4), _drawn(3, 4)),
        ],
        right=lambda a, b: _cosines(a, b)[-1],
        mistakes={
            "The rows need not be orthonormal: find a basis of each plane that is.": (
                lambda a, b: _cosines(a, b, orthonormal=False)[-1]
            ),
            "This is the cosine of the smallest angle: two planes may share a direction.": (
                lambda a, b: _cosines(a, b)[0]
            ),
            "Asked is the cosine, not the angle.": (
                lambda a, b: np.arccos(np.minimum(_cosines(a, b)[-1], 1))
            ),
        },
    ),
    noise=Check(
        cases=[(64, 2, 1.0), (64, 8, 0.25), (10, 10, 0.5)],
        right=lambda features, units, variance: variance * units / features,
        mistakes={
            "This is what the projection takes away.": lambda n, k, v: v * (n - k) / n,
            "The error is a mean over the features.": lambda n, k, v: v * k,
            "Noise across the plane does not survive the projection.": lambda n, k, v: v,
            "A share of the variance, not of the standard deviation.": (
                lambda n, k, v: v * (k / n) ** 2
            ),
        },
    ),
    tally=Check(
        cases=[(_SPOTS, _CENTRES, 0.4), (_SPOTS, _CENTRES, 1.0), (_SPOTS[:2], _CENTRES[1:], 0.4)],
        right=_tally,
        mistakes={
            "Points near no centre count too, in the last entry.": (
                lambda points, centres, radius: _tally(points, centres, radius)[:-1]
            ),
            "A point that lies nearest to a centre may still be far from it.": _nearest,
            "The radius is compared with the distance, not with its square.": (
                lambda points, centres, radius: _tally(points, centres, radius**0.5)
            ),
            "Counts, not shares.": (
                lambda points, centres, radius: _tally(points, centres, radius) / len(points)
            ),
        },
    ),
    js=Check(
        cases=[
            (_EVEN, _OTHER),
            (_OTHER, np.array([0.0, 0.5, 0.0, 0.5])),
            (np.array([0.4, 0.6, 0.0]), np.array([0.0, 0.0, 1.0])),
        ],
        right=_js,
        mistakes={
            "0 · log 0 counts as 0: mind the empty cells.": _no_zeros,
            "Half the sum of the two.": lambda p, q: 2 * _js(p, q),
            "Natural logarithms, please.": lambda p, q: _js(p, q) / np.log(2),
            "This is the loss of the best judge.": lambda p, q: 2 * np.log(2) - 2 * _js(p, q),
            "This is one of the two divergences; the other one counts as much.": (
                lambda p, q: _divergence(p, (p + q) / 2)
            ),
        },
    ),
    collapsed=Check(
        cases=[(8, 8), (8, 1), (10, 4)],
        right=_collapsed,
        mistakes={
            "This is the loss of a judge that tosses a coin; the best one need not.": (
                lambda modes, covered: 2 * np.log(2)
            ),
            "Real points of the other modes cost the best judge nothing.": (
                lambda n, m: -np.log(m / (n + m)) - np.log(n / (n + m))
            ),
            "D is the probability that a point is real.": (
                lambda n, m: -m / n * np.log(n / (n + m)) - np.log(m / (n + m))
            ),
            "All made points lie in covered modes, so their term has the weight 1.": (
                lambda n, m: -m / n * (np.log(m / (n + m)) + np.log(n / (n + m)))
            ),
            "The two means are added; the loss is not half of it.": (
                lambda n, m: _collapsed(n, m) / 2
            ),
        },
    ),
    logit=Check(
        cases=[((1.0, 0.5), (-1.0, 2.0)), ((0.0, 1.0), (2.0, 1.0)), ((3.0, 0.2), (2.5, 0.4))],
        parts=("constant", "factor of x", "factor of x²"),
        right=lambda real, made: tuple(_quadratic(real, made)),
        mistakes={
            "The sign is flipped: a large logit means real.": (
                lambda real, made: tuple(-_quadratic(real, made))
            ),
            "The exponent has the square of the standard deviation.": (
                lambda real, made: tuple(_quadratic(real, made, power=1))
            ),
            "The heights of the two densities differ where their spreads do.": (
                lambda real, made: tuple(_quadratic(real, made, heights=False))
            ),
        },
    ),
    orbit=Check(
        cases=[(1.0, 0.0, 0.1, 5, True), (1.0, 0.0, 0.1, 5, False), (-0.5, 2.0, 0.4, 3, True)],
        parts=("g", "d"),
        right=_orbit,
        mistakes={
            "Together means that both use what stood there before the round.": (
                lambda g, d, rate, rounds, together: _orbit(g, d, rate, rounds, False)
            ),
            "In turn means that the generator meets the new d.": (
                lambda g, d, rate, rounds, together: _orbit(g, d, rate, rounds, True)
            ),
            "In turn, the judge moves first.": _generator_first,
            "The judge wants the value high: its step goes up.": _both_down,
        },
    ),
)
