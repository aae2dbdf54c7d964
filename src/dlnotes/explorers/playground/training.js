// A small network and its training: the counterpart of dlnotes.playground, which draws the
// same points, weights, batches and masks and so gets the same numbers. Pure but for the
// run, which its own functions carry on. Weights and biases lie in one flat array, layer by
// layer, so that an update rule treats them all in one go.
import { generator } from "../maths/portable.js";
import { activations } from "../maths/activations.js";
import { bceWithLogits, mse } from "../maths/losses.js";
import { optimizers } from "../maths/optimizers.js";
import { constant, stepDecay, exponential, cosine, warmup } from "../maths/schedules.js";

const [DATA, WEIGHTS, ORDER, MASKS] = [0, 1, 2, 3]; // the streams of one seed

// What the momentum knob sets in each rule.
const RULES = {
  gd: () => optimizers.gd(),
  momentum: (share) => optimizers.momentum({ beta: share }),
  nesterov: (share) => optimizers.nesterov({ beta: share }),
  rmsprop: (share) => optimizers.rmsprop({ alpha: share }),
  adam: (share) => optimizers.adam({ beta1: share }),
};

// Over the planned number of updates.
const SCHEDULES = {
  constant: () => constant(),
  step: (steps) => stepDecay(Math.max(1, Math.floor(steps / 3))),
  exponential: (steps) => exponential(0.01 ** (1 / steps)),
  cosine: (steps) => cosine(steps),
  warmup_cosine: (steps) => {
    const rise = Math.max(1, Math.floor(steps / 10));
    return warmup(rise, cosine(steps - rise));
  },
};

// Each: (generator, class, turns of the spiral) -> [place, target].
const SHAPES = {
  circles(random, label) {
    const angle = 2 * Math.PI * random.uniform();
    const radius = 1 - 0.5 * label;
    return [[radius * Math.cos(angle), radius * Math.sin(angle)], label];
  },
  xor(random, label) {
    const x = 0.1 + 0.9 * random.uniform();
    const y = 0.1 + 0.9 * random.uniform();
    const sign = random.uniform() < 0.5 ? 1 : -1;
    return [[sign * x, sign * y * (1 - 2 * label)], label];
  },
  blobs(random, label) {
    const middle = 0.5 * (1 - 2 * label);
    return [[middle + 0.15 * random.normal(), middle + 0.15 * random.normal()], label];
  },
  moons(random, label) {
    const angle = Math.PI * random.uniform();
    const side = 1 - 2 * label;
    return [[side * (0.6 * Math.cos(angle) - 0.3), side * (0.6 * Math.sin(angle) - 0.15)], label];
  },
  spiral(random, label, turns) {
    const along = Math.sqrt(random.uniform());
    const angle = 2 * Math.PI * turns * along + Math.PI * label;
    return [[along * Math.cos(angle), along * Math.sin(angle)], label];
  },
  curve(random, label) {
    const x = 2 * random.uniform() - 1;
    const away = (0.05 + 0.6 * random.uniform()) * (2 * label - 1);
    return [[x, 0.4 * Math.sin(Math.PI * x) + away], label];
  },
  sine(random) {
    const x = 2 * random.uniform() - 1;
    return [[x], Math.sin(Math.PI * x)];
  },
};

export function points({ data, noise, points: count, turns, placed, seed }) {
  if (data === "placed") return placed.map(([x, y, label]) => ({ x: [x, y], y: label }));
  const random = generator(seed, DATA);
  return Array.from({ length: count }, (_, k) => {
    const [place, target] = SHAPES[data](random, k % 2, turns);
    const error = [noise * random.normal(), noise * random.normal()];
    if (place.length === 1) return { x: place, y: target + error[0] };
    return { x: place.map((v, i) => v + error[i]), y: target };
  });
}

// Each: (generator, fan in, fan out, scale) -> a function that draws one weight.
const INITS = {
  zero: () => () => 0,
  constant: (random, fanIn, fanOut, scale) => () => scale,
  normal: (random, fanIn, fanOut, scale) => () => scale * random.normal(),
  xavier: (random, fanIn, fanOut) => () => Math.sqrt(2 / (fanIn + fanOut)) * random.normal(),
  kaiming: (random, fanIn) => () => Math.sqrt(2 / fanIn) * random.normal(),
  default: (random, fanIn) => () => (2 * random.uniform() - 1) / Math.sqrt(fanIn),
};

// Where each layer's weights (out by in) and biases lie in the flat array.
function layersOf(sizes) {
  let at = 0;
  return sizes.slice(1).map((fanOut, k) => {
    const layer = { fanIn: sizes[k], fanOut, w: at, b: at + fanOut * sizes[k] };
    at = layer.b + fanOut;
    return layer;
  });
}

export function initial({ init, scale, seed }, layers) {
  const random = generator(seed, WEIGHTS);
  return Float64Array.from(
    layers.flatMap(({ fanIn, fanOut }) => {
      const draw = INITS[init](random, fanIn, fanOut, scale);
      const weights = Array.from({ length: fanOut * fanIn }, draw);
      return [...weights, ...Array.from({ length: fanOut }, () => (init === "default" ? draw() : 0))];
    }));
}

// One sample forward. Fills nets and outs layer by layer and returns the output. `factor`
// tells by how much dropout multiplies unit j of hidden layer k.
function forward({ layers, params, nets, outs, value }, x, factor) {
  for (let i = 0; i < x.length; i += 1) outs[0][i] = x[i];
  layers.forEach(({ fanIn, fanOut, w, b }, k) => {
    const last = k === layers.length - 1;
    for (let j = 0; j < fanOut; j += 1) {
      let net = params[b + j];
      for (let i = 0; i < fanIn; i += 1) net += params[w + j * fanIn + i] * outs[k][i];
      nets[k][j] = net;
      outs[k + 1][j] = last ? net : value(net) * (factor ? factor[k][j] : 1);
    }
  });
  return outs[layers.length][0];
}

// Adds the gradient of one sample to `grads`, from the slope of the loss at its output.
function backward({ layers, params, grads, nets, outs, deltas, slope }, dout, factor) {
  deltas[layers.length - 1][0] = dout;
  for (let k = layers.length - 1; k >= 0; k -= 1) {
    const { fanIn, fanOut, w, b } = layers[k];
    for (let i = 0; k > 0 && i < fanIn; i += 1) deltas[k - 1][i] = 0;
    for (let j = 0; j < fanOut; j += 1) {
      const delta = deltas[k][j];
      grads[b + j] += delta;
      for (let i = 0; i < fanIn; i += 1) {
        grads[w + j * fanIn + i] += delta * outs[k][i];
        if (k > 0) deltas[k - 1][i] += delta * params[w + j * fanIn + i];
      }
    }
    for (let i = 0; k > 0 && i < fanIn; i += 1) {
      deltas[k - 1][i] *= slope(nets[k - 1][i]) * (factor ? factor[k - 1][i] : 1);
    }
  }
}

// A run before its first update; the first `share` of the points train, of placed ones all.
export function start(settings) {
  const all = points(settings);
  const share = settings.data === "placed" ? 1 : settings.share;
  const count = Math.max(1, Math.floor(share * all.length + 0.5));
  const layers = layersOf([settings.data === "sine" ? 1 : 2, ...settings.hidden, 1]);
  const params = initial(settings, layers);
  const train = all.slice(0, count);
  const batches = Math.max(1, Math.ceil(train.length / settings.batch_size));
  const rule = RULES[settings.rule](settings.momentum);
  const [value, slope] = activations[settings.activation];
  const run = {
    settings, layers, params, value, slope, rule, train,
    test: all.slice(count),
    state: rule.init(params),
    factor: SCHEDULES[settings.schedule](settings.planned * batches),
    lossOf: settings.data === "sine" ? mse : bceWithLogits,
    order: generator(settings.seed, ORDER),
    masks: generator(settings.seed, MASKS),
    step: 0,
    history: [],
    grads: new Float64Array(params.length),
    nets: layers.map(({ fanOut }) => new Float64Array(fanOut)),
    deltas: layers.map(({ fanOut }) => new Float64Array(fanOut)),
    outs: [new Float64Array(layers[0].fanIn), ...layers.map(({ fanOut }) => new Float64Array(fanOut))],
  };
  run.history.push(measure(run));
  return run;
}

// Dropout's factors for a batch, [sample][layer][unit], drawn layer by layer as in Python.
function drawFactors({ settings: { dropout }, layers, masks }, count) {
  if (dropout === 0) return null;
  const keep = 1 - dropout;
  const factors = Array.from({ length: count }, () => []);
  for (const { fanOut } of layers.slice(0, -1)) {
    for (const factor of factors) {
      factor.push(Array.from({ length: fanOut }, () => (masks.uniform() < keep ? 1 / keep : 0)));
    }
  }
  return factors;
}

export const rate = (run) => run.settings.lr * run.factor(run.step);

// One update from the samples `index`; returns their mean loss before it.
export function update(run, index) {
  const { settings: { penalty, decay }, layers, train, rule, lossOf } = run;
  const factors = drawFactors(run, index.length);
  const grads = (run.grads = new Float64Array(run.params.length));
  let total = 0;
  index.forEach((sample, n) => {
    const { x, y } = train[sample];
    const [loss, slope] = lossOf(forward(run, x, factors?.[n]), y);
    total += loss;
    backward(run, slope / index.length, factors?.[n]);
  });
  const lr = rate(run);
  if (penalty !== "none") {
    for (const { w, b } of layers) {
      for (let i = w; i < b; i += 1) {
        if (penalty === "l2") grads[i] += decay * run.params[i];
        else run.params[i] *= 1 - lr * decay;
      }
    }
  }
  [run.params, run.state] = rule.update(grads, run.state, run.params, lr);
  run.step += 1;
  return total / index.length;
}

// Once through the training points, in a new order, batch by batch.
export function epoch(run) {
  const order = run.order.shuffled(run.train.length);
  const size = run.settings.batch_size;
  for (let first = 0; first < order.length; first += size) update(run, order.slice(first, first + size));
  run.history.push(measure(run));
}

// Losses and accuracies of both parts, without dropout; nan where there are none.
export function measure(run) {
  const part = (samples) => {
    let [loss, right] = [0, 0];
    for (const { x, y } of samples) {
      const out = forward(run, x);
      loss += run.lossOf(out, y)[0];
      right += out > 0 === y > 0.5 ? 1 : 0;
    }
    return [loss / samples.length, run.lossOf === mse ? NaN : right / samples.length];
  };
  const [train_loss, train_accuracy] = part(run.train);
  const [test_loss, test_accuracy] = part(run.test);
  return { train_loss, train_accuracy, test_loss, test_accuracy };
}

const STUCK = 0.01; // a slope of this size, or less, passes next to nothing on

// For each layer its gradient norm over all training points, without dropout or penalty,
// and the share of its units whose slope is below 0.01 in size at every one of them.
export function report(run) {
  const { layers, train, lossOf, slope } = run;
  if (!train.length) return layers.map(() => ({ norm: 0, stuck: 0 }));
  run.grads = new Float64Array(run.params.length);
  const alive = layers.map(({ fanOut }) => new Array(fanOut).fill(false));
  for (const { x, y } of train) {
    backward(run, lossOf(forward(run, x), y)[1] / train.length);
    for (let k = 0; k < layers.length - 1; k += 1) {
      run.nets[k].forEach((net, j) => {
        if (!(Math.abs(slope(net)) < STUCK)) alive[k][j] = true;
      });
    }
  }
  return layers.map(({ w, b, fanOut }, k) => ({
    norm: Math.hypot(...run.grads.subarray(w, b + fanOut)),
    stuck: k < layers.length - 1 ? alive[k].filter((one) => !one).length / fanOut : 0,
  }));
}

// What a trained run computes at any point, and in `outs` of the run each unit on the way, until the next call.
export const outputAt = (run, x) => forward(run, x);
