"""Chapter 08's network under a slider: what a reader trains by dragging it."""

import json
import math
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch

CHAPTER = Path(__file__).parents[1] / "notebooks/08_optimizers.ipynb"
NEEDED = ("imports", "digits-data", "retrain-code", "retrain-figure")


@pytest.fixture(scope="module")
def chapter() -> Any:
    """Run the cells that the slider needs, as they stand in the chapter; return their names."""
    cells = {c["id"]: "".join(c["source"]) for c in json.loads(CHAPTER.read_text("utf8"))["cells"]}
    names: dict[str, Any] = {}
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    try:
        with plt.rc_context(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(plt, "show", lambda: None)
            for name in NEEDED:
                exec(compile(cells[name], name, "exec"), names)  # our own file, not a reader's
            plt.close("all")
            yield names
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(dtype)


def test_losses_are_those_of_a_plain_loop(chapter):
    """Momentum, written out: the batches of ``fit``, the gradient, the velocity, the step."""
    (x, y), epochs = chapter["train"], 2
    torch.manual_seed(0)
    model = chapter["mlp"](64, 16, 10)
    velocity = [torch.zeros_like(p) for p in model.parameters()]
    order, expected = torch.Generator().manual_seed(0), []
    for _ in range(epochs):
        total = 0.0
        for index in torch.randperm(len(x), generator=order).split(64):
            loss = torch.nn.functional.cross_entropy(model(x[index]), y[index])
            grads = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for p, v, g in zip(model.parameters(), velocity, grads, strict=True):
                    v.mul_(0.9).add_(g)
                    p.sub_(0.05 * v)
            total += loss.item() * len(index)
        expected.append(total / len(x))
    assert chapter["retrain"](0.05, epochs=epochs)["momentum"] == pytest.approx(expected, rel=1e-9)


def test_every_place_of_the_slider_gives_three_lines(chapter):
    slider = chapter["slider"]
    for power in (slider.min, math.log10(slider.value), slider.max):
        losses = chapter["retrain"](10**power)
        assert list(losses) == ["SGD", "momentum", "Adam"]
        assert all(len(values) == 3 for values in losses.values())


def test_a_run_that_diverges_is_nan_and_not_an_error(chapter):
    losses = chapter["retrain"](1e200)["SGD"]
    assert all(map(math.isnan, losses))


def test_moving_the_slider_draws_the_losses_of_its_rate(chapter, monkeypatch):
    drawn = []
    monkeypatch.setattr(plt, "show", lambda: drawn.append(plt.gcf()))
    chapter["slider"].value = 0.1
    (figure,) = drawn
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    for name, losses in chapter["retrain"](0.1).items():
        assert lines[name] == losses
    plt.close(figure)
