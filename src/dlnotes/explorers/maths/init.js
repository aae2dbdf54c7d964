// How wide to draw initial weights: the counterpart of dlnotes.scratch.init.

export const GAINS = { identity: 1, relu: Math.SQRT2 };
export const xavierStd = (fanIn, fanOut, gain = 1) => gain * Math.sqrt(2 / (fanIn + fanOut));
export const kaimingStd = (fanIn, gain = Math.SQRT2) => gain / Math.sqrt(fanIn);
export const linearBound = (fanIn) => 1 / Math.sqrt(fanIn);
