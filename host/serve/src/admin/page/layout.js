// Where the nodes of a graph stand: what is joined comes together, what isn't keeps its distance.
//
// Owns the arithmetic, a step at a time, so that whoever draws stays fluent. The same graph comes out the same. Refuses to draw.

const SPRING = 40, REACH = 240, STEPS = 300;

/** A number from 0 up to 1 that follows from a text. */
function chance(text) {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16777619);
  return (hash >>> 0) / 2 ** 32;
}

/**
 * A layout of nodes (keys) and edges (pairs of places). `before` has where some stood. `step(budget)` works for so many milliseconds, and says
 * whether there is more to do; `x` and `y` are where the nodes stand.
 */
export function layout(keys, edges, before = new Map()) {
  const size = keys.length, x = new Float64Array(size), y = new Float64Array(size);
  const degree = new Uint32Array(size);
  for (const [one, other] of edges) {
    degree[one] += 1;
    degree[other] += 1;
  }
  const weight = degree.map((edges) => Math.min(1 + edges, 30));
  const joined = [], alone = [];
  for (let node = 0; node < size; node += 1) (degree[node] > 0 ? joined : alone).push(node);
  let fresh = 0;
  begin();

  /** Who has many begins on a spiral, with room for them, and they around it: what hangs together begins together. */
  function begin() {
    const beside = keys.map(() => []), placed = new Uint8Array(size);
    for (const [one, other] of edges) {
      beside[one].push(other);
      beside[other].push(one);
    }
    for (const node of joined) {
      const known = before.get(keys[node]);
      if (!known) {
        fresh += 1;
        continue;
      }
      [x[node], y[node]] = known;
      placed[node] = 1;
    }
    let area = 0, turns = 0;
    for (const node of joined.toSorted((one, other) => degree[other] - degree[one])) {
      const around = beside[node].filter((other) => !placed[other] && other !== node);
      const ring = SPRING * Math.max(0.6, Math.sqrt(around.length) / 2.2);
      if (!placed[node]) {
        area += (2.2 * ring) ** 2;
        turns += 1;
        const radius = turns === 1 ? 0 : Math.sqrt(area), angle = turns * 2.399963 + 0.1 * chance(keys[node]);
        [x[node], y[node]] = [radius * Math.cos(angle), radius * Math.sin(angle)];
        placed[node] = 1;
      }
      around.forEach((other, index) => {
        const angle = (2 * Math.PI * index) / around.length + chance(keys[other]);
        [x[other], y[other]] = [x[node] + ring * Math.cos(angle), y[node] + ring * Math.sin(angle)];
        placed[other] = 1;
      });
    }
  }

  let done = 0;
  const steps = joined.length === 0 ? 0 : fresh === 0 ? 12 : fresh < joined.length / 4 ? 60 : STEPS;
  const dx = new Float64Array(size), dy = new Float64Array(size);

  function once() {
    const heat = Math.max(0.5, 24 * (1 - done / steps) * (steps / STEPS));
    dx.fill(0);
    dy.fill(0);
    // Whoever is within reach is in one of the nine cells around.
    const cells = new Map();
    const cell = (value) => Math.floor(value / REACH);
    for (const node of joined) {
      const key = cell(x[node]) * 65536 + cell(y[node]);
      const there = cells.get(key);
      if (there) there.push(node);
      else cells.set(key, [node]);
    }
    for (const node of joined) {
      const column = cell(x[node]), line = cell(y[node]);
      for (let right = -1; right <= 1; right += 1) {
        for (let down = -1; down <= 1; down += 1) {
          for (const other of cells.get((column + right) * 65536 + line + down) ?? []) {
            if (other === node) continue;
            const across = x[node] - x[other], along = y[node] - y[other], far = Math.max(1, Math.hypot(across, along));
            if (far >= REACH) continue;
            // Who has many takes the room for them.
            const push = (SPRING * SPRING / far) * (1 - far / REACH) * Math.sqrt(weight[node] * weight[other]);
            dx[node] += (across / far) * push;
            dy[node] += (along / far) * push;
          }
        }
      }
      dx[node] -= x[node] * 0.008;
      dy[node] -= y[node] * 0.008;
    }
    for (const [one, other] of edges) {
      const across = x[other] - x[one], along = y[other] - y[one], far = Math.max(1, Math.hypot(across, along));
      // Two that have many stand further apart: all of theirs lie between them.
      const rest = SPRING * (0.5 + Math.sqrt(weight[one] * weight[other]) / 6);
      const pull = (far - rest) * 0.5 / Math.sqrt(Math.min(degree[one], degree[other]));
      dx[one] += (across / far) * pull;
      dy[one] += (along / far) * pull;
      dx[other] -= (across / far) * pull;
      dy[other] -= (along / far) * pull;
    }
    for (const node of joined) {
      const far = Math.max(1, Math.hypot(dx[node], dy[node])), move = Math.min(far, heat);
      x[node] += (dx[node] / far) * move;
      y[node] += (dy[node] / far) * move;
    }
    done += 1;
  }

  /** Who has nobody stands in rows below. */
  function line() {
    let left = Infinity, right = -Infinity, bottom = -Infinity;
    for (const node of joined) {
      left = Math.min(left, x[node]);
      right = Math.max(right, x[node]);
      bottom = Math.max(bottom, y[node]);
    }
    const columns = Math.max(8, Math.ceil(Math.sqrt(alone.length * 2))), width = columns * 26;
    const from = joined.length > 0 ? (left + right - width) / 2 : -width / 2, top = joined.length > 0 ? bottom + 70 : 0;
    alone.forEach((node, index) => {
      x[node] = from + (index % columns) * 26;
      y[node] = top + Math.floor(index / columns) * 26;
    });
  }

  line();
  return {
    x, y,
    step(budget) {
      const until = performance.now() + budget;
      while (done < steps && performance.now() < until) once();
      line();
      return done < steps;
    },
  };
}
