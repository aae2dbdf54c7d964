// The descent explorer: a surface, an update rule, and the path that it takes.
import spec from "./spec.json" with { type: "json" };
import { KNOB, clean, trajectory, message, lossScale } from "./model.js";
import { surfaces } from "../maths/surfaces.js";
import { button, slider } from "../shared/controls.js";
import { html, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, quantity } from "../shared/numbers.js";
import { centre, stepCurve } from "../shared/plot.js";
import { clamp } from "../shared/settings.js";
import { picture, terrain } from "../shared/terrain.js";

function build({ change, commit, set, redraw, control, player, reset, readouts, note, id }) {
  let path;
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

  const ahead = svg("polyline", { class: "dlx-ahead", "data-mark": "ahead" });
  const casing = svg("polyline", { class: "dlx-casing", "data-mark": "done" });
  const trace = svg("polyline", { class: "dlx-trace", "data-mark": "done" });
  const dots = svg("path", { class: "dlx-dots", "data-mark": "done" });
  const now = svg("circle", { class: "dlx-now", "data-mark": "now", r: 5 });
  const plot = terrain({ id, moved: (start) => change({ start }), commit, under: [ahead, casing, trace, dots], over: [now] });
  const curve = stepCurve();

  const parts = [
    html("div", { class: "dlx-controls dlx-wide" },
      control("surface", { change: (surface) => set({ surface, start: surfaces[surface]().start }) }),
      ...["optimizer", "condition", "lr", "momentum", "steps"].map((name) => control(name))),
    html("div", {},
      plot.element,
      plot.keys(plot.sign(svg("circle", { class: "dlx-now", r: 6 }), "now")),
      plot.hint),
    html("div", { class: "dlx-side" },
      html("div", { class: "dlx-row" }, play.element, step, reset),
      position.element,
      readouts,
      note,
      curve.title,
      curve.element),
  ];

  function measure() {
    plot.measure();
    curve.measure();
  }

  function draw(state) {
    const f = surfaces[state.surface](state);
    plot.show(f, `${state.surface} ${state.condition}`, state.start);
    path = trajectory(state);
    const k = Math.min(shown, last());
    const spots = plot.path(path.points);
    const done = spots.slice(0, k + 1);
    ahead.setAttribute("points", spots.slice(k).join(" "));
    for (const line of [casing, trace]) line.setAttribute("points", done.join(" "));
    dots.setAttribute("d", done.map((p) => `M${p.join(" ")}h0`).join(""));
    centre(now, spots[k]);
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
      ...message(picture(f), path, k),
    };
  }

  return { parts, draw, measure, sized: [plot.element, curve.element], reset: () => { shown = Infinity; } };
}

export default explorer(spec, { clean, build });
