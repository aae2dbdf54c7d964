// What the schedules explorer shows, as plain values: a state made safe, the rate at each
// step, what a noisy quadratic makes of it, in theory and in runs, and what would be best.
// Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { generator } from "../maths/portable.js";
import { constant, cosine, exponential, multistep, oneCycle, polynomial, restarts, warmup } from "../maths/schedules.js";
import { number, quantity } from "../shared/numbers.js";
import { SCALES, clamp, cleaned } from "../shared/settings.js";

export const clean = (state) => cleaned(spec.settings, state);

// ---- The schedule ------------------------------------------------------------------------

// How the rate falls in n steps.
const DECAYS = {
  step: (n) => multistep([Math.ceil(n / 2), Math.ceil((3 * n) / 4)]),
  exponential: (n) => exponential(0.001 ** (1 / n)),
  linear: (n) => polynomial(n),
  quadratic: (n) => polynomial(n, 2),
  cosine: (n) => cosine(n),
  restarts: (n) => restarts(Math.ceil(n / 7), 2), // three cycles, each twice as long
};
export const decays = ({ shape }) => Object.hasOwn(DECAYS, shape);

// The steps at which the rate has risen to its peak and at which it begins to fall.
export function corners({ shape, warmup: share, decay, steps }) {
  const at = (part) => Math.floor(part * steps + 0.5);
  const risen = at(share);
  if (shape === "one-cycle") return [Math.max(2, risen) - 1, Math.max(2, risen) - 1];
  return [risen, shape === "constant" ? steps : Math.max(risen, at(decay))];
}

function schedule(state) {
  const { shape, steps } = state;
  const [risen, falls] = corners(state);
  if (shape === "one-cycle") return oneCycle(steps, (risen + 1) / steps);
  const fall = (DECAYS[shape] ?? constant)(Math.max(1, steps - falls));
  return warmup(risen, (step) => (step < falls - risen ? 1 : fall(step - (falls - risen))));
}

// The rates of a peak of 1.
export const factors = (state) => Array.from({ length: state.steps }, (_, step) => step).map(schedule(state));

// ---- The noisy quadratic, with curvature 1 -------------------------------------------------
//
// Each update is x <- x - rate (x + noise ξ), from x = 10. Further out than LOST a run or a
// mean counts as infinite.

const START = 10;
export const EDGE = 2; // a higher rate takes a step that ends further away than it began
const LOST = 1e12;

const after = (v, rate, noise) => {
  const kept = 1 - rate;
  const next = kept * kept * v + rate * rate * (noise * noise);
  return next <= LOST ? next : Infinity; // so is what came of infinity
};

// The mean of x² before the first update and after each.
export function theory(rates, noise) {
  const means = [START * START];
  for (const rate of rates) means.push(after(means.at(-1), rate, noise));
  return means;
}

// The mean of x² after the last update, for each of some peaks.
export function ends(shape, noise, peaks) {
  const factor = Float64Array.from(shape); // for speed: it is read for each peak
  return peaks.map((peak) => {
    let v = START * START;
    for (let t = 0; t < factor.length; t += 1) v = after(v, peak * factor[t], noise);
    return v;
  });
}

// The rates among which the best peak is looked for: those of the slider's scale.
const [LEAST, MOST] = spec.settings.peak.limits;
const SPAN = Math.ceil(200 * Math.log10(MOST / LEAST));
export const PEAKS = [...new Set(Array.from({ length: SPAN + 1 }, (_, k) =>
  clamp(SCALES.log.from(Math.log10(LEAST) + k / 200), LEAST, MOST)))];

// The peak that ends lowest; of several that end at 0 the one next to 1, which gets there at once.
export function best(values) {
  const end = Math.min(...values);
  const tied = PEAKS.filter((_, k) => values[k] === end);
  return { peak: tied.reduce((one, other) => (Math.abs(other - 1) < Math.abs(one - 1) ? other : one)), end };
}

// No other schedule has a lower mean of x², after any number of steps.
export const optimum = (steps, noise) =>
  Array.from({ length: steps }, (_, t) => 1 / (1 + (noise / START) ** 2 + t));

// ---- Runs --------------------------------------------------------------------------------

export const RUNS = 200;
const OUT = RUNS / 10; // of them are left out of the band on either side

// Standard normal numbers, one for each run and then those of the next step. Of one seed they
// are kept: more steps go on where fewer ended.
let stream = {};
function normals(seed, count) {
  if (stream.seed !== seed) stream = { seed, random: generator(seed), drawn: [] };
  while (stream.drawn.length < count) stream.drawn.push(stream.random.normal());
  return stream.drawn;
}

// Some steps of 0 to `last`, enough for a curve: evenly, `most` of them, and the last.
export function some(last, most = 100) {
  const every = Math.ceil(last / most);
  return [...Array.from({ length: Math.ceil(last / every) }, (_, k) => k * every), last];
}

// At such steps the mean of x² over the runs, and between which values the
// middle of them lies.
export function runs(rates, noise, seed) {
  const ξ = normals(seed, RUNS * rates.length);
  const x = new Float64Array(RUNS).fill(START);
  const seen = { mean: [], low: [], high: [] };
  let t = 0;
  for (const until of some(rates.length)) {
    for (; t < until; t += 1) {
      const rate = rates[t];
      for (let i = 0; i < RUNS; i += 1) {
        const next = x[i] - rate * (x[i] + noise * ξ[t * RUNS + i]);
        x[i] = next * next <= LOST ? next : Infinity; // so is what came of infinity
      }
    }
    const squares = x.map((v) => v * v).sort();
    seen.mean.push(squares.reduce((total, v) => total + v, 0) / RUNS);
    seen.low.push(squares[OUT]);
    seen.high.push(squares[RUNS - 1 - OUT]);
  }
  return seen;
}

// ---- What there is to say ------------------------------------------------------------------

// `times` is how many times as high as under the best possible schedule the mean ends.
export function message({ shape, peak, noise }, rates, times) {
  if (rates.some((rate) => rate > EDGE)) {
    const text = "Rates above the edge of stability: each of those steps ends further away than it began.";
    return { message: [text], warning: true };
  }
  if (noise === 0) return { message: ["Without noise there is no floor: the larger the rates up to 1, the faster x² falls."] };
  const far = ["At the end x² is ", quantity("times", number(times)), " times that of the best possible schedule."];
  if (shape !== "constant") return { message: far };
  const floor = (peak * noise ** 2) / (2 - peak);
  return { message: ["A constant rate comes down to ", quantity("floor", number(floor)), ", its floor, and no further. ", ...far] };
}
