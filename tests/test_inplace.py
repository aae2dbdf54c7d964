"""The rules that a sweep uses give the numbers of the pure ones, in the tensors given to them."""

import inspect

import pytest
import torch

from dlnotes.scratch import optimizers
from dlnotes.training.inplace import FORMS, in_place

SETTINGS = {
    "gd": {},
    "momentum": {"beta": 0.8},
    "nesterov": {"beta": 0.8},
    "adam": {"betas": (0.8, 0.99), "eps": 1e-2},
    "adamw": {"betas": (0.8, 0.99), "eps": 1e-2, "weight_decay": 0.3},
}
CASES = [(name, {}) for name in SETTINGS] + [(name, s) for name, s in SETTINGS.items() if s]
CASES += [("momentum", {"nesterov": True})]


def draw(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_equal_to_the_pure_rule_and_in_place(name, settings):
    rule = getattr(optimizers, name)
    pure, form = rule(**settings), in_place(rule, **settings)
    shapes, lr = {"w": (3, 2, 4), "b": (3, 4)}, torch.tensor([0.3, 0.03, 0.0], dtype=torch.float64)
    expected = {k: draw(s, 0) for k, s in shapes.items()}
    given = {k: v.clone() for k, v in expected.items()}
    one, other = pure.init(expected), form.init(given)
    for step in range(1, 5):
        grads = {k: draw(s, step) for k, s in shapes.items()}
        expected, one = pure.update(grads, one, expected, lr)
        new, other = form.update({k: g.clone() for k, g in grads.items()}, other, given, lr)
        assert all(new[k] is given[k] for k in shapes)
        for k in shapes:
            torch.testing.assert_close(given[k], expected[k], rtol=1e-13, atol=1e-15)


def test_every_form_takes_the_settings_of_its_rule_with_the_same_defaults():
    def settings(function):
        return {p.name: p.default for p in inspect.signature(function).parameters.values()}

    for rule, form in FORMS.items():
        assert settings(form) == settings(rule), rule


def test_settings_out_of_range_are_refused_and_other_rules_stay_as_they_are():
    with pytest.raises(ValueError, match="beta must be"):
        in_place(optimizers.momentum, beta=1.0)
    rule = in_place(optimizers.rmsprop, alpha=0.5)
    params = {"w": torch.ones(2)}
    rule.update({"w": torch.ones(2)}, rule.init(params), params, torch.tensor(0.1))
    assert params["w"].tolist() == [1.0, 1.0]
