// What benchmarks share: one table with n, min, median and max for each figure, and the command that made it.

/** The value below which half of the samples lie. */
export function median(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints rows of { name, unit, samples }. */
export function printTable(title, rows) {
  const cell = (value) =>
    (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)).padStart(10);
  const lines = rows.map(
    ({ name, unit, samples }) =>
      `${name.padEnd(44)}${unit.padEnd(10)}${String(samples.length).padStart(4)}${cell(Math.min(...samples))}${cell(median(samples))}${cell(Math.max(...samples))}`,
  );
  const head = `${'figure'.padEnd(44)}${'unit'.padEnd(10)}${'n'.padStart(4)}${'min'.padStart(10)}${'median'.padStart(10)}${'max'.padStart(10)}`;
  process.stdout.write(
    `${title}\nnode ${process.version}, ${process.platform} ${process.arch}; command: npm run bench ${process.argv[1]?.split('/').at(-1)?.replace('.mjs', '')}\n${head}\n${lines.join('\n')}\n`,
  );
}
