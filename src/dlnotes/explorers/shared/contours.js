// Contour lines of a function on a grid.

// The regions where f < level, for each level, as SVG path data on a `width` by
// `height` canvas with y up in the data and down in the path. Marching squares on a
// grid with a ring of +inf around it: every boundary is then a closed loop, so the
// same path can be filled (evenodd) and stroked.
export function sublevelPaths(values, columns, rows, levels, width, height) {
  const wide = columns + 2;
  const padded = new Float64Array(wide * (rows + 2)).fill(Infinity);
  for (let j = 0; j < rows; j += 1) {
    for (let i = 0; i < columns; i += 1) padded[(j + 1) * wide + i + 1] = values[j * columns + i];
  }
  const place = (i, j) => [
    ((i - 1) / (columns - 1)) * width,
    height - ((j - 1) / (rows - 1)) * height,
  ];
  const boundaries = trace(padded, wide, rows + 2, levels);
  return levels.map((level, k) => loops(padded, wide, level, boundaries[k], place));
}

// For each of the 16 corner patterns of a cell, the edges that a boundary runs from
// and to, with the low side on its left. Edges: 0 bottom, 1 right, 2 top, 3 left;
// corners (bits): 1 bottom left, 2 bottom right, 4 top right, 8 top left.
const RUNS = [
  [], [[0, 3]], [[1, 0]], [[1, 3]], [[2, 1]], [[0, 3], [2, 1]], [[2, 0]], [[2, 3]],
  [[3, 2]], [[0, 2]], [[1, 0], [3, 2]], [[1, 2]], [[3, 1]], [[0, 1]], [[3, 0]], [],
];
// The two patterns with low corners opposite each other, when the middle is low too.
const JOINED = { 5: [[0, 1], [2, 3]], 10: [[1, 2], [3, 0]] };

// For each level a map from an edge that its boundary crosses to the next one. An edge's
// number is twice its lower left node, plus one if it is vertical.
function trace(grid, wide, high, levels) {
  const boundaries = levels.map(() => new Map());
  for (let j = 0; j + 1 < high; j += 1) {
    for (let i = 0; i + 1 < wide; i += 1) {
      const at = j * wide + i;
      const [a, b, c, d] = [grid[at], grid[at + 1], grid[at + wide + 1], grid[at + wide]];
      const [lowest, highest] = [Math.min(a, b, c, d), Math.max(a, b, c, d)];
      for (let k = 0; k < levels.length; k += 1) {
        const level = levels[k];
        if (!(lowest < level && level <= highest)) continue; // most cells, at most levels
        const low = (a < level) + 2 * (b < level) + 4 * (c < level) + 8 * (d < level);
        const edges = [2 * at, 2 * (at + 1) + 1, 2 * (at + wide), 2 * at + 1];
        const runs = JOINED[low] && (a + b + c + d) / 4 < level ? JOINED[low] : RUNS[low];
        for (const [from, to] of runs) boundaries[k].set(edges[from], edges[to]);
      }
    }
  }
  return boundaries;
}

// The closed loops of one boundary as path data; empties `next`.
function loops(grid, wide, level, next, place) {
  const point = (edge) => {
    const node = edge >> 1;
    const other = edge & 1 ? node + wide : node + 1;
    const [p, q] = [grid[node], grid[other]];
    const t = p === Infinity ? 1 : q === Infinity ? 0 : (level - p) / (q - p);
    const [i, j] = [node % wide, Math.floor(node / wide)];
    return place(edge & 1 ? i : i + t, edge & 1 ? j + t : j);
  };
  let path = "";
  while (next.size) {
    let [edge] = next.keys();
    const corners = [];
    while (next.has(edge)) {
      corners.push(point(edge).map((v) => v.toFixed(1)).join(" "));
      const following = next.get(edge);
      next.delete(edge);
      edge = following;
    }
    path += `M${corners.join("L")}Z`;
  }
  return path;
}
