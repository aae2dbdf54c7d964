// The activations explorer: one layer, and what a chain of them does to a value and a gradient.
import spec from "./spec.json" with { type: "json" };
import { WINDOW, around, bound, chain, clean, curves, five, message, plainScale, productScale, tanhLaw } from "./model.js";
import { arrowKeys, draggable } from "../shared/drag.js";
import { html, legendKey, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, quantity } from "../shared/numbers.js";
import { centre, frame, frameIn, lines, ticks } from "../shared/plot.js";
import { clamp } from "../shared/settings.js";

const [LOW, HIGH] = WINDOW;
const FAR = 1e4; // a height that is out of every picture
const line = (name, mark = name) => svg("polyline", { class: `dlx-${name}`, "data-mark": mark });
const dots = (name, mark = name) => svg("path", { class: `dlx-dots dlx-${name}`, "data-mark": mark });

// A plot over the inputs of a layer, with what lies inside its frame.
function overInputs(name, clipId, attributes, inside, over = []) {
  const axes = svg("g");
  const clip = svg("rect");
  const element = html("div", { class: "dlx-plot dlx-inputs", "data-plot": name, ...attributes },
    svg("svg", { "aria-hidden": "true" },
      svg("defs", {}, svg("clipPath", { id: clipId }, clip)), axes,
      svg("g", { "clip-path": `url(#${clipId})` }, ...inside)),
    ...over);
  let box;
  return {
    element,
    measure() {
      box = frameIn(element);
      for (const side of ["width", "height"]) clip.setAttribute(side, box[side]);
      clip.setAttribute("x", box.left);
      clip.setAttribute("y", box.top);
    },
    // Draws the axes, and returns where a point [input, height] lies.
    scale([low, high]) {
      const pixel = (v) => Number(clamp(v, -1e5, 1e5).toFixed(1));
      const place = ([x, y]) => [
        pixel(box.left + ((x - LOW) / (HIGH - LOW)) * box.width),
        pixel(box.top + ((high - y) / (high - low)) * box.height),
      ];
      axes.replaceChildren(...frame(box,
        ticks(WINDOW, 8).map((v) => [place([v, 0])[0], number(v)]),
        ticks([low, high]).map((v) => [place([0, v])[1], number(v)])));
      return place;
    },
    input: (across) => LOW + ((across - box.left) / box.width) * (HIGH - LOW),
  };
}

function build({ read, change, commit, control, reset, readouts, note, id }) {
  const moveTo = (x) => change({ x: clamp(Math.round(100 * x) / 100, LOW, HIGH) });
  let start; // where the first layer's point is, in pixels

  // A layer as a curve over its input, and the way through the layers as stairs between the
  // curve and the line on which the output is the next input.
  const value = line("function");
  const next = line("next");
  const stairs = line("stairs");
  const layers = dots("values", "layers");
  const first = svg("circle", { class: "dlx-start", "data-mark": "start", r: 7 });
  const last = svg("circle", { class: "dlx-last", "data-mark": "last", r: 5 });
  const input = line("input");
  const handle = html("div", { class: "dlx-handle" });
  const output = overInputs("Output", `${id}-output`, {
    tabindex: 0,
    role: "application",
    "aria-roledescription": "plot",
    "aria-label": "Input: move it with the arrow keys",
    "aria-describedby": `${id}-hint`,
  }, [input, next, value, stairs, layers, last, first], [handle]);

  // Its slope over the same input, with and without the weight.
  const inputToo = line("input");
  const slope = line("line0", "slope");
  const factor = line("line1", "factor");
  const slopes = dots("slopes");
  const factors = dots("factors");
  const steepness = overInputs("Slope", `${id}-slope`, {}, [inputToo, slope, factor, slopes, factors]);

  for (const plot of [output, steepness]) {
    draggable(plot.element, handle, {
      where: () => start,
      follow: ([across]) => moveTo(plot.input(across)),
      commit,
    });
  }
  arrowKeys(output.element, ([right, up]) => {
    moveTo(read().x + 0.1 * (right + up));
    commit();
  });

  const key = (name, text) => legendKey(svg("path", { class: `dlx-${name}`, d: "M0 4h24" }), text);
  const title = (text, ...keys) => html("p", { class: "dlx-title" }, text, ...keys);

  const valueChart = lines("Value", { value: "chain", law: "x/√(1 + ⅔nx²)" }, { rest: " after each layer", scale: plainScale });
  valueChart.element.classList.add("dlx-forward");
  valueChart.title.classList.add("dlx-forward");
  const productChart = lines("Product", { slopes: "|f′|", gradients: "|w × f′|", bound: "(max f′)ⁿ" },
    { rest: " after each layer (log)", scale: productScale });

  const parts = [
    html("div", { class: "dlx-controls dlx-wide" },
      control("activation"), control("layers"),
      ...["x", "weight", "bias"].map((name) => control(name, { format: (v) => [quantity(name, number(v))] })),
      html("div", { class: "dlx-row" }, reset)),
    html("div", {},
      title("Output (over input):", key("function", "f(w × input + b)"), key("next", "output = input")),
      output.element,
      title("Slope (over input):", key("line0", "f′"), key("line1", "w × f′")),
      steepness.element,
      html("p", { class: "dlx-hint", id: `${id}-hint` },
        "A dot is a layer; along the dashed line its output becomes the next input. Drag the ring, click or tap, or use the arrow keys (Shift: small moves).")),
    html("div", { class: "dlx-side" },
      readouts,
      note,
      valueChart.title,
      valueChart.element,
      productChart.title,
      productChart.element),
  ];

  function measure() {
    for (const plot of [output, steepness, valueChart, productChart]) plot.measure();
  }

  const through = (element, spots) => element.setAttribute("points", spots.join(" "));
  const dotted = (element, spots) => element.setAttribute("d", spots.map((p) => `M${p.join(" ")}h0`).join(""));

  function draw(state) {
    const curve = curves(state);
    const run = chain(state);
    const heights = (points) => points.map(([, y]) => y);
    const inputs = run.values.slice(0, -1);
    const against = (list) => inputs.map((x, k) => [x, list[k]]);

    const place = output.scale(around(Math.min(...heights(curve.value)), Math.max(...heights(curve.value))));
    const points = against(run.values.slice(1));
    through(value, curve.value.map(place));
    through(next, [[LOW, LOW], [HIGH, HIGH]].map(place));
    through(stairs, points.flatMap(([x, y]) => [[x, y], [y, y]]).slice(0, -1).map(place));
    dotted(layers, points.map(place));
    through(input, [points[0], [state.x, -FAR]].map(place));
    start = place(points[0]);
    centre(first, start);
    centre(last, place(points.at(-1)));
    [handle.style.left, handle.style.top] = start.map((v) => `${v}px`);

    const steep = heights([...curve.slope, ...curve.factor]);
    const height = steepness.scale(around(Math.min(0, ...steep), Math.max(1, ...steep)));
    through(inputToo, [[state.x, FAR], [state.x, -FAR]].map(height));
    through(slope, curve.slope.map(height));
    through(factor, curve.factor.map(height));
    dotted(slopes, against(run.slopes).map(height));
    dotted(factors, against(run.factors).map(height));

    const law = tanhLaw(state);
    valueChart.draw({ value: run.values, ...(law ? { law } : {}) });
    productChart.draw({
      slopes: run.slopeProducts.map(Math.abs), gradients: run.gradients.map(Math.abs), bound: bound(state),
    });

    return {
      readouts: {
        Value: five(run.values.at(-1)),
        "Slope f′": five(run.slopes.at(-1)),
        "Product of f′": number(run.slopeProducts.at(-1), 2),
        "Product of w × f′": number(run.gradients.at(-1), 2),
      },
      said: [
        `${spec.settings.activation.choices[state.activation]}, `, quantity("layers", String(state.layers)),
        " layers, input ", quantity("x", number(state.x)), ", weight ", quantity("weight", number(state.weight)),
        ", bias ", quantity("bias", number(state.bias)), ". After the last layer:",
      ],
      message: message(state, run),
    };
  }

  return { parts, draw, measure, sized: [output.element, steepness.element, valueChart.element, productChart.element] };
}

export default explorer(spec, { clean, build });
