// What a figure of descent shows, as plain values: names for the reader, a state made
// safe, the path with its losses, the message, the scales. Nothing here draws.
import { surfaces, optimizers, descend, norm } from "./maths.js";
import { number, logScale } from "./plot.js";
import { clamp, finite } from "./controls.js";

export const SURFACES = {
  wave: "x² sin x (1-D)",
  plateau: "Plateau (1-D)",
  bowl: "Bowl",
  ravine: "Ravine",
  saddle: "Saddle",
  rosenbrock: "Rosenbrock",
  beale: "Beale",
  himmelblau: "Himmelblau",
};
export const OPTIMIZERS = {
  gd: "Gradient descent",
  momentum: "Momentum",
  nesterov: "Nesterov momentum",
  rmsprop: "RMSprop",
  adam: "Adam",
  adamw: "AdamW",
};
// What the momentum slider sets in each rule, and how the reader knows it.
export const KNOB = {
  momentum: ["beta", "Momentum β"],
  nesterov: ["beta", "Momentum β"],
  rmsprop: ["alpha", "Decay α of g²"],
  adam: ["beta1", "Momentum β₁"],
  adamw: ["beta1", "Momentum β₁"],
};
export const LIMITS = { lr: [1e-4, 10], momentum: [0, 0.99], steps: [1, 500], condition: [1, 100] };
export const KEYS = ["surface", "optimizer", "lr", "momentum", "start", "steps", "condition"];

// The picture is 4 wide by 3 high, in these units.
export const [WIDTH, HEIGHT] = [400, 300];

// The part of the plane that the picture shows: the window, widened until one unit is
// equally long in both directions, so that steps are seen at right angles to contours.
export function picture({ dim, window: [[x0, x1], y], value }) {
  if (dim === 1) {
    const heights = Array.from({ length: 201 }, (_, i) => value([x0 + ((x1 - x0) * i) / 200]));
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const room = 0.08 * (high - low);
    return [[x0, x1], [low - room, high + room]];
  }
  const [y0, y1] = y;
  const unit = Math.max((x1 - x0) / WIDTH, (y1 - y0) / HEIGHT) / 2;
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return [[cx - unit * WIDTH, cx + unit * WIDTH], [cy - unit * HEIGHT, cy + unit * HEIGHT]];
}

// Any state made into one that can be drawn: unknown names and impossible numbers are
// replaced, numbers out of range are moved to the nearest end of it.
export function clean(state) {
  const surface = Object.hasOwn(surfaces, state.surface) ? state.surface : "ravine";
  const optimizer = Object.hasOwn(optimizers, state.optimizer) ? state.optimizer : "gd";
  const within = (key, otherwise) => clamp(finite(state[key], otherwise), ...LIMITS[key]);
  const f = surfaces[surface]();
  const view = picture(f);
  const given = Array.isArray(state.start) && state.start.length === f.dim ? state.start : f.start;
  return {
    surface,
    optimizer,
    lr: within("lr", 0.05),
    momentum: within("momentum", 0.9),
    start: f.start.map((v, i) => clamp(finite(given[i], v), ...view[i])),
    steps: Math.round(within("steps", 50)),
    condition: within("condition", 20),
  };
}

// The path of a (clean) state: points, losses, gradient norms, and at which step, if
// any, it was a thousand times further out than the window reaches (`diverged`).
export function trajectory({ surface, optimizer, lr, momentum, start, steps, condition }) {
  const f = surfaces[surface]({ condition });
  const knob = KNOB[optimizer];
  const rule = optimizers[optimizer](knob ? { [knob[0]]: momentum } : {});
  const lost = (x) =>
    !x.every((v, i) => {
      const [low, high] = f.window[i];
      return Math.abs(v - (low + high) / 2) <= 500 * (high - low);
    });
  const points = descend(f.grad, start, rule, lr, steps, lost);
  const diverged = lost(points.at(-1)) ? points.length - 1 : null;
  return {
    points,
    losses: points.map(f.value),
    slopes: points.map((x) => norm(f.grad(x))),
    diverged,
  };
}

// What there is to say about the path up to step `k`, and whether it is a warning.
export function message(view, { points, losses, diverged }, k) {
  const outside = !points[k].every((v, i) => v >= view[i][0] && v <= view[i][1]);
  if (k === diverged || (outside && losses[k] > losses[0])) {
    const grown = `${number(losses[0])} to ${number(losses[k])}`;
    return [`Diverges: in ${k} steps the loss went from ${grown}. Lower the learning rate.`, true];
  }
  if (outside) return ["The path has left the picture.", true];
  return ["", false];
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
