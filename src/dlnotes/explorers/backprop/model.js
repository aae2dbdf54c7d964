// What the backprop explorer shows, as plain values: a state made safe, and each operation
// written out with its numbers. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { EXAMPLE, operations, fill, printed } from "../maths/backprop.js";
import { decimals, quantity } from "../shared/numbers.js";
import { cleaned, clamp, finite } from "../shared/settings.js";

// The limits of a number of the network: of all inputs, all targets, weights, or biases.
export const limits = (name) => spec.settings.net.limits[name[0]];
const PARAMETERS = Object.keys(EXAMPLE).filter((name) => "wb".includes(name[0]));
export const names = (biases) => operations(biases).map(({ name }) => name);

// Any state made into one that can be drawn: the whole network, an operation of the round.
export function clean(state) {
  const safe = cleaned(spec.settings, state);
  const net = Object.entries(EXAMPLE).map(([name, value]) =>
    [name, clamp(finite(state.net?.[name], value), ...limits(name))]);
  const known = state.at === "" || names(safe.biases).includes(state.at);
  return { ...safe, net: Object.fromEntries(net), at: known ? state.at : spec.settings.at.default };
}

// A weight has left the range in which the reader could have set it.
export const outOfRange = (net) => !PARAMETERS.every((w) => Math.abs(net[w]) <= limits(w)[1]);

// What there is to read about operation `k` (1 is the first): where it stands, how it is
// written, the same with its numbers, and why. `where` and `filled` hold quantities.
export function explain(list, k, values) {
  if (k === 0) {
    return {
      where: ["Before the first operation"], symbols: "", filled: [],
      why: "The inputs, targets, weights and biases are given. Next computes net_h1.",
    };
  }
  const { phase, name, formula, why } = list[k - 1];
  const same = list.filter((operation) => operation.phase === phase);
  const shown = (of) => quantity(of, decimals(values[of]));
  // A negative number stands in brackets unless it is first.
  const put = (of, place) => (values[of] < 0 && place > 0 ? ["(", shown(of), ")"] : shown(of));
  return {
    where: [`${phase}, operation `, quantity("operation", `${same.indexOf(list[k - 1]) + 1} of ${same.length}`)],
    symbols: `${printed(name)} = ${printed(formula)}`,
    filled: [
      `${printed(name)} = `, ...fill(formula, put),
      ...(/\W/.test(formula) ? [" = ", shown(name)] : []),
    ],
    why: k === list.length ? `${why} Next takes the step: the new weights move in.` : why,
  };
}
