// Random numbers that Python draws alike: the counterpart of dlnotes.portable.

export function generator(seed, stream = 0) {
  let state =
    (Math.imul(seed, 2654435761) + Math.imul(stream, 2246822519) + 374761393) >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 16; i += 1) uniform(); // neighbouring seeds part ways
  const normal = () => {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  };
  function shuffled(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i -= 1) {
      const j = Math.floor(uniform() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
  return { uniform, normal, shuffled };
}
