// Polynomials fitted with a penalty: the counterpart of dlnotes.scratch.polynomials, with the
// same names and methods, and tested equal to it. Here everything is computed from means over
// points, so that the number of points costs nothing: of products of features (`gram`), and
// of features with targets (`moments`). Only as many rows and columns of a gram are read as
// there are moments: that of the highest degree serves all.

// The features of each x: rows of degree + 1 numbers.
export const legendre = (x, degree) =>
  x.map((v) => {
    const row = [1, v];
    for (let k = 1; k < degree; k += 1) row.push(((2 * k + 1) * v * row[k] - k * row[k - 1]) / (k + 1));
    return Float64Array.from(row.slice(0, degree + 1), (value, k) => value * Math.sqrt(2 * k + 1));
  });

export function gramOf(features) {
  const p = features[0].length;
  const gram = Array.from({ length: p }, () => new Float64Array(p));
  for (const row of features) {
    for (let i = 0; i < p; i += 1) for (let j = 0; j < p; j += 1) gram[i][j] += row[i] * row[j];
  }
  return gram.map((row) => row.map((v) => v / features.length));
}

export function momentsOf(features, y) {
  const moments = new Float64Array(features[0].length);
  for (let i = 0; i < y.length; i += 1) {
    for (let k = 0; k < moments.length; k += 1) moments[k] += features[i][k] * y[i];
  }
  return moments.map((v) => v / y.length);
}

export function dot(a, b) {
  let total = 0;
  for (let k = 0; k < a.length; k += 1) total += a[k] * b[k];
  return total;
}

// a · G b
function form(gram, a, b) {
  let total = 0;
  for (let k = 0; k < a.length; k += 1) total += a[k] * dot(b, gram[k]);
  return total;
}

// The solver of the first m equations of a gram, with `more` on the diagonal but for the first:
// by Cholesky's factors. It overwrites the right-hand side.
function solver(gram, m, more = 0) {
  const low = new Float64Array(m * m);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let rest = gram[i][j];
      for (let k = 0; k < j; k += 1) rest -= low[i * m + k] * low[j * m + k];
      low[i * m + j] = i > j ? rest / low[j * m + j] : Math.sqrt(rest + (i ? more : 0));
    }
  }
  return (b) => {
    for (let i = 0; i < m; i += 1) {
      for (let k = 0; k < i; k += 1) b[i] -= low[i * m + k] * b[k];
      b[i] /= low[i * m + i];
    }
    for (let i = m - 1; i >= 0; i -= 1) {
      for (let k = i + 1; k < m; k += 1) b[i] -= low[k * m + i] * b[k];
      b[i] /= low[i * m + i];
    }
    return b;
  };
}

// The coefficients for each of a list of moments.
export function ridge(gram, list, strength = 0) {
  const solve = solver(gram, list[0].length, strength);
  return list.map((moments) => solve(Float64Array.from(moments)));
}

// The same with an absolute penalty. Coefficients that are nearly right save turns: `starts`.
// This is what takes the time, so nothing is made anew at each turn; the rows of Cholesky's
// factor that still stand are kept.
export function lasso(gram, list, strength, starts = []) {
  const p = list[0].length;
  const [low, to, signs] = [p * p, p, p].map((size) => new Float64Array(size));
  const used = new Int32Array(p);
  return list.map((moments, one) => {
    const c = new Float64Array(p);
    signs.fill(0);
    let [m, stands] = [1, 0];
    used[0] = 0;
    const start = starts[one] ?? [];
    for (let k = 0; k < start.length; k += 1) {
      c[k] = start[k];
      if (!k || c[k] === 0) continue;
      signs[k] = Math.sign(c[k]);
      used[m] = k;
      m += 1;
    }
    for (;;) {
      for (let i = stands; i < m; i += 1) {
        const row = gram[used[i]];
        for (let j = 0; j <= i; j += 1) {
          let rest = row[used[j]];
          for (let k = 0; k < j; k += 1) rest -= low[i * p + k] * low[j * p + k];
          low[i * p + j] = i > j ? rest / low[j * p + j] : Math.sqrt(rest);
        }
      }
      stands = m;
      for (let i = 0; i < m; i += 1) {
        let rest = moments[used[i]] - strength * signs[used[i]];
        for (let k = 0; k < i; k += 1) rest -= low[i * p + k] * to[k];
        to[i] = rest / low[i * p + i];
      }
      for (let i = m - 1; i >= 0; i -= 1) {
        for (let k = i + 1; k < m; k += 1) to[i] -= low[k * p + i] * to[k];
        to[i] /= low[i * p + i];
      }
      let [share, first] = [1, -1];
      for (let i = 1; i < m; i += 1) {
        const now = c[used[i]];
        if (signs[used[i]] * to[i] > 0) continue;
        const reach = now === 0 ? 0 : now / (now - to[i]);
        if (first < 0 || reach < share) [share, first] = [reach, i];
      }
      if (share === 0) return c;
      for (let i = 0; i < m; i += 1) c[used[i]] = first < 0 ? to[i] : c[used[i]] + share * (to[i] - c[used[i]]);
      if (first > 0) {
        c[used[first]] = signs[used[first]] = 0;
        used.copyWithin(first, first + 1, m);
        [m, stands] = [m - 1, first];
        continue;
      }
      let [most, steepest] = [-1, strength * (1 + 1e-9)];
      for (let k = 1; k < p; k += 1) {
        if (signs[k]) continue;
        const slope = Math.abs(moments[k] - dot(c, gram[k]));
        if (slope > steepest) [most, steepest] = [k, slope];
      }
      if (most < 0) return c;
      signs[most] = Math.sign(moments[most] - dot(c, gram[most]));
      used[m] = most;
      m += 1;
    }
  });
}

// Of one fit: its mean squared distance from targets, of which `square` is the mean square.
export const distance = (c, { gram, moments, square }) =>
  Math.max(0, square - 2 * dot(c, moments) + form(gram, c, c));

// The errors of fits to many samples. `data` has the gram and the moments and mean square of
// each sample, `tested` those of the truth where it is tested.
export function measuredErrors(fits, { gram, moments, squares }, tested, noise) {
  const mean = new Float64Array(fits[0].length);
  for (const c of fits) for (let k = 0; k < mean.length; k += 1) mean[k] += c[k] / fits.length;
  const errors = { training: 0, noise: noise ** 2, bias: distance(mean, tested), variance: 0 };
  const off = new Float64Array(mean.length);
  fits.forEach((c, i) => {
    for (let k = 0; k < off.length; k += 1) off[k] = c[k] - mean[k];
    errors.training += distance(c, { gram, moments: moments[i], square: squares[i] }) / fits.length;
    errors.variance += form(tested.gram, off, off) / fits.length;
  });
  return errors;
}

// The errors that ridge has in expectation over the noise on n points, and what its coefficients
// count as. `signal` has the gram, and the moments and mean square of the truth, at the inputs;
// `tested` where it is tested.
export function expectedErrors(signal, tested, n, p, noise, strength = 0) {
  const solve = solver(signal.gram, p, strength);
  const inverse = Array.from({ length: p }, (_, k) => solve(new Float64Array(p).fill(1, k, k + 1)));
  const mean = solve(signal.moments.slice(0, p));
  let [trace, square, variance] = [0, 0, 0]; // of the hat matrix, of its square; of the fits
  for (let i = 0; i < p; i += 1) {
    trace += dot(inverse[i], signal.gram[i]);
    for (let j = 0; j < p; j += 1) {
      const spread = form(signal.gram, inverse[i], inverse[j]);
      square += spread * signal.gram[i][j];
      variance += spread * tested.gram[i][j];
    }
  }
  return {
    training: distance(mean, signal) + noise ** 2 * Math.max(0, 1 + (square - 2 * trace) / n),
    noise: noise ** 2,
    bias: distance(mean, tested),
    variance: (noise ** 2 * variance) / n,
    effective: trace,
  };
}
