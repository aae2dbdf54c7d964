// The backprop explorer: a network of two, two and two units, one operation at a time.
import spec from "./spec.json" with { type: "json" };
import { drawNetwork, sizeOf } from "./diagram.js";
import { clean, explain, limits, names, outOfRange } from "./model.js";
import { EXAMPLE, operations, results, train, operands, printed } from "../maths/backprop.js";
import { button, slider } from "../shared/controls.js";
import { html, svg, write } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { decimals, quantity } from "../shared/numbers.js";
import { logScale, stepCurve } from "../shared/plot.js";

const MOST = spec.settings.steps.limits[1];

function build({ read, set, control, number, reset, readouts, note }) {
  let run; // the descent that is shown, and what it started from
  let wide;
  let written = { net: undefined, lines: [] }; // what the list says of a network, once

  // The network after the steps taken. Going on is cheap; going back starts again.
  function progress({ net, lr, biases, steps }) {
    const key = JSON.stringify([net, lr, biases]);
    const done = run?.key === key && run.errors.length <= steps + 1 ? run : undefined;
    run = { key, ...train(net, steps, { lr, biases, lost: outOfRange, done }) };
    return run;
  }

  // An edit starts a new descent from the numbers that are shown.
  function edit({ net = {}, ...rest }) {
    set({ net: { ...progress(read()).net, ...net }, steps: 0, ...rest });
  }
  function take(count) {
    set({ steps: Math.min(MOST, progress(read()).errors.length - 1 + count) });
  }

  // One operation on or back; past the last one lies the first of the next round.
  function move(by) {
    const state = read();
    const order = ["", ...names(state.biases)];
    const k = order.indexOf(state.at) + by;
    const taken = progress(state).errors.length - 1;
    if (k >= 0 && k < order.length) set({ at: order[k] });
    else if (k < 0 && taken > 0) set({ steps: taken - 1, at: order.at(-1) });
    else if (k > 0 && taken < MOST && !outOfRange(run.net)) set({ steps: taken + 1, at: order[1] });
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
  const symbols = html("p", { class: "dlx-formula" });
  const filled = html("p", { class: "dlx-formula dlx-filled" });
  const why = html("p", { class: "dlx-hint" });
  const panel = html("div", { class: "dlx-panel dlx-wide" }, where, symbols, filled, why);

  const back = button("Back", () => move(-1));
  const next = button("Next", () => move(1));
  next.classList.add("dlx-main");
  const position = slider({
    label: "Operation", limits: [0, names(true).length], step: 1,
    format(k) {
      const list = ["nothing computed yet", ...names(read().biases).map(printed)];
      return [quantity("position", `${k} of ${list.length - 1}`), `: ${list[k] ?? ""}`];
    },
    change: (k) => set({ at: ["", ...names(read().biases)][k] ?? "" }),
  });

  const { lr, net: { step } } = spec.settings;
  const fields = {
    lr: number("lr", { ...lr, change: (value) => edit({ lr: value }) }),
    ...Object.fromEntries(Object.keys(EXAMPLE).map((name) =>
      [name, number(name, { label: name, limits: limits(name), step, change: (value) => edit({ net: { [name]: value } }) })])),
  };
  const group = (legendText, list, ...more) =>
    html("fieldset", {}, html("legend", {}, legendText),
      html("div", { class: "dlx-fields" }, ...list.map((name) => fields[name].element)), ...more);
  const withBiases = control("biases", {
    change: (biases) => edit({ biases, ...(names(biases).includes(read().at) ? {} : { at: names(biases).at(-1) }) }),
  });

  const curve = stepCurve();
  const list = html("ol", { class: "dlx-list" });

  const parts = [
    panel,
    html("div", { class: "dlx-row dlx-wide dlx-walk" }, back, next, position.element),
    plot, keys,
    html("div", { class: "dlx-numbers" },
      group("Inputs and targets", ["i1", "i2", "t1", "t2"]),
      group("Into the hidden units", ["w1", "w2", "w3", "w4", "b1"]),
      group("Into the outputs", ["w5", "w6", "w7", "w8", "b2"]),
      note,
      readouts),
    html("div", { class: "dlx-side" },
      group("Gradient descent", ["lr"], withBiases),
      html("div", { class: "dlx-row" },
        ...[[1, "1 step"], [100, "100 steps"], [1000, "1000 steps"]].map(([count, label]) => button(label, () => take(count))),
        reset),
      curve.title,
      curve.element),
    html("details", { class: "dlx-wide" }, html("summary", {}, "Every number so far"), list),
  ];

  function measure() {
    wide = plot.clientWidth >= 560;
    curve.measure();
  }

  function draw(state) {
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
    write(where, text.where);
    write(symbols, [text.symbols]);
    write(filled, text.filled);
    write(why, [text.why]);
    if (written.net !== net) written = { net, lines: [] };
    for (let i = written.lines.length; i < k; i += 1) {
      written.lines.push(html("li", {}, ...explain(all, i + 1, values).filled));
    }
    list.replaceChildren(...written.lines.slice(0, k));

    const taken = errors.length - 1;
    back.setAttribute("aria-disabled", k === 0 && taken === 0);
    position.set(k, { upTo: all.length });
    for (const [name, input] of Object.entries(fields)) {
      input.set(given[name], String(Number(given[name].toPrecision(4))));
    }
    curve.draw({ label: "Error E", ...logScale(errors) }, taken);

    const warnings = [];
    if (outOfRange(net)) {
      const after = quantity("Descent steps", String(taken));
      warnings.push("A weight has left −1000 to 1000 after ", after, " steps. Lower the learning rate. ");
    }
    if (taken === MOST) warnings.push("This is as far as the explorer goes: 10 000 steps. Edit a number to go on from here.");
    return {
      readouts: {
        "Descent steps": String(taken),
        "Error E": decimals(values.E),
        "out_o1 for t1": decimals(values.out_o1),
        "out_o2 for t2": decimals(values.out_o2),
      },
      said: [...text.where, ". ", ...text.filled, " ", text.why],
      message: warnings,
      warning: warnings.length > 0,
    };
  }

  return { parts, draw, measure, sized: [plot, curve.element] };
}

export default explorer(spec, { clean, build });
