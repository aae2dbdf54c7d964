// What every plot needs: a frame with ticks, scales, marks, a curve over step numbers.
//
// A plot is an element with data-plot, its name; what is drawn of data in it is an element
// with data-mark, and `marks()` of the Python class holds the same points in data units.
// Anything else that is drawn in it lies in a group with data-scenery.
import { html, svg } from "./elements.js";
import { number, powerOfTen } from "./numbers.js";
import { clamp } from "./settings.js";

// Puts a circle somewhere.
export const centre = (circle, [x, y]) => {
  circle.setAttribute("cx", x);
  circle.setAttribute("cy", y);
};

// A frame with ticks: [pixel, text] pairs along the bottom and the left.
export function frame({ left, top, width, height }, xs, ys) {
  const [right, bottom] = [left + width, top + height];
  const tick = (axis, line, text, label) =>
    svg("g", { "data-tick": axis }, svg("line", { class: "dlx-grid", ...line }), svg("text", text, label));
  return [
    ...xs.map(([x, label]) =>
      tick("x", { x1: x, x2: x, y1: top, y2: bottom }, { x, y: bottom + 16, "text-anchor": "middle" }, label)),
    ...ys.map(([y, label]) =>
      tick("y", { x1: left, x2: right, y1: y, y2: y }, { x: left - 5, y: y + 4, "text-anchor": "end" }, label)),
    svg("rect", { class: "dlx-frame", x: left, y: top, width, height }),
  ];
}

// Round numbers that cover [low, high] in about `count` steps of 1, 2 or 5 times 10^k.
export function ticks([low, high], count = 5) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = (first + i) * step;
    return Number(value.toPrecision(12));
  });
}

// The room that a frame leaves for its tick labels, in pixels.
export const MARGIN = { left: 40, right: 20, top: 8, bottom: 24 };

// Where the frame lies in an element that holds a picture.
export const frameIn = (element) => ({
  left: MARGIN.left,
  top: MARGIN.top,
  width: Math.max(10, element.clientWidth - MARGIN.left - MARGIN.right),
  height: Math.max(10, element.clientHeight - MARGIN.top - MARGIN.bottom),
});

// Numbers that are never negative, on a scale of powers of ten that ends `reach` powers from 1.
export function logScale(heights, reach = 12) {
  const values = heights.map((v) => Math.log10(clamp(v, 10 ** -reach, 10 ** reach)));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { values, range: [Math.floor(low - 0.05), Math.ceil(high + 0.05)], log: true };
}

// Where the labels of an upright axis stand and what they say; long ones take room from the frame.
function upright(box, { range: [low, high], log }) {
  const levels = ticks([low, high]).filter((v) => !log || Number.isInteger(v));
  const labels = levels.map((v) => (log ? powerOfTen(v) : number(v)));
  const room = Math.max(0, 7 * Math.max(...labels.map((text) => text.length)) - box.left);
  const inner = { ...box, left: box.left + room, width: box.width - room };
  const down = (v) => inner.top + ((high - clamp(v, low, high)) / (high - low)) * inner.height;
  return { inner, down, ys: levels.map((v, i) => [down(v), labels[i]]) };
}

// A curve over step numbers: solid up to step `k`, dotted after it. Its title says what it
// shows; `values` are on the scale of `range`, which is of powers of ten if `log`.
export function stepCurve() {
  const axes = svg("g");
  const ahead = svg("polyline", { class: "dlx-ahead", "data-mark": "ahead" });
  const done = svg("polyline", { class: "dlx-trace", "data-mark": "done" });
  const now = svg("circle", { class: "dlx-now", "data-mark": "now", r: 5 });
  const title = html("p", { class: "dlx-title" });
  const picture = svg("svg", { "aria-hidden": "true" }, axes, ahead, done, now);
  const element = html("div", { class: "dlx-plot dlx-curve" }, picture);
  let box;
  return {
    title,
    element,
    measure() {
      box = frameIn(element);
    },
    draw({ label, values, range, log }, k) {
      element.dataset.plot = label;
      title.textContent = `${label} after each step${log ? " (log)" : ""}`;
      const steps = Math.max(1, values.length - 1);
      const { inner, down, ys } = upright(box, { range, log });
      const across = (i) => inner.left + (i / steps) * inner.width;
      const xs = ticks([0, steps], 4).filter(Number.isInteger).map((v) => [across(v), String(v)]);
      axes.replaceChildren(...frame(inner, xs, ys));
      const spots = values.map((v, i) => [across(i), down(v)]);
      done.setAttribute("points", spots.slice(0, k + 1).join(" "));
      ahead.setAttribute("points", spots.slice(k).join(" "));
      centre(now, spots[k]);
    },
  };
}

// Several curves over step numbers from 0, on one axis: of powers of ten, unless `scale`, a
// function of all values, gives another. `names` says what each curve is called: there is a key
// for each that is given, if there are several. A curve ends where its values are no longer
// finite. The title begins with the label, `rest` goes on with it. The axes are those of all
// values, at least as long as `steps`; drawn is up to step `upTo`.
export function lines(label, names, { rest = " (log)", scale = logScale } = {}) {
  const axes = svg("g");
  const curves = svg("g");
  const title = html("p", { class: "dlx-title" });
  const keys = Object.entries(names).map(([, text], i) =>
    html("span", { class: `dlx-key dlx-line${i}` }, svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" },
      svg("path", { class: `dlx-line${i}`, d: "M0 4h24" })), text));
  const picture = svg("svg", { "aria-hidden": "true" }, axes, curves);
  const element = html("div", { class: "dlx-plot dlx-curve", "data-plot": label }, picture);
  let box;
  return {
    title,
    element,
    measure() {
      box = frameIn(element);
    },
    draw(series, { upTo = Infinity, steps: length = 1 } = {}) {
      const finite = (values) => values.slice(0, values.findIndex((v) => !Number.isFinite(v)) >>> 0);
      const whole = Object.entries(series).map(([name, values]) => [name, finite(values)])
        .filter(([, values]) => values.length);
      const given = keys.filter((_, i) => Object.keys(names)[i] in series);
      title.replaceChildren(label + rest, ...(given.length > 1 ? [": ", ...given] : []));
      const { range, log } = scale(whole.length ? whole.flatMap(([, values]) => values) : [1]);
      const { inner, down, ys } = upright(box, { range, log });
      const steps = Math.max(1, length, ...whole.map(([, values]) => values.length - 1));
      const across = (i) => inner.left + (i / steps) * inner.width;
      const xs = ticks([0, steps], 4).filter(Number.isInteger).map((v) => [across(v), String(v)]);
      axes.replaceChildren(...frame(inner, xs, ys));
      curves.replaceChildren(...whole.map(([name, values]) =>
        svg("polyline", {
          class: `dlx-line${Object.keys(names).indexOf(name)}`,
          "data-mark": name,
          points: values.slice(0, upTo + 1).map((v, i) => [across(i), down(log ? Math.log10(v) : v)]).join(" "),
        })));
    },
  };
}
