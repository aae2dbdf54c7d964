// A plot of data with two axes.
import { html, svg } from "./elements.js";
import { number, powerOfTen } from "./numbers.js";
import { frame, frameIn, ticks } from "./plot.js";
import { clamp } from "./settings.js";

// What is drawn: functions of `place`, which turns data into pixels. `curve` takes a list of
// points; a `dot` is one.
export const curve = (mark, style, points) => (place) =>
  svg("polyline", { class: style, "data-mark": mark, points: points.map(place).join(" ") });
export const dot = (mark, style, point, r = 5) => (place) => {
  const [cx, cy] = place(point);
  return svg("circle", { class: style, "data-mark": mark, cx, cy, r });
};

// `id` is that of the clipping path; `label` names the plot; `attributes` and `children` are
// those of its element.
export function plane({ id, label, attributes = {} }, ...children) {
  const axes = svg("g");
  const clip = svg("rect");
  const inside = svg("g", { "clip-path": `url(#${id})` });
  const above = svg("g");
  const element = html("div", { class: "dlx-plot dlx-plane", "data-plot": label, ...attributes },
    svg("svg", { "aria-hidden": "true" }, svg("defs", {}, svg("clipPath", { id }, clip)), axes, inside, above),
    ...children);
  let box = { left: 0, top: 0, width: 1, height: 1 };
  let x, y, log;
  const scaled = (v, axis) => (log.includes(axis) ? Math.log10(v) : v);
  const plain = (v, axis) => (log.includes(axis) ? 10 ** v : v);
  const share = (v, [low, high]) => clamp((v - low) / (high - low), -9, 9);
  const toPixels = ([across, up]) => [
    box.left + share(scaled(across, "x"), x) * box.width,
    box.top + (1 - share(scaled(up, "y"), y)) * box.height,
  ].map((v) => Number(v.toFixed(2)));

  return {
    title: html("p", { class: "dlx-title" }, label),
    element,
    toPixels,
    toData([across, down]) {
      return [
        plain(x[0] + ((across - box.left) / box.width) * (x[1] - x[0]), "x"),
        plain(y[1] - ((down - box.top) / box.height) * (y[1] - y[0]), "y"),
      ];
    },
    box: () => box,
    measure() {
      box = frameIn(element);
    },
    // `view` has the ends of both axes, x and y, and the labels of x if they are not to be
    // chosen here; `log` names the axes, "x", "y" or "xy", that are of powers of ten. The shapes
    // are cut off at the frame, but not the rings, which can be dragged.
    draw(view, shapes, rings = []) {
      log = view.log ?? "";
      [x, y] = ["x", "y"].map((axis) => view[axis].map((v) => scaled(v, axis)));
      const levels = (range, count, axis) =>
        ticks(range, count).filter((v) => !log.includes(axis) || Number.isInteger(v));
      const name = (v, axis) => (log.includes(axis) ? powerOfTen(v) : number(v));
      const xs = view.labels ?? levels(x, box.width < 260 ? 4 : 6, "x");
      axes.replaceChildren(...frame(box,
        xs.map((v) => [box.left + share(v, x) * box.width, name(v, "x")]),
        levels(y, 5, "y").map((v) => [box.top + (1 - share(v, y)) * box.height, name(v, "y")])));
      for (const [side, value] of Object.entries({ x: box.left, y: box.top, width: box.width, height: box.height })) {
        clip.setAttribute(side, value);
      }
      inside.replaceChildren(...shapes.map((shape) => shape(toPixels)));
      above.replaceChildren(...rings.map((ring) => ring(toPixels)));
    },
  };
}
