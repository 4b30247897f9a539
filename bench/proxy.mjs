// The dataplane's relay beside HAProxy, nginx stream, a Go relay and one in C: requests on kept connections, new connections, and
// bytes. wrk calls each side in turn in one run; quote the ratios. Then what the dataplane holds and how fast it changes.
// SIDES=direct,haproxy,… ROUNDS=5 SECONDS_EACH=2 PARTS=speed,limits narrow it down.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureLimits } from './proxy/limits.mjs';
import { startSides, stopSides } from './proxy/sides.mjs';
import { median, printTable } from './table.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS_EACH ?? 2);
const PARTS = (process.env.PARTS ?? 'speed,limits').split(',');

const UNITS = { B: 1e-6, KB: 1.024e-3, MB: 1.048576, GB: 1073.741824 };

/** One run of wrk: requests/s and MB/s. */
function wrk({ host, port }, path, args) {
  const { stdout, stderr, status } = spawnSync(
    'wrk',
    ['-t1', `-d${SECONDS}s`, ...args, `http://${host}:${port}${path}`],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`wrk: ${stderr || stdout}`);
  const requests = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)(\w+)/.exec(stdout) ?? [];
  if (stdout.includes('Non-2xx')) throw new Error(`wrk ${host}${path}: ${stdout}`);
  const errors = /Socket errors: (.*)/.exec(stdout)?.[1];
  if (errors)
    process.stdout.write(`  ${host}${path} ${args.join(' ')}: socket errors: ${errors}\n`);
  return { requests, megabytes: Number(amount) * (UNITS[unit] ?? NaN) };
}

const FIGURES = [
  {
    name: '50 kept',
    unit: 'req/s',
    run: (at) => wrk(at, '/', ['-c50']).requests,
  },
  {
    name: 'Connection: close',
    unit: 'conn/s',
    run: (at) => wrk(at, '/', ['-c50', '-H', 'Connection: close']).requests,
  },
  { name: '64 MiB bodies', unit: 'MB/s', run: (at) => wrk(at, '/big', ['-c4']).megabytes },
];

async function measureSpeed(dir) {
  if (spawnSync('which', ['wrk']).status !== 0) throw new Error('bench proxy needs wrk');
  try {
    const sides = await startSides(dir);
    const samples = FIGURES.map(() =>
      Object.fromEntries(Object.keys(sides).map((name) => [name, []])),
    );
    for (const at of Object.values(sides)) wrk(at, '/', ['-c50']);
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, figure] of FIGURES.entries())
        for (const [name, at] of Object.entries(sides)) samples[i][name].push(figure.run(at));
    const rows = FIGURES.flatMap(({ name, unit }, i) =>
      Object.keys(sides).map((side) => ({
        name: `${name}: ${side}`,
        unit,
        samples: samples[i][side],
      })),
    );
    printTable('Relays (wrk with one thread, nginx as backend, all on this machine)', rows);
    if (!sides['go relay']) return;
    process.stdout.write('\nratio of medians to the Go relay\n');
    for (const [i, { name }] of FIGURES.entries()) {
      const base = median(samples[i]['go relay']);
      const ratios = Object.keys(sides).map(
        (side) => `${side} ${(median(samples[i][side]) / base).toFixed(2)}`,
      );
      process.stdout.write(`  ${name}: ${ratios.join(', ')}\n`);
    }
  } finally {
    await stopSides();
  }
}

const dir = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
try {
  if (PARTS.includes('speed')) await measureSpeed(dir);
  if (PARTS.includes('limits'))
    printTable('\nWhat one dataplane holds, and how fast it changes', await measureLimits(dir));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
