// Latency by stage over the last ten seconds.

const QUANTILES = ["p50", "p99", "p999", "max"];

/** Merges the workers' rows of `/v1/latency` into one a stage. Quantiles of parts do not add up to those of the whole; the
 * slowest worker's is never less than those. */
export function merge(rows, window) {
  const stages = new Map();
  for (const row of rows) {
    if (row.window !== window || row.count === 0) continue;
    const merged = stages.get(row.stage) ?? { stage: row.stage, count: 0, p50: 0, p99: 0, p999: 0, max: 0 };
    merged.count += row.count;
    for (const name of QUANTILES) merged[name] = Math.max(merged[name], row[name]);
    stages.set(row.stage, merged);
  }
  return [...stages.values()];
}

/** A time in nanoseconds with three digits: "640 ns", "12.3 µs", "1.24 ms". */
export function duration(nanos) {
  const units = ["ns", "µs", "ms"];
  let value = nanos;
  while (value >= 999.5 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value >= 99.95 || units[0] === "ns" ? value.toFixed(0) : value.toPrecision(3)} ${units[0]}`;
}

/** Shows the rows of `/v1/latency` in the rows of `body`, which are named after the stages. */
export function showLatency(body, rows) {
  const stages = new Map(merge(rows, "10s").map((row) => [row.stage, row]));
  for (const row of body.rows) {
    const stage = stages.get(row.dataset.stage);
    const cells = [...row.cells].slice(1);
    cells.forEach((cell, i) => (cell.textContent = stage ? duration(stage[QUANTILES[i]]) : "–"));
  }
}
