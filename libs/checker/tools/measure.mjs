// Measures the checkers on generated legal histories: node libs/checker/tools/measure.mjs [seed] [repeats]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const SIZES = [
  { operations: 1_000, clients: 8, keys: 10, unknownRate: 0 },
  { operations: 1_000, clients: 8, keys: 10, unknownRate: 0.02 },
  { operations: 5_000, clients: 8, keys: 10, unknownRate: 0.02 },
  { operations: 10_000, clients: 16, keys: 10, unknownRate: 0 },
  { operations: 20_000, clients: 8, keys: 10, unknownRate: 0 },
  { operations: 20_000, clients: 50, keys: 10, unknownRate: 0 },
  { operations: 100_000, clients: 16, keys: 100, unknownRate: 0 },
  { operations: 100_000, clients: 16, keys: 1, unknownRate: 0 },
  { operations: 100_000, clients: 16, keys: 100, unknownRate: 0.02 },
];

async function loadChecker() {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-checker-'));
  try {
    const outfile = join(folder, 'checker.mjs');
    const entry = fileURLToPath(new URL('../src/index.ts', import.meta.url));
    const shape = { bundle: true, platform: 'node', format: 'esm', conditions: ['development'] };
    await build({ entryPoints: [entry], outfile, ...shape, logLevel: 'warning' });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** CPU milliseconds of the fastest of n runs: others may be using the machine. */
function measure(repeats, run) {
  let best = Infinity;
  let result;
  for (let i = 0; i < repeats; i++) {
    const start = process.cpuUsage();
    result = run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return `${best.toFixed(0)} ms ${result.verdict}`;
}

const [seed = 1, repeats = 3] = process.argv.slice(2).map(Number);
const checker = await loadChecker();
const now = () => performance.now();
process.stdout.write(
  `CPU time, best of ${repeats}, seed ${seed}, Node ${process.version}\n` +
    'ops / clients / keys / unknown | revision order | WGL, unknown resolved | WGL, unknown open\n',
);
for (const size of SIZES) {
  const { operations, clients, keys, unknownRate } = size;
  const history = checker.generateHistory({ seed, ...size, listRate: 0.01, observers: false });
  const cells = [
    measure(repeats, () => checker.checkRevisionOrder(history)),
    measure(repeats, () => checker.checkLinearizability(history, { now })),
    unknownRate === 0
      ? '-'
      : measure(1, () => checker.checkLinearizability(history, { now, resolve: false })),
  ];
  process.stdout.write(
    `${[operations, clients, keys, `${unknownRate * 100} %`].join(' / ')} | ${cells.join(' | ')}\n`,
  );
}
