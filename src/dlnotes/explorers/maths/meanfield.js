// Mean-field theory of a deep random network: the counterpart of dlnotes.scratch.meanfield,
// with the same names. An activation is [value, slope], as in activations.js.

// Where E[F(g)], g standard normal, is summed up, and the share of each place.
const PLACES = Float64Array.from({ length: 256 }, (_, i) => (2 * i - 255) / 32);
const SHARES = PLACES.map((g) => Math.exp((-g * g) / 2) / Math.sqrt(2 * Math.PI) / 16);

const MOST_NOISE = 0.4; // what one layer may add before first order fails

const mean = (values) => values.reduce((sum, v, i) => sum + SHARES[i] * v, 0);
const squares = (f, q) => {
  const root = Math.sqrt(q);
  return PLACES.map((g) => f(root * g) ** 2);
};

export const fittedGain = ([value]) => mean(squares(value, 1)) ** -0.5;

// What one layer does to the mean square, and what a layer of finite width adds to that.
function through([value, slope], { gain, bias, width }, q) {
  const [values, slopes] = [squares(value, q), squares(slope, q)];
  const [f2, s2] = [mean(values), mean(slopes)];
  const next = gain ** 2 * f2 + bias ** 2;
  const weights = 1 - bias ** 2 / next;
  let [u2, v2, uv, uSlope, vSlope] = [0, 0, 0, 0, 0];
  for (let i = 0; i < PLACES.length; i += 1) {
    const [u, v] = [values[i] / f2, slopes[i] / s2];
    const byLogQ = (PLACES[i] ** 2 - 1) / 2;
    u2 += SHARES[i] * u * u;
    v2 += SHARES[i] * v * v;
    uv += SHARES[i] * u * v;
    uSlope += SHARES[i] * u * byLogQ;
    vSlope += SHARES[i] * v * byLogQ;
  }
  return {
    next,
    factor: gain ** 2 * s2,
    slope: weights * uSlope,
    gradientSlope: vSlope,
    signal: (weights ** 2 * (u2 - 1)) / width,
    gradient: (3 * v2 - 1) / width,
    shared: (weights * (uv - 1)) / width,
  };
}

// Mean squares by layer, and how log(measured / predicted) is distributed over networks:
// forward, backward and scatter of dlnotes.scratch.meanfield in one go. `trusted` is false
// where that scatter is None: where first order in 1/width is not enough.
export function meanField(activation, { gain, bias, width, depth }) {
  const q = [gain ** 2 + bias ** 2];
  const layers = [];
  let [shift, variance] = [[0], [0]];
  while (q.length < depth) {
    const at = through(activation, { gain, bias, width }, q.at(-1));
    layers.push(at);
    q.push(at.next);
    shift.push(at.slope * shift.at(-1) - at.signal / 2);
    variance.push(at.slope ** 2 * variance.at(-1) + at.signal);
  }
  const gradients = { mean: [1], shift: [0], std: [0] };
  let [reach, noise] = [0, 0];
  for (let k = depth - 2; k >= 0; k -= 1) {
    const at = layers[k];
    noise += at.gradient + reach ** 2 * at.signal + 2 * reach * at.shared;
    reach = at.gradientSlope + reach * at.slope;
    gradients.mean.unshift(gradients.mean[0] * at.factor);
    gradients.shift.unshift(gradients.shift[0] + at.gradientSlope * shift[k] - at.gradient / 2);
    gradients.std.unshift(Math.sqrt(noise + reach ** 2 * variance[k]));
  }
  return {
    trusted: layers.every((at) => at.slope <= 1 + 1e-9 && at.gradient <= MOST_NOISE),
    signals: {
      mean: q,
      shift: shift.map((v) => v - 1 / width),
      std: variance.map((v) => Math.sqrt(v + 2 / width)),
    },
    gradients,
  };
}
