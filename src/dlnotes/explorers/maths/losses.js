// Losses and their slopes: the counterpart of dlnotes.scratch.losses, with the same names, on
// single samples. Each returns [loss, slope with respect to the prediction].
import { sigmoid, logSoftmax } from "./activations.js";
import { clamp } from "../shared/settings.js";

export const mse = (prediction, target) => [(prediction - target) ** 2, 2 * (prediction - target)];
export const mae = (prediction, target) => [Math.abs(prediction - target), Math.sign(prediction - target)];

export function huber(prediction, target, delta = 1) {
  const r = prediction - target;
  const size = Math.abs(r);
  return [size <= delta ? r ** 2 / 2 : delta * (size - delta / 2), clamp(r, -delta, delta)];
}

// log(1 + exp(z)) without overflow.
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

export const bceWithLogits = (z, y) => [
  y * softplus(-z) + (1 - y) * softplus(z),
  (1 - y) * sigmoid(z) - y * sigmoid(-z),
];

// Of the logits of one sample; the slope is that of each logit.
export function crossEntropy(z, label) {
  const logP = logSoftmax(z);
  return [-logP[label], logP.map((v, k) => Math.exp(v) - (k === label ? 1 : 0))];
}
