// What a race shows, as plain values: a state made safe, the path of each rule that takes
// part, the rate that suits each best, the message. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { surfaces } from "../maths/surfaces.js";
import { optimizers, descend } from "../maths/optimizers.js";
import { number, quantity } from "../shared/numbers.js";
import { SCALES, cleaned, clamp, finite } from "../shared/settings.js";
import { lost, picture } from "../shared/terrain.js";

// The rules, in the order of their colours.
export const RULES = ["gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"];
export const nameOf = (rule) => spec.settings[rule].label;
export const FLOOR = 1e-12; // what a height of zero is drawn as on a scale of powers of ten

export const surfaceOf = ({ surface, condition, angle }) => surfaces[surface]({ condition, angle });

// Any state made into one that can be drawn: the start belongs to the surface.
export function clean(state) {
  const safe = cleaned(spec.settings, state);
  const f = surfaceOf(safe);
  const view = picture(f);
  const given = Array.isArray(state.start) && state.start.length === 2 ? state.start : f.start;
  return { ...safe, start: f.start.map((v, i) => clamp(finite(given[i], v), ...view[i])) };
}

// The run of one rule: the points, how high each lies above the lowest minimum, and
// whether it ends a thousand times further out than the window reaches.
function run(f, state, rule, lr) {
  const gone = lost(f);
  const points = descend(f.grad, state.start, optimizers[rule](), lr, state.steps, gone);
  const lowest = f.value(f.minima[0]);
  return { points, heights: points.map((x) => Math.max(0, f.value(x) - lowest)), gone: gone(points.at(-1)) };
}

// The runs of a (clean) state by rule: of those that take part.
export function race(state) {
  const f = surfaceOf(state);
  const taking = RULES.filter((rule) => state[rule]);
  return Object.fromEntries(taking.map((rule) => [rule, run(f, state, rule, state[`${rule}_lr`])]));
}

// The first step from which on a run stays below a thousandth of its start, if there is one.
export function thousandth({ heights, gone }) {
  const above = heights.findLastIndex((h) => !(h < heights[0] / 1000)) + 1;
  return gone || above === heights.length ? null : above;
}

const GRID = Array.from({ length: 51 }, (_, k) => SCALES.log.from(-4 + k / 10));

// For each rule that takes part the rate, of ten for each power of ten, whose path stays in
// the picture and ends lowest; of several at the floor the one that is lower on the way. As
// settings.
export function best(state) {
  const f = surfaceOf(state);
  const view = picture(f);
  const inside = (point) => point.every((v, i) => v >= view[i][0] && v <= view[i][1]);
  const kept = (h) => Math.max(h, FLOOR);
  const found = {};
  for (const rule of RULES.filter((one) => state[one])) {
    let least = [Infinity, Infinity];
    for (const lr of GRID) {
      const { points, heights } = run(f, state, rule, lr);
      const score = [kept(heights.at(-1)), heights.reduce((total, h) => total + Math.log(kept(h)), 0)];
      if (!points.every(inside) || score[0] > least[0] || (score[0] === least[0] && score[1] >= least[1])) continue;
      least = score;
      found[`${rule}_lr`] = lr;
    }
  }
  return found;
}

const list = (rules) => rules.map(nameOf).join(" and ");

// What there is to say of the race at step `k`, and whether it is a warning.
export function message(runs, k) {
  const rules = Object.keys(runs);
  if (!rules.length) return { message: ["No rule takes part: tick one."] };
  const astray = rules.filter((rule) => runs[rule].gone && k >= runs[rule].points.length - 1);
  if (astray.length) {
    return { message: [`${list(astray)}: lost. Lower the rate.`], warning: true };
  }
  const height = (rule) => Math.max(FLOOR, runs[rule].heights[Math.min(k, runs[rule].points.length - 1)]);
  const least = Math.min(...rules.map(height));
  const first = rules.filter((rule) => height(rule) === least);
  return k && rules.length > 1 ? { message: [`Lowest at step `, quantity("shown", String(k)), `: ${list(first)}.`] } : {};
}

// The lowest height at step `k`, as text.
export function lowest(runs, k) {
  const heights = Object.values(runs).map(({ heights: all }) => all[Math.min(k, all.length - 1)]);
  return heights.length ? number(Math.min(...heights)) : "none";
}
