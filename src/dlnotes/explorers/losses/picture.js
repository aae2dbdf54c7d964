// The losses explorer: an outlier and three fits, one logit, or a softmax.
import spec from "./spec.json" with { type: "json" };
import { BINARY, CLASSES, FITS, LOGITS, TEMPERATURES } from "./model.js";
import { atTemperature, clean, fits, oneLogit, points, probabilities, reachOf, sigmoid } from "./model.js";
import { button } from "../shared/controls.js";
import { arrowKeys, draggable } from "../shared/drag.js";
import { html, legendKey, svg, write } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { decimals, number, quantity } from "../shared/numbers.js";
import { curve, dot, plane } from "../shared/plane.js";
import { clamp } from "../shared/settings.js";

// Three digits, and no power of ten in a narrow table.
const short = (v) => (Math.abs(v) < 1e-3 ? decimals(v, 4) : number(v));
const NAMED = ["Logit of class 0", "Logit of class 1", "Logit of class 2", "Logit of class 3"];
const DOTS = [5.5, 7, 4.5]; // radii: where two dots meet, both are seen
const rounded = (v, limits) => clamp(Number(v.toFixed(1)), ...limits);

// A table with a row for each of some things; `rows(values)` fills it.
function table(caption, columns) {
  const body = html("tbody");
  const element = html("table", { class: "dlx-table" },
    html("caption", {}, caption),
    html("thead", {}, html("tr", {}, ...columns.map((text) => html("th", { scope: "col" }, text)))),
    body);
  return {
    element,
    rows: (list) => body.replaceChildren(...list.map(([head, ...cells]) =>
      html("tr", {}, write(html("th", { scope: "row" }), head), ...cells.map((cell) => html("td", {}, cell))))),
  };
}

// The sample of a line beside its name.
const key = (style, ...text) => legendKey(svg("path", { class: style, d: "M0 4h24" }), ...text);

// ---- An outlier, and a line under each loss ---------------------------------------------

function outlierView({ read, change, commit, set, control, note, id }) {
  const limits = Object.values(spec.settings.outlier.limits);
  const names = Object.keys(FITS);
  const handle = html("div", { class: "dlx-handle" });
  const scene = plane({
    id: `${id}-points`, label: "Points and lines",
    attributes: {
      class: "dlx-plot dlx-scene", tabindex: 0, role: "application", "aria-roledescription": "plot",
      "aria-label": "Dragged point: move it with the arrow keys", "aria-describedby": `${id}-drag`,
    },
  }, handle);
  const slopes = plane({ id: `${id}-slopes`, label: "Slope of the loss" });
  const facts = table(
    "Each line: its mean loss, its error at the dragged point, and the pull of that point",
    ["Line", "slope", "intercept", "loss", "error", "pull"]);
  let place;

  const move = (point) => change({ outlier: point.map((v, i) => rounded(v, limits[i])) });
  draggable(scene.element, handle, {
    where: () => scene.toPixels(place),
    follow: (point) => move(scene.toData(point)),
    commit,
  });
  arrowKeys(scene.element, (way) => {
    move(read().outlier.map((v, i) => v + 0.5 * way[i]));
    commit();
  });
  const renew = button("New points", () => set({ seed: (read().seed + 1) % (spec.settings.seed.limits[1] + 1) }));

  return {
    plots: [scene, slopes],
    parts: [
      html("div", { class: "dlx-controls dlx-wide" }, control("delta"), control("others"),
        html("div", { class: "dlx-row" }, control("intercept"), renew)),
      html("div", {},
        html("div", { class: "dlx-row dlx-keys" }, ...names.map((name, i) => key(`dlx-line${i}`, FITS[name])),
          key("dlx-truth", "y = x")),
        scene.element,
        html("p", { class: "dlx-hint", id: `${id}-drag` },
          "Drag the ring up, down and sideways, click or tap, or use the arrow keys (Shift: small moves).")),
      html("div", {},
        slopes.title, slopes.element,
        html("p", { class: "dlx-hint" },
          "Across: error, the line minus the point. Up: slope of the loss there, its pull. Pull times x turns the line.")),
      html("div", { class: "dlx-wide" }, note, facts.element),
    ],
    draw(state) {
      const { x, y } = points(state);
      const lines = fits(state);
      place = state.outlier;
      const ends = limits[0];
      const others = x.slice(0, -1).map((v, i) => dot("points", "dlx-point", [v, y[i]], 4));
      scene.draw({ x: limits[0], y: limits[1] }, [
        curve("y = x", "dlx-truth", ends.map((v) => [v, v])),
        ...others,
        ...lines.map(({ name, slope, offset }, i) =>
          curve(FITS[name], `dlx-line${i}`, ends.map((v) => [v, slope * v + offset]))),
      ], [dot("dragged", "dlx-ring", place, 7)]);
      [handle.style.left, handle.style.top] = scene.toPixels(place).map((v) => `${v}px`);

      const R = reachOf(lines);
      const d = Math.min(state.delta, R);
      const curves = {
        mse: [[-R, -2 * R], [R, 2 * R]],
        mae: [[-R, -1], [0, -1], [0, 1], [R, 1]],
        huber: [[-R, -d], [-d, -d], [d, d], [R, d]],
      };
      slopes.draw({ x: [-R, R], y: [-2 * R, 2 * R] }, [
        ...names.map((name, i) => curve(FITS[name], `dlx-line${i}`, curves[name])),
        ...lines.map(({ name, error, pull }, i) => dot(`${FITS[name]}, dragged`, `dlx-dot${i}`, [error, pull], DOTS[i])),
      ]);
      facts.rows(lines.map(({ name, ...line }) =>
        [[FITS[name]], ...Object.entries({ slope: line.slope, intercept: line.offset, loss: line.loss, error: line.error, pull: line.pull })
          .map(([what, value]) => quantity(`${what}.${name}`, short(value)))]));

      const said = lines.flatMap(({ name, slope }) => [` ${FITS[name]} `, quantity(`slope.${name}`, number(slope)), ";"]);
      const mae = lines.find(({ name }) => name === "mae");
      return {
        said: ["The dragged point is at ", quantity("outlier", place.map((v) => number(v)).join(", ")), ". Slopes of the lines:", ...said],
        message: mae.error === 0
          ? ["The MAE line goes through the dragged point: a pull of ",
            quantity("held", number(Math.abs(mae.pull))), " holds it there, and 1 is the most."]
          : [],
      };
    },
  };
}

// ---- One logit ----------------------------------------------------------------------------

function logitView({ change, commit, control, id }) {
  const names = Object.keys(BINARY);
  const { limits } = spec.settings.logit;
  const handles = [0, 1, 2].map(() => html("div", { class: "dlx-handle" }));
  const labels = ["Loss against p", "Loss against the logit", "Gradient against the logit"];
  const plots = labels.map((label, i) => plane({ id: `${id}-logit${i}`, label }, handles[i]));
  const facts = table(
    "At this logit. Steps: of gradient descent on the logit, learning rate 1, until p has passed 0.5",
    ["Loss", "value", "gradient", "steps"]);
  let spots;
  plots.forEach((plot, i) => {
    draggable(plot.element, handles[i], {
      where: () => plot.toPixels(spots[i]),
      follow(point) {
        const [across] = plot.toData(point);
        const p = clamp(across, 1e-9, 1 - 1e-9);
        change({ logit: rounded(i === 0 ? Math.log(p / (1 - p)) : across, limits) });
      },
      commit,
    });
  });
  const hint = "Drag the ring sideways in any of the pictures, or use the slider.";
  const probability = html("span", { class: "dlx-value" });
  const panel = ({ title, element }) => html("div", {}, title, element);

  return {
    plots,
    parts: [
      html("div", { class: "dlx-controls dlx-wide" }, control("logit", { format: (z) => [quantity("logit", number(z))] }), control("positive"),
        html("div", { class: "dlx-row dlx-keys" }, probability, ...names.map((name, i) => key(`dlx-line${i}`, name)))),
      html("div", { class: "dlx-wide dlx-three" }, ...plots.map(panel)),
      html("p", { class: "dlx-hint dlx-wide" }, hint),
      html("div", { class: "dlx-wide" }, facts.element),
    ],
    draw(state) {
      const all = oneLogit(state);
      const z = state.logit;
      const p = sigmoid(z);
      const views = [{ x: [0, 1], y: [0, 8.5] }, { x: limits, y: [0, 8.5] }, { x: limits, y: [-1.1, 1.1] }];
      const across = [sigmoid, (v) => v, (v) => v];
      spots = [[p, all[0].value], [z, all[0].value], [z, all[0].slope]];
      plots.forEach((plot, i) => {
        const part = i === 2 ? 1 : 0;
        plot.draw(views[i], [
          ...all.map(({ name, curve: values }, k) =>
            curve(name, `dlx-line${k}`, LOGITS.map((v, n) => [across[i](v), values[n][part]]))),
          ...all.map(({ name, value, slope }, k) =>
            dot(`${name} here`, `dlx-dot${k}`, [across[i](z), part ? slope : value])),
        ], [dot("cross-entropy here", "dlx-ring", spots[i], 8)]);
        [handles[i].style.left, handles[i].style.top] = plot.toPixels(spots[i]).map((v) => `${v}px`);
      });
      facts.rows(all.map(({ name, value, slope, steps }) => [
        // Four decimals: a gradient of −0.9997 is not one of −1.
        [name], quantity(`value.${name}`, decimals(value, 4)), quantity(`gradient.${name}`, decimals(slope, 4)),
        quantity(`steps.${name}`, String(steps)),
      ]));
      write(probability, ["p = ", quantity("p", number(p))]);
      return {
        said: [
          "Logit ", quantity("logit", number(z)), ", p ", quantity("p", number(p)), ". Gradients:",
          ...all.flatMap(({ name, slope }) => [` ${name} `, quantity(`gradient.${name}`, decimals(slope, 4)), ";"]),
        ],
      };
    },
  };
}

// ---- Softmax ------------------------------------------------------------------------------

function softmaxView({ read, change, commit, set, control, id }) {
  const { limits } = spec.settings.logits;
  const bars = CLASSES.map((k) => {
    const handle = html("div", { class: "dlx-handle" });
    return {
      handle,
      column: html("div", {
        class: "dlx-column", tabindex: 0, role: "slider", "aria-orientation": "vertical",
        "aria-label": NAMED[k], "aria-valuemin": limits[0], "aria-valuemax": limits[1],
      }, handle),
    };
  });
  const logits = plane({ id: `${id}-bars`, label: "Logits" }, ...bars.map(({ column }) => column));
  const shares = plane({ id: `${id}-shares`, label: "Probabilities" });
  const heat = plane({ id: `${id}-heat`, label: "Against the temperature" });
  const facts = table("Each class; y is 1 for the true one, else 0", ["Class", "logit z", "p", "gradient (p − y) / T"]);

  const put = (k, value) => change({ logits: read().logits.map((v, i) => (i === k ? rounded(value, limits) : v)) });
  bars.forEach(({ column, handle }, k) => {
    draggable(column, handle, {
      where: () => [column.clientWidth / 2, logits.toPixels([k, read().logits[k]])[1] - logits.box().top],
      follow: ([, down]) => put(k, logits.toData([0, down + logits.box().top])[1]),
      commit,
    });
    arrowKeys(column, ([right, up]) => {
      put(k, read().logits[k] + 0.5 * (right + up));
      commit();
    });
  });
  const step = button("One step", () => {
    const { logits: z, label, temperature } = read();
    const { slopes } = atTemperature(z, label, temperature);
    set({ logits: z.map((v, k) => clamp(v - slopes[k], ...limits)) });
  });
  const panel = ({ title, element }, ...rest) => html("div", {}, title, element, ...rest);
  const readings = html("div", { class: "dlx-row dlx-keys" });
  const uniform = Math.log(CLASSES.length);

  return {
    plots: [logits, shares, heat],
    parts: [
      html("div", { class: "dlx-controls dlx-wide" }, control("temperature"), control("label"), html("div", { class: "dlx-row" }, step)),
      html("div", { class: "dlx-wide dlx-three" },
        panel(logits, html("div", { class: "dlx-row dlx-keys" }, key("dlx-bar dlx-true", "true class"), key("dlx-step", "after one step"))),
        panel(shares),
        panel(heat, readings)),
      html("p", { class: "dlx-hint dlx-wide" },
        "Drag the rings of the logits up and down, or go to one with Tab and use the arrow keys. One step is of gradient descent, with learning rate 1."),
      html("div", { class: "dlx-wide" }, facts.element),
    ],
    draw(state) {
      const { logits: z, label, temperature: T } = state;
      const now = atTemperature(z, label, T);
      const p = probabilities(state);
      const x = [-0.6, 3.6];
      const style = (k) => (k === label ? "dlx-bar dlx-true" : "dlx-bar");
      const bar = (v, k) => (place) => {
        const drawn = curve(`class ${k}`, style(k), [[k, 0], [k, v]])(place);
        drawn.style.strokeWidth = 0.6 * (place([1, 0])[0] - place([0, 0])[0]);
        return drawn;
      };
      const after = z.map((v, k) => [[k - 0.4, v - now.slopes[k]], [k + 0.4, v - now.slopes[k]]]);
      logits.draw({ x, y: limits, labels: CLASSES }, [
        ...z.map(bar),
        ...["dlx-casing", "dlx-step"].flatMap((name) => after.map((ends, k) => curve(`step ${k}`, name, ends))),
      ], z.map((v, k) => dot("logits", "dlx-ring", [k, v], 6)));
      shares.draw({ x, y: [0, 1], labels: CLASSES }, p.map(bar));
      const { left, top, width, height } = logits.box();
      bars.forEach(({ column, handle }, k) => {
        const [across, down] = logits.toPixels([k, z[k]]);
        const wide = width / (x[1] - x[0]);
        column.style.cssText = `left: ${across - wide / 2}px; top: ${top}px; width: ${wide}px; height: ${height}px`;
        [handle.style.left, handle.style.top] = ["50%", `${down - top}px`];
        column.setAttribute("aria-valuenow", z[k]);
        column.setAttribute("aria-valuetext", `${number(z[k])}, p ${number(p[k])}`);
      });
      const most = Math.max(now["cross-entropy"], uniform);
      const curves = TEMPERATURES.map((t) => atTemperature(z, label, t));
      const names = ["cross-entropy", "entropy"];
      heat.draw({ x: spec.settings.temperature.limits, y: [0, [2, 4, 8, 16, 32, 64, 128].find((v) => v > most)], log: "x" }, [
        curve("ln 4", "dlx-truth", spec.settings.temperature.limits.map((t) => [t, uniform])),
        ...names.map((name, i) => curve(name, `dlx-line${i}`, TEMPERATURES.map((t, n) => [t, curves[n][name]]))),
        ...names.map((name, i) => dot(`${name} here`, `dlx-dot${i}`, [T, now[name]])),
      ]);
      write(readings, [...names.map((name, i) => key(`dlx-line${i}`, `${name} `, quantity(name, number(now[name])))),
        key("dlx-truth", "ln 4")]);
      facts.rows(CLASSES.map((k) => [
        k === label ? [quantity(`class.${k}`, String(k)), " (true)"] : [quantity(`class.${k}`, String(k))],
        quantity(`logit.${k}`, number(z[k])), quantity(`p.${k}`, number(p[k])), quantity(`gradient.${k}`, number(now.slopes[k])),
      ]));
      return {
        said: [
          "True class ", quantity("label", String(label)), ", temperature ", quantity("temperature", String(T)),
          ". Cross-entropy ", quantity("cross-entropy", number(now["cross-entropy"])),
          ", entropy ", quantity("entropy", number(now.entropy)), ". Probabilities",
          ...CLASSES.flatMap((k) => [" ", quantity(`p.${k}`, number(p[k])), ","]),
        ],
      };
    },
  };
}

function build(tools) {
  const { control, reset } = tools;
  const views = { outlier: outlierView(tools), logit: logitView(tools), softmax: softmaxView(tools) };
  const stage = html("div", { class: "dlx-wide dlx-stage" });
  let shown;

  return {
    parts: [html("div", { class: "dlx-row dlx-wide dlx-choice" }, control("view"), reset), stage],
    sized: Object.values(views).flatMap(({ plots }) => plots.map(({ element }) => element)),
    measure() {
      if (shown) for (const plot of views[shown].plots) plot.measure();
    },
    draw(state) {
      if (shown !== state.view) {
        shown = state.view;
        stage.replaceChildren(...views[shown].parts);
        this.measure();
      }
      return views[shown].draw(state);
    },
  };
}

export default explorer(spec, { clean, build });
