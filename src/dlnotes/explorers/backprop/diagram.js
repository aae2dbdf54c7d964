// The picture of the network: its boxes, its edges, and the numbers beside them. What is
// shown and what is marked is given; nothing is computed here.
import { UNITS } from "../maths/backprop.js";
import { svg } from "../shared/elements.js";
import { decimals, quantity } from "../shared/numbers.js";

// Boxes hold lines of [label, name of the number]. All sizes are in units
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
    i1: [90, 13, 100], i2: [260, 13, 100], h1: [90, 164, 160], h2: [260, 164, 160],
    o1: [90, 357, 160], o2: [260, 357, 160],
    E_o1: [57, 446, 108], E: [175, 446, 108], E_o2: [293, 446, 108], b1: [90, 518, 160], b2: [260, 518, 160],
  },
};
export const sizeOf = (wide) => (wide ? WIDE : TALL).size;

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
export function drawNetwork(wide, shown, current, used) {
  const { boxes } = wide ? WIDE : TALL;
  const mark = (name) => (name === current ? "current" : used.includes(name) ? "used" : "");
  const text = (name, places = 6) => quantity(name, name in shown ? decimals(shown[name], places) : "");
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
      : [x0 + 0.25 * (x1 - x0), y0 + 0.33 * (y1 - y0)];
    if (straight && wide) y = y0 + (row ? 1 : -1) * (height / 2 + 8);
    if (straight && !wide) [x, y] = [x0 + (row ? 1 : -1) * (width / 2 + 4), (y0 + y1) / 2];
    const [left, top] = [x - width / 2, y - height / 2];
    return svg("g", { "data-place": w },
      svg("rect", { class: "dlx-plate", x: left, y: top - 1, width, height: height + 1, rx: 4 }),
      ...lines.flatMap(([label, name], i) =>
        numberLine({ x: left, y: top + i * LINE, width, label, text: text(name, wide ? 6 : 4), mark: mark(name), centred: true })));
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
