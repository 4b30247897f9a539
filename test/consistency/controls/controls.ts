import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import type { Cluster } from '../cluster/cluster.js';
import type { HistoryPlan, HistoryResult } from '../run-history.js';
import { runHistory } from '../run-history.js';
import type { Asked, Lie } from './lying-proxy.js';
import { LyingProxy } from './lying-proxy.js';

/** A promise that is broken on purpose, and the rules of the checkers of which one must notice. */
export interface Control {
  readonly name: string;
  readonly rules: readonly string[];
  /** Freezes the last API server's cache while the history runs. */
  readonly freezes?: true;
  lie(context: { readonly frozen: string; readonly random: Random }): Lie;
}

const clock = new SystemClock();
const LIE_RATE = 0.05;

const isWriteOf = ({ method, path }: Asked): boolean =>
  (method === 'POST' || method === 'PUT') && path.includes('/configmaps');

/** Reads without resourceVersion are answered as if it were 0, from a cache that stands still. */
const staleReads: Control = {
  name: 'stale-reads',
  rules: ['stale-read', 'stale-list', 'false-refusal', 'not-linearizable'],
  freezes: true,
  lie: ({ frozen, random }) => ({
    redirect: ({ method, path, query }) => {
      const isPlainGet =
        method === 'GET' &&
        !query.has('watch') &&
        !query.has('resourceVersion') &&
        !query.has('limit');
      if (!isPlainGet || random.next() > 0.5) return undefined;
      const stale = new URLSearchParams(query);
      stale.set('resourceVersion', '0');
      return { server: frozen, path: `${path}?${stale.toString()}` };
    },
  }),
};

/** Some writes are acknowledged and never made. */
const lostAcks: Control = {
  name: 'lost-acks',
  rules: ['lost-write', 'duplicate-revision', 'wrong-content', 'not-linearizable'],
  lie: ({ random }) => {
    let rv = 1_000_000;
    return {
      answer: (asked) => {
        if (!isWriteOf(asked) || random.next() > LIE_RATE) return undefined;
        const object = JSON.parse(asked.body) as { metadata: Record<string, unknown> };
        object.metadata = { uid: random.uuid(), ...object.metadata, resourceVersion: String(++rv) };
        return { code: asked.method === 'POST' ? 201 : 200, body: object };
      },
    };
  },
};

/** Some events of watches never come. */
const lostEvents: Control = {
  name: 'lost-events',
  rules: ['reliable', 'resumable', 'not-converged', 'initial-events', 'wrong-store'],
  lie: ({ random }) => ({
    passesLine: (line) => line.includes('"BOOKMARK"') || random.next() > LIE_RATE,
  }),
};

/** The harness's own proof: with each of these a run must be red. */
export const CONTROLS: readonly Control[] = [staleReads, lostAcks, lostEvents];

/** One undisturbed history through a proxy that lies. */
export async function runControl(
  cluster: Cluster,
  control: Control,
  plan: Omit<HistoryPlan, 'fault' | 'servers'>,
): Promise<HistoryResult> {
  const frozen = cluster.server(cluster.servers.length - 1);
  const proxies: LyingProxy[] = [];
  try {
    for (const { url } of cluster.servers.slice(0, -1))
      proxies.push(
        await LyingProxy.start({
          address: cluster.plan.next(),
          server: url,
          lie: control.lie({ frozen: frozen.directUrl, random: plan.random }),
          random: plan.random,
        }),
      );
    return await runHistory(cluster, {
      ...plan,
      servers: proxies.map(({ url }) => url),
      fault: {
        name: `control ${control.name}`,
        run: async ({ holdMs }) => {
          frozen.policies.etcd.isBlocked = control.freezes === true;
          await clock.sleep(holdMs);
          frozen.policies.etcd.isBlocked = false;
          frozen.update();
        },
      },
    });
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}
