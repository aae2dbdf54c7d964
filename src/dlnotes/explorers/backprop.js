// The backprop explorer: a network of two, two and two units, one operation at a time.
import { EXAMPLE, UNITS, operations, results, train, operands, fill, printed } from "./network.js";
import { svg, number, frameIn, logScale, stepCurve } from "./plot.js";
import { html, slider, field, checkbox, button, announcer, onFrame, clamp, finite } from "./controls.js";

const KEYS = ["net", "lr", "biases", "steps", "at"];
export const LIMITS = { i: [-10, 10], t: [0, 1], w: [-1000, 1000], b: [-1000, 1000], lr: [1e-4, 10], steps: [0, 10000] };
const limits = (name) => LIMITS[name] ?? LIMITS[name[0]];
const WEIGHTS = Object.keys(EXAMPLE).filter((name) => "wb".includes(name[0]));
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
export const lost = (net) => !WEIGHTS.every((w) => Math.abs(net[w]) <= limits(w)[1]);

// A number as the chapter prints it: `places` decimals, no zeros at their end beyond
// hundredths, a true minus, × 10ᵏ where that would leave too little.
export function decimals(value, places = 9) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (!(size >= 10 ** (2 - places) && size < 1e6)) return number(value, Math.max(1, places - 5));
  return `${value < 0 ? "−" : ""}${size.toFixed(places).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

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

// The picture: boxes hold lines of [label, name of the number]. All sizes are in units
// that are about a pixel; a narrow picture runs downwards, a wide one to the right.
const LINE = 15;
const hidden = (h) => [
  ["net", `net_${h}`], ["out", `out_${h}`], ["∂E_o1/∂out", `dE_o1/dout_${h}`], ["∂E_o2/∂out", `dE_o2/dout_${h}`],
  ["∂E/∂out", `dE/dout_${h}`], ["∂out/∂net", `dout_${h}/dnet_${h}`], ["∂E/∂net", `dE/dnet_${h}`],
];
const output = (o) => [
  ["net", `net_${o}`], ["out", `out_${o}`], ["∂E/∂out", `dE/dout_${o}`],
  ["∂out/∂net", `dout_${o}/dnet_${o}`], ["∂E/∂net", `dE/dnet_${o}`],
];
const bias = (b) => [[b, b], ["∂E", `dE/d${b}`], [`${b}⁺`, `${b}+`]];
const CONTENT = {
  i1: [["i1", "i1"]], i2: [["i2", "i2"]], b1: bias("b1"), b2: bias("b2"),
  h1: hidden("h1"), h2: hidden("h2"), o1: output("o1"), o2: output("o2"),
  E_o1: [["t1", "t1"], ["E_o1", "E_o1"]], E_o2: [["t2", "t2"], ["E_o2", "E_o2"]], E: [["E", "E"]],
};
const TITLE = { h1: "h1", h2: "h2", o1: "o1", o2: "o2", b1: "to h1, h2", b2: "to o1, o2", E: "total" };
const tall = (box) => CONTENT[box].length * LINE + (TITLE[box] ? LINE : 0) + 8;

// Where the middle of each box is, and how wide it is.
const WIDE = {
  size: [660, 322],
  boxes: {
    i1: [51, 71, 100], i2: [51, 251, 100], b1: [51, 123, 100], b2: [51, 199, 100],
    h1: [259, 71, 140], h2: [259, 251, 140], o1: [483, 71, 132], o2: [483, 251, 132],
    E_o1: [609, 71, 98], E: [609, 161, 98], E_o2: [609, 251, 98],
  },
};
const TALL = {
  size: [350, 560],
  boxes: {
    i1: [85, 13, 100], i2: [265, 13, 100], h1: [85, 164, 160], h2: [265, 164, 160],
    o1: [85, 357, 160], o2: [265, 357, 160],
    E_o1: [57, 446, 108], E: [175, 446, 108], E_o2: [293, 446, 108], b1: [85, 518, 160], b2: [265, 518, 160],
  },
};
// Each weight's edge: the boxes that it runs between, and whether it runs straight.
const EDGES = Object.fromEntries(
  Object.entries(UNITS).flatMap(([unit, { from, weights }]) =>
    weights.map((w, k) => [w, { from: from[k].replace("out_", ""), to: unit, row: k, straight: unit.endsWith(k + 1) }])));

export const thickness = (weight) => 0.75 + (6 * Math.abs(weight)) / (1 + Math.abs(weight));

// One line of numbers as SVG: marked as the result of the operation, or as one of its
// operands, by shape and weight as well as by colour.
function numberLine({ x, y, width, label, text, mark, centred = false }) {
  const attributes = { y: y + 11, class: mark ? `dlx-line dlx-${mark}` : "dlx-line" };
  const parts = mark ? [svg("rect", { class: `dlx-mark-${mark}`, x, y: y - 1, width, height: LINE, rx: 3 })] : [];
  if (centred) {
    parts.push(svg("text", { ...attributes, x: x + width / 2, "text-anchor": "middle" },
      svg("tspan", { class: "dlx-label" }, `${label} `), text));
  } else {
    parts.push(svg("text", { ...attributes, x: x + 5 }, svg("tspan", { class: "dlx-label" }, label)));
    parts.push(svg("text", { ...attributes, x: x + width - 5, "text-anchor": "end" }, text));
  }
  return parts;
}

// The whole network: `shown` holds the numbers computed so far by name, `current` the
// name of the result of the operation, `used` the names that it takes.
function draw(wide, shown, current, used) {
  const { boxes } = wide ? WIDE : TALL;
  const mark = (name) => (name === current ? "current" : used.includes(name) ? "used" : "");
  const text = (name) => (name in shown ? decimals(shown[name], 6) : "");
  const ends = (from, to) => {
    const [[x0, y0, w0], [x1, y1, w1]] = [boxes[from], boxes[to]];
    return wide
      ? [[x0 + w0 / 2, y0], [x1 - w1 / 2, y1]]
      : [[x0, y0 + tall(from) / 2], [x1, y1 - tall(to) / 2]];
  };
  const line = ([[x1, y1], [x2, y2]], attributes) => svg("line", { x1, y1, x2, y2, ...attributes });

  // The outputs' errors stand beside their total: one line behind the three of them.
  const total = [boxes.E_o1, boxes.E_o2].map(([x, y]) => [x, y]);
  const plain = [total, ends("o1", "E_o1"), ends("o2", "E_o2")].map((pair) => line(pair, { class: "dlx-link" }));
  const edges = Object.entries(EDGES).map(([w, { from, to }]) =>
    line(ends(from, to), {
      class: `dlx-edge ${shown[w] < 0 ? "dlx-negative" : "dlx-positive"}`,
      "stroke-width": thickness(shown[w]).toFixed(2),
      "data-weight": w,
    }));

  const labels = Object.entries(EDGES).map(([w, { from, to, row, straight }]) => {
    const local = [`dnet_${to}/d${w}`, `dnet_${to}/dout_${from}`].find((name) => mark(name));
    const lines = [[w, w], ["∂E", `dE/d${w}`], [`${w}⁺`, `${w}+`]].filter(([, name]) => name in shown);
    if (local) lines.push(["∂net", local]);
    const [[x0, y0], [x1, y1]] = ends(from, to);
    const [width, height] = [wide ? 86 : 80, lines.length * LINE];
    // A straight edge's label lies beside it, outwards; a crossing one's upon it.
    let [x, y] = wide
      ? [(x0 + x1) / 2, y0 + 0.33 * (y1 - y0)]
      : [x0 + 0.27 * (x1 - x0), y0 + 0.33 * (y1 - y0)];
    if (straight && wide) y = y0 + (row ? 1 : -1) * (height / 2 + 8);
    if (straight && !wide) [x, y] = [x0 + (row ? 1 : -1) * (width / 2 + 4), (y0 + y1) / 2];
    const [left, top] = [x - width / 2, y - height / 2];
    return svg("g", { "data-place": w },
      svg("rect", { class: "dlx-plate", x: left, y: top - 1, width, height: height + 1, rx: 4 }),
      ...lines.flatMap(([label, name], i) =>
        numberLine({ x: left, y: top + i * LINE, width, label, text: text(name), mark: mark(name), centred: true })));
  });

  const cards = Object.entries(boxes).map(([box, [x, y, width]]) => {
    const [left, top, height] = [x - width / 2, y - tall(box) / 2, tall(box)];
    const title = TITLE[box] ? [svg("text", { class: "dlx-name", x, y: top + 15, "text-anchor": "middle" }, TITLE[box])] : [];
    return svg("g", { "data-place": box },
      svg("rect", { class: "dlx-card", x: left, y: top, width, height, rx: 6 }),
      ...title,
      ...CONTENT[box].flatMap(([label, name], i) =>
        numberLine({ x: left + 1, y: top + 4 + (i + title.length) * LINE, width: width - 2, label, text: text(name), mark: mark(name) })));
  });
  return [...plain, ...edges, ...labels, ...cards];
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
    run = { key, ...train(net, steps, { lr, biases, lost, done }) };
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
    else if (k > 0 && taken < LIMITS.steps[1] && !lost(run.net)) change({ steps: taken + 1, at: order[1] });
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
    label: "Operation", min: 0, max: names(true).length, step: 1,
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
    const [width, height] = (wide ? WIDE : TALL).size;
    picture.setAttribute("class", `dlx-network ${wide ? "dlx-across" : ""}`);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.replaceChildren(...draw(wide, shown, state.at, used));

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
    if (lost(net)) warnings.push(`A weight has left −1000 to 1000 after ${taken} steps. Lower the learning rate.`);
    if (taken === LIMITS.steps[1]) warnings.push("This is as far as the explorer goes: 10 000 steps. Edit a number to go on from here.");
    note.textContent = warnings.join(" ");
    note.classList.toggle("dlx-warning", warnings.length > 0);
    spoken.say([`${text.where}.`, text.lines[1] ?? "", text.why, `Descent steps ${numbers.steps}, error ${numbers.error}.`, ...warnings].filter(Boolean).join(" "));
  }

  const redraw = onFrame(show);
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
