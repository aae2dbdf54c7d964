// The descent explorer: a surface, an update rule, and the path that it takes.
import spec from "./spec.json" with { type: "json" };
import { KNOB, clean, trajectory, message, lossScale } from "./model.js";
import { surfaces } from "../maths/surfaces.js";
import { html, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, quantity } from "../shared/numbers.js";
import { centre, stepCurve } from "../shared/plot.js";
import { steps } from "../shared/steps.js";
import { picture, terrain } from "../shared/terrain.js";

function build({ change, commit, set, redraw, control, player, reset, readouts, note, id }) {
  let path;
  const progress = steps({
    player, redraw, last: () => path.points.length - 1, most: spec.settings.steps.limits[1],
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
      html("div", { class: "dlx-row" }, ...progress.buttons, reset),
      progress.slider,
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
    const k = progress.at();
    const spots = plot.path(path.points);
    const done = spots.slice(0, k + 1);
    ahead.setAttribute("points", spots.slice(k).join(" "));
    for (const line of [casing, trace]) line.setAttribute("points", done.join(" "));
    dots.setAttribute("d", done.map((p) => `M${p.join(" ")}h0`).join(""));
    centre(now, spots[k]);
    curve.draw(lossScale(f, path.losses), k);
    progress.follow();

    const { surface, optimizer } = spec.settings;
    const knob = KNOB[state.optimizer];
    return {
      controls: {
        momentum: { text: knob?.[1], disabled: !knob },
        condition: { disabled: state.surface !== "ravine" },
      },
      readouts: {
        Step: `${k} of ${path.points.length - 1}`,
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

  return { parts, draw, measure, sized: [plot.element, curve.element], reset: progress.reset };
}

export default explorer(spec, { clean, build });
