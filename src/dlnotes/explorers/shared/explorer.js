// The life of an explorer: what is the same whatever it shows. It reads and cleans the
// state, draws once an event, follows the size and the kernel, tells a screen reader,
// keeps its keys to itself, resets, and lets go of everything when it is taken away.
import { html, write } from "./elements.js";
import { slider, select, field, checkbox, button } from "./controls.js";
import { quantity, textOf } from "./numbers.js";

const lessMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Plain keys belong to the explorer that has the focus: JupyterLab would take "dd" there
// for deleting the cell. Keys with Ctrl, Meta or Alt go on, so that Ctrl+S still saves.
function keepPlainKeys(event) {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
}

// Runs `draw` once for all that an event asks for, and before the next event: a key that
// is pressed early never meets controls that are still those of the state before.
function afterEvent(draw) {
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

// Tells a screen reader the latest text once things have been quiet for a moment. The
// first text is only put there: a page with three explorers must not speak on loading.
function announcer() {
  const element = html("p", { class: "dlx-spoken", role: "status", "aria-live": "polite" });
  let timer;
  return {
    element,
    say(parts) {
      clearTimeout(timer);
      const tell = () => write(element, parts);
      if (!element.textContent) tell();
      else if (textOf(parts) !== element.textContent) timer = setTimeout(tell, 600);
    },
    hush() {
      clearTimeout(timer);
      element.replaceChildren();
    },
  };
}

// The read-outs: for each label the text that belongs to it.
function readoutList(labels) {
  const values = Object.fromEntries(labels.map((label) => [label, html("dd")]));
  const pairs = labels.map((label) => html("div", {}, html("dt", {}, label), values[label]));
  return {
    element: html("dl", { class: "dlx-state" }, ...pairs),
    // The label is the name under which Python's `numbers()` must hold the value.
    set(texts) {
      for (const label of labels) write(values[label], [quantity(label, texts[label])]);
    },
  };
}

// An explorer from its spec.json, `clean(state)`, which makes any state one that can be
// drawn, and `build(tools)`, which makes the parts of the picture, once, and returns
//   parts   elements, in the order of the keyboard
//   draw    draw(state) brings them up to date and returns
//             readouts  text by label, for the labels of the spec
//             said      strings and quantities that a screen reader hears first
//             message   strings and quantities, if there is something to say
//             warning   whether the message is one
//             controls  options for `set` of some controls, by name
//   measure, sized   measure() is called first and when an element of `sized` has changed
//   reset            what Reset has to undo beyond the state
export function explorer(spec, { clean, build }) {
  const keys = Object.keys(spec.settings);

  function render({ model, el }) {
    const read = () => clean(Object.fromEntries(keys.map((key) => [key, model.get(key)])));
    const first = read();
    const controls = {};
    const complaints = new Map();
    const players = [];
    const readouts = readoutList(spec.readouts);
    const note = html("p", { class: "dlx-message" });
    const spoken = announcer();
    let afresh = false; // Reset also clears what was typed and refused

    const commit = () => model.save_changes();
    const put = (patch) => {
      for (const [key, value] of Object.entries(patch)) model.set(key, value);
    };
    const change = (patch) => {
      for (const player of players) player.stop();
      put(patch);
    };
    const set = (patch) => {
      change(patch);
      commit();
    };

    // A control for a setting, of the kind that its type asks for. What it changes can be
    // given (`change`); else it sets the setting.
    function control(name, options = {}) {
      const setting = { name, commit, ...spec.settings[name], ...options };
      const own = { choice: select, boolean: checkbox }[setting.type];
      const then = own ? set : change;
      controls[name] = (own ?? slider)({ change: (value) => then({ [name]: value }), ...setting });
      return controls[name].element;
    }

    // A number to type, by any name: `change(value)` is called for each good one.
    function number(name, options) {
      const wrong = (parts) => {
        complaints.set(name, parts);
        redraw();
      };
      const input = field({ name, ...options, wrong });
      return { element: input.element, set: (value, text) => input.set(value, text, afresh) };
    }

    // A Play button. `begin()` readies, `frame(ms)` shows what there is to see after so
    // many milliseconds and says whether there is more, `skip()` shows the end at once
    // for a reader who asked for less motion, under the label `still`.
    function player({ begin, frame, skip, still = "Play" }) {
      let asked = 0;
      const label = () => (lessMotion() ? still : "Play");
      const element = button(label(), () => (asked ? stop() : start()));
      element.classList.add("dlx-main");
      function stop() {
        if (asked) commit(); // what frames have put
        cancelAnimationFrame(asked);
        asked = 0;
        element.textContent = label();
        redraw();
      }
      function start() {
        if (lessMotion()) return skip();
        spoken.hush();
        begin();
        const began = performance.now();
        const tick = (time) => {
          asked = requestAnimationFrame(tick);
          if (frame(Math.max(0, time - began))) redraw();
          else stop();
        };
        asked = requestAnimationFrame(tick);
        element.textContent = "Pause";
      }
      players.push({ stop, playing: () => asked !== 0 });
      return { element, stop };
    }

    const reset = button("Reset", () => {
      afresh = true;
      view.reset?.();
      set(first);
      redraw();
    });

    const redraw = afterEvent(draw);
    const view = build({
      first, read, put, change, commit, set, redraw, control, number, player, reset,
      readouts: readouts.element, note,
      id: `dlx-${Math.random().toString(36).slice(2)}`,
      inPage: "dlnotesExplorer" in el.dataset, // and not in a notebook
    });
    const root = html(
      "div",
      { class: `dlx dlx-${spec.name}`, role: "group", "aria-label": spec.title, onkeydown: keepPlainKeys },
      html("div", { class: "dlx-body" }, ...view.parts, spoken.element));

    function draw() {
      if (!root.clientWidth) return;
      const state = read();
      const { said, message = [], warning = false, ...drawn } = view.draw(state);
      for (const [name, one] of Object.entries(controls)) one.set(state[name], drawn.controls?.[name]);
      readouts.set(drawn.readouts);
      const wrong = [...complaints.values()].flat();
      write(note, [...wrong, ...message]);
      note.classList.toggle("dlx-warning", warning || wrong.length > 0);
      afresh = false;
      if (players.some(({ playing }) => playing())) return;
      const numbers = spec.readouts.flatMap((label) =>
        [` ${label} `, quantity(label, drawn.readouts[label]), "."]);
      spoken.say([...said, ...numbers, " ", ...wrong, ...message]);
    }

    const resize = new ResizeObserver(() => {
      view.measure();
      draw();
    });
    for (const key of keys) model.on(`change:${key}`, redraw);
    el.append(root);
    view.measure();
    draw();
    for (const element of view.sized) resize.observe(element);
    return () => {
      for (const player of players) player.stop();
      resize.disconnect();
      redraw.stop();
      spoken.hush();
      for (const key of keys) model.off(`change:${key}`, redraw);
    };
  }

  return { render };
}
