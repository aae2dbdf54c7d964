// How far a run is shown: Play, Step and a slider over its steps.
import { button, slider } from "./controls.js";
import { clamp } from "./settings.js";

// `last()` is the run's last step, of at most `most`; `player` and `redraw` are those that
// `build` gets. at() is the step that is shown, and follow() brings the slider up to it.
export function steps({ player, redraw, last, most }) {
  let shown = Infinity; // the last one, whichever that is
  const atEnd = () => shown >= last();
  function show(k) {
    shown = k;
    redraw();
  }

  let from, pace;
  const play = player({
    begin() {
      from = atEnd() ? 0 : shown;
      pace = clamp(4000 / last(), 16, 250); // milliseconds a step: 4 s, unless short
    },
    frame(ms) {
      shown = from + Math.floor(ms / pace);
      return !atEnd();
    },
    skip: () => show(Infinity),
  });
  const step = button("Step", () => {
    play.stop();
    show(atEnd() ? 1 : shown + 1);
  });
  const position = slider({
    name: "shown", label: "Shown up to step", limits: [0, most], step: 1,
    change(k) {
      play.stop();
      show(k);
    },
  });
  const at = () => Math.min(shown, last());
  return {
    buttons: [play.element, step],
    slider: position.element,
    at,
    follow: () => position.set(at(), { upTo: last() }),
    reset() {
      shown = Infinity;
    },
  };
}
