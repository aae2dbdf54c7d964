// The schedules explorer: a rate composed, and what a noisy quadratic makes of it.
import spec from "./spec.json" with { type: "json" };
import { EDGE, PEAKS, RUNS, best, clean, corners, decays, ends } from "./model.js";
import { factors, message, optimum, runs, some, theory } from "./model.js";
import { button } from "../shared/controls.js";
import { arrowKeys, draggable } from "../shared/drag.js";
import { html, legendKey, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, quantity } from "../shared/numbers.js";
import { curve, dot, plane } from "../shared/plane.js";
import { SCALES, clamp } from "../shared/settings.js";

const { peak: { limits: PEAK }, seed: { limits: [, LAST_SEED] } } = spec.settings;
const REACH = [1e-4, 10];
const [DEEPEST, HIGHEST] = [1e-12, 1e3];
const TOPS = [0.001, 0.01, 0.1, 1].flatMap((power) => [1, 2, 5].map((m) => m * power));
const NAMES = ["your schedule", "best constant", "best possible"];

// From a whole power of ten, below all values, to the highest.
const levels = (values) =>
  [10 ** Math.floor(Math.log10(Math.max(DEEPEST, Math.min(...values)))), HIGHEST];
const thinned = (values, most) => some(values.length - 1, most).map((t) => [t, values[t]]);
const snapped = (peak) => clamp(SCALES.log.from(Math.log10(clamp(peak, ...PEAK))), ...PEAK);

// What was computed from the same values last time.
function remembered() {
  let known, result;
  return (values, compute) => {
    const same = known?.every((v, i) => v === values[i]);
    if (!same) [known, result] = [values, compute()];
    return result;
  };
}

// A sample of a line or of a patch, and what it is.
const LINE = "M0 4h24";
const PATCH = "M0 0h24v8h-24z";
const key = (style, d, ...text) => legendKey(svg("path", { class: style, d }), html("span", {}, ...text));

const measured = () => key("dlx-mean", LINE, "mean of ", quantity("runs", String(RUNS)), " runs");

// Half a disc that points where a corner can be dragged: left or right.
const half = (mark, side, point) => (place) => {
  const [x, y] = place(point);
  return svg("path", { class: "dlx-half", "data-mark": mark, d: `M${x} ${y}h0m0 -9a9 9 0 0 ${side} 0 18z` });
};

// The three phases, named where there is room, and the edge of stability.
const phases = (risen, falls, steps, { top, height }, edge) => (place) => {
  const below = edge ? height - 6 : 14; // where there is no curve, or hardly one
  const [begin, up, down, end] = [0, risen, falls, steps].map((t) => place([t, EDGE])[0]);
  const line = (x) => svg("line", { class: "dlx-grid dlx-phase", x1: x, x2: x, y1: top, y2: top + height });
  const label = (text, from, to) => (to - from < 7 * text.length + 8 ? [] : [
    svg("text", { x: (from + to) / 2, y: top + below, "text-anchor": "middle" }, text)]);
  return svg("g", { "data-scenery": "" }, line(up), line(down),
    ...label("warm-up", begin, up), ...label("at the peak", up, down), ...label("decay", down, end),
    ...(edge ? [svg("text", { x: end - 14, y: place([0, EDGE])[1] - 5, "text-anchor": "end" }, "edge of stability")] : []));
};

function build({ read, change, commit, set, redraw, control, reset, note, id }) {
  const step = (name, i) => ({ format: () => [quantity(name, String(corners(read())[i]))] });
  const grip = html("div", { class: "dlx-handle dlx-peak" });
  const corner = (label) => html("div", {
    class: "dlx-handle dlx-corner", tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0,
  });
  const handles = { warmup: corner("End of warm-up"), decay: corner("Start of decay") };
  const rates = plane({ id: `${id}-rates`, label: "Learning rate" }, grip, ...Object.values(handles));
  const means = plane({ id: `${id}-means`, label: "Mean of x²" });
  const dial = html("div", { class: "dlx-handle" });
  const sweep = plane({ id: `${id}-sweep`, label: "Mean of x² at the end, by peak" }, dial);
  const plots = [rates, means, sweep];

  // ---- What can be dragged -----------------------------------------------------------------

  let top; // of the rates, if not logarithmic: it stays while something is dragged
  let dragging = false;
  const release = () => {
    dragging = false;
    commit();
    redraw();
  };
  const put = (peak) => {
    dragging = true;
    change({ peak: snapped(peak) });
  };
  draggable(rates.element, grip, {
    where: () => rates.toPixels([read().steps, read().peak]),
    follow: (point) => put(rates.toData(point)[1]),
    commit: release,
  });
  draggable(sweep.element, dial, {
    where: () => sweep.toPixels([read().peak, 1]),
    follow: (point) => put(sweep.toData(point)[0]),
    commit: release,
  });

  // Moves a corner to a step. A decay that starts earlier takes the end of the warm-up along;
  // one that has to wait for a longer warm-up keeps its own place (`corners`).
  function move(name, step) {
    const state = read();
    const first = state.shape === "one-cycle" ? 1 : 0; // its peak is the last step of the rise
    const share = clamp(Math.round(step) + first, 0, state.steps) / state.steps;
    const patch = { [name]: share };
    if (name === "decay" && share < state.warmup) patch.warmup = share;
    change(patch);
  }
  Object.entries(handles).forEach(([name, handle], i) => {
    let origin;
    handle.addEventListener("pointerdown", (event) => event.stopPropagation()); // not the plot's
    draggable(handle, handle, {
      where() {
        const state = read();
        origin = [handle.offsetLeft, handle.offsetTop];
        return rates.toPixels([corners(state)[i], state.peak]).map((v, axis) => v - origin[axis]);
      },
      follow: ([x]) => move(name, rates.toData([x + origin[0], 0])[0]),
      commit,
    });
    arrowKeys(handle, ([right, up]) => {
      const state = read();
      const far = (right + up) * state.steps * 0.05;
      move(name, corners(state)[i] + Math.sign(far) * Math.max(1, Math.round(Math.abs(far))));
      commit();
    });
  });

  // ---- What is shown ---------------------------------------------------------------------

  const body = html("tbody");
  const table = html("table", { class: "dlx-table" },
    html("thead", {}, html("tr", {}, ...["Schedule", "peak", "mean rate", "x² at the end"].map((text) =>
      html("th", { scope: "col" }, text)))),
    body);
  const tune = button("Best peak", () => set({ peak: best(ends(factors(read()), read().noise, PEAKS)).peak }));
  const renew = button("New noise", () => set({ seed: (read().seed + 1) % (LAST_SEED + 1) }));
  const title = (...parts) => html("p", { class: "dlx-title" }, ...parts);
  const axis = html("span");
  const hint = (text) => html("p", { class: "dlx-hint" }, text);

  const shown = (value, name) => (Number.isFinite(value) ? quantity(name, number(value)) : "lost");
  const row = (name, head, ...values) =>
    html("tr", {}, html("th", { scope: "row" }, head), ...["rate", "mean", "end"].map((fact, i) =>
      html("td", {}, shown(values[i], `${fact}.${name}`))));

  function putHandles(state, [peak, now]) {
    const spot = (handle, [x, y]) => {
      [handle.style.left, handle.style.top] = [`${x}px`, `${y}px`];
    };
    spot(grip, rates.toPixels(peak));
    spot(dial, sweep.toPixels(now));
    const both = corners(state);
    const [left, right] = both.map((t) => rates.toPixels([t, state.peak])[0]);
    const apart = decays(state) ? Math.max(0, 44 - (right - left)) / 2 : 0; // so that each has room
    const [, y] = rates.toPixels(peak);
    spot(handles.warmup, [left - apart, y]);
    spot(handles.decay, [right + apart, y]);
    handles.decay.hidden = !decays(state);
    Object.values(handles).forEach((handle, i) => {
      handle.setAttribute("aria-valuemax", state.steps);
      handle.setAttribute("aria-valuenow", both[i]);
      handle.setAttribute("aria-valuetext", `step ${both[i]}`);
    });
  }

  const ofShape = remembered();
  const ofConstant = remembered();

  function draw(state) {
    const { peak, steps, noise, log } = state;
    const [risen, falls] = corners(state);
    const shape = factors(state);
    const own = shape.map((factor) => peak * factor);
    const mean = (values) => values.reduce((total, v) => total + v, 0) / steps;
    const finals = [
      ofShape([state.shape, state.warmup, state.decay, steps, noise], () => ends(shape, noise, PEAKS)),
      ofConstant([steps, noise], () => ends(Array(steps).fill(1), noise, PEAKS)),
    ];
    const [tuned, constant] = finals.map(best);
    const optimal = optimum(steps, noise);
    const all = [own, Array(steps).fill(constant.peak), optimal].map((list) => theory(list, noise));
    const [end, , least] = all.map((list) => list.at(-1));
    const seen = runs(own, noise, state.seed);
    const drawn = some(steps);
    const over = (values) => values.map((v, i) => [drawn[i], v]);

    if (!dragging || top === undefined) top = TOPS.find((v) => v >= 1.1 * peak) ?? 5;
    const flat = (v) => [[0, v], [steps, v]];
    const at = [steps, peak];
    rates.draw({ x: [0, steps], ...(log ? { y: REACH, log: "y" } : { y: [0, top] }) }, [
      phases(risen, falls, steps, rates.box(), log),
      ...(log ? [curve("edge", "dlx-edge", flat(EDGE))] : []),
      curve(NAMES[2], "dlx-line2", thinned(optimal)),
      curve(NAMES[1], "dlx-line1", flat(constant.peak)),
      curve(NAMES[0], "dlx-line0", thinned(own, 500)),
    ], [
      dot("peak", "dlx-ring", at, 6),
      half("warm-up ends", 0, [risen, peak]),
      ...(decays(state) ? [half("decay starts", 1, [falls, peak])] : []),
    ]);
    means.draw({ x: [0, steps], y: levels([...all.flat(), ...seen.low]), log: "y" }, [
      curve("middle of the runs", "dlx-band", [...over(seen.high), ...over(seen.low).reverse()]),
      curve("mean of the runs", "dlx-mean", over(seen.mean)),
      ...[2, 1, 0].map((i) => curve(NAMES[i], `dlx-line${i}`, thinned(all[i]))),
    ]);
    const reach = levels([...finals.flat(), least]);
    const now = [peak, clamp(end, ...reach)];
    sweep.draw({ x: PEAK, y: reach, log: "xy" }, [
      curve(NAMES[2], "dlx-line2", PEAK.map((v) => [v, least])),
      ...[1, 0].map((i) => curve(NAMES[i], `dlx-line${i}`, PEAKS.map((v, k) => [v, finals[i][k]]))),
    ], [dot("now", "dlx-ring", now, 7)]);

    putHandles(state, [at, now]);
    axis.textContent = log ? "Learning rate (log):" : "Learning rate (linear):";
    body.replaceChildren(
      row("own", key("dlx-line0", LINE, "yours"), peak, mean(own), end),
      html("tr", {}, html("th", { scope: "row", colspan: 3 }, measured()),
        html("td", {}, shown(seen.mean.at(-1), "end.runs"))),
      row("tuned", "yours, best peak", tuned.peak, mean(shape) * tuned.peak, tuned.end),
      row("constant", key("dlx-line1", LINE, NAMES[1]), constant.peak, constant.peak, constant.end),
      row("possible", key("dlx-line2", LINE, NAMES[2]), optimal[0], mean(optimal), least));
    return {
      controls: { decay: { disabled: !decays(state) } },
      readouts: {},
      said: [
        `${spec.settings.shape.choices[state.shape]}. Peak `, quantity("peak", number(peak)),
        ", reached at step ", quantity("risen", String(risen)), ", left at step ", quantity("falls", String(falls)),
        " of ", quantity("steps", String(steps)), ". Mean of x² at the end: ", shown(end, "end.own"), ".",
      ],
      ...message(state, own, end / least),
    };
  }

  return {
    parts: [
      html("div", { class: "dlx-controls dlx-wide" }, control("shape"), control("peak"), control("steps"),
        control("warmup", step("risen", 0)), control("decay", step("falls", 1)),
        control("noise")),
      html("div", { class: "dlx-side" },
        title(axis, key("dlx-line0", LINE, "yours"), ...[1, 2].map((i) => key(`dlx-line${i}`, LINE, NAMES[i]))),
        rates.element,
        hint("Drag up or down to set the peak. Drag the half discs sideways: the end of warm-up, the start of decay."),
        control("log"),
        title("Mean of x² (log):", key("dlx-line0", LINE, "theory"), measured(),
          key("dlx-band", PATCH, "middle 80 %")),
        means.element,
        hint("The loss is x²/2, from x = 10. Each step: x ← x − rate · (x + σ · noise).")),
      html("div", { class: "dlx-side" },
        table, note,
        title("Mean of x² at the end, by peak (log)"),
        sweep.element,
        hint("The ring is at your peak. Drag it sideways."),
        html("div", { class: "dlx-row" }, tune, renew, reset)),
    ],
    draw,
    measure() {
      for (const plot of plots) plot.measure();
    },
    sized: plots.map(({ element }) => element),
  };
}

export default explorer(spec, { clean, build });
