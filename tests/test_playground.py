"""The playground's training: Python against torch, and JavaScript against Python."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from explorers import JavaScript
from torch import nn

from dlnotes import playground
from dlnotes.explorers.playground import Explorer
from dlnotes.playground import Settings
from dlnotes.portable import Generator

UPDATES = 200
BASE = {"points": 100, "share": 0.8, "hidden": [5, 4], "lr": 0.05, "batch_size": 12}
# One setting at a time, where it is turned on: 80 training points in batches of 12 (the
# last one of 8) make 7 updates an epoch, so 29 epochs hold 200 updates.
CASES = {
    **{f"data {name}": {"data": name} for name in playground.SHAPES},
    "placed": {"data": "placed", "placed": [[0, 0.5, 1], [1, 0, 0], [-1, 0.25, 1], [0.5, 0.5, 0]]},
    "turns": {"data": "spiral", "turns": 1.75, "noise": 0.02},
    **{f"activation {name}": {"activation": name} for name in (
        "identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "silu")},
    **{f"init {name}": {"init": name, "scale": 0.5} for name in playground.INITS},
    **{f"rule {name}": {"rule": name, "lr": 0.02, "momentum": 0.8} for name in playground.RULES},
    **{f"schedule {name}": {"schedule": name, "planned": 20} for name in playground.SCHEDULES},
    **{f"penalty {name} {rule}": {"penalty": name, "decay": 0.1, "rule": rule, "lr": 0.02}
       for name in ("l2", "decoupled") for rule in ("momentum", "adam")},
    "dropout": {"dropout": 0.3, "activation": "silu"},
    "no hidden layer": {"hidden": [], "data": "blobs"},
    "deep": {"hidden": [3, 3, 3, 3], "init": "kaiming", "rule": "adam", "lr": 0.01},
    "seed": {"seed": 12345, "batch_size": 100},
    "sine with dropout and l2": {"data": "sine", "dropout": 0.2, "penalty": "l2", "rule": "adam"},
}  # fmt: skip
every_case = pytest.mark.parametrize("name", CASES)


def settings(name: str) -> Settings:
    return Settings(**{**BASE, **CASES[name]})


def trajectory(chosen: Settings):
    """Return the loss before each update, all weights after each, and the records."""
    run = playground.start(chosen)
    losses, weights = [], []
    while len(losses) < UPDATES:
        order = run.order.shuffled(len(run.train.y))
        for first in range(0, len(order), chosen.batch_size):
            losses.append(playground.update(run, order[first : first + chosen.batch_size]))
            weights.append(np.concatenate([p.ravel() for p in run.params]))
        run.history.append(playground.measure(run))
    return np.array(losses), np.array(weights), run.history


# ---- Python against torch --------------------------------------------------------

TORCH_ACTIVATIONS = {
    "identity": nn.Identity, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU, "gelu": nn.GELU, "silu": nn.SiLU,
}  # fmt: skip


def torch_optimizer(chosen: Settings, weights, biases):
    """Return torch's optimizer with the decay on the weights only."""
    l2 = chosen.decay if chosen.penalty == "l2" else 0.0
    decoupled = chosen.decay if chosen.penalty == "decoupled" else 0.0
    groups = [{"params": weights, "weight_decay": l2}, {"params": biases, "weight_decay": 0.0}]
    if chosen.rule == "adam" and decoupled:
        groups[0]["weight_decay"] = decoupled
        return torch.optim.AdamW(groups, lr=chosen.lr, betas=(chosen.momentum, 0.999))
    if chosen.rule == "adam":
        return torch.optim.Adam(groups, lr=chosen.lr, betas=(chosen.momentum, 0.999))
    if chosen.rule == "rmsprop":
        return torch.optim.RMSprop(groups, lr=chosen.lr, alpha=chosen.momentum)
    share = 0.0 if chosen.rule == "gd" else chosen.momentum
    return torch.optim.SGD(groups, lr=chosen.lr, momentum=share, nesterov=chosen.rule == "nesterov")


class Dropped(nn.Module):
    """Dropout with masks that the playground's generator draws."""

    def __init__(self, share: float, masks: Generator) -> None:
        super().__init__()
        self.keep, self.masks = 1 - share, masks

    def forward(self, h):
        if self.keep == 1:
            return h
        drawn = [[self.masks.uniform() < self.keep for _ in row] for row in h]
        return h * torch.tensor(drawn) / self.keep


def torch_trajectory(chosen: Settings):
    run = playground.start(chosen)  # for its points and first weights alone
    masks, order = Generator(chosen.seed, 3), Generator(chosen.seed, 2)
    layers, linear = [], []
    for k in range(0, len(run.params), 2):
        weight, bias = (torch.tensor(p) for p in run.params[k : k + 2])
        linear.append(nn.Linear(*reversed(weight.shape), dtype=torch.float64))
        with torch.no_grad():
            linear[-1].weight.copy_(weight)
            linear[-1].bias.copy_(bias)
        layers += [
            linear[-1],
            TORCH_ACTIVATIONS[chosen.activation](),
            Dropped(chosen.dropout, masks),
        ]
    model = nn.Sequential(*layers[:-2])
    loss = nn.MSELoss() if chosen.data == "sine" else nn.BCEWithLogitsLoss()
    optimizer = torch_optimizer(chosen, [m.weight for m in linear], [m.bias for m in linear])
    batches = -(-len(run.train.y) // chosen.batch_size)
    factor = playground.SCHEDULES[chosen.schedule](chosen.planned * batches)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    x, y = torch.tensor(run.train.x), torch.tensor(run.train.y)
    losses, weights = [], []
    while len(losses) < UPDATES:
        for index in torch.tensor(order.shuffled(len(y))).split(chosen.batch_size):
            optimizer.zero_grad()
            value = loss(model(x[index])[:, 0], y[index])
            value.backward()
            if (
                chosen.penalty == "decoupled" and chosen.rule != "adam"
            ):  # torch has it in AdamW only
                with torch.no_grad():
                    for m in linear:
                        m.weight *= 1 - optimizer.param_groups[0]["lr"] * chosen.decay
            optimizer.step()
            scheduler.step()
            losses.append(value.item())
            weights.append(torch.cat([p.detach().ravel() for p in model.parameters()]).numpy())
    return np.array(losses), np.array(weights)


@every_case
def test_python_is_torch(name):
    losses, weights, _ = trajectory(settings(name))
    torch_losses, torch_weights = torch_trajectory(settings(name))
    assert len(losses) >= UPDATES
    np.testing.assert_allclose(losses, torch_losses, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weights, torch_weights, rtol=1e-9, atol=1e-11)


# ---- JavaScript against Python ---------------------------------------------------

TRAJECTORY = f"""(settings => {{
  const run = start(settings), losses = [], weights = [];
  while (losses.length < {UPDATES}) {{
    const order = run.order.shuffled(run.train.length);
    for (let k = 0; k < order.length; k += settings.batch_size) {{
      losses.push(update(run, order.slice(k, k + settings.batch_size)));
      weights.push(Array.from(run.params));
    }}
    run.history.push(measure(run));
  }}
  return [losses, weights, run.history];
}})"""


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript("playground/training.js", "maths/portable.js", "maths/activations.js")


def agree(js: JavaScript, chosen: Settings) -> None:
    losses, weights, history = trajectory(chosen)
    seen = js(f"{TRAJECTORY}({json.dumps(asdict(chosen))})")
    np.testing.assert_allclose(seen[0], losses, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(seen[1], weights, rtol=1e-9, atol=1e-11)
    for row, expected in zip(seen[2], history, strict=True):
        for key, value in expected.items():
            # JSON has no nan: no points to test on
            assert (
                row[key] is None if np.isnan(value) else row[key] == pytest.approx(value, rel=1e-9)
            )


@every_case
def test_javascript_is_python(js, name):
    agree(js, settings(name))


FAULTS = {
    "a derivative": ("sigmoid(z) * (1 + z * sigmoid(-z))", "sigmoid(z)", {"activation": "silu"}),
    "a bias correction": ("(1 - beta1 ** t)", "1", {"rule": "adam"}),
    "a forgotten mean": ("backward(run, slope / index.length", "backward(run, slope", {}),
    "a mask not rescaled": ("? 1 / keep : 0", "? 1 : 0", {"dropout": 0.3}),
    "a penalty on biases": ("for (let i = w; i < b; i += 1)",
                            "for (let i = w; i < b + 1; i += 1)", {"penalty": "l2"}),
    "a schedule by the epoch": ("settings.planned * batches", "settings.planned",
                                {"schedule": "cosine", "planned": 50}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_seen(name):
    old, new, more = FAULTS[name]

    def edit(source: str) -> str:
        assert old in source
        return source.replace(old, new)

    with pytest.raises(AssertionError):
        agree(JavaScript("playground/training.js", edit=edit), Settings(**{**BASE, **more}))


def test_the_generators_draw_alike(js):
    for seed, stream in ((0, 0), (7, 3), (2**31, 1), (123456789, 2)):
        ours = Generator(seed, stream)
        expected = [[ours.uniform(), ours.normal()] for _ in range(50)], ours.shuffled(20)
        seen = js(
            f"(g => [Array.from({{length: 50}}, () => [g.uniform(), g.normal()]), g.shuffled(20)])"
            f"(generator({seed}, {stream}))"
        )
        np.testing.assert_allclose(seen[0], expected[0], rtol=1e-14)
        assert seen[1] == expected[1]


def test_the_generator_is_uniform_and_normal_and_seeds_part_ways():
    random = Generator(3)
    u = np.array([random.uniform() for _ in range(20_000)])
    z = np.array([random.normal() for _ in range(20_000)])
    counts = np.histogram(u, bins=20, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-square, 19 degrees: 1 in 1000
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.025
    assert abs(z.mean()) < 0.025
    assert z.std() == pytest.approx(1, abs=0.02)
    assert np.mean(np.abs(z) < 1.959964) == pytest.approx(0.95, abs=0.006)
    firsts = [Generator(seed).uniform() for seed in range(2000)]
    assert len(set(firsts)) == 2000
    assert abs(np.corrcoef(firsts[:-1], firsts[1:])[0, 1]) < 0.08


def test_javascript_activations_are_those_of_dlnotes(js):
    from dlnotes.scratch.activations import ACTIVATIONS

    z = np.concatenate([np.linspace(-40, 40, 801), [-1e4, 1e4, 1e-9]])
    names = js("Object.keys(activations)")
    assert names == list(ACTIVATIONS)
    for name in names:
        for part, ours in enumerate(ACTIVATIONS[name]):
            seen = js(f"{json.dumps(z.tolist())}.map(activations.{name}[{part}])")
            np.testing.assert_allclose(seen, ours(z), rtol=1e-12, atol=1e-16, err_msg=name)


# ---- points ----------------------------------------------------------------------


@pytest.mark.parametrize("data", playground.SHAPES)
def test_points_are_what_they_are_called(data):
    x, y = playground.points(Settings(data=data, noise=0.0, points=400, turns=1.5))
    assert np.abs(x).max() <= 1.2
    rule = {
        "circles": lambda: np.hypot(*x.T) < 0.75,
        "xor": lambda: x[:, 0] * x[:, 1] < 0,
        "blobs": lambda: x.sum(1) < 0,
        "moons": lambda: np.array([
            abs(np.hypot(a * s + 0.3, b * s + 0.15) - 0.6) < 1e-9 and b * s + 0.15 >= 0
            for (a, b), s in zip(x, 1 - 2 * y, strict=True)]) * y,
        "spiral": lambda: np.cos(np.arctan2(x[:, 1], x[:, 0]) - 3 * np.pi * np.hypot(*x.T)) < 0,
        "curve": lambda: x[:, 1] > 0.4 * np.sin(np.pi * x[:, 0]),
        "sine": lambda: np.sin(np.pi * x[:, 0]),
    }[data]  # fmt: skip
    np.testing.assert_allclose(rule().astype(float), y, atol=1e-12)
    if data != "sine":
        assert y.mean() == 0.5


def test_noise_has_its_size():
    clean, noisy = (playground.points(Settings(noise=v, points=2000)).x for v in (0.0, 0.2))
    assert (noisy - clean).std() == pytest.approx(0.2, abs=0.01)
    clean, noisy = (playground.points(Settings(data="sine", noise=v)) for v in (0.0, 0.2))
    np.testing.assert_array_equal(clean.x, noisy.x)
    assert (noisy.y - clean.y).std() == pytest.approx(0.2, abs=0.02)


def test_training_and_test_points_share_nothing():
    run = playground.start(Settings(points=50, share=0.7))
    assert (len(run.train.y), len(run.test.y)) == (35, 15)
    everything = playground.points(Settings(points=50, share=0.7)).x
    np.testing.assert_array_equal(np.concatenate([run.train.x, run.test.x]), everything)


def test_unknown_data_is_named():
    with pytest.raises(ValueError, match=r"data must be one of circles, .*placed, got 'cirles'"):
        playground.train(data="cirles")


def test_settings_begin_as_those_of_the_page():
    """All but the epochs: the page opens an untrained network, a function trains one."""
    page = replace(Explorer().settings(), epochs=Settings().epochs)
    assert replace(page, hidden=tuple(page.hidden), placed=tuple(page.placed)) == Settings()
