import { SystemClock } from '@orrery/component';
import { Cluster } from '../cluster/cluster.js';
import { TIMERS } from '../cluster/etcd-cluster.js';
import { cleanNamespaces } from '../load/clean.js';
import { toPath } from '../load/config-map.js';
import { HttpSession, field } from '../load/http-session.js';
import type { RowResult } from '../report/scorecard.js';
import type { RowContext } from './row.js';

const ROUNDS = 20;
const CLIENTS = 8;
const LOAD_MS = 400;
const clock = new SystemClock();

/** Creates as fast as it is answered; gives the names that were acknowledged. */
async function load(server: string, prefix: string, signal: AbortSignal): Promise<string[]> {
  const session = new HttpSession(prefix);
  const acked: string[] = [];
  const path = toPath('configmaps/ns1');
  for (let i = 0; !signal.aborted; i++) {
    const name = `${prefix}-${i}`;
    const { code } = await session.send({
      server,
      method: 'POST',
      path,
      body: { metadata: { name } },
    });
    if (code === 201) acked.push(name);
    else break;
  }
  session.close();
  return acked;
}

async function readBack(server: string): Promise<ReadonlySet<string>> {
  const session = new HttpSession('harness');
  const call = { server, method: 'GET', path: toPath('configmaps/ns1'), timeoutMs: 20_000 };
  const { json } = await session.send(call);
  session.close();
  const items = field(json, 'items');
  const names = (Array.isArray(items) ? items : []).map((item) => field(item, 'metadata', 'name'));
  return new Set(names.filter((name) => typeof name === 'string'));
}

async function killEverything({ etcd, servers }: Cluster): Promise<void> {
  await Promise.all([
    ...etcd.members.map(({ process }) => process.kill()),
    ...servers.map((server) => server.kill()),
  ]);
}

async function startEverything({ etcd, servers }: Cluster): Promise<void> {
  await etcd.startAll();
  await Promise.all(servers.map((server) => server.start()));
}

/** Row 24: SIGKILL of every process under load; whatever was acknowledged is there again afterwards. */
export async function runCrashDurability(context: RowContext): Promise<RowResult> {
  context.say(`row 24: everything killed under load, ${ROUNDS} times`);
  await using cluster = await Cluster.start({
    ...context,
    timers: TIMERS.fast,
    replicas: ['cache'],
  });
  await cleanNamespaces(cluster);
  const server = cluster.server(0).directUrl;
  let [rounds, whole, acked] = [0, 0, 0];
  const lost: string[] = [];
  for (; rounds < ROUNDS && !context.signal.aborted; rounds++) {
    const stop = new AbortController();
    const loads = Array.from({ length: CLIENTS }, (_, i) =>
      load(server, `d${rounds}-${i}`, stop.signal),
    );
    await clock.sleep(LOAD_MS);
    await killEverything(cluster);
    stop.abort();
    const names = (await Promise.all(loads)).flat();
    await startEverything(cluster);
    const there = await readBack(server);
    const missing = names.filter((name) => !there.has(name));
    acked += names.length;
    if (missing.length === 0 && names.length > 0) whole++;
    lost.push(...missing);
    await cleanNamespaces(cluster);
  }
  return {
    row: 24,
    value: `${whole}/${rounds}`,
    verdict: lost.length > 0 ? 'violated' : whole === ROUNDS ? 'met' : 'below',
    details: [
      `n=${rounds}, ${acked} writes acknowledged, ${lost.length} lost; 3 members and an API server killed at once ` +
        '(SIGKILL keeps the page cache: this does not test fsync)',
      ...(lost.length > 0 ? [`lost: ${lost.slice(0, 10).join(', ')}`] : []),
    ],
  };
}
