// What every picture needs: SVG elements, ticks, numbers as text, frames, a curve over
// steps, contour lines. Nothing here knows about surfaces, networks or controls.

const NS = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Puts a circle somewhere.
export const centre = (circle, [x, y]) => {
  circle.setAttribute("cx", x);
  circle.setAttribute("cy", y);
};

// A frame with ticks: [pixel, text] pairs along the bottom and the left.
export function frame({ left, top, width, height }, xs, ys) {
  const [right, bottom] = [left + width, top + height];
  return [
    ...xs.map(([x]) => svg("line", { class: "dlx-grid", x1: x, x2: x, y1: top, y2: bottom })),
    ...ys.map(([y]) => svg("line", { class: "dlx-grid", x1: left, x2: right, y1: y, y2: y })),
    svg("rect", { class: "dlx-frame", x: left, y: top, width, height }),
    ...xs.map(([x, text]) => svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, text)),
    ...ys.map(([y, text]) => svg("text", { x: left - 5, y: y + 4, "text-anchor": "end" }, text)),
  ];
}

// Round numbers that cover [low, high] in about `count` steps of 1, 2 or 5 times 10^k.
export function ticks([low, high], count = 5) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = (first + i) * step;
    return Number(value.toPrecision(12));
  });
}

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴" };
Object.assign(SUPERSCRIPT, { 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" });
export const powerOfTen = (k) => `10${[...String(k)].map((c) => SUPERSCRIPT[c]).join("")}`;

// A number as a reader writes it: 3 significant digits, a true minus, × 10ᵏ when long,
// then with `digits` decimals.
export function number(value, digits = 1) {
  if (!Number.isFinite(value)) return "not a number";
  const size = Math.abs(value);
  let text;
  if (value === 0) text = "0";
  else if (size < 1e-3 || size >= 1e4) {
    const [mantissa, exponent] = size.toExponential(digits).split("e");
    text = `${mantissa} × ${powerOfTen(Number(exponent))}`;
  } else text = String(Number(size.toPrecision(3)));
  return value < 0 ? `−${text}` : text;
}

// A number as the chapter prints it: `places` decimals, or more where two digits need
// them, no zeros at the end beyond hundredths, a true minus, × 10ᵏ when it is long.
export function decimals(value, places = 9) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (!(size >= 1e-6 && size < 1e6)) return number(value, places > 6 ? 4 : 1);
  const text = size.toFixed(Math.max(places, 1 - Math.floor(Math.log10(size))));
  return (value < 0 ? "−" : "") + text.replace(/(\.\d\d\d*?)0+$/, "$1");
}

// The room that a frame leaves for its tick labels, in pixels.
export const MARGIN = { left: 40, right: 14, top: 8, bottom: 24 };

// Where the frame lies in an element that holds a picture.
export const frameIn = (element) => ({
  left: MARGIN.left,
  top: MARGIN.top,
  width: Math.max(10, element.clientWidth - MARGIN.left - MARGIN.right),
  height: Math.max(10, element.clientHeight - MARGIN.top - MARGIN.bottom),
});

// Numbers that are never negative, on a scale of powers of ten.
export function logScale(heights) {
  const values = heights.map((v) => Math.log10(Math.min(1e12, Math.max(1e-12, v))));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { values, range: [Math.floor(low - 0.05), Math.ceil(high + 0.05)], log: true };
}

// A curve over step numbers: solid up to step `k`, dotted after it.
export function stepCurve() {
  const axes = svg("g");
  const ahead = svg("polyline", { class: "dlx-ahead" });
  const done = svg("polyline", { class: "dlx-trace" });
  const now = svg("circle", { class: "dlx-now", r: 5 });
  return {
    element: svg("svg", { "aria-hidden": "true" }, axes, ahead, done, now),
    draw(box, { values, range: [low, high], log }, k) {
      const steps = Math.max(1, values.length - 1);
      const across = (i) => box.left + (i / steps) * box.width;
      const down = (v) =>
        box.top + ((high - Math.min(high, Math.max(low, v))) / (high - low)) * box.height;
      const xs = ticks([0, steps], 4).filter(Number.isInteger).map((v) => [across(v), String(v)]);
      const ys = ticks([low, high], 4).filter((v) => !log || Number.isInteger(v))
        .map((v) => [down(v), log ? powerOfTen(v) : number(v)]);
      axes.replaceChildren(...frame(box, xs, ys));
      const spots = values.map((v, i) => [across(i), down(v)]);
      done.setAttribute("points", spots.slice(0, k + 1).join(" "));
      ahead.setAttribute("points", spots.slice(k).join(" "));
      centre(now, spots[k]);
    },
  };
}

// The regions where f < level, for each level, as SVG path data on a `width` by
// `height` canvas with y up in the data and down in the path. Marching squares on a
// grid with a ring of +inf around it: every boundary is then a closed loop, so the
// same path can be filled (evenodd) and stroked.
export function sublevelPaths(values, columns, rows, levels, width, height) {
  const wide = columns + 2;
  const padded = new Float64Array(wide * (rows + 2)).fill(Infinity);
  for (let j = 0; j < rows; j += 1) {
    for (let i = 0; i < columns; i += 1) padded[(j + 1) * wide + i + 1] = values[j * columns + i];
  }
  const place = (i, j) => [
    ((i - 1) / (columns - 1)) * width,
    height - ((j - 1) / (rows - 1)) * height,
  ];
  const boundaries = trace(padded, wide, rows + 2, levels);
  return levels.map((level, k) => loops(padded, wide, level, boundaries[k], place));
}

// For each of the 16 corner patterns of a cell, the edges that a boundary runs from
// and to, with the low side on its left. Edges: 0 bottom, 1 right, 2 top, 3 left;
// corners (bits): 1 bottom left, 2 bottom right, 4 top right, 8 top left.
const RUNS = [
  [], [[0, 3]], [[1, 0]], [[1, 3]], [[2, 1]], [[0, 3], [2, 1]], [[2, 0]], [[2, 3]],
  [[3, 2]], [[0, 2]], [[1, 0], [3, 2]], [[1, 2]], [[3, 1]], [[0, 1]], [[3, 0]], [],
];
// The two patterns with low corners opposite each other, when the middle is low too.
const JOINED = { 5: [[0, 1], [2, 3]], 10: [[1, 2], [3, 0]] };

// For each level a map from an edge that its boundary crosses to the next one. An edge's
// number is twice its lower left node, plus one if it is vertical.
function trace(grid, wide, high, levels) {
  const boundaries = levels.map(() => new Map());
  for (let j = 0; j + 1 < high; j += 1) {
    for (let i = 0; i + 1 < wide; i += 1) {
      const at = j * wide + i;
      const [a, b, c, d] = [grid[at], grid[at + 1], grid[at + wide + 1], grid[at + wide]];
      const [lowest, highest] = [Math.min(a, b, c, d), Math.max(a, b, c, d)];
      for (let k = 0; k < levels.length; k += 1) {
        const level = levels[k];
        if (!(lowest < level && level <= highest)) continue; // most cells, at most levels
        const low = (a < level) + 2 * (b < level) + 4 * (c < level) + 8 * (d < level);
        const edges = [2 * at, 2 * (at + 1) + 1, 2 * (at + wide), 2 * at + 1];
        const runs = JOINED[low] && (a + b + c + d) / 4 < level ? JOINED[low] : RUNS[low];
        for (const [from, to] of runs) boundaries[k].set(edges[from], edges[to]);
      }
    }
  }
  return boundaries;
}

// The closed loops of one boundary as path data; empties `next`.
function loops(grid, wide, level, next, place) {
  const point = (edge) => {
    const node = edge >> 1;
    const other = edge & 1 ? node + wide : node + 1;
    const [p, q] = [grid[node], grid[other]];
    const t = p === Infinity ? 1 : q === Infinity ? 0 : (level - p) / (q - p);
    const [i, j] = [node % wide, Math.floor(node / wide)];
    return place(edge & 1 ? i : i + t, edge & 1 ? j + t : j);
  };
  let path = "";
  while (next.size) {
    let [edge] = next.keys();
    const corners = [];
    while (next.has(edge)) {
      corners.push(point(edge).map((v) => v.toFixed(1)).join(" "));
      const following = next.get(edge);
      next.delete(edge);
      edge = following;
    }
    path += `M${corners.join("L")}Z`;
  }
  return path;
}
