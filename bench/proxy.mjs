// The dataplane's relay beside HAProxy, nginx stream, a Go relay and one in C: requests on kept connections, new connections, and
// bytes. wrk calls each side in turn in one run; quote the ratios. Then what the dataplane holds and how fast it changes.
// SIDES="direct;haproxy;…" ROUNDS=5 SECONDS_EACH=2 PARTS=speed,limits narrow it down.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureLimits } from './proxy/limits.mjs';
import { cpuSeconds, startSides, stopSides } from './proxy/sides.mjs';
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
    per: { count: 1_000, unit: 'ms/1,000' },
  },
  {
    name: 'Connection: close',
    unit: 'conn/s',
    run: (at) => wrk(at, '/', ['-c50', '-H', 'Connection: close']).requests,
    per: { count: 1_000, unit: 'ms/1,000' },
  },
  {
    name: '64 MiB bodies',
    unit: 'MB/s',
    run: (at) => wrk(at, '/big', ['-c4']).megabytes,
    per: { count: 1_000, unit: 'ms/GB' },
  },
];

/** Beside the Go relay: by rate, and by what each did for a second of its own CPU time, in the same round. */
function printRatios(names, samples, cpu) {
  if (!names.includes('go relay')) return;
  process.stdout.write(
    '\nratio to the Go relay of the same round, median: by rate / by CPU time\n',
  );
  for (const [i, { name }] of FIGURES.entries()) {
    const ratios = names.map((side) => {
      const go = (from, round) => from[i]['go relay'][round];
      const rate = median(samples[i][side].map((one, round) => one / go(samples, round)));
      const work = median(cpu[i][side].map((one, round) => go(cpu, round) / one));
      return `${side} ${rate.toFixed(2)} / ${work.toFixed(2)}`;
    });
    process.stdout.write(`  ${name}: ${ratios.join(', ')}\n`);
  }
}

async function measureSpeed(dir) {
  if (spawnSync('which', ['wrk']).status !== 0) throw new Error('bench proxy needs wrk');
  try {
    const sides = await startSides(dir);
    const names = Object.keys(sides);
    const empty = () => FIGURES.map(() => Object.fromEntries(names.map((name) => [name, []])));
    const [samples, cpu] = [empty(), empty()];
    for (const at of Object.values(sides)) wrk(at, '/', ['-c50']);
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, figure] of FIGURES.entries())
        for (const [name, at] of Object.entries(sides)) {
          const before = cpuSeconds(at);
          const rate = figure.run(at);
          const used = cpuSeconds(at) - before;
          samples[i][name].push(rate);
          cpu[i][name].push((used * 1_000 * figure.per.count) / (rate * SECONDS));
        }
    const rows = (from, unitOf) =>
      FIGURES.flatMap((figure, i) =>
        names.map((side) => ({
          name: `${figure.name}: ${side}`,
          unit: unitOf(figure),
          samples: from[i][side],
        })),
      );
    printTable(
      'Relays (wrk with one thread, nginx as backend, all on this machine)',
      rows(samples, ({ unit }) => unit),
    );
    printTable(
      "\nCPU time of the relay's own processes",
      rows(cpu, ({ per }) => per.unit),
    );
    printRatios(names, samples, cpu);
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
