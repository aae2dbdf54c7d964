"""The network of the playground: small data, a small network, and its training, in NumPy.

`train` repeats what the page has done: the same points, weights, batches and masks, and
so the same numbers. Everything random comes from `dlnotes.portable`; update rules,
activations and schedules are those of ``dlnotes.scratch``.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dlnotes.portable import Generator
from dlnotes.scratch import activations, optimizers, schedules

Array = npt.NDArray[np.float64]
DATA, WEIGHTS, ORDER, MASKS = range(4)  #: The streams of random numbers that one seed gives.

STUCK = 0.01  #: A slope of this size, or less, passes next to nothing on.

#: By name, from what the momentum knob says to the update rule.
RULES: dict[str, Callable[[float], optimizers.Optimizer]] = {
    "gd": lambda share: optimizers.gd(),
    "momentum": lambda share: optimizers.momentum(share),
    "nesterov": lambda share: optimizers.nesterov(share),
    "rmsprop": lambda share: optimizers.rmsprop(share),
    "adam": lambda share: optimizers.adam((share, 0.999)),
}

#: By name, from the planned number of updates to the schedule.
SCHEDULES: dict[str, Callable[[int], schedules.Schedule]] = {
    "constant": lambda steps: schedules.constant(),
    "step": lambda steps: schedules.step_decay(max(1, steps // 3)),
    "exponential": lambda steps: schedules.exponential(0.01 ** (1 / steps)),
    "cosine": lambda steps: schedules.cosine(steps),
    "warmup_cosine": lambda steps: schedules.warmup(
        max(1, steps // 10), schedules.cosine(steps - max(1, steps // 10))
    ),
}


@dataclass(frozen=True)
class Settings:
    """What decides a run. Every name is that of a control of the page."""

    data: str = "circles"
    noise: float = 0.1
    points: int = 200
    share: float = 0.5
    turns: float = 1.0
    placed: Sequence[Sequence[float]] = ()
    hidden: Sequence[int] = (4, 4)
    activation: str = "tanh"
    init: str = "xavier"
    scale: float = 1.0
    rule: str = "gd"
    lr: float = 0.1
    momentum: float = 0.9
    batch_size: int = 10
    schedule: str = "constant"
    planned: int = 100
    penalty: str = "none"
    decay: float = 0.01
    dropout: float = 0.0
    seed: int = 0
    epochs: int = 100


class Points(NamedTuple):
    """Inputs of shape (points, 2), or (points, 1) for the sine, and targets (points,)."""

    x: Array
    y: Array


@dataclass
class Run:
    """A network in training: weights and biases layer by layer, and what was recorded."""

    settings: Settings
    train: Points
    test: Points
    params: list[Array]
    state: Any = None
    order: Generator = field(default_factory=lambda: Generator(0))
    masks: Generator = field(default_factory=lambda: Generator(0))
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    grads: list[Array] = field(default_factory=list)


# ---- data ------------------------------------------------------------------------


def points(settings: Settings) -> Points:
    """Make the points of a run: two classes (0 and 1) in the plane, or a noisy sine.

    Class 0 and class 1 take turns. Noise is the standard deviation of a normal number
    that is added to both coordinates after the class is settled, or to the sine.

    Raises
    ------
    ValueError
        If the name is not known.

    Examples
    --------
    >>> x, y = points(Settings(data="circles", noise=0.0, points=4))
    >>> np.hypot(*x.T).round(6).tolist(), y.tolist()
    ([1.0, 0.5, 1.0, 0.5], [0.0, 1.0, 0.0, 1.0])
    """
    if settings.data == "placed":
        table = np.array(settings.placed, dtype=float).reshape(-1, 3)
        return Points(table[:, :2], table[:, 2])
    if settings.data not in SHAPES:
        known = ", ".join([*SHAPES, "placed"])
        raise ValueError(f"data must be one of {known}, got {settings.data!r}")
    random = Generator(settings.seed, DATA)
    xs, ys = [], []
    for k in range(settings.points):
        place, target = SHAPES[settings.data](random, k % 2, settings.turns)
        noise = [settings.noise * random.normal() for _ in range(2)]
        if len(place) == 1:
            target += noise[0]
        else:
            place = [p + e for p, e in zip(place, noise, strict=True)]
        xs.append(place)
        ys.append(target)
    return Points(np.array(xs), np.array(ys, dtype=float))


def _circle(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    angle, radius = 2 * math.pi * random.uniform(), 1 - 0.5 * label
    return [radius * math.cos(angle), radius * math.sin(angle)], label


def _xor(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    # Class 1 where the signs differ; a gap of 0.1 on either side of the axes.
    x, y = (0.1 + 0.9 * random.uniform() for _ in range(2))
    sign = 1 if random.uniform() < 0.5 else -1
    return [sign * x, sign * y * (1 - 2 * label)], label


def _blob(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    middle = 1 - 2 * label
    return [0.5 * middle + 0.15 * random.normal(), 0.5 * middle + 0.15 * random.normal()], label


def _moon(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    angle, side = math.pi * random.uniform(), 1 - 2 * label
    return [side * (0.6 * math.cos(angle) - 0.3), side * (0.6 * math.sin(angle) - 0.15)], label


def _spiral(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    along = math.sqrt(random.uniform())  # as dense outside as inside
    angle = 2 * math.pi * turns * along + math.pi * label
    return [along * math.cos(angle), along * math.sin(angle)], label


def _curve(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    x = 2 * random.uniform() - 1
    away = (0.05 + 0.6 * random.uniform()) * (2 * label - 1)
    return [x, 0.4 * math.sin(math.pi * x) + away], label


def _sine(random: Generator, label: int, turns: float) -> tuple[list[float], float]:
    x = 2 * random.uniform() - 1
    return [x], math.sin(math.pi * x)


#: By name, ``(generator, class, turns of the spiral)`` to a place and a target.
SHAPES = {
    "circles": _circle,
    "xor": _xor,
    "blobs": _blob,
    "moons": _moon,
    "spiral": _spiral,
    "curve": _curve,
    "sine": _sine,
}

# ---- network ---------------------------------------------------------------------


def initial(settings: Settings, inputs: int) -> list[Array]:
    """Return the first weights and biases: [W1, b1, W2, b2, …], W of shape (out, in)."""
    random = Generator(settings.seed, WEIGHTS)
    sizes = [inputs, *settings.hidden, 1]
    params = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        draw = INITS[settings.init](random, fan_in, fan_out, settings.scale)
        weight = [[draw() for _ in range(fan_in)] for _ in range(fan_out)]
        bias = [draw() if settings.init == "default" else 0.0 for _ in range(fan_out)]
        params += [np.array(weight), np.array(bias)]
    return params


def _uniform_up_to(random: Generator, reach: float) -> Callable[[], float]:
    return lambda: reach * (2 * random.uniform() - 1)


#: By name, ``(generator, fan_in, fan_out, scale)`` to a function that draws one weight.
INITS: dict[str, Callable[[Generator, int, int, float], Callable[[], float]]] = {
    "zero": lambda random, fan_in, fan_out, scale: lambda: 0.0,
    "constant": lambda random, fan_in, fan_out, scale: lambda: scale,
    "normal": lambda random, fan_in, fan_out, scale: lambda: scale * random.normal(),
    "xavier": lambda random, fan_in, fan_out, scale: (
        lambda: math.sqrt(2 / (fan_in + fan_out)) * random.normal()
    ),
    "kaiming": lambda random, fan_in, fan_out, scale: (
        lambda: math.sqrt(2 / fan_in) * random.normal()
    ),
    "default": lambda random, fan_in, fan_out, scale: _uniform_up_to(random, 1 / math.sqrt(fan_in)),
}


class Pass(NamedTuple):
    """What a forward pass keeps: weighted sums, outputs (inputs first), dropout's factors."""

    nets: list[Array]
    outs: list[Array]
    factors: list[Array]


def forward(params: Sequence[Array], x: Array, settings: Settings, masks: Any = None) -> Pass:
    """Run a batch through the network; with a generator `masks`, hidden units drop out.

    A unit that stays is divided by its chance to stay. The last layer has no activation:
    its output, ``outs[-1]`` of shape (samples, 1), is a logit or the fitted value.
    """
    activation = activations.ACTIVATIONS[settings.activation][0]
    nets, outs, factors = [], [x], []
    for k in range(0, len(params), 2):
        nets.append(outs[-1] @ params[k].T + params[k + 1])
        if k == len(params) - 2:
            outs.append(nets[-1])
            break
        factor = np.ones_like(nets[-1])
        if masks is not None and settings.dropout > 0:
            keep = 1 - settings.dropout
            for place in np.ndindex(factor.shape):
                factor[place] = 1 / keep if masks.uniform() < keep else 0.0
        factors.append(factor)
        outs.append(activation(nets[-1]) * factor)
    return Pass(nets, outs, factors)


def loss_of(out: Array, y: Array, regression: bool) -> tuple[float, Array]:
    """Return the mean loss and its slope at the output: squared error, or cross-entropy."""
    z = out[:, 0]
    if regression:
        return float(((z - y) ** 2).mean()), (2 * (z - y) / len(y))[:, None]
    values = np.logaddexp(0, z) - y * z
    return float(values.mean()), ((activations.sigmoid(z) - y) / len(y))[:, None]


def backward(params: Sequence[Array], kept: Pass, slope: Array, settings: Settings) -> list[Array]:
    """Return the gradient of each entry of `params`."""
    activation_slope = activations.ACTIVATIONS[settings.activation][1]
    grads: list[Array] = []
    for k in range(len(params) - 2, -1, -2):
        layer = k // 2
        if k < len(params) - 2:
            slope = slope * kept.factors[layer] * activation_slope(kept.nets[layer])
        grads = [slope.T @ kept.outs[layer], slope.sum(0), *grads]
        slope = slope @ params[k]
    return grads


# ---- training --------------------------------------------------------------------


def start(settings: Settings) -> Run:
    """Return a run before its first update: the first ``share`` of the points train.

    Of points that were placed by hand all of them train.
    """
    x, y = points(settings)
    share = 1.0 if settings.data == "placed" else settings.share
    count = max(1, math.floor(share * len(y) + 0.5))
    params = initial(settings, x.shape[1])
    run = Run(
        settings,
        train=Points(x[:count], y[:count]),
        test=Points(x[count:], y[count:]),
        params=params,
        state=RULES[settings.rule](settings.momentum).init(params),
        order=Generator(settings.seed, ORDER),
        masks=Generator(settings.seed, MASKS),
    )
    run.history.append(measure(run))
    return run


def update(run: Run, index: Sequence[int]) -> float:
    """Make one update from the samples `index`; return their loss before it.

    An L2 penalty ½ λ Σ w² adds λ w to the gradient of the weights; decoupled decay
    multiplies them by 1 - lr λ. Biases are left alone by both.
    """
    s = run.settings
    x, y = run.train.x[index], run.train.y[index]
    kept = forward(run.params, x, s, run.masks)
    loss, slope = loss_of(kept.outs[-1], y, s.data == "sine")
    run.grads = backward(run.params, kept, slope, s)
    lr = s.lr * rate_factor(run)
    for k in range(0, len(run.params), 2):
        if s.penalty == "l2":
            run.grads[k] = run.grads[k] + s.decay * run.params[k]
        if s.penalty == "decoupled":
            run.params[k] = run.params[k] * (1 - lr * s.decay)
    rule = RULES[s.rule](s.momentum)
    run.params, run.state = rule.update(run.grads, run.state, run.params, lr)
    run.step += 1
    return loss


def rate_factor(run: Run) -> float:
    """Return the schedule's factor on the learning rate at the coming update."""
    s = run.settings
    batches = max(1, -(-len(run.train.y) // s.batch_size))
    return SCHEDULES[s.schedule](s.planned * batches)(run.step)


def epoch(run: Run) -> None:
    """Go through the training points once, in a new order, batch by batch."""
    order = run.order.shuffled(len(run.train.y))
    for first in range(0, len(order), run.settings.batch_size):
        update(run, order[first : first + run.settings.batch_size])
    run.history.append(measure(run))


def measure(run: Run) -> dict[str, float]:
    """Return losses and accuracies of both parts, without dropout; nan where there are none."""
    row: dict[str, float] = {}
    for name, (x, y) in (("train", run.train), ("test", run.test)):
        if not len(y):
            row |= {f"{name}_loss": math.nan, f"{name}_accuracy": math.nan}
            continue
        out, regression = forward(run.params, x, run.settings).outs[-1], run.settings.data == "sine"
        right = float(np.mean((out[:, 0] > 0) == (y > 0.5)))
        row[f"{name}_loss"] = loss_of(out, y, regression)[0]
        row[f"{name}_accuracy"] = math.nan if regression else right
    return row


def report(run: Run) -> list[tuple[float, float]]:
    """Return for each layer its gradient norm, and for hidden ones the share of stuck units.

    The gradient is that of the loss over all training points, without dropout or penalty.
    A unit is stuck if its slope is below 0.01 in size at every training point: a dead
    ReLU, a saturated sigmoid. The share of the output layer, which has no activation, is 0.
    """
    x, y = run.train
    if not len(y):
        return [(0.0, 0.0)] * (len(run.params) // 2)
    kept = forward(run.params, x, run.settings)
    grads = backward(
        run.params, kept, loss_of(kept.outs[-1], y, run.settings.data == "sine")[1], run.settings
    )
    slope = activations.ACTIVATIONS[run.settings.activation][1]
    shares = [float((np.abs(slope(net)) < STUCK).all(axis=0).mean()) for net in kept.nets[:-1]]
    norms = [math.hypot(*grads[k].ravel(), *grads[k + 1]) for k in range(0, len(grads), 2)]
    return list(zip(norms, [*shares, 0.0], strict=True))


def train(**settings: Any) -> Run:
    """Train a network as the page does and return the run.

    Parameters
    ----------
    **settings
        Fields of `Settings`; what is left out has the page's default.

    Examples
    --------
    >>> run = train(data="blobs", hidden=[2], lr=0.5, epochs=20)
    >>> run.history[-1]["train_loss"] < run.history[0]["train_loss"]
    True
    """
    run = start(Settings(**settings))
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged run ends in inf and nan
        for _ in range(run.settings.epochs):
            epoch(run)
    return run
