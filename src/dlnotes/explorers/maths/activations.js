// Activation functions and their slopes: the counterpart of dlnotes.scratch.activations,
// with the same names, on single numbers.

export const sigmoid = (z) => {
  const e = Math.exp(-Math.abs(z));
  return (z >= 0 ? 1 : e) / (1 + e);
};
const sigmoidSlope = (z) => sigmoid(z) * sigmoid(-z);

// erfc is not in JavaScript. Up to 2 the series of erf, beyond it the continued fraction of
// erfc (Abramowitz and Stegun 7.1.6 and 7.1.14); both to the last digits of a float64.
function erfc(x) {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) {
    let term = (2 * x * Math.exp(-x * x)) / Math.sqrt(Math.PI);
    let sum = term;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n += 1) sum += term *= (2 * x * x) / (2 * n + 1);
    return 1 - sum;
  }
  let below = x;
  for (let k = 120; k > 0; k -= 1) below = x + k / 2 / below;
  return Math.exp(-x * x) / below / Math.sqrt(Math.PI);
}
const normalCdf = (z) => erfc(-z / Math.SQRT2) / 2;

// By name: [value, slope].
export const activations = {
  identity: [(z) => z, () => 1],
  sigmoid: [sigmoid, sigmoidSlope],
  tanh: [Math.tanh, (z) => 4 * sigmoidSlope(2 * z)],
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
  elu: [(z) => (z > 0 ? z : Math.expm1(z)), (z) => (z > 0 ? 1 : Math.exp(z))],
  gelu: [
    (z) => z * normalCdf(z),
    (z) => normalCdf(z) + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI),
  ],
  silu: [(z) => z * sigmoid(z), (z) => sigmoid(z) * (1 + z * sigmoid(-z))],
};

// Along a list of logits; the largest is subtracted first, so that exp cannot overflow.
export function softmax(z, temperature = 1) {
  const most = Math.max(...z) / temperature;
  const e = z.map((v) => Math.exp(v / temperature - most));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}
export function logSoftmax(z) {
  const most = Math.max(...z);
  const rest = Math.log(z.reduce((total, v) => total + Math.exp(v - most), 0));
  return z.map((v) => v - most - rest);
}
