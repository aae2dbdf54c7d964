// The descent explorer: a surface, an update rule, and the path that it takes.
import spec from "./spec.json" with { type: "json" };
import { KNOB, WIDTH, HEIGHT, picture, clean, trajectory, message, lossScale } from "./model.js";
import { surfaces } from "../maths/surfaces.js";
import { button, slider } from "../shared/controls.js";
import { arrowKeys, draggable } from "../shared/drag.js";
import { html, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { sublevelPaths } from "../shared/contours.js";
import { number, quantity } from "../shared/numbers.js";
import { MARGIN, centre, frame, frameIn, stepCurve, ticks } from "../shared/plot.js";
import { clamp } from "../shared/settings.js";

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

function build({ first, read, change, commit, set, redraw, control, player, reset, readouts, note, id }) {
  let state = first;
  let f, view, path, size, drawnSurface;
  let shown = Infinity; // the step that the picture is at; Infinity is the last one

  const last = () => path.points.length - 1;
  const atEnd = () => shown >= last();
  function show(k) {
    shown = k;
    redraw();
  }

  let from, pace;
  const play = player({
    begin() {
      from = atEnd() ? 0 : shown;
      pace = clamp(4000 / last(), 16, 250); // milliseconds a step: 4 s, unless short
    },
    frame(ms) {
      shown = from + Math.floor(ms / pace);
      return !atEnd();
    },
    skip: () => show(Infinity),
  });
  const step = button("Step", () => {
    play.stop();
    show(atEnd() ? 1 : shown + 1);
  });
  const position = slider({
    name: "shown", label: "Shown up to step", limits: [0, spec.settings.steps.limits[1]], step: 1,
    change(k) {
      play.stop();
      show(k);
    },
  });

  // The picture. Groups are filled by draw(); the handle is HTML because only there do
  // all browsers honour touch-action, which keeps a finger elsewhere free to scroll.
  const hills = svg("g", { class: "dlx-hills", "data-scenery": "" });
  const axes = svg("g");
  const marks = svg("g");
  const ahead = svg("polyline", { class: "dlx-ahead", "data-mark": "ahead" });
  const casing = svg("polyline", { class: "dlx-casing", "data-mark": "done" });
  const trace = svg("polyline", { class: "dlx-trace", "data-mark": "done" });
  const dots = svg("path", { class: "dlx-dots", "data-mark": "done" });
  const start = svg("circle", { class: "dlx-start", "data-mark": "start", r: 7 });
  const now = svg("circle", { class: "dlx-now", "data-mark": "now", r: 5 });
  const clip = svg("rect");
  const inside = svg("g", { "clip-path": `url(#${id}-clip)` }, hills, ahead, casing, trace, dots, marks, start, now);
  const handle = html("div", { class: "dlx-handle" });
  const plot = html(
    "div",
    {
      class: "dlx-plot dlx-surface",
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
  const curve = stepCurve();
  const sign = (shape, text) => html("span", {}, svg("svg", { viewBox: "-9 -9 18 18", "aria-hidden": "true" }, shape), text);
  const cross = (x = 0, y = 0) => svg("path", { class: "dlx-minimum", d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12` });
  const minimum = (point) => {
    const mark = cross(...point);
    mark.dataset.mark = "minimum";
    return mark;
  };

  const parts = [
    html("div", { class: "dlx-controls dlx-wide" },
      control("surface", { change: (surface) => set({ surface, start: surfaces[surface]().start }) }),
      ...["optimizer", "condition", "lr", "momentum", "steps"].map((name) => control(name))),
    html("div", {},
      plot,
      html("div", { class: "dlx-row dlx-keys", "aria-hidden": "true" },
        sign(svg("circle", { class: "dlx-start", r: 6 }), "start"),
        sign(svg("circle", { class: "dlx-now", r: 6 }), "now"),
        sign(cross(), "minimum")),
      html("p", { class: "dlx-hint", id: `${id}-hint` },
        "Drag the ring, click or tap, or use the arrow keys (Shift: small moves).")),
    html("div", { class: "dlx-side" },
      html("div", { class: "dlx-row" }, play.element, step, reset),
      position.element,
      readouts,
      note,
      curve.title,
      curve.element),
  ];

  // Moves the start, kept inside the picture; in 1-D only x counts.
  function moveStart(point) {
    const digits = (v, [low, high]) => {
      const grain = 10 ** Math.floor(Math.log10((high - low) / 200));
      return Number((Math.round(v / grain) * grain).toPrecision(12));
    };
    change({ start: state.start.map((_, i) => clamp(digits(point[i], view[i]), ...view[i])) });
  }

  draggable(plot, handle, {
    where: () => toPixels(anchor(state.start)),
    follow: (point) => moveStart(toData(point)),
    commit,
  });
  arrowKeys(plot, (way) => {
    moveStart(read().start.map((v, i) => v + 0.02 * way[i] * (view[i][1] - view[i][0])));
    commit();
  });

  // Where a point of the path is drawn: in 1-D on the graph of the function.
  const anchor = (x) => (f.dim === 1 ? [x[0], f.value(x)] : x);
  const toPixels = ([x, y]) => [
    size.left + ((x - view[0][0]) / (view[0][1] - view[0][0])) * size.width,
    size.top + ((view[1][1] - y) / (view[1][1] - view[1][0])) * size.height,
  ];
  const toData = ([x, y]) => [
    view[0][0] + ((x - size.left) / size.width) * (view[0][1] - view[0][0]),
    view[1][1] - ((y - size.top) / size.height) * (view[1][1] - view[1][0]),
  ];

  function measure() {
    size = frameIn(plot);
    curve.measure();
  }

  // What changes with the surface or the size of the picture, but not with the path.
  function drawSurface() {
    const key = `${state.surface} ${state.condition}`;
    if (key !== drawnSurface) {
      drawnSurface = key;
      f = surfaces[state.surface](state);
      view = picture(f);
      hills.replaceChildren(...scenery(f, view));
    }
    const { left, top, width, height } = size;
    hills.setAttribute("transform", `translate(${left} ${top}) scale(${width / WIDTH} ${height / HEIGHT})`);
    for (const [name, value] of Object.entries({ x: left, y: top, width, height })) clip.setAttribute(name, value);
    const xs = ticks(view[0], width < 260 ? 4 : 6).map((v) => [toPixels([v, view[1][0]])[0], number(v)]);
    const ys = ticks(view[1], 5).map((v) => [toPixels([view[0][0], v])[1], number(v)]);
    axes.replaceChildren(...frame(size, xs, ys));
    marks.replaceChildren(...f.minima.map((x) => minimum(toPixels(anchor(x)))));
  }

  function draw(next) {
    state = next;
    drawSurface();
    path = trajectory(state);
    const k = Math.min(shown, last());
    const spots = path.points.map((x) => toPixels(anchor(x)).map((v) => Number(clamp(v, -1e5, 1e5).toFixed(1))));
    const done = spots.slice(0, k + 1);
    ahead.setAttribute("points", spots.slice(k).join(" "));
    for (const line of [casing, trace]) line.setAttribute("points", done.join(" "));
    dots.setAttribute("d", done.map((p) => `M${p.join(" ")}h0`).join(""));
    centre(start, spots[0]);
    centre(now, spots[k]);
    [handle.style.left, handle.style.top] = spots[0].map((v) => `${v}px`);
    curve.draw(lossScale(f, path.losses), k);
    position.set(k, { upTo: last() });

    const { surface, optimizer } = spec.settings;
    const knob = KNOB[state.optimizer];
    return {
      controls: {
        momentum: { text: knob?.[1], disabled: !knob },
        condition: { disabled: state.surface !== "ravine" },
      },
      readouts: {
        Step: `${k} of ${last()}`,
        Position: path.points[k].map((v) => number(v)).join(", "),
        Loss: number(path.losses[k]),
        "Gradient norm": number(path.slopes[k]),
      },
      said: [
        `${surface.choices[state.surface]}, ${optimizer.choices[state.optimizer]}, start `,
        quantity("start", state.start.map((v) => number(v)).join(", ")), ".",
      ],
      ...message(view, path, k),
    };
  }

  return { parts, draw, measure, sized: [plot, curve.element], reset: () => { shown = Infinity; } };
}

export default explorer(spec, { clean, build });
