// What the losses explorer shows, as plain values: a state made safe, and for each of its
// three views what there is to draw and to say. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { activations, softmax, logSoftmax } from "../maths/activations.js";
import { leastAbsolute, leastHuber, leastSquares } from "../maths/lines.js";
import { bceWithLogits, crossEntropy, huber, mae, mse } from "../maths/losses.js";
import { generator } from "../maths/portable.js";
import { cleaned, clamp, finite } from "../shared/settings.js";

const { outlier, logits, temperature } = spec.settings;
export const CLASSES = [0, 1, 2, 3];

// Any state made into one that can be drawn.
export function clean(state) {
  const numbers = ({ default: otherwise }, given, limits) => {
    const list = Array.isArray(given) && given.length === otherwise.length ? given : otherwise;
    return otherwise.map((v, i) => clamp(finite(list[i], v), ...limits(i)));
  };
  return {
    ...cleaned(spec.settings, state),
    outlier: numbers(outlier, state.outlier, (i) => outlier.limits["xy"[i]]),
    logits: numbers(logits, state.logits, () => logits.limits),
  };
}

// ---- An outlier, and a line under each loss ---------------------------------------------

export const FITS = { mse: "MSE", mae: "MAE", huber: "Huber" };
const NOISE = 0.4;
const REACH = 2; // the other points have x from -2 to 2
const TOUCHES = 1e-9; // an error that is only rounding: the line goes through the point

// The points, the dragged one last: one other point in each of equal parts of its range.
export function points({ outlier: [x, y], others, seed }) {
  const random = generator(seed);
  const xs = Array.from({ length: others }, (_, i) => REACH * ((2 * (i + random.uniform())) / others - 1));
  const ys = xs.map((v) => v + NOISE * random.normal());
  return { x: [...xs, x], y: [...ys, y] };
}

// With how much slope of its loss the dragged point pulls at a line. At an error of 0 the
// absolute loss has every slope from -1 to 1: the one that the others' pulls leave for it.
function pullOf(name, slope, error, x, intercept) {
  const last = x.length - 1;
  if (name !== "mae" || error[last] !== 0) return slope(error[last]);
  const touched = x.findIndex((_, i) => i < last && error[i] === 0);
  const rest = (weight) => x.reduce((total, v, i) => total + (i < last ? Math.sign(error[i]) * weight(v) : 0), 0);
  if (!intercept) return x[last] === 0 ? 0 : -rest((v) => v) / x[last];
  return -rest((v) => v - x[touched]) / (x[last] - x[touched]);
}

export function fits({ delta, intercept, ...state }) {
  const { x, y } = points(state);
  const kinds = {
    mse: [leastSquares(x, y, intercept), mse],
    mae: [leastAbsolute(x, y, intercept), mae],
    huber: [leastHuber(x, y, delta, intercept), (a, b) => huber(a, b, delta)],
  };
  return Object.entries(kinds).map(([name, [[slope, offset], loss]]) => {
    const exact = x.map((v, i) => slope * v + offset - y[i]);
    const error = exact.map((r) => (Math.abs(r) < TOUCHES ? 0 : r));
    return {
      name, slope, offset,
      loss: error.reduce((total, r) => total + loss(r, 0)[0], 0) / x.length,
      error: error.at(-1),
      pull: pullOf(name, (r) => loss(r, 0)[1], error, x, intercept),
    };
  });
}

// How far the plot of slopes reaches, so that it holds the dragged point under every line.
export const reachOf = (lines) =>
  [4, 8, 16, 32, 64, 128].find((v) => v >= 1.05 * Math.max(...lines.map(({ error }) => Math.abs(error))));

// ---- One logit -----------------------------------------------------------------------------

export const sigmoid = activations.sigmoid[0];

// The squared error of a sigmoid, and its slope with respect to the logit.
function squaredError(z, y) {
  const [loss, slope] = mse(sigmoid(z), y);
  return [loss, slope * activations.sigmoid[1](z)];
}
export const BINARY = { "cross-entropy": bceWithLogits, "squared error": squaredError };

// How many steps of gradient descent on the logit alone, with learning rate 1, take p to the
// right side of 0.5.
export function stepsBack(loss, z, y) {
  let steps = 0;
  for (let now = z; (y === 1 ? now < 0 : now > 0); steps += 1) now -= loss(now, y)[1];
  return steps;
}

// A curve over logits, and the same over their p, which is where most of it happens.
export const LOGITS = Array.from({ length: 161 }, (_, k) => -8 + k / 10);

export function oneLogit({ logit, positive }) {
  const y = positive ? 1 : 0;
  return Object.entries(BINARY).map(([name, loss]) => {
    const [value, slope] = loss(logit, y);
    return { name, value, slope, steps: stepsBack(loss, logit, y), curve: LOGITS.map((z) => loss(z, y)) };
  });
}

// ---- Softmax -------------------------------------------------------------------------------

const [COLD, HOT] = temperature.limits.map(Math.log10);
export const TEMPERATURES = Array.from({ length: 61 }, (_, k) => 10 ** (COLD + ((HOT - COLD) * k) / 60));

// Of one sample at a temperature: cross-entropy, its slope for each logit, and entropy.
export function atTemperature(z, label, T) {
  const scaled = z.map((v) => v / T);
  const [loss, slopes] = crossEntropy(scaled, label);
  const logP = logSoftmax(scaled);
  return {
    "cross-entropy": loss,
    slopes: slopes.map((v) => v / T),
    entropy: -logP.reduce((total, v) => total + Math.exp(v) * v, 0),
  };
}

export const probabilities = ({ logits: z, temperature: T }) => softmax(z, T);
