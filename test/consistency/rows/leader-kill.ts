import { SystemClock } from '@orrery/component';
import { Cluster } from '../cluster/cluster.js';
import { TIMERS } from '../cluster/etcd-cluster.js';
import type { Timers } from '../cluster/etcd-cluster.js';
import { cleanNamespaces } from '../load/clean.js';
import { toKey, toPath } from '../load/config-map.js';
import { HttpSession } from '../load/http-session.js';
import type { RowResult } from '../report/scorecard.js';
import { formatMs, percentile } from '../report/scorecard.js';
import type { RowContext } from './row.js';

const ROUNDS = 5;
const EVERY_MS = 20;
const STEADY_MS = 300;
const LIMIT_MS = 15_000;
const clock = new SystemClock();

/** Medians and maxima that the design asks for. */
const GOALS = {
  fast: { medianMs: 600, maxMs: 1500 },
  default: { medianMs: 2500, maxMs: 4000 },
} as const;

interface Measured {
  readonly gaps: readonly number[];
  readonly acked: number;
  readonly lost: number;
}

/** Creates in an open loop: one every 20 ms, whatever becomes of the others. */
class Prober {
  readonly acked: string[] = [];
  private readonly session = new HttpSession('prober');
  private readonly pending = new Set<Promise<void>>();
  private count = 0;
  private killedAt = Infinity;
  private firstAck = Infinity;

  constructor(private readonly server: string) {}

  /** The first answer to a request that was sent after this moment counts. */
  mark(): void {
    this.killedAt = clock.monotonic();
    this.firstAck = Infinity;
  }

  get gap(): number {
    return this.firstAck - this.killedAt;
  }

  send(): void {
    const sentAt = clock.monotonic();
    const name = `p${++this.count}`;
    const path = toPath(toKey('ns1', name)).replace(/\/[^/]+$/, '');
    const call = { server: this.server, method: 'POST', path, timeoutMs: LIMIT_MS };
    const one = this.session.send({ ...call, body: { metadata: { name } } }).then(({ code }) => {
      this.pending.delete(one);
      if (code !== 201) return;
      this.acked.push(name);
      if (sentAt >= this.killedAt) this.firstAck = Math.min(this.firstAck, clock.monotonic());
    });
    this.pending.add(one);
  }

  async settle(): Promise<void> {
    await Promise.all(this.pending);
  }

  async countLost(): Promise<number> {
    const path = toPath('configmaps/ns1');
    const { json } = await this.session.send({ server: this.server, method: 'GET', path });
    const items = (json?.['items'] ?? []) as readonly { metadata: { name: string } }[];
    const there = new Set(items.map(({ metadata }) => metadata.name));
    this.session.close();
    return this.acked.filter((name) => !there.has(name)).length;
  }
}

async function measure(context: RowContext, timers: Timers): Promise<Measured> {
  await using cluster = await Cluster.start({ ...context, timers, replicas: ['cache'] });
  await cleanNamespaces(cluster);
  const prober = new Prober(cluster.server(0).directUrl);
  const gaps: number[] = [];
  for (let round = 0; round < ROUNDS && !context.signal.aborted; round++) {
    const leader = await cluster.etcd.leader();
    await probe(prober, () => false, STEADY_MS);
    const killed = leader.process.kill();
    prober.mark();
    await probe(prober, () => prober.gap < Infinity, LIMIT_MS);
    gaps.push(prober.gap);
    await killed;
    await leader.process.start();
    await cluster.etcd.ready();
  }
  await prober.settle();
  return { gaps, acked: prober.acked.length, lost: await prober.countLost() };
}

async function probe(prober: Prober, isOver: () => boolean, limitMs: number): Promise<void> {
  const end = clock.monotonic() + limitMs;
  while (clock.monotonic() < end && !isOver()) {
    prober.send();
    await clock.sleep(EVERY_MS);
  }
}

/** Row 15: how long nothing can be written when etcd's leader is killed, through an API server. */
export async function runLeaderKill(context: RowContext): Promise<RowResult> {
  const parts: string[] = [];
  const details: string[] = [];
  let [isMet, lost] = [true, 0];
  for (const timers of [TIMERS.fast, TIMERS.default]) {
    context.say(`row 15: leader killed ${ROUNDS} times, ${timers.name} timers`);
    const measured = await measure(context, timers);
    const goal = GOALS[timers.name];
    const { gaps } = measured;
    lost += measured.lost;
    isMet &&= percentile(gaps, 50) < goal.medianMs && Math.max(...gaps) < goal.maxMs;
    parts.push(formatMs(gaps));
    details.push(
      `${timers.heartbeatMs}/${timers.electionMs} ms: n=${gaps.length}, each ${gaps.map(Math.round).join(', ')} ms; ` +
        `${measured.acked} acknowledged, ${measured.lost} lost; a create every ${EVERY_MS} ms`,
    );
  }
  const verdict = lost > 0 ? 'violated' : isMet ? 'met' : 'below';
  return { row: 15, value: parts.join('; '), verdict, details };
}
