// The settings of an explorer as its spec.json states them. Pure functions.

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// A finite number from outside, or what to use in its place.
export const finite = (value, otherwise) =>
  typeof value === "number" && Number.isFinite(value) ? value : otherwise;

const within = ({ limits, default: otherwise }, value) => clamp(finite(value, otherwise), ...limits);

const CLEAN = {
  number: within,
  integer: (setting, value) => Math.round(within(setting, value)),
  choice: ({ choices, default: otherwise }, value) =>
    typeof value === "string" && Object.hasOwn(choices, value) ? value : otherwise,
  boolean: ({ default: otherwise }, value) => (typeof value === "boolean" ? value : otherwise),
  other: (setting, value) => value, // the explorer's own model looks after it
};

// Any state made into one that can be drawn: unknown names and impossible numbers are
// replaced by the defaults, numbers out of range are moved to the nearest end of it.
export const cleaned = (settings, state) =>
  Object.fromEntries(
    Object.entries(settings).map(([key, setting]) => [key, CLEAN[setting.type](setting, state[key])]));

// Scales of a slider: between its position and the value that it stands for.
export const SCALES = {
  linear: { to: (value) => value, from: (position) => position },
  // Positions are powers of ten; values are rounded to 1, 1.05, … 2, 2.1, … 5, 5.2, … 10.
  log: {
    to: (value) => Math.log10(value),
    from: (position) => {
      const power = 10 ** Math.floor(position + 1e-9);
      const mantissa = 10 ** position / power;
      const grain = mantissa < 2 ? 0.05 : mantissa < 5 ? 0.1 : 0.2;
      return Number((Math.round(mantissa / grain) * grain * power).toPrecision(3));
    },
  },
};
