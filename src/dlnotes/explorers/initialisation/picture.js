// The initialisation explorer: signals forward and gradients backward through a network
// just drawn, with what theory expects of it. The free end of each theory line is a handle.
import spec from "./spec.json" with { type: "json" };
import { clean, expected, factor, gainFor, message, network } from "./model.js";
import { button } from "../shared/controls.js";
import { html, svg } from "../shared/elements.js";
import { explorer } from "../shared/explorer.js";
import { number, powerOfTen, quantity } from "../shared/numbers.js";
import { centre, frame, frameIn, ticks } from "../shared/plot.js";
import { clamp } from "../shared/settings.js";

// A plot of root mean squares by layer on an axis of powers of ten. `drag` is told of the
// handle: `begin()`, `move(level)`, `end()`; `key` of keys.
function levelPlot({ name, about, label, id, hint, drag, key }) {
  const axes = svg("g");
  const clip = svg("rect");
  const area = svg("polygon", { class: "dlx-band" });
  const mark = (of, kind) => svg("polyline", { class: `dlx-${kind}`, "data-mark": of });
  const [low, high, theory] = [mark("low", "edge"), mark("high", "edge"), mark("theory", "theory")];
  const measured = mark("measured", "trace");
  const dots = svg("path", { class: "dlx-dots", "data-mark": "measured" });
  const end = svg("circle", { class: "dlx-start", "data-mark": "end", r: 7 });
  const band = svg("g", {});
  const handle = html("div", {
    class: "dlx-handle", role: "slider", tabindex: 0, "aria-label": label, "aria-orientation": "vertical",
    "aria-valuemin": spec.settings.gain.limits[0], "aria-valuemax": spec.settings.gain.limits[1],
    "aria-describedby": hint, onkeydown: key, onpointerdown: press,
  });
  const element = html("div", { class: "dlx-plot dlx-levels", "data-plot": name },
    svg("svg", { "aria-hidden": "true" },
      svg("defs", {}, svg("clipPath", { id }, clip)),
      axes, svg("g", { "clip-path": `url(#${id})` }, band, theory, measured, dots, end)),
    handle);
  let size, range, layers;

  const across = (layer) => size.left + ((layer - 1) / (layers - 1)) * size.width;
  const down = (level) => {
    const share = (range[1] - Math.log10(level)) / (range[1] - range[0]);
    return size.top + clamp(share, -9, 10) * size.height;
  };

  function press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    handle.focus({ preventScroll: true, focusVisible: false });
    handle.setPointerCapture(event.pointerId);
    const top = element.getBoundingClientRect().top;
    const grip = handle.offsetTop + handle.offsetHeight / 2 - (event.clientY - top);
    const follow = (e) => {
      const y = e.clientY - element.getBoundingClientRect().top + grip;
      const share = clamp((y - size.top) / size.height, 0, 1);
      drag.move(10 ** (range[1] - share * (range[1] - range[0])));
    };
    const listeners = [["pointermove", follow], ["pointerup", stop], ["pointercancel", stop]];
    function stop() {
      for (const [type, listener] of listeners) handle.removeEventListener(type, listener);
      drag.end();
    }
    for (const [type, listener] of listeners) handle.addEventListener(type, listener);
    drag.begin();
  }

  return {
    parts: [html("p", { class: "dlx-title" }, `${name} (${about})`), element],
    element,
    measure() {
      size = frameIn(element);
      const { left, top, width, height } = size;
      const room = { x: left - 9, y: top - 9, width: width + 18, height: height + 18 }; // for the ring at an edge
      for (const [key, value] of Object.entries(room)) clip.setAttribute(key, value);
    },
    draw(values, expectation, limits, free, gain) {
      [range, layers] = [limits, values.length];
      const xs = ticks([1, layers], 5).filter(Number.isInteger).map((v) => [across(v), String(v)]);
      const ys = ticks(range, 4).filter(Number.isInteger).map((v) => [down(10 ** v), powerOfTen(v)]);
      axes.replaceChildren(...frame(size, xs, ys));
      const spots = (levels) => levels.map((v, i) => [across(i + 1), down(v)].map((p) => p.toFixed(2)));
      const places = { theory: spots(expectation.theory) };
      theory.setAttribute("points", places.theory.join(" "));
      const there = spots(values).filter((_, i) => values[i] > 0);
      measured.setAttribute("points", there.join(" "));
      dots.setAttribute("d", there.map((p) => `M${p.join(" ")}h0`).join(""));
      if (expectation.low) {
        const [below, above] = [spots(expectation.low), spots(expectation.high)];
        low.setAttribute("points", below.join(" "));
        high.setAttribute("points", above.join(" "));
        area.setAttribute("points", [...below, ...above.reverse()].join(" "));
      }
      band.replaceChildren(...(expectation.low ? [svg("g", { "data-scenery": "" }, area), low, high] : []));
      const at = places.theory.at(free).map(Number);
      centre(end, at);
      [handle.style.left, handle.style.top] = at.map((v) => `${v}px`);
      const rounded = Number(gain.toPrecision(4));
      handle.setAttribute("aria-valuenow", rounded);
      handle.setAttribute("aria-valuetext", `gain ${rounded}`);
    },
  };
}

function build({ read, change, commit, set, redraw, control, reset, readouts, note, id }) {
  let held = null; // the vertical range, while a handle is dragged

  const chosen = (gain) => ({
    scheme: "normal",
    gain: Number(clamp(gain, ...spec.settings.gain.limits).toPrecision(4)),
  });
  function key(event) {
    const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const grain = event.shiftKey ? 1.001 : 1.01;
    set(chosen(expected(read()).gain * grain ** way));
  }
  let range;
  const drag = (plot) => ({
    begin: () => {
      held = range;
    },
    move: (level) => change(chosen(gainFor(read(), plot, level))),
    end: () => {
      held = null;
      commit();
      redraw();
    },
  });
  const hint = `${id}-hint`;
  const shared = { hint, key };
  const plots = {
    signals: levelPlot({
      ...shared, name: "Pre-activations", about: "forward →, rms by layer", id: `${id}-signals`,
      label: "Theory in the last layer", drag: drag("signals"),
    }),
    gradients: levelPlot({
      ...shared, name: "Gradients", about: "← backward, rms by layer", id: `${id}-gradients`,
      label: "Theory in the first layer", drag: drag("gradients"),
    }),
  };

  const again = button("Another draw", () => set({ seed: (read().seed + 1) % (spec.settings.seed.limits[1] + 1) }));
  again.classList.add("dlx-main");
  const sign = (text, ...shapes) => html("span", {}, svg("svg", { viewBox: "0 -9 26 18", "aria-hidden": "true" }, ...shapes), text);
  const line = (kind) => svg("path", { class: `dlx-${kind}`, d: "M0 0h26" });
  const keys = html("div", { class: "dlx-row dlx-keys", "aria-hidden": "true" },
    sign("this network", line("trace"), svg("path", { class: "dlx-dots", d: "M13 0h0" })),
    sign("theory, infinitely wide", line("theory")),
    sign("19 of 20 networks this wide", svg("path", { class: "dlx-band", d: "M0 -6h26v12h-26z" }),
      svg("path", { class: "dlx-edge", d: "M0 -6h26M0 6h26" })),
    sign("drag this", svg("circle", { class: "dlx-start", cx: 13, r: 6 })));

  const parts = [
    html("div", { class: "dlx-controls dlx-wide" },
      control("activation"),
      control("scheme", { change: (scheme) => set(scheme === "normal" ? chosen(expected(read()).gain) : { scheme }) }),
      ...["gain", "depth", "width"].map((name) => control(name)),
      html("div", { class: "dlx-row dlx-buttons" }, again, reset)),
    html("div", { class: "dlx-side" }, ...plots.signals.parts),
    html("div", { class: "dlx-side" }, ...plots.gradients.parts),
    html("div", { class: "dlx-wide" }, keys,
      html("p", { class: "dlx-hint", id: hint },
        "An input enters layer 1 and a gradient the last layer, both random with a root mean square (rms) of 1. Drag a ring up or down, or use the arrow keys (Shift: small moves): that changes the gain.")),
    html("div", { class: "dlx-wide" }, readouts),
    html("div", { class: "dlx-wide" }, note),
  ];

  function measure() {
    for (const plot of Object.values(plots)) plot.measure();
  }

  // Whole powers of ten, from a tenth to ten at least. What theory expects has room around
  // it, so that the axes mostly stay where they are from draw to draw.
  function rangeOf(levels, room) {
    const logs = levels.filter((v) => v > 0).map(Math.log10);
    return [Math.min(-1, Math.floor(Math.min(...logs) - room)), Math.max(1, Math.ceil(Math.max(...logs) + room))];
  }

  function draw(state) {
    const net = network(state);
    const theory = expected(state);
    const { signals, gradients, gain } = theory;
    const expectation = [signals, gradients].flatMap((one) => [...one.theory, ...(one.low ?? []), ...(one.high ?? [])]);
    range = held ?? rangeOf([...net.signals, ...net.gradients, ...rangeOf(expectation, 0.3).map((v) => 10 ** v)], 0);
    plots.signals.draw(net.signals, signals, range, -1, gain);
    plots.gradients.draw(net.gradients, gradients, range, 0, gain);

    const each = (from, to) => factor(from, to, state.depth);
    const pair = (drawn, line) => `${number(drawn)} (theory ${number(line)})`;
    const { activation, scheme } = spec.settings;
    return {
      controls: { gain: { disabled: state.scheme !== "normal" } },
      readouts: {
        "Gain of these weights": number(gain),
        "Pre-activations, factor a layer": pair(each(net.signals[0], net.signals.at(-1)), each(signals.theory[0], signals.theory.at(-1))),
        "Gradients, factor a layer": pair(each(net.gradients.at(-1), net.gradients[0]), each(gradients.theory.at(-1), gradients.theory[0])),
        "Share of slopes below 0.01": number(net.flat),
        "Cosine of two unrelated inputs, last layer": number(net.cosine),
        "Gradient, first layer / last": number(net.gradients[0] / net.gradients.at(-1)),
      },
      said: [
        quantity("depth", String(state.depth)), " layers of ", quantity("width", String(state.width)),
        ` units, ${activation.choices[state.activation]}, weights ${scheme.choices[state.scheme]}, draw `,
        quantity("seed", String(state.seed)), ".",
      ],
      ...message(state, net, theory),
    };
  }

  return { parts, draw, measure, sized: Object.values(plots).map(({ element }) => element) };
}

export default explorer(spec, { clean, build });
