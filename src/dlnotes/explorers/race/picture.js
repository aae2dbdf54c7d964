// The race: several update rules on one surface, each with a rate of its own.
import spec from "./spec.json" with { type: "json" };
import { FLOOR, RULES, best, clean, lowest, message, nameOf, race, surfaceOf, thousandth } from "./model.js";
import { surfaces } from "../maths/surfaces.js";
import { button } from "../shared/controls.js";
import { html, svg, write } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, quantity } from "../shared/numbers.js";
import { centre, lines } from "../shared/plot.js";
import { steps } from "../shared/steps.js";
import { terrain } from "../shared/terrain.js";

function build({ read, change, commit, set, redraw, control, player, reset, readouts, note, id }) {
  const progress = steps({
    player, redraw, last: () => read().steps, most: spec.settings.steps.limits[1],
  });

  // A path on the surface, its end, and what is said of it, for each rule.
  const lanes = Object.fromEntries(RULES.map((rule, i) => [rule, {
    casing: svg("polyline", { class: "dlx-casing", "data-mark": rule }),
    path: svg("polyline", { class: `dlx-line${i}`, "data-mark": rule }),
    now: svg("circle", { class: `dlx-end dlx-end${i}`, "data-mark": `${rule} now`, r: 5 }),
    result: html("p"),
  }]));
  const ways = svg("g");
  const ends = svg("g");
  const plot = terrain({ id, moved: (start) => change({ start }), commit, under: [ways], over: [ends] });
  const chart = lines("Loss above the minimum", Object.fromEntries(RULES.map((rule) => [rule, nameOf(rule)])));

  const cards = RULES.map((rule, i) =>
    html("div", { class: "dlx-racer" },
      html("div", { class: "dlx-row" },
        svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("path", { class: `dlx-line${i}`, d: "M0 4h24" })),
        control(rule)),
      control(`${rule}_lr`),
      lanes[rule].result));
  const tune = button("Best rate for each", () => set(best(read())));
  const same = button("All at gradient descent's rate", () =>
    set(Object.fromEntries(RULES.map((rule) => [`${rule}_lr`, read().gd_lr]))));

  // Another ravine has its start elsewhere: turned with it.
  const ground = (name) => control(name, {
    change(value) {
      const patch = { [name]: value };
      const start = surfaceOf({ ...read(), ...patch }).start;
      if (name === "surface") set({ ...patch, start: surfaces[value](read()).start });
      else change(name === "angle" ? { ...patch, start } : patch);
    },
  });

  const parts = [
    html("div", { class: "dlx-controls dlx-wide" },
      ground("surface"), ground("condition"), ground("angle"), control("steps")),
    html("div", {}, plot.element, plot.keys(), plot.hint),
    html("div", { class: "dlx-side" },
      html("div", { class: "dlx-row" }, ...progress.buttons),
      progress.slider,
      readouts,
      note,
      html("p", { class: "dlx-title" }, "Loss above the minimum (log)"),
      chart.element),
    html("div", { class: "dlx-row dlx-wide" }, tune, same, reset),
    html("div", { class: "dlx-wide dlx-racers" }, ...cards),
  ];

  function measure() {
    plot.measure();
    chart.measure();
  }

  function draw(state) {
    const runs = race(state);
    const k = progress.at();
    const taking = Object.keys(runs);
    plot.show(surfaceOf(state), `${state.surface} ${state.condition} ${state.angle}`, state.start);
    ways.replaceChildren(...taking.flatMap((rule) => [lanes[rule].casing, lanes[rule].path]));
    ends.replaceChildren(...taking.map((rule) => lanes[rule].now));
    for (const [rule, { casing, path, now, result }] of Object.entries(lanes)) {
      write(result, ["does not take part"]);
      if (!runs[rule]) continue;
      const { points, heights } = runs[rule];
      const spots = plot.path(points.slice(0, k + 1));
      for (const line of [casing, path]) line.setAttribute("points", spots.join(" "));
      centre(now, spots.at(-1));
      const there = thousandth(runs[rule]);
      const height = quantity(`loss.${rule}`, number(heights[Math.min(k, points.length - 1)]));
      write(result, there === null
        ? ["loss ", height, ", not yet below 1/1000 of the start"]
        : ["loss ", height, ", below 1/1000 of the start from step ", quantity(`thousandth.${rule}`, String(there))]);
    }
    const kept = (rule) => runs[rule].heights.map((h) => Math.max(h, FLOOR));
    chart.draw(Object.fromEntries(taking.map((rule) => [rule, kept(rule)])), { upTo: k, steps: state.steps });
    progress.follow();

    const turned = state.surface === "ravine";
    return {
      controls: {
        condition: { disabled: !turned },
        angle: { disabled: !turned },
        ...Object.fromEntries(RULES.map((rule) => [`${rule}_lr`, { disabled: !state[rule] }])),
      },
      readouts: {
        Step: `${k} of ${state.steps}`,
        "Lowest loss above the minimum": lowest(runs, k),
      },
      said: [
        `${spec.settings.surface.choices[state.surface]}, start `,
        quantity("start", state.start.map((v) => number(v)).join(", ")),
        `, ${taking.map(nameOf).join(", ") || "no rule"}.`,
      ],
      ...message(runs, k),
    };
  }

  return { parts, draw, measure, sized: [plot.element, chart.element], reset: progress.reset };
}

export default explorer(spec, { clean, build });
