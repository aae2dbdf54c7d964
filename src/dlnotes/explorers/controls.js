// What every explorer needs around its picture: labelled controls, one redraw an event,
// a polite live region, and a model for pages without a kernel.
import { number } from "./plot.js";

// An element with attributes, listeners (functions under on…) and children. Strings
// become text nodes, so no state is ever read as markup.
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Scales of a slider: between its position and the value that it stands for.
export const linear = { to: (value) => value, from: (position) => position };
// Positions are powers of ten; values are rounded to 1, 1.05, … 2, 2.1, … 5, 5.2, … 10.
export const logarithmic = {
  to: (value) => Math.log10(value),
  from: (position) => {
    const power = 10 ** Math.floor(position + 1e-9);
    const mantissa = 10 ** position / power;
    const grain = mantissa < 2 ? 0.05 : mantissa < 5 ? 0.1 : 0.2;
    return Number((Math.round(mantissa / grain) * grain * power).toPrecision(3));
  },
};

// `change(value)` runs while the slider moves, `commit()` when it is let go.
export function slider({ label, limits: [min, max], step, scale = linear, format = String, change, commit }) {
  const name = html("span", {}, label);
  const shown = html("span", { class: "dlx-value" });
  const input = html("input", {
    type: "range",
    min: scale.to(min),
    max: scale.to(max),
    step,
    oninput: () => change(Math.min(max, Math.max(min, scale.from(Number(input.value))))),
    onchange: () => commit?.(),
  });
  const head = html("span", { class: "dlx-head" }, name, shown);
  return {
    element: html("label", { class: "dlx-control" }, head, input),
    set(value, { text = label, disabled = false, upTo = max } = {}) {
      name.textContent = text;
      input.disabled = disabled;
      input.max = scale.to(upTo);
      input.value = scale.to(value);
      shown.textContent = disabled ? "–" : format(value);
      input.setAttribute("aria-valuetext", disabled ? "not used" : format(value));
    },
  };
}

// `options` maps values to what the reader sees.
export function select({ label, options, change }) {
  const choices = Object.entries(options).map(([value, text]) => html("option", { value }, text));
  const input = html("select", { onchange: () => change(input.value) }, ...choices);
  const head = html("span", { class: "dlx-head" }, label);
  return {
    element: html("label", { class: "dlx-control" }, head, input),
    set(value) {
      input.value = value;
    },
  };
}

// A number that is typed. `change(value)` runs for each number from min to max; anything
// else stays as typed, is marked, and `wrong(text)` says what would do ("" once it does).
export function field({ label, min, max, step, change, wrong }) {
  let current;
  const judge = (good) => {
    input.setAttribute("aria-invalid", !good);
    wrong(good ? "" : `${label} must be a number from ${number(min)} to ${number(max)}.`);
  };
  const input = html("input", {
    type: "number", min, max, step,
    oninput: () => {
      const value = input.value === "" ? NaN : Number(input.value);
      const good = value >= min && value <= max;
      judge(good);
      if (!good || value === current) return;
      current = value;
      change(value);
    },
  });
  return {
    element: html("label", { class: "dlx-control dlx-field" }, html("span", {}, label), input),
    // `text` is what to show for the value. What the reader is typing is left alone, unless
    // the value has changed or everything is to be shown `afresh`.
    set(value, text, afresh = false) {
      if (value === current && !afresh) return;
      current = value;
      input.value = text;
      judge(true);
    },
  };
}

export function checkbox({ label, change }) {
  const input = html("input", { type: "checkbox", onchange: () => change(input.checked) });
  return {
    element: html("label", { class: "dlx-check" }, input, label),
    set(value) {
      input.checked = value;
    },
  };
}

export function button(label, onclick) {
  return html("button", { type: "button", class: "dlx-button", onclick }, label);
}

// Tells a screen reader the latest text once things have been quiet for a moment. The
// first text is only put there: a page with three explorers must not speak on loading.
export function announcer() {
  const element = html("p", { class: "dlx-spoken", role: "status", "aria-live": "polite" });
  let timer;
  return {
    element,
    say(text) {
      clearTimeout(timer);
      const tell = () => element.replaceChildren(text);
      if (!element.textContent) tell();
      else if (text !== element.textContent) timer = setTimeout(tell, 600);
    },
    hush() {
      clearTimeout(timer);
      element.replaceChildren();
    },
  };
}

// Runs `draw` once for all that an event asks for, and before the next event: a key that
// is pressed early never meets controls that are still those of the state before.
export function afterEvent(draw) {
  let waiting = false;
  let stopped = false;
  const ask = () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      if (!stopped) draw();
    });
  };
  ask.stop = () => {
    stopped = true;
  };
  return ask;
}

export const lessMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// A finite number from outside, or what to use in its place.
export const finite = (value, otherwise) =>
  typeof value === "number" && Number.isFinite(value) ? value : otherwise;

// The part of anywidget's model that an explorer uses, for a page without a kernel.
export function staticModel(state) {
  const values = { ...state };
  const listeners = new Map();
  return {
    get: (key) => values[key],
    set(key, value) {
      if (JSON.stringify(values[key]) === JSON.stringify(value)) return;
      values[key] = value;
      for (const listener of listeners.get(`change:${key}`) ?? []) listener();
    },
    save_changes() {},
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
    },
    off: (event, listener) => listeners.get(event)?.delete(listener),
  };
}

// Replaces the fallback text in `el` with the explorer, started from `state`; the text
// stays until the explorer stands.
export function mountStatic(explorer, el, state) {
  const fallback = [...el.childNodes];
  const unmount = explorer.render({ model: staticModel(state), el });
  for (const node of fallback) node.remove();
  el.dataset.mounted = "";
  return unmount;
}

// Mounts each div of the page that names one of `explorers`. One that fails keeps its
// fallback text, and the others are mounted all the same.
export function mountAll(explorers) {
  const mount = () => {
    for (const el of document.querySelectorAll("div[data-dlnotes-explorer]:not([data-mounted])")) {
      const { dlnotesExplorer: name, state = "{}" } = el.dataset;
      if (!Object.hasOwn(explorers, name)) continue;
      try {
        mountStatic(explorers[name], el, JSON.parse(state));
      } catch (error) {
        console.error(`The explorer "${name}" could not start:`, error);
      }
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
}
