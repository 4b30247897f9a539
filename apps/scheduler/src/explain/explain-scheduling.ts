import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import type { ConnectOptions } from '@orrery/client';
import { SystemClock, SystemRandom, createMetrics, silentLogger } from '@orrery/component';
import { noActions } from '@orrery/controller';
import { InformerFactory } from '@orrery/informers';
import { MAY_BE_ABSENT } from '../cycle/cluster-watch.js';
import { assemble } from '../assemble.js';
import type { Explanation } from './explain.js';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** How long the caches may take to fill. */
const SYNC_LIMIT_MS = 30_000;

/**
 * Judges a pod with the default profile over the cluster as it is now, as if it had no node yet. Reads only. Rejects
 * when the pod does not exist or when another scheduler than the default one is to place it.
 */
export async function explainScheduling(
  options: ConnectOptions,
  key: PodName,
): Promise<Explanation> {
  const base = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
  const client = connect({ ...options, userAgent: 'orrery-explain' });
  const stop = new AbortController();
  const informers = new InformerFactory({ ...base, client });
  let running: Promise<void> | undefined;
  try {
    const pod = await client.resource(resources.pods).get(key);
    const schedulerName = pod.spec.schedulerName ?? 'default-scheduler';
    const { explain } = assemble(
      {
        profiles: [{ schedulerName, plugins: undefined, pluginConfig: new Map() }],
        percentageOfNodesToScore: 100,
        extenders: [],
        backoff: { initialMs: 1000, maxMs: 10_000 },
        maxUnschedulableMs: Infinity,
      },
      {
        ...base,
        client,
        informers,
        actions: () => noActions,
        metrics: createMetrics({ process: false }),
      },
    );
    running = informers.start(stop.signal);
    await informers.waitForSync(AbortSignal.timeout(SYNC_LIMIT_MS), MAY_BE_ABSENT);
    return explain(pod);
  } finally {
    stop.abort(new Error('explained'));
    await running;
    await client.close();
  }
}
