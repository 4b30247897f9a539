import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom, encodeHistory, renderTimeline } from '@orrery/checker';
import { SystemClock } from '@orrery/component';
import { Cluster } from './cluster/cluster.js';
import type { Timers } from './cluster/etcd-cluster.js';
import { TIMERS } from './cluster/etcd-cluster.js';
import { CONTROLLER_FAULTS } from './faults/controller-faults.js';
import { ETCD_FAULTS } from './faults/etcd-faults.js';
import type { FaultKind } from './faults/fault.js';
import { SERVER_FAULTS } from './faults/server-faults.js';
import type { RowContext } from './rows/row.js';
import type { HistoryResult } from './run-history.js';
import { runHistory } from './run-history.js';

export const FAULTS: readonly FaultKind[] = [
  ...ETCD_FAULTS,
  ...SERVER_FAULTS,
  ...CONTROLLER_FAULTS,
];

export interface HistoriesOptions extends RowContext {
  readonly count: number;
  /** No history is begun after so many seconds. */
  readonly seconds: number;
  readonly keep: string;
  readonly timers: 'fast' | 'default' | 'both';
}

/** What is left of a history once it is checked; the history itself only when something is wrong with it. */
export interface HistorySummary {
  readonly seed: number;
  readonly fault: string;
  readonly timers: string;
  readonly verdict: HistoryResult['verdict'] | 'failed';
  readonly reason?: string;
  readonly operations: number;
  readonly unknown: number;
  readonly watchEvents: number;
  readonly logEvents: number;
  readonly convergenceMs: readonly number[];
  /** Where the history and its picture are. */
  readonly files?: readonly string[];
}

interface Planned {
  readonly seed: number;
  readonly fault: FaultKind;
  readonly timers: Timers;
}

const CLIENTS = 8;
const LOAD_MS = 1000;
/** Every so many rounds of all kinds one has etcd's default timers. */
const DEFAULT_EVERY = 4;
/** A cluster is made anew after so many histories. */
const PER_CLUSTER = 20;
const HOLD = { fast: [500, 1000], default: [1500, 1500] } as const;
const clock = new SystemClock();

function plan({ seed, count, timers }: HistoriesOptions): Planned[] {
  return Array.from({ length: count }, (_, i) => {
    const fault = FAULTS[i % FAULTS.length];
    if (!fault) throw new Error('no fault');
    const round = Math.floor(i / FAULTS.length);
    const isSlow = timers === 'both' ? round % DEFAULT_EVERY === 1 : timers === 'default';
    return { seed: seed * 1000 + i, fault, timers: isSlow ? TIMERS.default : TIMERS.fast };
  });
}

/** Holds the cluster that the next history can run on. */
class ClusterHolder {
  private cluster: Cluster | undefined;
  private uses = 0;

  constructor(private readonly context: RowContext) {}

  async take({ timers, fault: { quotaBytes } }: Planned): Promise<Cluster> {
    const isFit =
      this.cluster?.etcd.timers === timers && quotaBytes === undefined && this.uses < PER_CLUSTER;
    if (!isFit) await this.drop();
    this.uses++;
    this.cluster ??= await Cluster.start({
      ...this.context,
      timers,
      replicas: ['cache', 'cache', 'quorum'],
      ...(quotaBytes === undefined ? {} : { quotaBytes }),
    });
    return this.cluster;
  }

  async drop(): Promise<void> {
    await this.cluster?.stop();
    this.cluster = undefined;
    this.uses = 0;
  }
}

/** Rows 1 to 5 and 23: faulted histories, one after the other, each checked at once. */
export async function runHistories(options: HistoriesOptions): Promise<readonly HistorySummary[]> {
  const end = clock.monotonic() + options.seconds * 1000;
  const holder = new ClusterHolder(options);
  const done: HistorySummary[] = [];
  try {
    for (const each of plan(options)) {
      if (options.signal.aborted || clock.monotonic() > end) break;
      const summary = await runOne(each, options, holder);
      done.push(summary);
      options.say(describe(summary, `${done.length}/${options.count}`));
      // A cluster that a quota was set for, or in which something went wrong, is not used again.
      if (each.fault.quotaBytes !== undefined || summary.verdict === 'failed') await holder.drop();
    }
  } finally {
    await holder.drop();
  }
  return done;
}

async function runOne(
  each: Planned,
  options: HistoriesOptions,
  holder: ClusterHolder,
): Promise<HistorySummary> {
  const { seed, fault, timers } = each;
  const random = createSeededRandom(seed);
  const [least, more] = HOLD[timers.name];
  try {
    const result = await runHistory(await holder.take(each), {
      seed,
      random,
      fault,
      loadMs: LOAD_MS,
      holdMs: least + more * random.next(),
      clients: CLIENTS,
      coverage: options.coverage,
    });
    return summarize(result, timers, options.keep);
  } catch (error) {
    const nothing = { operations: 0, unknown: 0, watchEvents: 0, logEvents: 0, convergenceMs: [] };
    const reason = error instanceof Error ? error.message : String(error);
    return { seed, fault: fault.name, timers: timers.name, verdict: 'failed', reason, ...nothing };
  }
}

export function summarize(result: HistoryResult, timers: Timers, keep: string): HistorySummary {
  const { history, verdict, seed, fault, convergenceMs, voidReason, results } = result;
  const first = results.flatMap(({ violations }) => violations)[0]?.message;
  const reason = voidReason ?? first;
  const isKept = verdict === 'illegal' || verdict === 'unknown';
  return {
    seed,
    fault,
    timers: timers.name,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    operations: history.operations.length,
    unknown: history.operations.filter(({ outcome }) => outcome === 'unknown').length,
    watchEvents: history.watches.reduce((sum, { responses }) => sum + responses.length, 0),
    logEvents: history.events.length,
    convergenceMs,
    ...(isKept ? { files: keepHistory(result, keep) } : {}),
  };
}

/** Writes a history as JSON lines and as a picture. */
export function keepHistory(
  { history, results, seed, fault }: HistoryResult,
  folder: string,
): string[] {
  mkdirSync(folder, { recursive: true });
  const base = join(folder, `history-${seed}-${fault.replaceAll(/[^a-z]+/gi, '-')}`);
  const files = [`${base}.jsonl`, `${base}.html`];
  writeFileSync(`${base}.jsonl`, `${[...encodeHistory(history)].join('\n')}\n`);
  writeFileSync(
    `${base}.html`,
    renderTimeline(history, results, { title: `${fault}, seed ${seed}` }),
  );
  return files;
}

function describe(summary: HistorySummary, place: string): string {
  const { verdict, fault, timers, seed, operations, unknown, watchEvents, reason, files } = summary;
  const counts = `${operations} operations (${unknown} unknown), ${watchEvents} watch events`;
  const why = reason === undefined ? '' : `: ${reason}`;
  const where = files ? `\n  kept: ${files.join(', ')}` : '';
  return `${place} ${verdict.padEnd(7)} ${fault}, ${timers} timers, seed ${seed}: ${counts}${why}${where}`;
}
