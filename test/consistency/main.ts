import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createSeededRandom, formatVerdicts } from '@orrery/checker';
import { Cluster, findEtcdBinary } from './cluster/cluster.js';
import { TIMERS } from './cluster/etcd-cluster.js';
import { CONTROLS, runControl } from './controls/controls.js';
import { keepHistory, runHistories } from './histories.js';
import { historyRows } from './report/history-rows.js';
import type { RowResult } from './report/scorecard.js';
import { formatScorecard } from './report/scorecard.js';
import { StateCoverage } from './report/state-coverage.js';
import { runCrashDurability } from './rows/crash-durability.js';
import { runKnownBugs } from './rows/known-bugs/known-bugs.js';
import { runLeaderKill } from './rows/leader-kill.js';
import { runMutants } from './rows/mutants.js';
import { runReplicaKill } from './rows/replica-kill.js';
import type { RowContext } from './rows/row.js';
import { runStateProbes } from './rows/state-probes.js';

const HELP = `Usage: npm run check:consistency -- [options]

Records what clients, watches and informers see of real API servers on a real three-member etcd while parts of it are
killed, stopped, isolated, slowed and cut off, checks it, and prints the scorecard.

  --seconds N     time for the histories; those that are under way are finished (default 420)
  --histories N   most histories (default 100)
  --seed N        chooses faults, moments and operations (default: a new one, printed)
  --rows LIST     rows of the scorecard to run, e.g. 1-5,9,24 (default: all that are implemented)
  --timers WHICH  etcd's timers: fast (20/200 ms), default (100/1000 ms) or both (default both)
  --keep DIR      where histories that are not ok are kept (default .cache/consistency)
  --etcd-bin FILE another etcd
  --block N       second number of the 127.x addresses used (default 225)
  --control NAME  breaks a promise on purpose, which must be found: ${CONTROLS.map(({ name }) => name).join(', ')}

Exit code: 0 when no promise was broken, 1 when one was (with --control: when it was not found), 2 for bad options,
130 when interrupted.
`;

const HISTORY_ROWS = [1, 2, 3, 4, 5, 23];

interface Options extends RowContext {
  readonly rows: ReadonlySet<number>;
  readonly seconds: number;
  readonly histories: number;
  readonly keep: string;
  readonly timers: 'fast' | 'default' | 'both';
  readonly control: string | undefined;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

class UsageError extends Error {}

function toNumber(flag: string, text: string, least = 0): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new UsageError(`--${flag} must be a whole number from ${least} on, not ${text}`);
  return value;
}

function toRows(text: string): ReadonlySet<number> {
  const rows = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first] = part.split('-');
    for (let row = toNumber('rows', first, 1); row <= toNumber('rows', last, 1); row++)
      rows.add(row);
  }
  return rows;
}

function readOptions(signal: AbortSignal): Options | undefined {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '420' },
      histories: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(1 + (process.pid % 9999)) },
      rows: { type: 'string', default: '1-24' },
      timers: { type: 'string', default: 'both' },
      keep: { type: 'string', default: '.cache/consistency' },
      'etcd-bin': { type: 'string' },
      block: { type: 'string', default: '225' },
      control: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { timers } = values;
  if (timers !== 'fast' && timers !== 'default' && timers !== 'both')
    throw new UsageError('--timers must be fast, default or both');
  const seed = toNumber('seed', values.seed);
  const etcdBinary = values['etcd-bin'];
  return {
    seed,
    random: createSeededRandom(seed),
    seconds: toNumber('seconds', values.seconds, 1),
    histories: toNumber('histories', values.histories),
    rows: toRows(values.rows),
    timers,
    keep: resolve(values.keep),
    ...(etcdBinary === undefined ? {} : { etcdBinary }),
    block: toNumber('block', values.block, 1),
    control: values.control,
    coverage: new StateCoverage(),
    say: print,
    signal,
  };
}

/** The rows that are not made of histories; cheap ones first. */
const SINGLE_ROWS: readonly {
  readonly row: number;
  run(context: RowContext): Promise<RowResult> | RowResult;
}[] = [
  { row: 6, run: runMutants },
  { row: 7, run: runStateProbes },
  { row: 9, run: runKnownBugs },
  { row: 15, run: runLeaderKill },
  { row: 17, run: runReplicaKill },
  { row: 24, run: runCrashDurability },
];

const loads = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

async function runRows(options: Options): Promise<number> {
  const { version } = await findEtcdBinary(options.etcdBinary);
  print(
    `check:consistency: seed ${options.seed}, etcd ${version}, ${cpus().length} cores, load ${loads()}`,
  );
  const results: RowResult[] = [];
  let [violations, proven] = [0, 0];
  if (HISTORY_ROWS.some((row) => options.rows.has(row))) {
    const done = await runHistories({ ...options, count: options.histories });
    results.push(
      ...historyRows(done, options.seed * 1000).filter(({ row }) => options.rows.has(row)),
    );
    proven += done.filter(({ verdict }) => verdict === 'ok').length;
    violations += done.filter(
      ({ verdict }) => verdict === 'illegal' || verdict === 'failed',
    ).length;
  }
  for (const { row, run } of SINGLE_ROWS) {
    if (!options.rows.has(row) || options.signal.aborted) continue;
    const result = await run(options);
    results.push(result);
    proven++;
    if (result.verdict === 'violated') violations++;
  }
  results.sort((a, b) => a.row - b.row);
  print(`\n${formatScorecard(results)}`);
  print(`seed ${options.seed}, etcd ${version}, load at the end ${loads()}`);
  if (options.signal.aborted) return 130;
  // Void runs alone prove nothing.
  return violations > 0 || proven === 0 ? 1 : 0;
}

async function runOneControl(options: Options, name: string): Promise<number> {
  const control = CONTROLS.find((each) => each.name === name);
  if (!control)
    throw new UsageError(`no control ${name}; one of ${CONTROLS.map((c) => c.name).join(', ')}`);
  await using cluster = await Cluster.start({
    ...options,
    timers: TIMERS.fast,
    replicas: ['cache', 'quorum', 'cache'],
  });
  const result = await runControl(cluster, control, {
    ...options,
    loadMs: 1000,
    holdMs: 1000,
    clients: 8,
    drainMs: 3000,
  });
  print(formatVerdicts(result.results));
  const isFound = result.verdict === 'illegal';
  print(`control ${name}: ${isFound ? 'found' : `NOT FOUND (${result.verdict})`}`);
  print(`kept: ${keepHistory(result, options.keep).join(', ')}`);
  return isFound ? 0 : 1;
}

async function main(): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      process.stderr.write(
        'check:consistency: finishing what is under way; once more ends it at once\n',
      );
      stop.abort();
    });
  try {
    const options = readOptions(stop.signal);
    if (!options) {
      process.stdout.write(HELP);
      return 0;
    }
    return await (options.control === undefined
      ? runRows(options)
      : runOneControl(options, options.control));
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof TypeError;
    process.stderr.write(`check:consistency: ${isUsage ? error.message : String(error)}\n`);
    return isUsage ? 2 : 1;
  }
}

process.exit(await main());
