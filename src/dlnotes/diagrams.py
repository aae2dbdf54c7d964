"""Networks drawn with their numbers: nodes, edges, and what was computed at each.

As in `plots`, each function takes the axes to draw on and returns them.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

_LINE, _WEIGHT, _FORWARD, _BACKWARD = "#8a93a0", "#333333", "C0", "C1"
_COLUMNS = {"i": 0.6, "h": 3.9, "o": 7.2, "E": 9.3}  # one a layer
_ROWS = {"1": 4.6, "2": 1.3}  # one a unit
_EDGES = {
    **{"w1": ("i1", "h1"), "w2": ("i2", "h1"), "w3": ("i1", "h2"), "w4": ("i2", "h2")},
    **{"w5": ("h1", "o1"), "w6": ("h2", "o1"), "w7": ("h1", "o2"), "w8": ("h2", "o2")},
}
_RADIUS = 0.55
_SIZE = 9.5  # of the texts in a graph, in points


def network(
    ax: Axes,
    net: Mapping[str, float],
    values: Mapping[str, float],
    gradients: Mapping[str, float] | None = None,
) -> Axes:
    """Draw the network of `dlnotes.scratch.backprop` with its numbers, to four digits.

    Parameters
    ----------
    ax : Axes
        Where to draw: about 6 by 4 inches.
    net : mapping
        The network, as from ``backprop.example``.
    values : mapping
        What ``backprop.forward`` returned for it: outputs stand in the nodes, sums beside.
    gradients : mapping, optional
        What ``backprop.backward`` returned for it: beside each node and under each weight.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from dlnotes.scratch import backprop
    >>> net = backprop.example()
    >>> ax = network(plt.figure().add_subplot(), net, backprop.forward(net))
    >>> [text.get_text() for text in ax.texts if text.get_text().startswith("w5")]
    ['w5 = 0.4']
    """

    def write(x: float, y: float, text: str, color: str = _FORWARD, **box: Any) -> None:
        text = text.replace("-", "−")
        ax.text(x, y, text, color=color, ha="center", va="center", fontsize=9.5, **box)

    white: dict[str, Any] = {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8}}
    for name, (source, target) in _EDGES.items():
        start, end = ((_COLUMNS[unit[0]], _ROWS[unit[1]]) for unit in (source, target))
        ax.plot(*zip(start, end, strict=True), color=_LINE, lw=1, zorder=1)
        along = 0.5 if start[1] == end[1] else 0.3  # the two diagonals cross in the middle
        x, y = (a + along * (b - a) for a, b in zip(start, end, strict=True))
        write(x, y, f"{name} = {net[name]:.4g}", _WEIGHT, **white)
        if gradients:
            write(x, y - 0.37, f"{gradients[f'dE/d{name}']:+.4f}", _BACKWARD, **white)

    for unit in ("i1", "i2", "h1", "h2", "o1", "o2"):
        x, y = _COLUMNS[unit[0]], _ROWS[unit[1]]
        ax.add_patch(Circle((x, y), _RADIUS, facecolor="white", edgecolor=_LINE, zorder=2))
        out = net[unit] if unit in net else values[f"out_{unit}"]
        write(x, y, f"{unit}\n{out:.4f}")
        if unit in net:
            continue
        away = 1 if unit[1] == "1" else -1  # outwards: inside there is no room
        write(x, y + 0.82 * away, f"net = {values[f'net_{unit}']:.4f}")
        if gradients:
            write(x, y + 1.2 * away, f"{gradients[f'dE/dnet_{unit}']:+.4f}", _BACKWARD)

    for row, y in _ROWS.items():
        ax.plot((_COLUMNS["o"], _COLUMNS["E"]), (y, y), color=_LINE, lw=1, zorder=1)
        text = f"target {net[f't{row}']:.4g}\nerror {values[f'E_o{row}']:.4f}"
        write(_COLUMNS["E"], y, text, **white)
    middle = sum(_ROWS.values()) / 2
    write(_COLUMNS["E"], middle, f"E = {values['E']:.4f}")
    for layer, bias in (("h", "b1"), ("o", "b2")):  # one bias for both units of a layer
        write(_COLUMNS[layer], middle, f"{bias} = {net[bias]:.4g}", _WEIGHT)
        if gradients:
            write(_COLUMNS[layer], middle - 0.37, f"{gradients[f'dE/d{bias}']:+.4f}", _BACKWARD)
    ax.set(xlim=(0, 10.1), ylim=(-0.1, 6.0), aspect="equal")
    ax.set_axis_off()
    return ax


def graph(
    ax: Axes,
    places: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, ...]],
    values: Mapping[str, str],
    slopes: Mapping[str, str] | None = None,
) -> Axes:
    r"""Draw a graph of computation: a box for each node, an arrow from each input.

    Parameters
    ----------
    ax : Axes
        Where to draw; a box is about 1.3 wide and 0.8 high.
    places : mapping of str to (x, y)
        The middle of each node's box, by the name that is written in it.
    edges : sequence of (source, target) or (source, target, text)
        Inputs; a text, such as a local slope, stands beside the arrow. Two edges between
        the same nodes are bent apart.
    values : mapping of str to str
        What stands in the box under the name.
    slopes : mapping of str to str, optional
        What stands under the box, right of its middle.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().add_subplot()
    >>> ax = graph(ax, {"x": (0, 0), "y": (3, 0)}, [("x", "y", "6")], {"x": "3", "y": "9"})
    >>> [text.get_text() for text in ax.texts]
    ['x\n3', 'y\n9', '6']
    """
    halves = {}  # of each box in points, to end arrows at its edge
    for name, (x, y) in places.items():
        color = _FORWARD if values.get(name) else _WEIGHT
        box = ax.text(
            x,
            y,
            "\n".join(filter(None, (name, values.get(name)))),
            color=color,
            ha="center",
            va="center",
            fontsize=_SIZE,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": _LINE},
            zorder=3,
        )
        extent, pixels, pad = box.get_window_extent(), ax.figure.dpi / 72, 0.35 * _SIZE
        halves[name] = (extent.width / pixels / 2 + pad, extent.height / pixels / 2 + pad)
        if slopes and name in slopes:  # right of the middle, where an arrow may come from below
            below = (3, -halves[name][1] - 9)
            ax.annotate(
                slopes[name], (x, y), xytext=below, textcoords="offset points", color=_BACKWARD,
                ha="left", va="center", fontsize=_SIZE, zorder=3,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
    pairs = [edge[:2] for edge in edges]
    for k, (source, target, *text) in enumerate(edges):
        bend = 0.0
        if pairs.count(pairs[k]) > 1:
            bend = 0.35 if pairs.index(pairs[k]) == k else -0.35
        (x0, y0), (x1, y1) = places[source], places[target]
        # The arc's last piece comes from here; its middle is half as far from the chord.
        x2, y2 = (x0 + x1) / 2 + bend * (y1 - y0), (y0 + y1) / 2 - bend * (x1 - x0)
        width, height = halves[target]
        length = math.hypot(x1 - x2, y1 - y2)
        arrow = FancyArrowPatch(
            (x0, y0),
            (x1, y1),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=11,
            shrinkB=length / max(abs(x1 - x2) / width, abs(y1 - y2) / height),
            color=_LINE,
            lw=1,
            zorder=1,
        )
        ax.add_patch(arrow)
        if text:
            x, y = (x0 + x1 + 2 * x2) / 4, (y0 + y1 + 2 * y2) / 4
            edge = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            ax.text(
                x, y, text[0], color=_WEIGHT, ha="center", va="center", fontsize=_SIZE, bbox=edge
            )
    across, along = zip(*places.values(), strict=True)
    ax.set(xlim=(min(across) - 0.8, max(across) + 0.8), ylim=(min(along) - 1, max(along) + 0.8))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def layers(ax: Axes, sizes: Sequence[int]) -> Axes:
    """Draw a fully connected network: a column a layer, with its parameters counted below.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    sizes : sequence of int
        Units a layer, the inputs first; at most about eight each, or the lines blur.

    Raises
    ------
    ValueError
        If there are fewer than two layers.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = layers(plt.figure().add_subplot(), [3, 2])
    >>> len(ax.patches), len(ax.lines)
    (5, 6)
    """
    if len(sizes) < 2:
        raise ValueError(f"a network has inputs and at least one layer, got sizes {list(sizes)}")
    tallest, gap = max(sizes), 3.2
    heights = [[(n - 1) / 2 - k for k in range(n)] for n in sizes]
    for layer, (before, here) in enumerate(itertools.pairwise(heights)):
        for start in before:
            for end in here:
                ax.plot(
                    (layer * gap, (layer + 1) * gap), (start, end), color=_LINE, lw=0.9, zorder=1
                )
    last = len(sizes) - 1
    for layer, column in enumerate(heights):
        for height in column:
            colour = _LINE if layer == 0 else _FORWARD
            ax.add_patch(
                Circle((layer * gap, height), 0.3, fc="white", ec=colour, lw=1.4, zorder=2)
            )
        name = "input" if layer == 0 else "output" if layer == last else f"hidden {layer}"
        top, bottom = (tallest - 1) / 2 + 0.75, -(tallest - 1) / 2 - 0.8
        centred: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9.5}
        ax.text(layer * gap, top, name, **centred)
        if layer:
            ins, outs = sizes[layer - 1], sizes[layer]
            count = f"{ins}·{outs} + {outs} = {(ins + 1) * outs}"
            ax.text((layer - 0.5) * gap, bottom, count, color=_WEIGHT, **centred)
    ax.set(xlim=(-1, last * gap + 1), ylim=(bottom - 0.4, top + 0.4), aspect="equal")
    ax.set_axis_off()
    return ax
