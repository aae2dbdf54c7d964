// Update rules: the counterpart of dlnotes.scratch.optimizers, with the same names, formulas
// and defaults, and tested equal to it and to torch.optim. Pure functions on plain arrays.

const zeros = (x) => x.map(() => 0);
const mix = (share, old, now) => old.map((v, i) => share * v + (1 - share) * now[i]);
const squares = (g) => g.map((v) => v * v);

// An update rule: init(x) -> state, update(g, state, x, lr) -> [new x, new state].
export const optimizers = {
  gd: () => ({
    init: () => [],
    update: (g, state, x, lr) => [x.map((v, i) => v - lr * g[i]), state],
  }),
  momentum: ({ beta = 0.9, nesterov = false } = {}) => ({
    init: zeros,
    update: (g, state, x, lr) => {
      const velocity = state.map((v, i) => beta * v + g[i]);
      const step = nesterov ? velocity.map((v, i) => g[i] + beta * v) : velocity;
      return [x.map((v, i) => v - lr * step[i]), velocity];
    },
  }),
  nesterov: ({ beta = 0.9 } = {}) => optimizers.momentum({ beta, nesterov: true }),
  adagrad: ({ eps = 1e-10 } = {}) => ({
    init: zeros,
    update: (g, state, x, lr) => {
      const total = state.map((v, i) => v + g[i] * g[i]);
      return [x.map((v, i) => v - (lr * g[i]) / (Math.sqrt(total[i]) + eps)), total];
    },
  }),
  rmsprop: ({ alpha = 0.99, eps = 1e-8 } = {}) => ({
    init: zeros,
    update: (g, state, x, lr) => {
      const square = mix(alpha, state, squares(g));
      return [x.map((v, i) => v - (lr * g[i]) / (Math.sqrt(square[i]) + eps)), square];
    },
  }),
  adam: (options = {}) => optimizers.adamw({ ...options, weight_decay: 0 }),
  adamw: ({ beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2 } = {}) => ({
    init: (x) => ({ t: 0, mean: zeros(x), square: zeros(x) }),
    update: (g, state, x, lr) => {
      const t = state.t + 1;
      const mean = mix(beta1, state.mean, g);
      const square = mix(beta2, state.square, squares(g));
      const next = x.map((v, i) => {
        const root = Math.sqrt(square[i] / (1 - beta2 ** t));
        return v * (1 - lr * weight_decay) - (lr * (mean[i] / (1 - beta1 ** t))) / (root + eps);
      });
      return [next, { t, mean, square }];
    },
  }),
};

// Every point visited from `start`, the start first. Stops early, after the step that
// made it so, once `lost(point)` holds: a diverged run has nothing more to show.
export function descend(grad, start, rule, lr, steps, lost = () => false) {
  let x = start;
  let state = rule.init(x);
  const path = [x];
  for (let k = 0; k < steps && !lost(x); k += 1) {
    [x, state] = rule.update(grad(x), state, x, lr);
    path.push(x);
  }
  return path;
}
