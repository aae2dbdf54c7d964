// What the initialisation explorer shows, as plain values: a state made safe, a network that
// is really drawn, and what theory expects of it. Nothing here draws a picture.
import spec from "./spec.json" with { type: "json" };
import { activations } from "../maths/activations.js";
import { GAINS, kaimingStd, linearBound, xavierStd } from "../maths/init.js";
import { fittedGain, meanField } from "../maths/meanfield.js";
import { generator } from "../maths/portable.js";
import { number, quantity } from "../shared/numbers.js";
import { cleaned } from "../shared/settings.js";

const WIDEST = spec.settings.width.limits[1];
const FLAT = 0.01; // a slope of this size, or less, passes next to nothing on

export const clean = (state) => cleaned(spec.settings, state);

// The standard deviations of weights and biases.
const SCHEMES = {
  normal: ({ width, gain }) => [kaimingStd(width, gain), 0],
  xavier: ({ width }) => [xavierStd(width, width), 0],
  kaiming: ({ width }) => [kaimingStd(width, GAINS.relu), 0],
  fitted: ({ width, activation }) => [kaimingStd(width, fittedGain(activations[activation])), 0],
  default: ({ width }) => [linearBound(width) / Math.sqrt(3), linearBound(width) / Math.sqrt(3)],
};

// Numbers of standard deviation 1: layer by layer the weights into each unit, then the
// biases; in layer 0 two inputs and a gradient. They are drawn for the widest network, and
// a narrower one takes a corner of them: moving a slider draws nothing anew.
let drawn = { key: "" };
function standard(seed, layer, kind) {
  const key = `${seed} ${kind}`;
  if (drawn.key !== key) drawn = { key, layers: [] };
  if (!drawn.layers[layer]) {
    const { normal, uniform } = generator(seed, layer);
    const one = kind === "uniform" ? () => Math.sqrt(3) * (2 * uniform() - 1) : normal;
    const all = new Float64Array((WIDEST + 1) * WIDEST);
    for (let i = 0; i < all.length; i += 1) all[i] = one();
    drawn.layers[layer] = all;
  }
  return drawn.layers[layer];
}

const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const rms = (values) => Math.sqrt(dot(values, values) / values.length);

// The network of a (clean) state: by layer the root mean square of the pre-activations and
// of the gradient, whose entries at the top are random with mean square 1; the cosine of
// the last pre-activations of two unrelated inputs, and the share of flat units.
export function network(state) {
  const { activation, scheme, depth, width, seed } = state;
  const [value, slope] = activations[activation];
  const [weightStd, biasStd] = SCHEMES[scheme](state);
  const kind = scheme === "default" ? "uniform" : "normal";
  const unit = (k) => {
    const given = standard(seed, 0, "normal").slice(k * WIDEST, k * WIDEST + width);
    const size = rms(given);
    return given.map((v) => v / size);
  };

  let [out, other] = [unit(0), unit(1)];
  let gradient = unit(2);
  let pre;
  const slopes = [];
  const signals = [];
  const layers = Array.from({ length: depth }, (_, l) => standard(seed, l + 1, kind));
  for (const raw of layers) {
    const into = (x) => x.map((_, i) => {
      let sum = 0;
      for (let j = 0; j < width; j += 1) sum += raw[i * WIDEST + j] * x[j];
      return weightStd * sum + biasStd * raw[WIDEST * WIDEST + i];
    });
    pre = [into(out), into(other)];
    signals.push(rms(pre[0]));
    slopes.push(pre[0].map(slope));
    [out, other] = pre.map((z) => z.map(value));
  }
  const gradients = [rms(gradient)];
  for (let l = depth - 1; l > 0; l -= 1) {
    const below = new Float64Array(width);
    for (let i = 0; i < width; i += 1) {
      for (let j = 0; j < width; j += 1) below[j] += layers[l][i * WIDEST + j] * gradient[i];
    }
    gradient = below.map((v, j) => weightStd * v * slopes[l - 1][j]);
    gradients.unshift(rms(gradient));
  }
  const flat = slopes.flatMap((layer) => Array.from(layer)).filter((v) => Math.abs(v) < FLAT);
  return {
    signals, gradients,
    cosine: dot(...pre) / Math.sqrt(dot(pre[0], pre[0]) * dot(pre[1], pre[1])),
    flat: flat.length / (depth * width),
  };
}

// What theory expects of such networks, by layer: of an infinitely wide one, and between
// which limits 19 of 20 of this width lie (null where there is no theory of that).
export function expected(state) {
  const { activation, scheme, depth, width } = state;
  const [weightStd, bias] = SCHEMES[scheme](state);
  const gain = weightStd * Math.sqrt(width);
  const { trusted, ...theory } = meanField(activations[activation], { gain, bias, width, depth });
  const limits = ({ mean, shift, std }, side) =>
    trusted ? mean.map((v, l) => Math.sqrt(v * Math.exp(shift[l] + side * std[l]))) : null;
  const levels = (one) => ({ theory: one.mean.map(Math.sqrt), low: limits(one, -2), high: limits(one, 2) });
  return { gain, trusted, signals: levels(theory.signals), gradients: levels(theory.gradients) };
}

// The gain of normal weights with which theory puts one end of a plot, the last layer's
// signal or the first layer's gradient, at `level`: the secant method on logarithms.
export function gainFor(state, plot, level) {
  const [low, high] = spec.settings.gain.limits;
  const miss = (x) => {
    const { [plot]: { theory } } = expected({ ...state, scheme: "normal", gain: Math.exp(x) });
    return Math.log((plot === "signals" ? theory.at(-1) : theory[0]) / level);
  };
  let x = Math.log(expected(state).gain);
  let off = miss(x);
  let next = x - off / state.depth;
  for (let k = 0; k < 12 && Math.abs(off) > 1e-3; k += 1) {
    next = Math.min(Math.log(high), Math.max(Math.log(low), next));
    const then = miss(next);
    const slope = (then - off) / (next - x);
    [x, off] = [next, then];
    next = slope > 0.1 ? x - off / slope : x;
  }
  return Math.exp(x);
}

// The mean factor from one layer to the next, from the first to the last value.
export const factor = (from, to, layers) => (to / from) ** (1 / (layers - 1));

// What there is to say about a network and what theory expects, and whether it is a warning.
export function message({ depth }, { signals, gradients }, { trusted }) {
  const [signal, gradient] = [signals.at(-1) / signals[0], gradients[0]];
  const reaches = quantity("Gradient, first layer / last", number(gradient));
  const grown = quantity("signal", number(signal));
  const last = quantity("depth", String(depth));
  const warnings = [];
  if (signal === 0) warnings.push("All units of a layer are off: nothing comes after it. ");
  else if (signal < 1e-3) warnings.push("The signal vanishes: from layer 1 to ", last, " by a factor of ", grown, ". ");
  else if (signal > 1e3) warnings.push("The signal explodes: from layer 1 to ", last, " by a factor of ", grown, ". ");
  if (gradient === 0) warnings.push("No gradient reaches layer 1. ");
  else if (gradient < 1e-3) warnings.push("The gradient vanishes: down to layer 1 by a factor of ", reaches, ". ");
  else if (gradient > 1e3) warnings.push("The gradient explodes: down to layer 1 by a factor of ", reaches, ". ");
  if (gradient > 1e9 && signal < 1e3) {
    warnings.push("So does every rounding error on its way up: another machine draws another curve. ");
  }
  const more = trusted ? [] : ["No band: such networks differ by more than first-order theory can say."];
  return { message: [...warnings, ...more], warning: warnings.length > 0 };
}
