// What the activations explorer shows, as plain values: a state made safe, a layer, the chain
// of layers, the message, the scales. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { activations } from "../maths/activations.js";
import { number, quantity } from "../shared/numbers.js";
import { logScale } from "../shared/plot.js";
import { cleaned } from "../shared/settings.js";

export const WINDOW = spec.settings.x.limits; // the inputs that the picture shows

export const clean = (state) => cleaned(spec.settings, state);

// A layer: from its input to its value f(z), the slope f′(z), and weight times slope, which is
// the derivative of the value by the input.
export function layer({ activation, weight, bias }) {
  const [f, slope] = activations[activation];
  return (input) => {
    const z = weight * input + bias;
    return { value: f(z), slope: slope(z), factor: weight * slope(z) };
  };
}

// The chain of a (clean) state. `values` and the products begin with what there is before the
// first layer; `slopes` and `factors` have one entry a layer.
export function chain(state) {
  const step = layer(state);
  const [values, slopes, factors] = [[state.x], [], []];
  for (let k = 0; k < state.layers; k += 1) {
    const { value, slope, factor } = step(values[k]);
    values.push(value);
    slopes.push(slope);
    factors.push(factor);
  }
  const products = (list) => {
    const found = [1];
    for (const v of list) found.push(found.at(-1) * v);
    return found;
  };
  return { values, slopes, factors, slopeProducts: products(slopes), gradients: products(factors) };
}

// A layer at evenly spaced inputs across the window: its value, slope and factor at each.
export function curves(state, places = 401) {
  const [low, high] = WINDOW;
  const inputs = Array.from({ length: places }, (_, i) => low + ((high - low) * i) / (places - 1));
  const at = inputs.map(layer(state));
  const along = (name) => inputs.map((x, i) => [x, at[i][name]]);
  return { value: along("value"), slope: along("slope"), factor: along("factor") };
}

// Where each activation is steepest. To the right of 0 a piecewise one has slope 1.
const STEEPEST = { sigmoid: 0, tanh: 0, gelu: Math.SQRT2, silu: 2.3993572805154675 };
export const largestSlope = (activation) => activations[activation][1](STEEPEST[activation] ?? 1);

// What slopes alone can give at most after 0, 1, … layers.
export const bound = ({ activation, layers }) =>
  Array.from({ length: layers + 1 }, (_, k) => largestSlope(activation) ** k);

// Tanh over and over: h changes by about −h³/3 a layer, which solved for h gives this law; for
// many layers it is √(3 / 2n). Undefined where it does not hold.
export const tanhLaw = ({ activation, x, weight, bias, layers }) =>
  activation === "tanh" && weight === 1 && bias === 0
    ? Array.from({ length: layers + 1 }, (_, k) => x / Math.sqrt(1 + (2 / 3) * k * x * x))
    : undefined;

// Room around [low, high] for a scale that is not of powers of ten.
export function around(low, high) {
  const room = 0.08 * (high - low || 1);
  return [low - room, high + room];
}
const ends = (values) => [Math.min(...values), Math.max(...values)];
export const plainScale = (values) => ({ range: around(...ends([0, ...values])), log: false });
// A product of 0 has no place on powers of ten: it falls twelve powers, to the lower edge.
export function productScale(values) {
  const seen = values.filter((v) => v > 0);
  return logScale(seen.length < values.length ? [...seen, 1e-12 * Math.min(...seen)] : seen, 300);
}

// A number with the five digits that show where a chain goes.
export const five = (value) => number(value, 4, 5);

// What there is to say about the chain.
export function message({ activation, weight }, { values, factors, slopeProducts }) {
  const end = slopeProducts.indexOf(0);
  if (end > 0) {
    const layer = quantity("end", String(end));
    return activation === "relu"
      ? ["Layer ", layer, " is off: its slope is 0, and so is the product from there on, whatever follows."]
      : ["From layer ", layer, " on the product of slopes is smaller than any float64 and counts as 0."];
  }
  if (weight === 0) return ["With weight 0 a layer does not see what came before it."];
  const [before, last] = values.slice(-2);
  if (Math.abs(last - before) < 1e-5 * Math.max(1, Math.abs(last))) {
    return [
      "The value has settled at ", quantity("Value", five(last)),
      ": each further layer multiplies the gradient by ", quantity("factor", five(factors.at(-1))), ".",
    ];
  }
  return [];
}
