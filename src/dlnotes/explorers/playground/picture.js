// The playground: a network that trains in the page.
import spec from "./spec.json" with { type: "json" };
import { REACH, MOST, LAST, PRESETS, clean, difference, hiddenOf, message, python, trained } from "./model.js";
import { outputAt, rate, report } from "./training.js";
import { sigmoid } from "../maths/activations.js";
import { button, select } from "../shared/controls.js";
import { html, svg, write } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { linkTo } from "../shared/mount.js";
import { number, quantity } from "../shared/numbers.js";
import { MARGIN, frame, frameIn, lines, ticks } from "../shared/plot.js";
import { clamp } from "../shared/settings.js";

const GRID = 30; // places along each side of a picture
const HIGH = 1.6; // the sine is shown from -1.6 to 1.6
// Below zero and class 0, above zero and class 1; readable on light and dark paper.
const COLOURS = [[230, 120, 10], [30, 130, 200]];

const at = (k, steps) => -REACH + (2 * REACH * k) / steps;

let image; // for one picture after the other

// Paints numbers, row by row from the top, as colour and strength: full at `largest`. In
// plain loops, because there are up to 34 pictures a frame.
function paint(canvas, values, largest) {
  image ??= new ImageData(GRID, GRID);
  const { data } = image;
  for (let k = 0; k < values.length; k += 1) {
    const [red, green, blue] = COLOURS[values[k] > 0 ? 1 : 0];
    data[4 * k] = red;
    data[4 * k + 1] = green;
    data[4 * k + 2] = blue;
    data[4 * k + 3] = 200 * Math.min(1, Math.abs(values[k]) / largest);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Draws numbers along x as a line, `largest` near the top.
function plotLine(canvas, values, largest) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, GRID, GRID);
  context.beginPath();
  values.forEach((value, k) => context.lineTo((k / (values.length - 1)) * GRID, (GRID * (1 - (0.9 * value) / largest)) / 2));
  context.strokeStyle = `rgb(${COLOURS[1]})`;
  context.lineWidth = 2;
  context.stroke();
}

const picture = () => html("canvas", { width: GRID, height: GRID });

// What `make` has made, in the same order each time it is gone through, and more as needed.
function pool(make) {
  const made = [];
  return () => {
    let next = 0;
    return () => {
      made[next] ??= make();
      return made[next++];
    };
  };
}

// The network: a small picture of what each unit computes, and its weights as lines.
function diagram() {
  const edges = svg("svg", { "aria-hidden": "true" });
  const element = html("div", { class: "dlx-net", "aria-hidden": "true" }, edges);
  // Made once, and used again for a network of another size: a new canvas costs more than drawing on it.
  const [canvases, strokes] = [pool(picture), pool(() => svg("line"))];
  let shape, units, wires;

  function build(sizes) {
    const [width, height] = [element.clientWidth, element.clientHeight];
    const key = `${sizes}; ${width} by ${height}`;
    if (key === shape) return;
    shape = key;
    const side = clamp(Math.min(height / 9, width / (2 * sizes.length)), 14, 34);
    const place = (k, j) => [
      side / 2 + 2 + ((width - side - 4) * k) / (sizes.length - 1),
      (height * (j + 0.5)) / sizes[k],
    ];
    const [nextCanvas, nextStroke] = [canvases(), strokes()];
    units = sizes.map((size, k) =>
      Array.from({ length: size }, (_, j) => {
        const [x, y] = place(k, j);
        const canvas = nextCanvas();
        canvas.style.cssText = `left: ${x - side / 2}px; top: ${y - side / 2}px; width: ${side}px; height: ${side}px`;
        return canvas;
      }));
    wires = sizes.slice(1).map((size, k) =>
      Array.from({ length: size * sizes[k] }, (_, i) => {
        const [x1, y1] = place(k, i % sizes[k]);
        const [x2, y2] = place(k + 1, Math.floor(i / sizes[k]));
        const stroke = nextStroke();
        const ends = { x1: x1 + side / 2, y1, x2: x2 - side / 2, y2 };
        for (const [name, value] of Object.entries(ends)) stroke.setAttribute(name, value);
        return stroke;
      }));
    edges.replaceChildren(...wires.flat());
    element.replaceChildren(edges, ...units.flat());
  }

  function draw(run, values) {
    build(run.outs.map((out) => out.length));
    run.layers.forEach(({ w }, k) => wires[k].forEach((wire, i) => {
      const weight = run.params[w + i];
      wire.setAttribute("class", weight < 0 ? "dlx-negative" : "dlx-positive");
      wire.setAttribute("stroke-width", (0.4 + (6 * Math.abs(weight)) / (1 + Math.abs(weight)) || 0).toFixed(2));
    }));
    const show = run.layers[0].fanIn === 1 ? plotLine : paint;
    units.forEach((layer, k) => layer.forEach((canvas, j) => {
      const own = values[k][j];
      show(canvas, own, own.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1);
    }));
  }

  return { element, draw };
}

function build({ first, read, put, commit, set, redraw, control, player, reset, readouts, note, id, inPage }) {
  let run, size, state = first;
  let drawnPoints; // for which points, in which size, the marks stand
  let brush = 1; // the class that is placed next
  let cursor = null; // where the arrow keys are, in data units

  // ---- training -------------------------------------------------------------------
  const restart = (patch) => ({ ...patch, epochs: 0 });
  // A run that is playing goes on from its new start.
  const begin = (patch) => {
    put(restart(patch));
    redraw();
  };
  const knob = (name) =>
    control(name, {
      change(value) {
        begin({ [name]: value });
        if (spec.settings[name].type === "choice") commit();
      },
    });

  let due, before; // epochs that are due, and when that was reckoned
  const play = player({
    begin() {
      [due, before] = [0, 0];
      if (read().epochs === LAST) put({ epochs: 0 });
    },
    frame(ms) {
      const now = read();
      due += ((ms - before) / 1000) * now.pace;
      before = ms;
      const goal = Math.min(LAST, now.epochs + Math.floor(due));
      due %= 1;
      const until = performance.now() + 8; // milliseconds of a frame that go into training
      let { epochs } = now;
      while (epochs < goal && performance.now() < until) {
        epochs += 1;
        run = trained({ ...now, epochs }, run);
      }
      put({ epochs });
      return epochs < LAST && Number.isFinite(run.history.at(-1).train_loss);
    },
    still: "50 epochs",
    skip: () => set({ epochs: Math.min(LAST, read().epochs + 50) }),
  });
  const step = button("One epoch", () => set({ epochs: Math.min(LAST, read().epochs + 1) }));
  const reseed = button("New seed", () => {
    begin({ seed: (read().seed + 1) % (spec.settings.seed.limits[1] + 1) });
    commit();
  });

  const defaults = Object.fromEntries(Object.entries(spec.settings).map(([name, { default: value }]) => [name, value]));
  const question = html("p", { class: "dlx-question" });
  const ask = (name) => {
    question.textContent = PRESETS[name]?.question ?? "Choose a question, or press Play; then change one thing and watch.";
  };
  ask("");
  const presets = select({
    label: "Something to find out",
    choices: { "": "Your own settings", ...Object.fromEntries(Object.entries(PRESETS).map(([name, { label }]) => [name, label])) },
    change(name) {
      ask(name);
      if (name) set({ ...defaults, ...PRESETS[name].state });
    },
  });

  // ---- the surface ----------------------------------------------------------------
  const heat = picture();
  heat.className = "dlx-heat";
  const axes = svg("g");
  const dots = svg("g");
  const fit = svg("polyline", { class: "dlx-trace", "data-mark": "fit" });
  const fitted = svg("g"); // holds it where there is a curve
  const aim = svg("path", { class: "dlx-aim", d: "M-9 0h18M0 -9v18", visibility: "hidden" });
  const clip = svg("rect");
  const surface = html(
    "div",
    {
      class: "dlx-plot dlx-surface",
      style: `padding: ${["top", "right", "bottom", "left"].map((k) => `${MARGIN[k]}px`).join(" ")}`,
      "data-plot": "Surface",
      onkeydown: key,
      onclick: (event) => {
        if (state.data !== "placed") return;
        const box = surface.getBoundingClientRect();
        tap([event.clientX - box.left, event.clientY - box.top]);
      },
    },
    heat,
    svg("svg", { "aria-hidden": "true" },
      svg("defs", {}, svg("clipPath", { id: `${id}-clip` }, clip)), axes,
      svg("g", { "clip-path": `url(#${id}-clip)` }, dots, fitted, svg("g", { "data-scenery": "" }, aim))));
  const hint = html("p", { class: "dlx-hint", id: `${id}-hint` },
    "Click or tap to place a point, or on a point to take it away. With the keyboard: arrow keys move the cross, Enter places a point, Delete takes the nearest away.");
  const brushes = select({
    label: "Class to place",
    choices: { disc: "Class 1 (disc)", square: "Class 0 (square)" },
    change: (value) => {
      brush = value === "disc" ? 1 : 0;
    },
  });
  const wipe = button("Remove all points", () => set(restart({ placed: [] })));
  const tools = [hint, html("div", { class: "dlx-row" }, brushes.element, wipe)];
  const placing = html("div", { class: "dlx-placing" }); // holds them while points are placed

  const reach = () => (state.data === "sine" ? HIGH : REACH);
  const toPixels = ([x, y]) => [
    size.left + ((x + REACH) / (2 * REACH)) * size.width,
    size.top + ((reach() - y) / (2 * reach())) * size.height,
  ];
  const toData = ([x, y]) => [
    ((x - size.left) / size.width) * 2 * REACH - REACH,
    REACH - ((y - size.top) / size.height) * 2 * REACH,
  ];
  const inside = (point) => point.map((v) => Number(clamp(v, -REACH, REACH).toFixed(3)));

  function place(point) {
    const { placed } = read();
    if (placed.length < MOST) set(restart({ placed: [...placed, [...inside(point), brush]] }));
  }

  // A click or tap: on a point it takes it away, else in the picture it places one.
  function tap([x, y]) {
    const { placed } = read();
    const hit = placed.findLastIndex((point) => {
      const [across, down] = toPixels(point);
      return Math.hypot(across - x, down - y) < 8;
    });
    const { left, top, width, height } = size;
    if (hit >= 0) set(restart({ placed: placed.toSpliced(hit, 1) }));
    else if (x >= left && x <= left + width && y >= top && y <= top + height) place(toData([x, y]));
  }

  function key(event) {
    if (state.data !== "placed" || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const { placed } = read();
    cursor ??= [0, 0];
    if (move) {
      const far = event.shiftKey ? 0.02 : 0.1;
      cursor = inside(cursor.map((v, i) => v + far * move[i]));
    } else if (event.key === "Enter" || event.key === " ") place(cursor);
    else if ((event.key === "Delete" || event.key === "Backspace") && placed.length) {
      const away = placed.map(([x, y]) => Math.hypot(x - cursor[0], y - cursor[1]));
      set(restart({ placed: placed.toSpliced(away.indexOf(Math.min(...away)), 1) }));
    } else return;
    event.preventDefault();
    redraw();
  }

  // A point: a disc for class 1, a square for class 0; filled if it trains, else hollow.
  function dot(part, { x, y }) {
    const regression = x.length === 1;
    const [across, down] = toPixels(regression ? [x[0], y] : x);
    const attributes = {
      class: `dlx-point dlx-${part} dlx-class${regression ? 1 : y}`,
      "data-mark": regression ? part : `${part} ${y}`,
    };
    if (regression || y === 1) return svg("circle", { ...attributes, cx: across, cy: down, r: 3.5 });
    return svg("rect", { ...attributes, x: across - 3, y: down - 3, width: 6, height: 6 });
  }

  function drawSurface(values) {
    const { left, top, width, height } = size;
    const key = JSON.stringify([run.key, size, state.data]);
    if (key !== drawnPoints) {
      drawnPoints = key;
      for (const [name, value] of Object.entries({ x: left, y: top, width, height })) clip.setAttribute(name, value);
      heat.style.cssText = `left: ${left}px; top: ${top}px; width: ${width}px; height: ${height}px`;
      const xs = ticks([-REACH, REACH], 5).map((v) => [toPixels([v, 0])[0], number(v)]);
      const ys = ticks([-reach(), reach()], 5).map((v) => [toPixels([0, v])[1], number(v)]);
      axes.replaceChildren(...frame(size, xs, ys));
      dots.replaceChildren(...run.test.map((p) => dot("test", p)), ...run.train.map((p) => dot("train", p)));
    }
    const regression = state.data === "sine";
    heat.hidden = regression;
    const along = regression ? Array.from({ length: 101 }, (_, k) => at(k, 100)) : [];
    const answers = along.map((x) => outputAt(run, [x]));
    const whole = regression && answers.every(Number.isFinite);
    fitted.replaceChildren(...(whole ? [fit] : []));
    if (whole) {
      fit.setAttribute("points", along.map((x, k) => toPixels([x, clamp(answers[k], -1e3, 1e3)])).join(" "));
    } else if (!regression) {
      paint(heat, values.at(-1)[0].map((z) => 2 * sigmoid(z) - 1), 1);
    }
    aim.setAttribute("visibility", cursor && state.data === "placed" ? "visible" : "hidden");
    if (cursor) aim.setAttribute("transform", `translate(${toPixels(cursor)})`);
  }

  // What every unit puts out at each place of the pictures, [layer][unit][place].
  function everywhere() {
    const line = state.data === "sine";
    const count = line ? GRID : GRID * GRID;
    const values = run.outs.map((out) => Array.from(out, () => new Float64Array(count)));
    // The middle of each cell, so that the picture covers the frame.
    const middle = (k) => at(k + 0.5, GRID);
    for (let place = 0; place < count; place += 1) {
      outputAt(run, line ? [at(place, GRID - 1)] : [middle(place % GRID), -middle(Math.floor(place / GRID))]);
      run.outs.forEach((out, k) => out.forEach((v, j) => { values[k][j][place] = v; }));
    }
    return values;
  }

  // ---- the rest -------------------------------------------------------------------
  const net = diagram();
  const chart = lines("Loss", { train: "training", test: "test" });
  const rows = html("tbody");
  const table = html("table", { class: "dlx-table" },
    html("caption", {}, "Gradient of the training loss, and the share of units with a slope below 0.01 at every training point"),
    html("thead", {}, html("tr", {}, ...["Layer", "Gradient norm", "Stuck units (share)"].map((t) => html("th", { scope: "col" }, t)))),
    rows);
  const code = html("textarea", { class: "dlx-code", readonly: true, "aria-label": "Text to copy" });
  const box = html("div");
  const copied = html("span", { role: "status" });
  let copiedOf = null; // the run that the text belongs to
  function copy(text, what) {
    box.replaceChildren(code);
    code.value = text;
    code.style.height = 0;
    code.style.height = `${code.scrollHeight + code.offsetHeight - code.clientHeight}px`;
    copiedOf = run.key + run.history.length;
    const done = navigator.clipboard?.writeText(text) ?? Promise.reject();
    done.then(() => `${what} copied.`, () => {
      code.select();
      return `Copy the ${what} from here.`;
    }).then((said) => { copied.textContent = said; });
  }
  const copies = html("div", { class: "dlx-row" },
    button("Copy as Python", () => copy(python(read()), "code")),
    ...(inPage ? [button("Copy link", () => copy(linkTo(spec.name, difference(read())), "link"))] : []),
    copied);

  const group = (title, names, ...more) =>
    html("fieldset", {}, html("legend", {}, title), ...names.map(knob), ...more);
  const parts = [
    html("div", { class: "dlx-wide dlx-presets" }, presets.element, question),
    html("div", { class: "dlx-row dlx-wide dlx-run" }, play.element, step, reset, reseed, control("pace", { change: (pace) => put({ pace }) })),
    net.element,
    html("div", {}, surface, placing),
    html("div", { class: "dlx-side" }, chart.title, chart.element),
    html("div", { class: "dlx-side" }, readouts, note),
    html("div", { class: "dlx-wide dlx-groups dlx-controls" },
      group("Data", ["data", "points", "noise", "share", "turns", "seed"]),
      group("Network", ["units1", "units2", "units3", "units4", "activation", "init", "scale", "dropout"]),
      group("Training", ["rule", "lr", "momentum", "batch_size", "schedule", "planned", "penalty", "decay"])),
    html("div", { class: "dlx-wide" }, table),
    html("div", { class: "dlx-wide" }, copies, box),
  ];

  function measure() {
    size = frameIn(surface);
    chart.measure();
  }

  function drawTable(layers) {
    rows.replaceChildren(...layers.map(({ norm, stuck }, i) => {
      const k = i + 1;
      const name = k < layers.length ? ["Hidden ", quantity(`layer.${k}`, String(k))] : ["Output"];
      return html("tr", {},
        write(html("th", { scope: "row" }), name),
        html("td", {}, quantity(`gradient.${k}`, number(norm))),
        html("td", {}, k < layers.length && Number.isFinite(norm) ? quantity(`stuck.${k}`, number(stuck)) : "–"));
    }));
  }

  function draw(next) {
    state = next;
    run = trained(state, run);
    const values = everywhere();
    net.draw(run, values);
    drawSurface(values);
    const layers = report(run);
    drawTable(layers);
    const last = run.history.at(-1);
    if (copiedOf !== null && copiedOf !== run.key + run.history.length) {
      box.replaceChildren();
      copied.textContent = "";
      copiedOf = null;
    }
    chart.draw({ train: run.history.map((row) => row.train_loss), test: run.history.map((row) => row.test_loss) });

    const byHand = state.data === "placed";
    if (byHand !== placing.hasChildNodes()) placing.replaceChildren(...(byHand ? tools : []));
    for (const [name, value] of Object.entries({
      tabindex: 0, role: "application", "aria-roledescription": "plot", "aria-label": "Place points", "aria-describedby": `${id}-hint`,
    })) {
      if (byHand) surface.setAttribute(name, value);
      else surface.removeAttribute(name);
    }
    const text = (value, points, there = true) => (points.length && there ? number(value) : "none");
    const classes = state.data !== "sine";
    const hidden = hiddenOf(state);
    const units = hidden.flatMap((size, k) => [k ? " and " : "", quantity(`units${k + 1}`, String(size))]);
    const { data, activation, rule } = spec.settings;
    return {
      controls: {
        points: { disabled: byHand },
        noise: { disabled: byHand },
        share: { disabled: byHand },
        turns: { disabled: state.data !== "spiral" },
        units2: { disabled: hidden.length < 1 },
        units3: { disabled: hidden.length < 2 },
        units4: { disabled: hidden.length < 3 },
        scale: { disabled: state.init !== "normal" && state.init !== "constant" },
        momentum: { disabled: state.rule === "gd" },
        planned: { disabled: state.schedule === "constant" },
        decay: { disabled: state.penalty === "none" },
      },
      readouts: {
        Epoch: String(state.epochs),
        "Learning rate now": number(rate(run)),
        "Training loss": text(last.train_loss, run.train),
        "Test loss": text(last.test_loss, run.test),
        "Training accuracy": text(last.train_accuracy, run.train, classes),
        "Test accuracy": text(last.test_accuracy, run.test, classes),
      },
      said: [
        `${data.choices[state.data]}, `,
        ...(hidden.length ? ["hidden layers of ", ...units, ` units, ${activation.choices[state.activation]}`] : ["no hidden layer"]),
        `, ${rule.choices[state.rule]}.`,
        ...(byHand && cursor ? [` The cross is at ${cursor.map((v) => number(v)).join(", ")}.`] : []),
      ],
      ...message(run, layers),
    };
  }

  function forget() {
    cursor = null;
    presets.set("");
    ask("");
  }

  return { parts, draw, measure, sized: [surface, chart.element, net.element], reset: forget };
}

export default explorer(spec, { clean, build });
