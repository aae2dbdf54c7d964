// What the playground shows, as plain values: a state made safe, the run that belongs to
// it, the message, the code that does the same in Python. Nothing here draws.
import spec from "./spec.json" with { type: "json" };
import { start, epoch, report } from "./training.js";
import { number, quantity } from "../shared/numbers.js";
import { cleaned, clamp, finite } from "../shared/settings.js";

export const REACH = 1.3; // the picture shows both coordinates from -1.3 to 1.3
export const MOST = 200; // points that may be placed
export const LAST = spec.settings.epochs.limits[1];

// Any state made into one that can be drawn.
export function clean(state) {
  const listed = Array.isArray(state.placed) ? state.placed : [];
  const placed = listed
    .filter((point) => Array.isArray(point) && point.length === 3)
    .slice(0, MOST)
    .map(([x, y, label]) => [...[x, y].map((v) => clamp(finite(v, 0), -REACH, REACH)), label === 1 ? 1 : 0]);
  return { ...cleaned(spec.settings, state), placed };
}

// The hidden layers: those before the first without units.
export function hiddenOf(state) {
  const units = [1, 2, 3, 4].map((k) => state[`units${k}`]);
  const end = units.indexOf(0);
  return end < 0 ? units : units.slice(0, end);
}

// The run of a (clean) state. Goes on from `done`, an earlier answer, if only the number of
// epochs has changed since.
export function trained(state, done) {
  const { epochs, pace, ...rest } = state;
  const key = JSON.stringify(rest);
  const on = done?.key === key && done.history.length <= epochs + 1;
  const run = on ? done : Object.assign(start({ ...rest, hidden: hiddenOf(state) }), { key });
  while (run.history.length <= epochs) epoch(run);
  return run;
}

// What there is to say about a run, whose layers `report` has looked at, and whether it is
// a warning.
export function message(run, layers = report(run)) {
  const { history, train, settings } = run;
  const [first, last] = [history[0], history.at(-1)];
  if (settings.data === "placed" && new Set(train.map(({ y }) => y)).size < 2) {
    return { message: ["There are no two classes yet: place some points of both."] };
  }
  const losses = [
    quantity("first_loss", number(first.train_loss)), " to ", quantity("Training loss", number(last.train_loss)),
  ];
  if (!Number.isFinite(last.train_loss)) {
    return { message: ["The loss is no longer a number. Lower the learning rate."], warning: true };
  }
  if (history.length > 3 && last.train_loss > 1.1 * first.train_loss) {
    return {
      message: ["The loss is well above its start: from ", ...losses, ". Lower the learning rate."],
      warning: true,
    };
  }
  if (layers.slice(0, -1).some(({ norm }) => norm === 0) && history.length > 1) {
    return {
      message: ["A layer gets no gradient at all and cannot learn. Change the initial weights or the activation."],
      warning: true,
    };
  }
  if (history.length > LAST) {
    return { message: ["This was the last epoch here. Play begins again; a copy as Python can train for longer."] };
  }
  if (settings.schedule !== "constant" && history.length > settings.planned) {
    return { message: ["The planned epochs are over: the learning rate stays where the schedule has left it."] };
  }
  const best = (rows) => Math.min(...rows.map((row) => row.train_loss));
  const gain = history.length > 100 ? 1 - best(history.slice(-50)) / best(history.slice(0, -50)) : 1;
  if (gain < 1e-3 && last.train_loss > 0.05) {
    return { message: ["No lower loss in the last 50 epochs: it has finished, or this is a plateau."] };
  }
  return {};
}

const PYTHON = { true: "True", false: "False" };

// Python that trains the same network on the same points in the same order.
export function python(state) {
  const shown = Object.entries(state)
    .filter(([name]) => name !== "pace" && !name.startsWith("units"))
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(spec.settings[name].default));
  const settings = [...shown, ["hidden", hiddenOf(state)]].map(
    ([name, value]) => `    ${name}=${PYTHON[value] ?? JSON.stringify(value)},\n`);
  const epochs = state.epochs === spec.settings.epochs.default ? `    epochs=${state.epochs},\n` : "";
  return (
    `from dlnotes import playground\n\nrun = playground.train(\n${settings.join("")}${epochs})\n` +
    'print(run.history[-1]["train_loss"], run.history[-1]["test_loss"])\n'
  );
}

// What of a state differs from the defaults: enough for a link to it.
export const difference = (state) =>
  Object.fromEntries(
    Object.entries(state).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(spec.settings[name].default)));

// Things to find out. Each opens a state and asks a question.
export const PRESETS = {
  edge: {
    label: "Where is the edge?",
    question: "Raise the learning rate until training breaks. Where is the edge, and what does the message say beyond it? Then try another batch size.",
    state: { data: "circles", lr: 0.3 },
  },
  alike: {
    label: "Why are all units alike?",
    question: "The weights start equal. Train, and look at the pictures of the units. Which choice of initial weights sets them free?",
    state: { data: "circles", init: "constant", scale: 0.5, units1: 8, units2: 0, rule: "adam", lr: 0.02 },
  },
  zero: {
    label: "Nothing moves",
    question: "All weights start at zero. Which gradients in the table are zero, and which number of the network is the only one that can learn?",
    state: { data: "xor", init: "zero" },
  },
  deep: {
    label: "A deep sigmoid network",
    question: "Four layers of sigmoid units get next to no gradient in the first layer. Make them learn sooner: change one thing at a time, and remember that a learning rate belongs to its update rule.",
    state: { data: "spiral", noise: 0.03, activation: "sigmoid", units1: 8, units2: 8, units3: 8, units4: 8, lr: 0.3 },
  },
  few: {
    label: "Two units or three?",
    question: "Can two tanh units fence in the inner circle? Can three? Give them 300 epochs, and try several seeds before you answer.",
    state: { data: "circles", units1: 2, units2: 0, rule: "adam", lr: 0.05 },
  },
  memory: {
    label: "Learning by heart",
    question: "Few points, much noise, many units: the training loss falls and the test loss rises. What helps: decay, dropout, fewer units, more points?",
    state: { data: "moons", points: 40, noise: 0.3, units1: 8, units2: 8, rule: "adam", lr: 0.02 },
  },
  dead: {
    label: "Dead units",
    question: "With this learning rate ReLU units die. Watch the share of stuck units. Which rate leaves most of them alive and learns? Does leaky ReLU learn at this one?",
    state: { data: "circles", activation: "relu", init: "kaiming", units1: 8, units2: 8, lr: 3 },
  },
  floor: {
    label: "A rate that must fall",
    question: "On a noisy sine, with batches of one, the loss stops falling at a floor. Choose a schedule: the planned epochs are 100. Which of them go below the floor in that time?",
    state: { data: "sine", noise: 0.3, batch_size: 1, units1: 8, units2: 0, lr: 0.1 },
  },
};
