// A surface to descend on, with a start that the reader moves: contours, or the graph of
// the function in 1-D; axes; minima; a ring at the start.
import { sublevelPaths } from "./contours.js";
import { arrowKeys, draggable } from "./drag.js";
import { html, svg } from "./elements.js";
import { number } from "./numbers.js";
import { MARGIN, centre, frame, frameIn, ticks } from "./plot.js";
import { clamp } from "./settings.js";

// The picture is 4 wide by 3 high, in these units.
export const [WIDTH, HEIGHT] = [400, 300];

// The part of the plane that the picture shows: the window, widened until one unit is
// equally long in both directions, so that steps are seen at right angles to contours.
export function picture({ dim, window: [[x0, x1], y], value }) {
  if (dim === 1) {
    const heights = Array.from({ length: 201 }, (_, i) => value([x0 + ((x1 - x0) * i) / 200]));
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const room = 0.08 * (high - low);
    return [[x0, x1], [low - room, high + room]];
  }
  const [y0, y1] = y;
  const unit = Math.max((x1 - x0) / WIDTH, (y1 - y0) / HEIGHT) / 2;
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [[cx - unit * WIDTH, cx + unit * WIDTH], [cy - unit * HEIGHT, cy + unit * HEIGHT]];
}

// Tells whether a point is a thousand times further out than the window reaches.
export const lost = ({ window }) => (x) =>
  !x.every((v, i) => {
    const [low, high] = window[i];
    return Math.abs(v - (low + high) / 2) <= 500 * (high - low);
  });

// Everything about a surface that does not change with the path, as SVG in WIDTH by
// HEIGHT units: twelve contours at equal shares of the area, or the graph in 1-D.
function scenery(f, [[x0, x1], [y0, y1]]) {
  if (f.dim === 1) {
    const at = (i) => x0 + ((x1 - x0) * i) / 400;
    const line = Array.from({ length: 401 }, (_, i) =>
      `${i} ${(HEIGHT * (y1 - f.value([at(i)]))) / (y1 - y0)}`);
    return [svg("path", { class: "dlx-graph", d: `M${line.join("L")}` })];
  }
  const [columns, rows] = [121, 91];
  const values = new Float64Array(columns * rows);
  for (let j = 0; j < rows; j += 1) {
    const y = y0 + ((y1 - y0) * j) / (rows - 1);
    for (let i = 0; i < columns; i += 1) {
      values[j * columns + i] = f.value([x0 + ((x1 - x0) * i) / (columns - 1), y]);
    }
  }
  const sorted = values.slice().sort();
  const share = (q) => sorted[Math.floor(q * (sorted.length - 1))];
  const levels = Array.from({ length: 12 }, (_, i) => share(0.01 + (0.94 * (11 - i)) / 11));
  const paths = sublevelPaths(values, columns, rows, levels, WIDTH, HEIGHT);
  return paths.map((d) => svg("path", { d }));
}

const cross = (x = 0, y = 0) => svg("path", { class: "dlx-minimum", d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12` });
const sign = (shape, text) => html("span", {}, svg("svg", { viewBox: "-9 -9 18 18", "aria-hidden": "true" }, shape), text);

// The picture of a surface. `moved(start)` is told where the reader puts the start, and
// `commit()` when it is let go. `under` and `over` are drawn below and above the minima.
//   show(f, key, start)  draws it, if `key` or the size has changed
//   pixels(point)        where a point of a path is drawn, in 1-D on the graph
export function terrain({ id, moved, commit, under, over }) {
  let f, view, size, start, drawn;
  // The handle is HTML because only there do all browsers honour touch-action, which
  // keeps a finger elsewhere free to scroll.
  const hills = svg("g", { class: "dlx-hills", "data-scenery": "" });
  const axes = svg("g");
  const marks = svg("g");
  const ring = svg("circle", { class: "dlx-start", "data-mark": "start", r: 7 });
  const clip = svg("rect");
  const inside = svg("g", { "clip-path": `url(#${id}-clip)` }, hills, ...under, marks, ring, ...over);
  const handle = html("div", { class: "dlx-handle" });
  const plot = html(
    "div",
    {
      class: "dlx-plot dlx-surface dlx-terrain",
      style: `padding: ${["top", "right", "bottom", "left"].map((k) => `${MARGIN[k]}px`).join(" ")}`,
      "data-plot": "Surface",
      tabindex: 0,
      role: "application",
      "aria-roledescription": "plot",
      "aria-label": "Start point: move it with the arrow keys",
      "aria-describedby": `${id}-hint`,
    },
    svg("svg", { "aria-hidden": "true" }, svg("defs", {}, svg("clipPath", { id: `${id}-clip` }, clip)), axes, inside),
    handle,
  );
  const hint = html("p", { class: "dlx-hint", id: `${id}-hint` },
    "Drag the ring, click or tap, or use the arrow keys (Shift: small moves).");
  const keys = (...more) =>
    html("div", { class: "dlx-row dlx-keys", "aria-hidden": "true" },
      sign(svg("circle", { class: "dlx-start", r: 6 }), "start"), ...more, sign(cross(), "minimum"));

  // Moves the start, kept inside the picture; in 1-D only x counts.
  function move(point) {
    const digits = (v, [low, high]) => {
      const grain = 10 ** Math.floor(Math.log10((high - low) / 200));
      return Number((Math.round(v / grain) * grain).toPrecision(12));
    };
    start = start.map((_, i) => clamp(digits(point[i], view[i]), ...view[i]));
    moved(start);
  }

  const toPixels = ([x, y]) => [
    size.left + ((x - view[0][0]) / (view[0][1] - view[0][0])) * size.width,
    size.top + ((view[1][1] - y) / (view[1][1] - view[1][0])) * size.height,
  ];
  const toData = ([x, y]) => [
    view[0][0] + ((x - size.left) / size.width) * (view[0][1] - view[0][0]),
    view[1][1] - ((y - size.top) / size.height) * (view[1][1] - view[1][0]),
  ];
  const pixels = (x) => toPixels(f.dim === 1 ? [x[0], f.value(x)] : x);

  draggable(plot, handle, { where: () => pixels(start), follow: (point) => move(toData(point)), commit });
  arrowKeys(plot, (way) => {
    move(start.map((v, i) => v + 0.02 * way[i] * (view[i][1] - view[i][0])));
    commit();
  });

  function show(surface, name, where) {
    start = where;
    if (name !== drawn) {
      drawn = name;
      f = surface;
      view = picture(f);
      hills.replaceChildren(...scenery(f, view));
    }
    const { left, top, width, height } = size;
    hills.setAttribute("transform", `translate(${left} ${top}) scale(${width / WIDTH} ${height / HEIGHT})`);
    for (const [side, value] of Object.entries({ x: left, y: top, width, height })) clip.setAttribute(side, value);
    const xs = ticks(view[0], width < 260 ? 4 : 6).map((v) => [toPixels([v, view[1][0]])[0], number(v)]);
    const ys = ticks(view[1], 5).map((v) => [toPixels([view[0][0], v])[1], number(v)]);
    axes.replaceChildren(...frame(size, xs, ys));
    marks.replaceChildren(...f.minima.map((x) => {
      const mark = cross(...pixels(x));
      mark.dataset.mark = "minimum";
      return mark;
    }));
    const place = pixels(start);
    centre(ring, place);
    [handle.style.left, handle.style.top] = place.map((v) => `${v}px`);
  }

  return {
    element: plot,
    hint,
    keys,
    sign,
    show,
    // Rounded, and kept to what SVG can draw.
    path: (points) => points.map((x) => pixels(x).map((v) => Number(clamp(v, -1e5, 1e5).toFixed(1)))),
    measure() {
      size = frameIn(plot);
    },
  };
}
