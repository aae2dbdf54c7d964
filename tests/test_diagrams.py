"""The drawn network holds the numbers that were computed, each once."""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from torch import nn

from dlnotes import diagrams
from dlnotes.scratch import backprop


@pytest.fixture
def ax():
    yield plt.figure(figsize=(6.4, 3.9)).add_subplot()
    plt.close("all")


@pytest.fixture
def net():
    rng = np.random.default_rng(0)
    drawn = (*backprop.INPUTS, *backprop.WEIGHTS, *backprop.BIASES)
    return {**backprop.example(), **{name: rng.uniform(-2, 2) for name in drawn}}


def numbers(ax):
    text = "\n".join(text.get_text() for text in ax.texts).replace("−", "-")
    return sorted(float(word) for word in re.findall(r"[-+]?\d+\.\d+", text))


def test_forward_values_and_weights_are_drawn_once_each(ax, net):
    values = backprop.forward(net)
    assert diagrams.network(ax, net, values) is ax
    assert numbers(ax) == pytest.approx(sorted([*net.values(), *values.values()]), abs=1e-3)


def test_gradients_are_drawn_beside_what_they_belong_to(ax, net):
    values = backprop.forward(net)
    d = backprop.backward(net, values)
    diagrams.network(ax, net, values, d)
    at = {text.get_position(): text.get_text().replace("−", "-") for text in ax.texts}
    for (x, y), text in at.items():
        name = text.split()[0]
        if re.fullmatch(r"[wb]\d", name):
            below = max((b for a, b in at if a == x and b < y), default=None)
            assert float(at[x, below]) == pytest.approx(d[f"dE/d{name}"], abs=5e-5)
    signals = [d[f"dE/dnet_{unit}"] for unit in ("h1", "h2", "o1", "o2")]
    for signal in signals:
        assert min(abs(number - signal) for number in numbers(ax)) <= 5e-5


def clashes(ax):
    """The pairs of texts that lie over one another."""
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent().shrunk(0.98, 0.9) for text in ax.texts]
    names = [text.get_text() for text in ax.texts]
    return [
        (a, b)
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i < j and a and b and boxes[i].overlaps(boxes[j])
    ]


def test_no_text_overlaps_another(ax, net):
    values = backprop.forward(net)
    diagrams.network(ax, net, values, backprop.backward(net, values))
    assert clashes(ax) == []


def test_a_graph_shows_each_value_slope_and_edge_once(ax):
    places = {"x": (0, 0), "a": (2, 1), "y": (4, 0)}
    edges = [("x", "a", "4"), ("x", "a", "5"), ("a", "y", "6"), ("x", "y")]
    values = {"x": "2", "a": "3", "y": "7"}
    assert diagrams.graph(ax, places, edges, values, {"x": "8", "y": "1"}) is ax
    texts = sorted(text.get_text() for text in ax.texts)
    assert texts == sorted(["4", "5", "6", "x\n2", "a\n3", "y\n7", "8", "1"])
    assert len(ax.patches) == len(edges)


def test_arrows_of_a_graph_end_at_the_boxes(ax):
    places = {"x": (0, 0), "a long name": (4, 0), "y": (4, 3)}
    edges = [("x", "a long name"), ("x", "y"), ("a long name", "y")]
    diagrams.graph(ax, places, edges, {})
    ax.figure.canvas.draw()
    boxes = {text.get_text(): text.get_bbox_patch().get_window_extent() for text in ax.texts}
    for arrow, (_, target) in zip(ax.patches, edges, strict=True):
        (x, y), box = arrow.get_transform().transform(arrow.get_path().vertices)[2], boxes[target]
        outside = (max(box.x0 - x, x - box.x1, 0), max(box.y0 - y, y - box.y1, 0))
        assert max(outside) < 4


def test_two_edges_between_the_same_nodes_are_bent_apart_with_their_texts(ax):
    diagrams.graph(ax, {"x": (0, 0), "a": (4, 0)}, [("x", "a", "u"), ("x", "a", "v")], {})
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert heights["u"] * heights["v"] < -0.1


@pytest.mark.parametrize("sizes", [[3, 3, 2, 2], [1, 2], [2, 5, 1]])
def test_layers_has_a_circle_a_unit_a_line_a_weight_and_the_right_counts(ax, sizes):
    assert diagrams.layers(ax, sizes) is ax
    assert len(ax.patches) == sum(sizes)
    assert len(ax.lines) == sum(a * b for a, b in itertools.pairwise(sizes))
    counts = [text.get_text() for text in ax.texts if "=" in text.get_text()]
    made = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    wanted = [sum(p.numel() for p in layer.parameters()) for layer in made]
    assert [int(text.split("=")[1]) for text in counts] == wanted


def test_layers_joins_every_unit_to_every_unit_before_it(ax):
    diagrams.layers(ax, [2, 3])
    at = {tuple(patch.center) for patch in ax.patches}
    ends = {tuple(map(tuple, line.get_xydata())) for line in ax.lines}
    assert len(ends) == 6
    assert {point for line in ends for point in line} == at


def test_a_network_of_one_layer_of_units_is_refused(ax):
    with pytest.raises(ValueError, match="at least one layer"):
        diagrams.layers(ax, [3])
