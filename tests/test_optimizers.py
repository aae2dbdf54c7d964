"""Update rules against torch.optim, whole paths at a time, and what the interface promises."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from dlnotes.scratch import optimizers
from dlnotes.surfaces import SURFACES

# Forty steps separate the rules. On longer paths RMSprop with a short memory bounces to and
# fro across a minimum and is chaotic: on Beale a last digit grows to the fourth by step 100.
STEPS = 40

# Both sides do the same few float64 operations a step, in another order. Measured over all
# cases, that moves no coordinate by more than 4e-15; atol is for coordinates close to zero.
CLOSE = {"rtol": 1e-12, "atol": 1e-14}


class Case(NamedTuple):
    """One descent: a surface, a rule of ours with its arguments, a learning rate."""

    surface: str
    rule: str
    settings: dict[str, Any]
    lr: float

    def __str__(self) -> str:
        settings = "-".join(f"{k}={v}" for k, v in self.settings.items())
        return f"{self.surface}-{self.rule}-{settings}-lr={self.lr:g}"


# Learning rates that gradient descent with momentum 0.9 survives on each surface; the
# rules that divide by the size of the gradient take the same rates everywhere.
STABLE = {
    "wave": 0.01, "plateau": 0.5, "bowl": 0.1, "ravine": 0.02,
    "saddle": 0.1, "rosenbrock": 1e-4, "beale": 2e-3, "himmelblau": 2e-3,
}  # fmt: skip
PLAIN = [("gd", {}), *((n, {"beta": b}) for n in ("momentum", "nesterov") for b in (0.5, 0.9))]
# eps = 1e-2 is there because 1e-8 hides where it is added: inside the root or outside.
SCALED = [
    *(("adagrad", {"eps": e}) for e in (1e-10, 1e-2)),
    *(("rmsprop", {"alpha": a, "eps": e}) for a in (0.9, 0.99) for e in (1e-8, 1e-2)),
    *(("adam", {"betas": b, "eps": e}) for b in ((0.9, 0.999), (0.8, 0.99)) for e in (1e-8, 1e-2)),
    *(("adamw", {"eps": e, "weight_decay": w}) for e in (1e-8, 1e-2) for w in (1e-2, 0.3)),
]
CASES = [
    *(Case(s, r, k, f * lr) for s, lr in STABLE.items() for r, k in PLAIN for f in (1.0, 0.3)),
    *(Case(s, r, k, lr) for s in STABLE for r, k in SCALED for lr in (0.05, 0.01)),
]


# The explorers have no such sum to begin with, so it is not among the cases that they are
# compared on.
ADAGRAD = [
    Case(s, "adagrad", {"initial": a, "eps": 1e-2}, lr)
    for s in STABLE
    for a in (0.0, 0.5)
    for lr in (0.5, 0.05)
]


def torch_path(case: Case, count: int = STEPS) -> np.ndarray:
    """Return the path of torch.optim, with gradients from autograd."""
    x = torch.tensor(SURFACES[case.surface].start, dtype=torch.float64, requires_grad=True)
    settings = dict(case.settings)
    if case.rule in ("gd", "momentum", "nesterov"):
        beta = settings.get("beta", 0.0)
        nesterov = case.rule == "nesterov"
        optimizer: Any = torch.optim.SGD([x], lr=case.lr, momentum=beta, nesterov=nesterov)
    else:
        kinds = {"rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad"}
        kind = kinds[case.rule]
        if "initial" in settings:
            settings["initial_accumulator_value"] = settings.pop("initial")
        optimizer = getattr(torch.optim, kind)([x], lr=case.lr, **settings)
    path = [x.detach().clone()]
    for _ in range(count):
        optimizer.zero_grad()
        SURFACES[case.surface].value(x).backward()
        optimizer.step()
        path.append(x.detach().clone())
    return torch.stack(path).numpy()


def scratch_path(case: Case, kind: str = "numpy", count: int = STEPS) -> np.ndarray:
    """Return the path of `dlnotes.scratch.optimizers`."""
    surface = SURFACES[case.surface]
    rule = getattr(optimizers, case.rule)(**case.settings)
    start: Any = np.array(surface.start)
    if kind == "torch":
        start = torch.from_numpy(start)
    return np.asarray(optimizers.descend(surface.grad, start, rule, case.lr, count))


@pytest.mark.parametrize("case", [*CASES, *ADAGRAD], ids=str)
def test_path_is_that_of_torch(case):
    expected = torch_path(case)
    assert np.abs(expected).max() < 50, "this case diverges: it would prove nothing"
    assert np.ptp(expected, axis=0).max() > 1e-3, "this case stands still: it would prove nothing"
    np.testing.assert_allclose(scratch_path(case), expected, **CLOSE)


@pytest.mark.parametrize("case", [*CASES[::7], *ADAGRAD[::7]], ids=str)
def test_tensors_and_arrays_give_one_path(case):
    np.testing.assert_allclose(scratch_path(case, "torch"), scratch_path(case), **CLOSE)


@pytest.mark.parametrize("surface", ["bowl", "ravine", "rosenbrock", "beale"])
def test_adagrad_is_that_of_torch_over_200_steps(surface):
    case = Case(surface, "adagrad", {}, 0.5)
    expected = torch_path(case, 200)
    np.testing.assert_allclose(scratch_path(case, count=200), expected, rtol=1e-11, atol=1e-14)


# The defaults of ours that torch has too, compared where they show.
@pytest.mark.parametrize("rule", ["adagrad", "rmsprop", "adam", "adamw"])
def test_defaults_are_those_of_torch(rule):
    case = Case("ravine", rule, {}, 0.05)
    np.testing.assert_allclose(scratch_path(case), torch_path(case), **CLOSE)


RULES = {
    "gd": optimizers.gd(),
    "momentum": optimizers.momentum(),
    "nesterov": optimizers.nesterov(),
    "adagrad": optimizers.adagrad(initial=0.1),
    "rmsprop": optimizers.rmsprop(),
    "adam": optimizers.adam(),
    "adamw": optimizers.adamw(weight_decay=0.1),
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def steps(rule, params, grads, lr):
    state = rule.init(params)
    for g in grads:
        params, state = rule.update(g, state, params, lr)
    return params


def draw(shape, generator):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@every_rule
@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (2, 3, 4)])
def test_any_shape_is_updated_element_by_element(rule, shape):
    generator = torch.Generator().manual_seed(0)
    params = draw(shape, generator)
    grads = [draw(shape, generator) for _ in range(3)]
    after = steps(rule, params, grads, 0.1)
    assert after.shape == shape
    for i in np.ndindex(*shape):
        one = steps(rule, params[i], [g[i] for g in grads], 0.1)
        torch.testing.assert_close(after[i], one, rtol=1e-15, atol=0)


@every_rule
@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_containers_of_arrays_are_updated_leaf_by_leaf(rule, kind):
    leaves = {"w": torch.ones(2, 3), "b": torch.zeros(3)}
    grads = {"w": torch.full((2, 3), 0.5), "b": torch.full((3,), -2.0)}
    pack = (lambda d: d) if kind is dict else (lambda d: kind(d.values()))
    after = steps(rule, pack(leaves), [pack(grads)] * 2, 0.1)
    assert type(after) is kind
    for name, got in zip(leaves, after.values() if kind is dict else after, strict=True):
        alone = steps(rule, leaves[name], [grads[name]] * 2, 0.1)
        torch.testing.assert_close(got, alone, rtol=0, atol=0)


@every_rule
def test_lr_with_a_runs_axis_is_the_runs_one_by_one(rule):
    generator = torch.Generator().manual_seed(0)
    lrs = torch.tensor([0.3, 0.03, 0.003], dtype=torch.float64)
    shapes = {"w": (3, 2, 4), "b": (3, 4), "scale": (3,)}
    params = {k: draw(s, generator) for k, s in shapes.items()}
    grads = [{k: draw(s, generator) for k, s in shapes.items()} for _ in range(3)]

    def run_of(tree, run):
        return {k: v[run] for k, v in tree.items()}

    together = steps(rule, params, grads, lrs)
    for run, lr in enumerate(lrs.tolist()):
        alone = steps(rule, run_of(params, run), [run_of(g, run) for g in grads], lr)
        for name in shapes:
            torch.testing.assert_close(together[name][run], alone[name], rtol=1e-15, atol=0)


@every_rule
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_arguments_are_left_alone(rule, kind):
    make = np.array if kind == "numpy" else torch.tensor
    params, grads = {"w": make([1.0, -2.0])}, {"w": make([0.5, 0.25])}
    params, state = rule.update(grads, rule.init(params), params, 0.1)  # a state beyond zero
    before = [repr(x) for x in (params, grads, state)]
    rule.update(grads, state, params, 0.1)
    assert [repr(x) for x in (params, grads, state)] == before


@every_rule
def test_descend_keeps_the_start_and_counts_the_steps(rule):
    start = np.array([1.0, 2.0])
    path = optimizers.descend(lambda x: 2 * x, start, rule, 0.1, 5)
    assert path.shape == (6, 2)
    np.testing.assert_array_equal(path[0], [1.0, 2.0])
    np.testing.assert_array_equal(start, [1.0, 2.0])
    assert optimizers.descend(lambda x: 2 * x, start, rule, 0.1, 0).shape == (1, 2)


@every_rule
def test_integer_start_is_not_truncated(rule):
    path = optimizers.descend(lambda x: 2 * x, np.array([1, 2]), rule, 0.1, 2)
    as_float = optimizers.descend(lambda x: 2 * x, np.array([1.0, 2.0]), rule, 0.1, 2)
    np.testing.assert_array_equal(path, as_float)


def test_a_diverged_run_is_returned_without_a_warning():
    path = optimizers.descend(lambda x: x**3, np.array([9.0]), optimizers.gd(), 1.0, 20)
    assert path.shape == (21, 1)
    assert not np.isfinite(path[-1]).all()


@pytest.mark.parametrize("bad", [-0.1, 1.0, 2.0, float("nan")])
@pytest.mark.parametrize(
    ("rule", "build"),
    [
        ("momentum", lambda v: {"beta": v}),
        ("nesterov", lambda v: {"beta": v}),
        ("rmsprop", lambda v: {"alpha": v}),
        ("adam", lambda v: {"betas": (v, 0.999)}),
        ("adam", lambda v: {"betas": (0.9, v)}),
        ("adamw", lambda v: {"betas": (v, 0.999)}),
        ("adamw", lambda v: {"betas": (0.9, v)}),
    ],
)
def test_share_outside_zero_to_one_is_refused(rule, build, bad):
    settings = build(bad)
    with pytest.raises(ValueError, match="must be at least 0 and below 1, got"):
        getattr(optimizers, rule)(**settings)


def test_a_share_of_zero_is_no_memory():
    grad, start = np.array([3.0, -1.0]), np.array([1.0, 2.0])
    paths = [
        optimizers.descend(lambda p: grad * p, start, rule, 0.1, 5)
        for rule in (optimizers.gd(), optimizers.momentum(0.0))
    ]
    np.testing.assert_array_equal(*paths)


@pytest.mark.parametrize("bad", [-1e-8, float("nan")])
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        *(("adagrad", "eps"), ("adagrad", "initial"), ("rmsprop", "eps"), ("adam", "eps")),
        *(("adamw", "eps"), ("adamw", "weight_decay")),
    ],
)
def test_negative_constant_is_refused(rule, name, bad):
    with pytest.raises(ValueError, match=f"{name} must not be negative"):
        getattr(optimizers, rule)(**{name: bad})
