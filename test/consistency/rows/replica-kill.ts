import { SystemClock } from '@orrery/component';
import { Cluster } from '../cluster/cluster.js';
import { TIMERS } from '../cluster/etcd-cluster.js';
import { cleanNamespaces } from '../load/clean.js';
import { toKey, toPath } from '../load/config-map.js';
import type { Call, HttpReply } from '../load/http-session.js';
import { HttpSession, field } from '../load/http-session.js';
import type { RowResult } from '../report/scorecard.js';
import type { RowContext } from './row.js';

const ROUNDS = 5;
const CLIENTS = 8;
const LOAD_MS = 500;
const clock = new SystemClock();

/** What the clients of one run counted. */
class Counts {
  reads = 0;
  retried = 0;
  failed = 0;
  readonly acked: string[] = [];
}

/** A client that asks the next replica when one does not answer, once. */
class RetryingClient {
  private readonly session: HttpSession;
  private count = 0;
  private turn: number;

  constructor(
    private readonly index: number,
    private readonly servers: readonly string[],
    private readonly counts: Counts,
  ) {
    this.session = new HttpSession(`r${index}`);
    this.turn = index;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.write();
      await this.read();
      await this.read();
      this.turn++;
    }
    this.session.close();
  }

  private async write(): Promise<void> {
    const name = `r${this.index}-${++this.count}`;
    const path = toPath('configmaps/ns1');
    const { code } = await this.ask({ method: 'POST', path, body: { metadata: { name } } });
    if (code === 201) this.counts.acked.push(name);
  }

  private async read(): Promise<void> {
    const path = toPath(toKey('ns1', this.counts.acked.at(-1) ?? 'none'));
    const isGood = ({ code }: HttpReply): boolean => code === 200 || code === 404;
    this.counts.reads++;
    if (isGood(await this.ask({ method: 'GET', path }))) return;
    this.counts.retried++;
    this.turn++;
    if (!isGood(await this.ask({ method: 'GET', path }))) this.counts.failed++;
  }

  private ask(call: Omit<Call, 'server'>): Promise<HttpReply> {
    const server = this.servers[this.turn % this.servers.length] ?? '';
    return this.session.send({ ...call, server });
  }
}

async function countLost(cluster: Cluster, acked: readonly string[]): Promise<number> {
  const session = new HttpSession('harness');
  const server = cluster.server(0).directUrl;
  const { json } = await session.send({ server, method: 'GET', path: toPath('configmaps/ns1') });
  session.close();
  const items = field(json, 'items');
  const names = (Array.isArray(items) ? items : []).map((item) => field(item, 'metadata', 'name'));
  const there = new Set(names);
  return acked.filter((name) => !there.has(name)).length;
}

/** Row 17: of three replicas one after the other is killed under load. */
export async function runReplicaKill(context: RowContext): Promise<RowResult> {
  context.say(`row 17: an API server killed ${ROUNDS} times under load`);
  await using cluster = await Cluster.start({
    ...context,
    timers: TIMERS.fast,
    replicas: ['cache', 'cache', 'quorum'],
  });
  await cleanNamespaces(cluster);
  const counts = new Counts();
  const stop = new AbortController();
  const servers = cluster.servers.map(({ url }) => url);
  const clients = Array.from({ length: CLIENTS }, (_, i) => new RetryingClient(i, servers, counts));
  const running = Promise.all(clients.map((client) => client.run(stop.signal)));
  for (let round = 0; round < ROUNDS && !context.signal.aborted; round++) {
    const victim = cluster.server(round);
    await clock.sleep(LOAD_MS);
    await victim.kill();
    await clock.sleep(LOAD_MS);
    await victim.start();
  }
  stop.abort();
  await running;
  const lost = await countLost(cluster, counts.acked);
  return {
    row: 17,
    value: `${counts.failed} / ${lost}`,
    verdict: counts.failed === 0 && lost === 0 ? 'met' : 'violated',
    details: [
      `n=${ROUNDS} kills, ${counts.reads} reads (${counts.retried} retried once, on the next replica), ` +
        `${counts.acked.length} creates acknowledged`,
    ],
  };
}
