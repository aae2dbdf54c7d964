// Test functions to descend on: the counterpart of dlnotes.surfaces, with the same names,
// formulas and defaults, and tested equal to it.

const sum = (values) => values.reduce((a, b) => a + b, 0);

// A surface: dim, value(point), grad(point), minima (the lowest first), window, start.
export const surfaces = {
  wave: () => ({
    dim: 1,
    value: ([x]) => x * x * Math.sin(x),
    grad: ([x]) => [2 * x * Math.sin(x) + x * x * Math.cos(x)],
    minima: [[5.08698509410227], [-2.288929728103415]],
    window: [[-6.5, 6.5]],
    start: [3.6],
  }),
  plateau: () => ({
    dim: 1,
    value: ([x]) => 1 - Math.exp((-x * x) / 2),
    grad: ([x]) => [x * Math.exp((-x * x) / 2)],
    minima: [[0]],
    window: [[-5, 5]],
    start: [3.5],
  }),
  bowl: () => ({
    dim: 2,
    value: ([x, y]) => x * x + y * y,
    grad: ([x, y]) => [2 * x, 2 * y],
    minima: [[0, 0]],
    window: [[-2.5, 2.5], [-2.5, 2.5]],
    start: [-2, 1.5],
  }),
  ravine: ({ condition = 20, angle = 0 } = {}) => {
    const [cos, sin] = [Math.cos, Math.sin].map((f) => f((angle * Math.PI) / 180));
    const turned = ([x, y]) => [cos * x + sin * y, cos * y - sin * x];
    return {
      dim: 2,
      value: (p) => {
        const [u, v] = turned(p);
        return (u * u + condition * v * v) / 2;
      },
      grad: (p) => {
        const [u, v] = turned(p);
        return [cos * u - condition * sin * v, sin * u + condition * cos * v];
      },
      minima: [[0, 0]],
      window: [[-2.5, 2.5], angle ? [-2.5, 2.5] : [-1.25, 1.25]],
      start: [-2 * cos - 0.8 * sin, 0.8 * cos - 2 * sin],
    };
  },
  saddle: () => ({
    dim: 2,
    value: ([x, y]) => x ** 2 / 2 + y ** 4 / 4 - y ** 2 / 2,
    grad: ([x, y]) => [x, y ** 3 - y],
    minima: [[0, 1], [0, -1]],
    window: [[-2, 2], [-1.6, 1.6]],
    start: [-1.8, 0.01],
  }),
  rosenbrock: () => ({
    dim: 2,
    value: ([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    grad: ([x, y]) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
    minima: [[1, 1]],
    window: [[-2, 2], [-1, 3]],
    start: [-1.2, 1],
  }),
  beale: () => {
    const residuals = (x, y) => [1.5, 2.25, 2.625].map((c, k) => c - x + x * y ** (k + 1));
    return {
      dim: 2,
      value: ([x, y]) => sum(residuals(x, y).map((r) => r * r)),
      grad: ([x, y]) => {
        const r = residuals(x, y);
        return [
          sum(r.map((v, k) => 2 * v * (y ** (k + 1) - 1))),
          sum(r.map((v, k) => 2 * v * x * (k + 1) * y ** k)),
        ];
      },
      minima: [[3, 0.5]],
      window: [[-1, 4.5], [-1.5, 1.5]],
      start: [0.5, -1],
    };
  },
  himmelblau: () => ({
    dim: 2,
    value: ([x, y]) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    grad: ([x, y]) => {
      const a = x * x + y - 11;
      const b = x + y * y - 7;
      return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
    },
    minima: [
      [3, 2],
      [-2.805118086952745, 3.131312518250573],
      [-3.779310253377747, -3.28318599128617],
      [3.584428340330492, -1.848126526964404],
    ],
    window: [[-5.5, 5.5], [-5.5, 5.5]],
    start: [0, 0],
  }),
};
