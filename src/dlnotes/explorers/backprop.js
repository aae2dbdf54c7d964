// The backprop explorer: a network of two, two and two units, one operation at a time.
import { EXAMPLE, operations, results, train, operands, fill, printed } from "./network.js";
import { drawNetwork, sizeOf } from "./diagram.js";
import { svg, decimals, frameIn, logScale, stepCurve } from "./plot.js";
import { html, slider, field, checkbox, button, announcer, afterEvent, clamp, finite } from "./controls.js";

const KEYS = ["net", "lr", "biases", "steps", "at"];
export const LIMITS = { i: [-10, 10], t: [0, 1], w: [-1000, 1000], b: [-1000, 1000], lr: [1e-4, 10], steps: [0, 10000] };
const limits = (name) => LIMITS[name] ?? LIMITS[name[0]];
const PARAMETERS = Object.keys(EXAMPLE).filter((name) => "wb".includes(name[0]));
const names = (biases) => operations(biases).map(({ name }) => name);

// Any state made into one that can be drawn: unknown names and impossible numbers are
// replaced, numbers out of range are moved to the nearest end of it.
export function clean(state) {
  const within = (name, value, otherwise) => clamp(finite(value, otherwise), ...limits(name));
  const biases = state.biases === true;
  return {
    net: Object.fromEntries(
      Object.entries(EXAMPLE).map(([name, value]) => [name, within(name, state.net?.[name], value)])),
    lr: within("lr", state.lr, 0.5),
    biases,
    steps: Math.round(within("steps", state.steps, 0)),
    at: state.at === "" || names(biases).includes(state.at) ? state.at : "net_h1",
  };
}

// A weight has left the range in which the reader could have set it.
export const outOfRange = (net) => !PARAMETERS.every((w) => Math.abs(net[w]) <= limits(w)[1]);

// What there is to read about operation `k` (1 is the first): where it stands, how it is
// written, the same with its numbers, and why.
export function explain(list, k, values) {
  if (k === 0) return { where: "Before the first operation", lines: [], why: "The inputs, targets, weights and biases are given. Next computes net_h1." };
  const { phase, name, formula, why } = list[k - 1];
  const same = list.filter((operation) => operation.phase === phase);
  const result = decimals(values[name]);
  const filled = fill(formula, values, decimals);
  return {
    where: `${phase}, operation ${same.indexOf(list[k - 1]) + 1} of ${same.length}`,
    lines: [
      `${printed(name)} = ${printed(formula)}`,
      filled === result ? `${printed(name)} = ${result}` : `${printed(name)} = ${filled} = ${result}`,
    ],
    why: k === list.length ? `${why} Next takes the step: the new weights move in.` : why,
  };
}

function render({ model, el }) {
  const read = () => clean(Object.fromEntries(KEYS.map((key) => [key, model.get(key)])));
  const first = read();
  let run; // the descent that is shown, and what it started from
  let wide, size;

  // The network after the steps taken. Going on is cheap; going back starts again.
  function progress({ net, lr, biases, steps }) {
    const key = JSON.stringify([net, lr, biases]);
    const done = run?.key === key && run.errors.length <= steps + 1 ? run : undefined;
    run = { key, ...train(net, steps, { lr, biases, lost: outOfRange, done }) };
    return run;
  }

  function change(patch) {
    for (const [key, value] of Object.entries(patch)) model.set(key, value);
    model.save_changes();
  }
  // An edit starts a new descent from the numbers that are shown.
  function edit({ net = {}, ...rest }) {
    change({ net: { ...progress(read()).net, ...net }, steps: 0, ...rest });
  }
  function take(count) {
    change({ steps: Math.min(LIMITS.steps[1], progress(read()).errors.length - 1 + count) });
  }

  // One operation on or back; past the last one lies the first of the next round.
  function move(by) {
    const state = read();
    const order = ["", ...names(state.biases)];
    const k = order.indexOf(state.at) + by;
    const taken = progress(state).errors.length - 1;
    if (k >= 0 && k < order.length) change({ at: order[k] });
    else if (k < 0 && taken > 0) change({ steps: taken - 1, at: order.at(-1) });
    else if (k > 0 && taken < LIMITS.steps[1] && !outOfRange(run.net)) change({ steps: taken + 1, at: order[1] });
  }

  const picture = svg("svg", { "aria-hidden": "true" });
  const plot = html("div", { class: "dlx-wide" }, picture);
  const legend = (shape, text) => html("span", {}, svg("svg", { viewBox: "0 -9 26 18", "aria-hidden": "true" }, shape), text);
  const sample = (name) => svg("line", { class: `dlx-edge dlx-${name}`, x1: 0, x2: 26, y1: 0, y2: 0, "stroke-width": 3 });
  const box = (name) => svg("rect", { class: `dlx-mark-${name}`, x: 2, y: -7, width: 22, height: 14, rx: 3 });
  const keys = html("div", { class: "dlx-row dlx-keys dlx-wide", "aria-hidden": "true" },
    legend(sample("positive"), "positive weight"), legend(sample("negative"), "negative weight"),
    legend(box("current"), "computed now"), legend(box("used"), "from these"),
    html("span", {}, "∂E of a weight w: ∂E/∂w"), html("span", {}, "w⁺: w after the step"));

  const where = html("p", { class: "dlx-title" });
  const formula = html("p", { class: "dlx-formula" });
  const filled = html("p", { class: "dlx-formula dlx-filled" });
  const why = html("p", { class: "dlx-hint" });
  const panel = html("div", { class: "dlx-panel dlx-wide" }, where, formula, filled, why);

  const back = button("Back", () => move(-1));
  const next = button("Next", () => move(1));
  next.classList.add("dlx-main");
  const position = slider({
    label: "Operation", limits: [0, names(true).length], step: 1,
    format: (k) => {
      const list = ["nothing computed yet", ...names(read().biases).map(printed)];
      return `${k} of ${list.length - 1}: ${list[k] ?? ""}`;
    },
    change: (k) => change({ at: ["", ...names(read().biases)][k] ?? "" }),
  });

  const complaints = new Map();
  const note = html("p", { class: "dlx-message" });
  const fields = Object.fromEntries(
    [...Object.keys(EXAMPLE), "lr"].map((name) => {
      const [min, max] = limits(name);
      const label = name === "lr" ? "Learning rate η" : name;
      return [name, field({
        label, min, max, step: name === "lr" ? 0.1 : 0.05,
        change: (value) => edit(name === "lr" ? { lr: value } : { net: { [name]: value } }),
        wrong: (text) => {
          complaints.set(name, text);
          redraw();
        },
      })];
    }));
  const group = (legendText, list, ...more) =>
    html("fieldset", {}, html("legend", {}, legendText),
      html("div", { class: "dlx-fields" }, ...list.map((name) => fields[name].element)), ...more);
  const withBiases = checkbox({
    label: "update the biases too",
    change: (biases) => edit({ biases, ...(names(biases).includes(read().at) ? {} : { at: names(biases).at(-1) }) }),
  });

  const curve = stepCurve();
  const curvePlot = html("div", { class: "dlx-plot dlx-curve" }, curve.element);
  const readout = { steps: "Descent steps", error: "Error E", o1: "out_o1 for t1", o2: "out_o2 for t2" };
  for (const [key, label] of Object.entries(readout)) readout[key] = [html("dt", {}, label), html("dd")];
  const list = html("ol", { class: "dlx-list" });
  const spoken = announcer();

  const root = html(
    "div",
    { class: "dlx dlx-backprop", role: "group", "aria-label": "Backpropagation explorer", "data-lm-suppress-shortcuts": "true" },
    html("div", { class: "dlx-body" },
      panel,
      html("div", { class: "dlx-row dlx-wide dlx-walk" }, back, next, position.element),
      plot, keys,
      html("div", { class: "dlx-numbers" },
        group("Inputs and targets", ["i1", "i2", "t1", "t2"]),
        group("Into the hidden units", ["w1", "w2", "w3", "w4", "b1"]),
        group("Into the outputs", ["w5", "w6", "w7", "w8", "b2"]),
        note,
        html("dl", { class: "dlx-state" }, ...Object.values(readout).map((pair) => html("div", {}, ...pair)))),
      html("div", { class: "dlx-side" },
        group("Gradient descent", ["lr"], withBiases.element),
        html("div", { class: "dlx-row" },
          ...[[1, "1 step"], [100, "100 steps"], [1000, "1000 steps"]].map(([count, label]) => button(label, () => take(count))),
          button("Reset", () => {
            afresh = true;
            change(first);
            redraw();
          })),
        html("p", { class: "dlx-title" }, "Error E after each step (log)"),
        curvePlot),
      html("details", { class: "dlx-wide" }, html("summary", {}, "Every number so far"), list),
      spoken.element));
  let afresh = false; // Reset also clears what was typed and refused

  function measure() {
    wide = plot.clientWidth >= 560;
    size = frameIn(curvePlot);
  }

  function show() {
    const state = read();
    const { net, errors } = progress(state);
    const all = operations(state.biases);
    const k = all.findIndex(({ name }) => name === state.at) + 1;
    const given = { ...net, lr: state.lr };
    const values = { ...given, ...results(all, given) };
    const done = all.slice(0, k);
    const shown = { ...net, ...Object.fromEntries(done.map(({ name }) => [name, values[name]])) };

    const used = k ? operands(all[k - 1].formula) : [];
    const [width, height] = sizeOf(wide);
    picture.setAttribute("class", `dlx-network ${wide ? "dlx-across" : ""}`);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.replaceChildren(...drawNetwork(wide, shown, state.at, used));

    const text = explain(all, k, values);
    where.textContent = text.where;
    formula.textContent = text.lines[0] ?? "";
    filled.textContent = text.lines[1] ?? "";
    why.textContent = text.why;
    list.replaceChildren(...done.map((_, i) => html("li", {}, explain(all, i + 1, values).lines[1])));

    const taken = errors.length - 1;
    back.setAttribute("aria-disabled", k === 0 && taken === 0);
    position.set(k, { upTo: all.length });
    for (const [name, control] of Object.entries(fields)) {
      control.set(given[name], String(Number(given[name].toPrecision(4))), afresh);
    }
    afresh = false;
    withBiases.set(state.biases);
    const numbers = { steps: String(taken), error: decimals(values.E), o1: decimals(values.out_o1), o2: decimals(values.out_o2) };
    for (const [key, value] of Object.entries(numbers)) readout[key][1].textContent = value;
    curve.draw(size, logScale(errors), taken);

    const warnings = [...complaints.values()].filter(Boolean);
    if (outOfRange(net)) warnings.push(`A weight has left −1000 to 1000 after ${taken} steps. Lower the learning rate.`);
    if (taken === LIMITS.steps[1]) warnings.push("This is as far as the explorer goes: 10 000 steps. Edit a number to go on from here.");
    note.textContent = warnings.join(" ");
    note.classList.toggle("dlx-warning", warnings.length > 0);
    spoken.say([`${text.where}.`, text.lines[1] ?? "", text.why, `Descent steps ${numbers.steps}, error ${numbers.error}.`, ...warnings].filter(Boolean).join(" "));
  }

  const redraw = afterEvent(show);
  const resize = new ResizeObserver(() => {
    measure();
    show();
  });
  for (const name of KEYS) model.on(`change:${name}`, redraw);
  el.append(root);
  measure();
  show();
  resize.observe(plot);
  resize.observe(curvePlot);
  return () => {
    resize.disconnect();
    redraw.stop();
    spoken.hush();
    for (const name of KEYS) model.off(`change:${name}`, redraw);
  };
}

export default { render };
