// Learning-rate schedules, step -> factor: the counterpart of dlnotes.scratch.schedules.

export const constant = () => () => 1;
export const stepDecay = (every, gamma = 0.1) => (step) => gamma ** Math.floor(step / every);
export const exponential = (gamma) => (step) => gamma ** step;
export const cosine = (steps, floor = 0) => (step) =>
  floor + ((1 - floor) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2;
export const warmup = (steps, then = constant()) => (step) =>
  step < steps ? (step + 1) / steps : then(step - steps);
