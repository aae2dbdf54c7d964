// The straight line that is best for a loss: the counterpart of dlnotes.scratch.lines, with
// the same names and methods, and tested equal to it. Points are two arrays; a line is
// [slope, intercept].
import { clamp } from "../shared/settings.js";

const sum = (values) => values.reduce((a, b) => a + b, 0);
const mean = (values) => sum(values) / values.length;

export function leastSquares(x, y, intercept = true) {
  const [xMean, yMean] = intercept ? [mean(x), mean(y)] : [0, 0];
  const slope = sum(x.map((v, i) => (v - xMean) * (y[i] - yMean))) / sum(x.map((v) => (v - xMean) ** 2));
  return [slope, yMean - slope * xMean];
}

// A corner of the sum is lowest: all lines through two points (one and the origin) are tried.
export function leastAbsolute(x, y, intercept = true) {
  const lines = [];
  for (let i = 0; i < x.length; i += 1) {
    if (!intercept && x[i] !== 0) lines.push([y[i] / x[i], 0]);
    for (let j = i + 1; intercept && j < x.length; j += 1) {
      const slope = (y[j] - y[i]) / (x[j] - x[i]);
      if (x[j] !== x[i]) lines.push([slope, y[i] - slope * x[i]]);
    }
  }
  const sums = lines.map(([slope, offset]) => {
    let total = 0;
    for (let i = 0; i < x.length; i += 1) total += Math.abs(slope * x[i] + offset - y[i]);
    return total;
  });
  const most = Math.min(...sums) * (1 + 1e-12);
  return lines[sums.findIndex((v) => v <= most)]; // the first, but for rounding
}

// A t at which Σ a clip(a t - v, ±delta), which never falls, is 0: between two corners.
function zero(a, v, delta) {
  const height = (t) => {
    let total = 0;
    for (let i = 0; i < a.length; i += 1) total += a[i] * clamp(a[i] * t - v[i], -delta, delta);
    return total;
  };
  const corners = a.flatMap((slope, i) => (slope === 0 ? [] : [(v[i] - delta) / slope, (v[i] + delta) / slope]));
  corners.sort((p, q) => p - q);
  let [below, above] = [0, corners.length - 1]; // at the first every term is at its lowest
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if (height(corners[middle]) >= 0) above = middle;
    else below = middle;
  }
  const [low, high] = [height(corners[below]), height(corners[above])];
  return corners[above] - (high / (high - low)) * (corners[above] - corners[below]);
}

// Newton's method for the slope, each with its best intercept, within a bracket.
export function leastHuber(x, y, delta = 1, intercept = true) {
  if (!intercept) return [zero(x, y, delta), 0];
  const ones = x.map(() => 1);
  const offsetOf = (slope) => zero(ones, y.map((v, i) => v - slope * x[i]), delta);
  const ends = [...x].sort((p, q) => p - q);
  const gaps = ends.slice(1).map((v, i) => v - ends[i]).filter((v) => v > 0);
  const reach = (Math.max(...y) - Math.min(...y) + 2 * delta) / Math.min(...gaps);
  const still = 1e-12 * delta * sum(x.map(Math.abs));
  let [low, high] = [-reach, reach];
  let [slope] = leastSquares(x, y);
  for (;;) {
    const offset = offsetOf(slope);
    const error = x.map((v, i) => slope * v + offset - y[i]);
    const pull = sum(error.map((r, i) => clamp(r, -delta, delta) * x[i]));
    const near = x.filter((_, i) => Math.abs(error[i]) < delta);
    const middle = mean(near);
    const curvature = sum(near.map((v) => (v - middle) ** 2));
    const newton = curvature > 0 ? slope - pull / curvature : Infinity;
    const within = () => low < newton && newton < high;
    if (Math.abs(pull) <= still || high - low <= 1e-15 * reach) {
      if (within()) slope = newton; // what rounding has left
      return [slope, offsetOf(slope)];
    }
    [low, high] = pull > 0 ? [low, slope] : [slope, high];
    slope = within() ? newton : (low + high) / 2;
  }
}
