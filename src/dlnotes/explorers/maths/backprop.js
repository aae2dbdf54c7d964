// The network of the worked example, one operation at a time: the counterpart of the first
// half of dlnotes.scratch.backprop, with the same names and order, and tested equal to it.
// Each operation is built from the names that it takes, so the formula that is read and
// the number that is computed cannot differ. Pure functions on plain objects.

export const EXAMPLE = {
  i1: 0.05, i2: 0.1, t1: 0.01, t2: 0.99,
  w1: 0.15, w2: 0.2, w3: 0.25, w4: 0.3, w5: 0.4, w6: 0.45, w7: 0.5, w8: 0.55,
  b1: 0.35, b2: 0.6,
};

// What enters each unit, in the order of its weights.
export const UNITS = {
  h1: { from: ["i1", "i2"], weights: ["w1", "w2"], bias: "b1" },
  h2: { from: ["i1", "i2"], weights: ["w3", "w4"], bias: "b1" },
  o1: { from: ["out_h1", "out_h2"], weights: ["w5", "w6"], bias: "b2", target: "t1" },
  o2: { from: ["out_h1", "out_h2"], weights: ["w7", "w8"], bias: "b2", target: "t2" },
};

// The kinds of operation: how each is written, and computed from all numbers so far.
const copied = (a) => ({ formula: a, value: (v) => v[a] });
const plus = (a, b) => ({ formula: `${a} + ${b}`, value: (v) => v[a] + v[b] });
const minus = (a, b) => ({ formula: `${a} − ${b}`, value: (v) => v[a] - v[b] });
const times = (a, b) => ({ formula: `${a} · ${b}`, value: (v) => v[a] * v[b] });
const weighted = ([w, x], [u, y], bias) => ({
  formula: `${w}·${x} + ${u}·${y} + ${bias}`,
  value: (v) => v[w] * v[x] + v[u] * v[y] + v[bias],
});
const sigmoid = (net) => ({
  formula: `1 / (1 + exp(−${net}))`,
  value: (v) => 1 / (1 + Math.exp(-v[net])),
});
const sigmoidSlope = (out) => ({ formula: `${out} · (1 − ${out})`, value: (v) => v[out] * (1 - v[out]) });
const halfSquare = (target, out) => ({
  formula: `½ · (${target} − ${out})²`,
  value: (v) => (v[target] - v[out]) ** 2 / 2,
});
const against = (w) => ({ formula: `${w} − lr · dE/d${w}`, value: (v) => v[w] - v.lr * v[`dE/d${w}`] });

// An operation: the phase it belongs to, the name of its result, how, and why.
const forwardUnit = (unit) => {
  const { from, weights, bias } = UNITS[unit];
  const [first, second] = weights.map((w, k) => [w, from[k]]);
  return [
    { name: `net_${unit}`, ...weighted(first, second, bias), why: `The weighted sum of what enters ${unit}, plus the bias.` },
    { name: `out_${unit}`, ...sigmoid(`net_${unit}`), why: `The sigmoid puts it between 0 and 1: what ${unit} sends on.` },
  ];
};

const FORWARD = [
  ...Object.keys(UNITS).flatMap(forwardUnit),
  ...["o1", "o2"].map((o) => ({
    name: `E_${o}`,
    ...halfSquare(UNITS[o].target, `out_${o}`),
    why: "Half the squared distance from the target.",
  })),
  { name: "E", ...plus("E_o1", "E_o2"), why: "The total error, which training is to lower." },
];

// From dE/dout of a unit to the gradients of its weights.
const backwardUnit = (unit) => [
  {
    name: `dout_${unit}/dnet_${unit}`,
    ...sigmoidSlope(`out_${unit}`),
    why: "The slope of the sigmoid, from its output alone.",
  },
  {
    name: `dE/dnet_${unit}`,
    ...times(`dE/dout_${unit}`, `dout_${unit}/dnet_${unit}`),
    why: "Chain rule: the slopes along the way multiply.",
  },
  ...UNITS[unit].weights.flatMap((w, k) => [
    {
      name: `dnet_${unit}/d${w}`,
      ...copied(UNITS[unit].from[k]),
      why: `net_${unit} is linear in ${w}: its slope is what ${w} multiplies.`,
    },
    {
      name: `dE/d${w}`,
      ...times(`dE/dnet_${unit}`, `dnet_${unit}/d${w}`),
      why: `Chain rule once more: the gradient of ${w}.`,
    },
  ]),
];

const BACKWARD = [
  ...["o1", "o2"].flatMap((o) => [
    {
      name: `dE/dout_${o}`,
      ...minus(`out_${o}`, UNITS[o].target),
      why: `How the error changes with out_${o}. Only E_${o} depends on it.`,
    },
    ...backwardUnit(o),
  ]),
  ...["h1", "h2"].flatMap((h, k) => [
    ...["o1", "o2"].flatMap((o) => [
      {
        name: `dnet_${o}/dout_${h}`,
        ...copied(UNITS[o].weights[k]),
        why: `net_${o} is linear in out_${h}: its slope is the weight between them.`,
      },
      {
        name: `dE_${o}/dout_${h}`,
        ...times(`dE/dnet_${o}`, `dnet_${o}/dout_${h}`),
        why: `What reaches ${h} on the path through ${o}.`,
      },
    ]),
    {
      name: `dE/dout_${h}`,
      ...plus(`dE_o1/dout_${h}`, `dE_o2/dout_${h}`),
      why: `${h} reaches the error on two paths, one through each output: they add.`,
    },
    ...backwardUnit(h),
  ]),
  ...[["b1", "h1", "h2"], ["b2", "o1", "o2"]].map(([b, one, two]) => ({
    name: `dE/d${b}`,
    ...plus(`dE/dnet_${one}`, `dE/dnet_${two}`),
    why: `${one} and ${two} share ${b}, which each net holds once: their gradients add.`,
  })),
];

const WEIGHTS = Object.values(UNITS).flatMap(({ weights }) => weights);
const UPDATE = [...WEIGHTS, "b1", "b2"].map((w) => ({
  name: `${w}+`,
  ...against(w),
  why: `Gradient descent: ${w} moves against its gradient, by the learning rate η.`,
}));
const UPDATES = { true: UPDATE, false: UPDATE.slice(0, WEIGHTS.length) };

const inPhase = (phase, list) => list.map((operation) => ({ ...operation, phase }));
const ROUND = [...inPhase("Forward", FORWARD), ...inPhase("Backward", BACKWARD), ...inPhase("Update", UPDATE)];
const ROUNDS = { true: ROUND, false: ROUND.slice(0, -2) };

// Every operation of one round, in order; with `biases` the update moves them too.
export const operations = (biases = false) => ROUNDS[biases];

// The results of some operations by name, from the numbers that are given.
export function results(list, given) {
  const known = { ...given };
  const made = {};
  for (const { name, value } of list) made[name] = known[name] = value(known);
  return made;
}

export const forward = (net) => results(FORWARD, net);
export const backward = (net, values) => results(BACKWARD, { ...net, ...values });

// The network after one step of gradient descent, all weights at once.
export function step(net, lr = 0.5, biases = false, values = forward(net)) {
  const known = { ...net, lr, ...values, ...backward(net, values) };
  const after = { ...net };
  for (const { name, value } of UPDATES[biases]) after[name.slice(0, -1)] = value(known);
  return after;
}

// The network after `steps` steps, and the error before each and after the last. Goes on
// from `done`, an earlier answer; stops after the step that made it so if `lost(net)`.
export function train(net, steps, { lr, biases, lost = () => false, done = { net, errors: [] } }) {
  let now = done.net;
  const errors = done.errors.slice(0, -1);
  let values = forward(now);
  while (errors.length < steps && !lost(now)) {
    errors.push(values.E);
    now = step(now, lr, biases, values);
    values = forward(now);
  }
  return { net: now, errors: [...errors, values.E] };
}

// The names in a formula: derivatives and plain names, but not the function exp.
const NAME = /\b(?:d\w+\/d\w+|(?!exp\b)[A-Za-z]\w*)\b/g;
export const operands = (formula) => [...new Set(formula.match(NAME))];

// A formula as strings and, for each name, what `put(name, place)` makes of it.
export function fill(formula, put) {
  const parts = [];
  let end = 0;
  for (const { 0: name, index } of formula.matchAll(NAME)) {
    parts.push(formula.slice(end, index), put(name, index));
    end = index + name.length;
  }
  return [...parts, formula.slice(end)].flat();
}

// Names as they are printed: ∂ for d, η for the learning rate, w5⁺ for the new weight.
export const printed = (text) =>
  text.replace(/\bd(\w+)\/d(\w+)/g, "∂$1/∂$2").replace(/\blr\b/g, "η").replace(/\+$/, "⁺");
