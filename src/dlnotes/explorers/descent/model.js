// What a figure of descent shows, as plain values: a state made safe, the path with its
// losses, the message, the scales. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { surfaces } from "../maths/surfaces.js";
import { optimizers, descend } from "../maths/optimizers.js";
import { number, quantity } from "../shared/numbers.js";
import { logScale } from "../shared/plot.js";
import { cleaned, clamp, finite } from "../shared/settings.js";
import { lost, picture } from "../shared/terrain.js";

// What the momentum slider sets in each rule, and how the reader knows it.
export const KNOB = {
  momentum: ["beta", "Momentum β"],
  nesterov: ["beta", "Momentum β"],
  rmsprop: ["alpha", "Decay α of g²"],
  adam: ["beta1", "Momentum β₁"],
  adamw: ["beta1", "Momentum β₁"],
};

// Any state made into one that can be drawn: the start belongs to the surface.
export function clean(state) {
  const safe = cleaned(spec.settings, state);
  const f = surfaces[safe.surface]();
  const view = picture(f);
  const given = Array.isArray(state.start) && state.start.length === f.dim ? state.start : f.start;
  return { ...safe, start: f.start.map((v, i) => clamp(finite(given[i], v), ...view[i])) };
}

// The path of a (clean) state: points, losses, gradient norms, and at which step, if
// any, it was a thousand times further out than the window reaches (`diverged`).
export function trajectory({ surface, optimizer, lr, momentum, start, steps, condition }) {
  const f = surfaces[surface]({ condition });
  const knob = KNOB[optimizer];
  const rule = optimizers[optimizer](knob ? { [knob[0]]: momentum } : {});
  const gone = lost(f);
  const points = descend(f.grad, start, rule, lr, steps, gone);
  const diverged = gone(points.at(-1)) ? points.length - 1 : null;
  return {
    points,
    losses: points.map(f.value),
    slopes: points.map((x) => Math.hypot(...f.grad(x))),
    diverged,
  };
}

// What there is to say about the path up to step `k`, and whether it is a warning.
export function message(view, { points, losses, diverged }, k) {
  const outside = !points[k].every((v, i) => v >= view[i][0] && v <= view[i][1]);
  if (k === diverged || (outside && losses[k] > losses[0])) {
    return {
      message: [
        "Diverges: in ", quantity("shown", String(k)), " steps the loss went from ",
        quantity("first_loss", number(losses[0])), " to ", quantity("Loss", number(losses[k])),
        ". Lower the learning rate.",
      ],
      warning: true,
    };
  }
  return outside ? { message: ["The path has left the picture."], warning: true } : {};
}

// The losses on the scale that shows them best: log of the height above the lowest
// known minimum where that is never negative, else the plain values.
export function lossScale({ minima, value }, losses) {
  const lowest = value(minima[0]);
  const heights = losses.map((v) => v - lowest);
  const finiteOnes = heights.filter(Number.isFinite);
  const label = Math.abs(lowest) < 1e-12 ? "Loss" : "Loss above the minimum";
  if (Math.min(...finiteOnes) < -1e-9 || Math.max(...finiteOnes) < 1e-12) {
    const [low, high] = [Math.min(...losses), Math.max(...losses.filter(Number.isFinite))];
    const room = 0.05 * (high - low || 1);
    return { values: losses, range: [low - room, high + room], log: false, label: "Loss" };
  }
  return { ...logScale(heights), label };
}
