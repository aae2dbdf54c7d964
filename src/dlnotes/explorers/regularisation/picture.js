// The regularisation explorer: points to drag, a polynomial fitted to them, the same fit to a
// hundred redrawn samples, and the errors of both.
import spec from "./spec.json" with { type: "json" };
import { ACROSS, AXES, TRUE, axisOf, clean, points, seen, testOf, truth } from "./model.js";
import { button } from "../shared/controls.js";
import { arrowKeys, draggable } from "../shared/drag.js";
import { html, legendKey, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, quantity } from "../shared/numbers.js";
import { curve, dot, plane } from "../shared/plane.js";
import { SCALES, clamp } from "../shared/settings.js";

const BAND = "mean ± one standard deviation";
const PARTS = { noise: "Noise σ²", bias: "Bias²", variance: "Variance" };
const ROWS = { ...PARTS, test: "Test error", training: "Training error" };
// Four decimals while that says enough, so that the parts of a sum can be compared.
const short = (v) => (v < 10 ? v.toFixed(4) : number(v));
const ceiling = (v, grain) => Math.ceil(v / grain - 1e-9) * grain;

// The sample of a line or an area beside its name, and that of a dot.
const key = (style, text) => legendKey(svg("polyline", { class: style, points: "1 4 23 4" }), text);
const spot = (style, text) => legendKey(svg("circle", { class: style, cx: 12, cy: 4, r: 3 }), text);

function build({ read, change, commit, set, control, reset, redraw, note, id }) {
  const handle = html("div", { class: "dlx-handle" });
  const scene = plane({
    id: `${id}-scene`, label: "Points and fits",
    attributes: {
      class: "dlx-plot dlx-scene", tabindex: 0, role: "application", "aria-roledescription": "plot",
      "aria-label": "Points: choose one with the left and right arrow keys, move it with up and down",
      "aria-describedby": `${id}-hint`,
    },
  }, handle);
  const marker = html("div", { class: "dlx-handle" });
  const errors = plane({ id: `${id}-errors`, label: "Mean squared error" }, marker);
  const coefficients = plane({ id: `${id}-coefficients`, label: "Coefficients" });
  coefficients.title.textContent = "Coefficients (across: Legendre degree)";
  const legend = html("div", { class: "dlx-row dlx-keys" });
  const columns = { sample: "these points", measured: "100 redrawn samples", theory: "theory" };
  const body = html("tbody");
  const table = html("table", { class: "dlx-table" },
    html("thead", {}, html("tr", {}, ...["Error", ...Object.values(columns)].map((text) => html("th", { scope: "col" }, text)))),
    body);

  let chosen = 0; // the point that the ring is at
  let pressed = null; // the point above or below which a finger came down
  let top = 1; // how far the picture reaches up and down
  let above = false; // whether the present test error is above its picture
  let markerAt = [0, 0]; // where the present test error is marked, in pixels
  const place = ({ x, y }) => [x[chosen], y[chosen]];

  // Moves the chosen point to a height, kept inside the picture.
  function move(height) {
    const state = read();
    const here = points(state).y[chosen];
    const shift = clamp(Number(height.toFixed(2)), -top, top) - here;
    const all = state.moved.length ? state.moved : Array(state.samples).fill(0);
    change({ moved: all.map((v, i) => (i === chosen ? v + shift : v)) });
  }
  const nearest = (event) => {
    const [x] = scene.toData([event.clientX - scene.element.getBoundingClientRect().left, 0]);
    const n = read().samples;
    return clamp(Math.floor(((x + 1) * n) / 2), 0, n - 1);
  };
  // Each point owns the strip above and below it. A finger takes a point by its handle only;
  // elsewhere it may be about to scroll.
  scene.element.addEventListener("pointerdown", (event) => {
    pressed = null;
    if (event.pointerType === "mouse") chosen = nearest(event);
    else if (event.target !== handle) pressed = nearest(event);
    redraw();
  });
  draggable(scene.element, handle, {
    where: () => scene.toPixels(place(points(read()))),
    follow(point) {
      chosen = pressed ?? chosen;
      move(scene.toData(point)[1]);
    },
    commit,
  });
  arrowKeys(scene.element, ([right, up]) => {
    if (right) chosen = clamp(chosen + Math.sign(right), 0, read().samples - 1);
    if (!up) return redraw();
    move(points(read()).y[chosen] + 0.1 * up);
    return commit();
  });
  draggable(errors.element, marker, {
    where: () => markerAt,
    follow(point) {
      const axis = axisOf(read());
      const { limits } = spec.settings[axis];
      const [value] = errors.toData(point);
      const round = axis === "degree" ? Math.round : (v) => SCALES.log.from(Math.log10(v));
      change({ [axis]: clamp(round(value), ...limits) });
    },
    commit,
  });
  const renew = button("New points", () =>
    set({ seed: (read().seed + 1) % (spec.settings.seed.limits[1] + 1), moved: [] }));

  const parts = [
    html("div", { class: "dlx-controls dlx-wide" },
      control("degree"), control("penalty"), control("strength"),
      control("samples", { change: (samples) => change({ samples, moved: [] }) }),
      control("noise"), control("test")),
    html("div", {},
      html("div", { class: "dlx-row dlx-keys" },
        key("dlx-fit", "fit to these points"), key("dlx-truth", "sin πx"),
        key("dlx-mean", "mean of 100 fits to redrawn samples"), key("dlx-band", "± their standard deviation")),
      scene.element,
      html("p", { class: "dlx-hint", id: `${id}-hint` },
        "Drag a point up or down; tap one to choose it, then drag its ring; or use the arrow keys (Shift: small moves)."),
      html("div", { class: "dlx-row" }, renew, reset)),
    html("div", { class: "dlx-side" },
      control("against"), errors.title, legend, errors.element,
      html("p", { class: "dlx-hint" }, "Orange: these points; drag the dot sideways. Areas: the redrawn samples; their top is the mean test error.")),
    html("div", {}, table, note),
    html("div", { class: "dlx-side" },
      coefficients.title,
      html("div", { class: "dlx-row dlx-keys" }, spot("dlx-coefficient", "fit"), spot("dlx-ring", "sin πx")),
      coefficients.element),
  ];

  function drawErrors(state, { now, curves }) {
    const axis = axisOf(state);
    const across = AXES[axis];
    const here = state[axis];
    const most = 4 * Math.min(...curves.map(({ measured }) => testOf(measured)));
    const shapes = [];
    let low = curves.map(() => 0);
    for (const part of Object.keys(PARTS)) {
      const high = curves.map(({ measured }, i) => low[i] + measured[part]);
      const there = across.map((v, i) => [v, high[i]]);
      const back = across.map((v, i) => [v, low[i]]).reverse();
      shapes.push(curve(part, `dlx-${part}`, [...there, ...back]));
      low = high;
    }
    if (now.theory) {
      shapes.push(
        curve("test, theory", "dlx-theory", across.map((v, i) => [v, testOf(curves[i].theory)])),
        curve("training, theory", "dlx-theory", across.map((v, i) => [v, curves[i].theory.training])));
    }
    const rings = ["training", "test"].map((kind) => {
      shapes.push(curve(kind, `dlx-${kind}`, across.map((v, i) => [v, curves[i][kind]])));
      return dot(`${kind} here`, `dlx-${kind}-here`, [here, Math.min(now[kind], most)], 6);
    });
    const view = { x: [across[0], across.at(-1)], y: [0, most], log: axis === "strength" ? "x" : "" };
    errors.draw(view, shapes, rings);
    above = now.test > most;
    markerAt = errors.toPixels([here, Math.min(now.test, most)]);
    [marker.style.left, marker.style.top] = markerAt.map((v) => `${v}px`);
    errors.title.textContent = `Mean squared error (across: ${axis === "degree" ? "degree" : "λ"})`;
    legend.replaceChildren(
      key("dlx-test", "test"), key("dlx-training", "training"), ...(now.theory ? [key("dlx-theory", "theory")] : []),
      ...Object.entries(PARTS).reverse().map(([part, text]) => key(`dlx-${part}`, text.toLowerCase())));
  }

  function draw(state) {
    chosen = Math.min(chosen, state.samples - 1);
    const all = seen(state);
    const { x, y, now, mean, spread } = all;
    top = ceiling(Math.max(1 + 3 * state.noise, ...y.map(Math.abs)), 0.5);
    const over = (values) => ACROSS.map((v, i) => [v, values[i]]);
    const band = [...over(mean.map((v, i) => v + spread[i])), ...over(mean.map((v, i) => v - spread[i])).reverse()];
    const here = place(all);
    scene.draw({ x: [-1, 1], y: [-top, top] }, [
      curve(BAND, "dlx-band", band),
      curve("mean", "dlx-mean", over(mean)),
      curve("sin πx", "dlx-truth", over(ACROSS.map(truth))),
      curve("fit", "dlx-fit", over(all.fit)),
      ...x.map((v, i) => dot("points", "dlx-point", [v, y[i]], 4)),
    ], [dot("chosen", "dlx-ring", here, 7)]);
    [handle.style.left, handle.style.top] = scene.toPixels(here).map((v) => `${v}px`);
    drawErrors(state, all);

    const size = ceiling(1.1 * Math.max(...[...TRUE, ...now.c].map(Math.abs)), 0.2);
    coefficients.draw({ x: [-0.5, TRUE.length - 0.5], y: [-size, size], labels: AXES.degree.filter((k) => k % 2 === 0) }, [
      ...[...TRUE].map((v, k) => dot("truth", "dlx-ring", [k, v], 6)),
      ...[...now.c].map((v, k) => dot("fit", "dlx-coefficient", [k, v], 4)),
    ]);

    const { measured, theory } = now;
    const value = {
      sample: { training: now.training, test: now.test },
      measured: { ...measured, test: testOf(measured) },
      theory: theory ? { ...theory, test: testOf(theory) } : {},
    };
    body.replaceChildren(...Object.entries(ROWS).map(([row, text]) =>
      html("tr", {}, html("th", { scope: "row" }, text), ...Object.keys(columns).map((column) =>
        html("td", {}, row in value[column] ? quantity(`${row}.${column}`, short(value[column][row])) : "–")))));

    const { penalty } = state;
    const used = quantity("used", String(now.c.filter((v) => v !== 0).length));
    const count = quantity("coefficients", String(now.c.length));
    const message = {
      none: state.test === "interval" ? [] : [
        "Theory: variance σ² p/n, training error σ² (1 − p/n) + bias², with p = ", count, " coefficients, n = ",
        quantity("samples", String(state.samples)), " points."],
      l2: [count, " coefficients, which count as ", quantity("effective.theory", number(theory?.effective)), ": 1 + Σ s/(s + λ)."],
      l1: [used, " of ", count, " coefficients are not zero."],
    }[penalty];
    return {
      controls: { strength: { disabled: penalty === "none" }, against: { disabled: penalty === "none" } },
      readouts: {},
      said: [
        "Degree ", quantity("degree", String(state.degree)), ", penalty ", spec.settings.penalty.choices[penalty],
        ". Training error ", quantity("training.sample", short(now.training)),
        ", test error ", quantity("test.sample", short(now.test)),
        ". Point ", quantity("chosen", `${chosen + 1} of ${state.samples}`),
        " is at x ", quantity("chosen.x", number(here[0])), ", y ", quantity("chosen.y", number(here[1])), ".",
      ],
      message: [...(above ? ["The test error is above its picture. "] : []), ...message],
    };
  }

  function measure() {
    for (const plot of [scene, errors, coefficients]) plot.measure();
  }

  return {
    parts, draw, measure, sized: [scene.element, errors.element, coefficients.element],
    reset() {
      chosen = 0;
    },
  };
}

export default explorer(spec, { clean, build });
