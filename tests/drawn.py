"""What an explorer shows in a page, compared with what its Python class computes.

Nothing is taken from the explorer's own JavaScript but what stands in the page: texts, and
the places of shapes in pixels. The labels of the axes say what a place means, so a mark in
the wrong place and a label at the wrong one are both seen.
"""

import json
import math
import re
from typing import Any

import numpy as np
from explorers import number

from dlnotes.explorers import esm, widget

# What one explorer shows, read from the page as it is drawn: positions in pixels, texts as
# they stand. A number in the text lies in an element with data-number, its name; a mark in a
# plot in one with data-mark.
READ = r"""(root, spoken = true) => {
  const all = (selector, from = root) => [...from.querySelectorAll(selector)];
  const middleOf = (e, part) => middle(e.querySelector(part));
  const middle = (e) => {
    const { left, right, top, bottom } = e.getBoundingClientRect();
    return [(left + right) / 2, (top + bottom) / 2];
  };
  const onScreen = (e, points) => {
    const { a, b, c, d, e: left, f: top } = e.getScreenCTM();
    return points.map(([x, y]) => [a * x + c * y + left, b * x + d * y + top]);
  };
  const places = (e) => {
    if (e.tagName === "polyline") return onScreen(e, [...e.points].map(({ x, y }) => [x, y]));
    const dots = [...(e.getAttribute("d") ?? "").matchAll(/M([-\d.]+)[ ,]([-\d.]+)h0/g)];
    if (dots.length) return onScreen(e, dots.map(([, x, y]) => [Number(x), Number(y)]));
    if (e.tagName === "circle") return onScreen(e, [[e.cx.baseVal.value, e.cy.baseVal.value]]);
    return [middle(e)];
  };
  const loose = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent;
    if (!walk.currentNode.parentElement.closest("[data-number], [data-tick]")) loose.push(text);
  }
  const known = "[data-mark], [data-tick], [data-scenery], .dlx-frame, defs";
  const shapes = "polyline, polygon, circle, ellipse, path, line, rect";
  return {
    numbers: all("[data-number]").filter((e) => spoken || !e.closest("[role=status]"))
      .map((e) => [e.dataset.number, e.value ?? e.textContent]),
    loose: [...loose, ...all("[aria-label]").map((e) => e.ariaLabel), root.ariaLabel],
    sliders: all("input[type=range]").map((e) => ({
      spoken: e.getAttribute("aria-valuetext"), disabled: e.disabled,
      shown: e.closest("label").querySelector(".dlx-value").textContent,
    })),
    readouts: all(".dlx-state > div").map((e) =>
      [e.querySelector("dt").textContent, e.querySelector("dd [data-number]").dataset.number]),
    plots: all("[data-plot]").map((plot) => ({
      name: plot.dataset.plot,
      title: plot.previousElementSibling?.textContent,
      titled: plot.previousElementSibling?.matches(".dlx-title") ?? false,
      frame: all(".dlx-frame", plot).map((e) => {
        const { left, right, top, bottom } = e.getBoundingClientRect();
        return { left, right, top, bottom };
      }),
      ticks: all("[data-tick]", plot).map((e) =>
        [e.dataset.tick, e.textContent, middleOf(e, "line"), middleOf(e, "text")]),
      marks: all("[data-mark]", plot).map((e) => [e.dataset.mark, places(e)]),
      unknown: all(shapes, plot).filter((e) => !e.closest(known)).map((e) => e.outerHTML),
    })),
  };
}"""
NUMERAL = re.compile(r"[−-]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
LOOSE = re.compile(r"(?<![\w∂])\d")


def named(name: str, shown: widget.Widget) -> dict[str, Any]:
    """Return every number that the explorer may show: its settings' too, and their limits."""
    settings = esm.spec(name)["settings"]
    limits = {
        f"{key}.limits.{i}": end
        for key, setting in settings.items()
        if setting["type"] in ("number", "integer")
        for i, end in enumerate(setting["limits"])
    }
    state = {k: v for k, v in shown.state().items() if not isinstance(v, str | dict | bool)}
    return {**limits, **state, **shown.numbers()}


def says(text: str, value: float) -> bool:
    """Tell whether a numeral stands for a value: to its last digit, or to 3 in all.

    With fewer than four decimals zeros may have been dropped: `number` in ``numbers.js``
    keeps 3 digits, or 2 before × 10ᵏ, so that 0.1 stands for 0.0995 to 0.1005.
    """
    if isinstance(value, int):
        return number(text) == value
    mantissa, _, power = text.partition(" × 10")
    places = len(mantissa.partition(".")[2])
    last = 0.501 * 10.0**-places * number(f"1{text[len(mantissa) :]}")
    share = (0.0501 if power else 0.00501) * abs(value)
    close = last if places >= 4 else min(last, share) if places else share
    return abs(number(text) - value) <= close + 1e-13


def text_faults(name: str, seen: dict[str, Any], known: dict[str, Any]) -> list[str]:
    """Return what is wrong with the numbers in the text of an explorer."""
    faults = []
    for key, text in seen["numbers"]:
        if not text:
            continue
        if key not in known:
            faults.append(f"{text!r} is called {key!r}, which numbers() does not have")
            continue
        values = known[key] if isinstance(known[key], list | tuple) else [known[key]]
        numerals = NUMERAL.findall(text)
        rest = NUMERAL.sub("", text)
        if text in ("not a number", "none"):
            good = not any(map(math.isfinite, values))
        else:
            good = len(numerals) == len(values) and all(map(says, numerals, values))
        if not good or re.search(r"\d|NaN|Infinity|undefined", rest):
            faults.append(f"{key} reads {text!r}, dlnotes has {values}")
    written = " ".join((esm.module(name) + json.dumps(esm.spec(name), ensure_ascii=False)).split())
    for text in seen["loose"]:
        words = text.split()
        for k, word in enumerate(words):
            pairs = [" ".join(words[max(0, k - 1) : k + 1]), " ".join(words[k : k + 2])]
            pairs = [pair.strip(",.;:") for pair in pairs if " " in pair]
            if LOOSE.search(word) and not any(pair in written for pair in pairs):
                faults.append(f"{word!r} in {text!r} is a number without a name")
    for label, key in seen["readouts"]:
        if label != key:
            faults.append(f"the read-out {label!r} shows {key!r}")
    if [label for label, _ in seen["readouts"]] != esm.spec(name)["readouts"]:
        faults.append(f"read-outs are {seen['readouts']}")
    for slider in seen["sliders"]:
        if slider["spoken"] != ("not used" if slider["disabled"] else slider["shown"]):
            faults.append(f"a slider shows {slider['shown']!r} and says {slider['spoken']!r}")
    return faults


def scale_of(ticks: list[tuple[str, float]]) -> tuple[Any, list[str]]:
    """Return the map from data to pixels that the labels of an axis say, and their faults."""
    texts = [text for text, _ in ticks]
    pixels = np.array([pixel for _, pixel in ticks])
    logarithmic = all(re.fullmatch("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", text) for text in texts)
    if logarithmic:
        values = np.log10([number(f"1 × {text}") for text in texts])
    else:
        values = np.array([number(text) for text in texts])
    if len(ticks) < 2:
        return None, [f"an axis needs two labels, has {texts}"]
    slope, offset = np.polyfit(values, pixels, 1)
    off = np.abs(slope * values + offset - pixels).max()
    faults = [f"labels {texts} stand up to {off:.1f} px beside their places"] if off > 0.6 else []

    def place(data: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return slope * (np.log10(data) if logarithmic else data) + offset

    return place, faults


def plot_faults(plot: dict[str, Any], marks: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """Return what is wrong with a plot: its labels, and its marks on the scale that they say."""
    name, faults = plot["name"], []
    if name not in marks:
        return [f"a plot is called {name!r}, which marks() does not have"]
    title = plot.get("title") or ""
    if plot["titled"] and not re.match(rf"{re.escape(name)}( after| \(|$)", title):
        faults.append(f"the plot of {name!r} has the title {title!r}")
    faults += [f"not a mark, not scenery: {shape}" for shape in plot["unknown"]]
    (frame,) = plot["frame"]
    places = []
    for axis, index in (("x", 0), ("y", 1)):
        ticks = [tick for tick in plot["ticks"] if tick[0] == axis]
        place, wrong = scale_of([(text, line[index]) for _, text, line, _ in ticks])
        faults += [f"{name}, {axis}: {fault}" for fault in wrong]
        if place is None:
            return faults
        places.append(place)
        faults += [
            f"{name}, {axis}: {text!r} is not at its line"
            for _, text, line, label in ticks
            if abs(line[index] - label[index]) > 3
        ]
    seen: dict[str, list[list[list[float]]]] = {}
    for mark, points in plot["marks"]:
        seen.setdefault(mark, []).append(points)
    if set(seen) != set(marks[name]):
        faults.append(f"{name}: marks are {sorted(seen)}, marks() has {sorted(marks[name])}")
    low = np.array([frame["left"], frame["top"]]) - 0.5
    high = np.array([frame["right"], frame["bottom"]]) + 0.5
    for mark in set(seen) & set(marks[name]):
        expected = np.asarray(marks[name][mark], dtype=float)
        pixels = np.column_stack([place(expected[:, i]) for i, place in enumerate(places)])
        drawn = seen[mark]
        if len(drawn) == len(pixels) > 1 and all(len(points) == 1 for points in drawn):
            drawn = [[point for (point,) in drawn]]  # one element a point
        for points in map(np.array, drawn):
            if points.shape != pixels.shape:
                faults.append(f"{name}, {mark}: {len(points)} points, marks() has {len(pixels)}")
                continue
            inside = ((pixels > low) & (pixels < high)).all(axis=1)
            near = np.abs(points - pixels).max(axis=1) < 1
            # What lies outside the frame only has to stay out of it, or at its edge.
            out = ((points < low + 1.5) | (points > high - 1.5)).any(axis=1)
            if not np.where(inside, near, out).all():
                k = int(np.argmin(np.where(inside, near, out)))
                faults.append(f"{name}, {mark}, point {k}: drawn at {points[k]}, is {pixels[k]}")
    return faults


def faults(name: str, seen: dict[str, Any], shown: widget.Widget) -> list[str]:
    """Return all that differs between what is drawn and what the Python class computes."""
    marks = shown.marks()
    found = text_faults(name, seen, named(name, shown))
    return found + [fault for plot in seen["plots"] for fault in plot_faults(plot, marks)]
