// What the regularisation explorer shows, as plain values: a state made safe, the points, the
// fits to them and to redrawn samples, and the errors. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { distance, dot, expectedErrors, gramOf, lasso, legendre, measuredErrors, momentsOf, ridge } from "../maths/polynomials.js";
import { generator } from "../maths/portable.js";
import { clamp, cleaned, finite } from "../shared/settings.js";

const { degree, samples, strength, moved } = spec.settings;
const MOST = degree.limits[1];
const SETS = 100; // samples that are redrawn
const PLACES = 400; // where a test over the interval is made

const evenly = (n) => Array.from({ length: n }, (_, i) => (2 * i + 1) / n - 1);
export const truth = (x) => Math.sin(Math.PI * x);
export const ACROSS = Array.from({ length: 201 }, (_, i) => i / 100 - 1); // where curves are drawn
const DRAWN = legendre(ACROSS, MOST);

const [WEAK, STRONG] = strength.limits.map(Math.log10);
// What the errors are drawn over.
export const AXES = {
  degree: Array.from({ length: MOST + 1 }, (_, k) => k),
  strength: Array.from({ length: 25 }, (_, k) => 10 ** (WEAK + ((STRONG - WEAK) * k) / 24)),
};

// Any state made into one that can be drawn.
export function clean(state) {
  const safe = cleaned(spec.settings, state);
  const given = Array.isArray(state.moved) && state.moved.length === safe.samples ? state.moved : [];
  return { ...safe, moved: given.map((v) => clamp(finite(v, 0), ...moved.limits)) };
}

// Keeps what a function has returned, by its first argument.
function kept(compute) {
  const found = new Map();
  return (key, ...rest) => {
    const name = String(key);
    if (!found.has(name)) {
      if (found.size > 200) found.clear();
      found.set(name, compute(key, ...rest));
    }
    return found.get(name);
  };
}

const square = (y) => dot(y, y) / y.length;

// The truth at some inputs, as expectedErrors takes it.
const known = (x) => {
  const features = legendre(x, MOST);
  const y = x.map(truth);
  return { x, y, features, gram: gramOf(features), moments: momentsOf(features, y), square: square(y) };
};
const atInputs = kept((n) => known(evenly(n)));
const everywhere = known(evenly(PLACES));
const testedAt = (test, n) => (test === "inputs" ? atInputs(n) : everywhere);

// The noise of the redrawn samples at σ = 1, in pairs of opposite signs: chance has no part in
// the mean of fits that are linear in it, and would be taken for bias. A sample of fewer points
// has the first of it.
const drawn = kept(() => {
  const random = generator(0, 1);
  return Array.from({ length: SETS / 2 }, () => Float64Array.from({ length: samples.limits[1] }, random.normal))
    .flatMap((noise) => [noise, noise.map((v) => -v)]);
});
const noiseAt = kept((n) => {
  const { y, features } = atInputs(n);
  return drawn("").map((all) => {
    const noise = all.subarray(0, n);
    return { moments: momentsOf(features, noise), square: square(noise), along: dot(noise, y) / n };
  });
});
// The redrawn samples: the gram of their features, their moments and mean squares.
const redrawn = kept(([n, noise]) => {
  const signal = atInputs(n);
  return {
    gram: signal.gram,
    moments: noiseAt(n).map(({ moments }) => moments.map((v, k) => signal.moments[k] + noise * v)),
    squares: noiseAt(n).map(({ along, square: own }) => signal.square + 2 * noise * along + noise ** 2 * own),
  };
});

// The fits of one kind to samples of which the moments are given.
const fitted = (gram, moments, { penalty, strength }, starts) =>
  penalty === "l1" ? lasso(gram, moments, strength, starts) : ridge(gram, moments, penalty === "l2" ? strength : 0);

// The moments of the redrawn samples up to a degree.
const momentsUpTo = kept(([n, noise, degree]) =>
  redrawn([n, noise]).moments.map((one) => one.slice(0, degree + 1)));

// The fits to the redrawn samples. `starts` are the fits of a state nearby.
const refitted = kept(([n, noise, degree, penalty, strength], starts) =>
  fitted(atInputs(n).gram, momentsUpTo([n, noise, degree]), { penalty, strength }, starts));

// The errors of the redrawn samples' fits as measured, and as theory has them if it does.
const errorsOf = kept((key, starts) => {
  const [n, noise, degree, penalty, strength, test] = key;
  const tested = testedAt(test, n);
  const fits = refitted(key.slice(0, 5), starts);
  return {
    measured: measuredErrors(fits, redrawn([n, noise]), tested, noise),
    theory: penalty === "l1" ? null : expectedErrors(atInputs(n), tested, n, degree + 1, noise, penalty === "l2" ? strength : 0),
  };
});

export const testOf = ({ noise, bias, variance }) => noise + bias + variance;

// The points: where they are.
export function points({ samples: n, noise, seed, moved: shifts }) {
  const random = generator(seed);
  const { x, y } = atInputs(n);
  return { x, y: y.map((v, i) => v + noise * random.normal() + (shifts[i] ?? 0)) };
}

// What the errors of a state are drawn over: without a penalty there is no strength.
export const axisOf = ({ penalty, against }) => (penalty === "none" ? "degree" : against);

// All there is to see of a (clean) state.
export function seen(state) {
  const { samples: n, noise, penalty, test } = state;
  const axis = axisOf(state);
  const { x, y } = points(state);
  const { features, gram } = atInputs(n);
  const tested = testedAt(test, n);
  const own = { gram, moments: momentsOf(features, y), square: square(y) };

  function at({ strength, degree }, near) {
    const key = [n, noise, degree, penalty, penalty === "none" ? 0 : strength];
    const [c] = fitted(gram, [own.moments.subarray(0, degree + 1)], { penalty, strength }, near && [near.c]);
    const errors = errorsOf([...key, test], near?.fits);
    return { c, training: distance(c, own), test: noise ** 2 + distance(c, tested), fits: refitted(key), ...errors };
  }

  // From one place to the next the lasso changes little. Down from the strongest penalty.
  const curves = [];
  const order = AXES[axis].map((value, i) => [value, i]);
  if (axis === "strength") order.reverse();
  let near;
  for (const [value, i] of order) near = curves[i] = at({ ...state, [axis]: value }, near);
  const now = at(state, curves.find((_, i) => AXES[axis][i] >= state[axis]));
  const { fits } = now;
  const value = (c) => DRAWN.map((row) => dot(c, row));
  const mean = now.c.map((_, k) => fits.reduce((total, c) => total + c[k], 0) / SETS);
  const off = fits.map((c) => c.map((v, k) => v - mean[k]));
  const spread = DRAWN.map((row) => Math.sqrt(off.reduce((total, c) => total + dot(c, row) ** 2, 0) / SETS));
  return { x, y, now, curves, fit: value(now.c), mean: value(mean), spread };
}

// The true coefficients, as a fit of the highest degree without noise has them.
export const [TRUE] = ridge(everywhere.gram, [everywhere.moments]);
