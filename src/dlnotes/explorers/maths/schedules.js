// Learning-rate schedules, step -> factor: the counterpart of dlnotes.scratch.schedules.

export const constant = () => () => 1;
export const stepDecay = (every, gamma = 0.1) => (step) => gamma ** Math.floor(step / every);
export const multistep = (milestones, gamma = 0.1) => (step) =>
  gamma ** milestones.filter((milestone) => step >= milestone).length;
export const exponential = (gamma) => (step) => gamma ** step;
export const polynomial = (steps, power = 1) => (step) => (1 - Math.min(step, steps) / steps) ** power;
export const cosine = (steps, floor = 0) => (step) =>
  floor + ((1 - floor) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2;
export const warmup = (steps, then = constant()) => (step) =>
  step < steps ? (step + 1) / steps : then(step - steps);

export const restarts = (period, growth = 1, floor = 0) => (step) => {
  let length = period;
  for (; step >= length; length *= growth) step -= length;
  return cosine(length, floor)(step);
};

export const oneCycle = (steps, rise = 0.3, start = 1 / 25, end = 1 / 250000) => (step) => {
  const between = (a, b, share) => b + ((a - b) * (1 + Math.cos(Math.PI * share))) / 2;
  const peak = rise * steps - 1;
  const at = Math.min(step, steps - 1);
  if (at <= peak) return between(start, 1, at / peak);
  return between(1, end, (at - peak) / (steps - 1 - peak));
};
