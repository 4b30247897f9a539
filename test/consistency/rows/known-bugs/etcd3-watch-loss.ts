import { SystemClock } from '@orrery/component';
import { EtcdClient, EtcdStorage } from '@orrery/storage';
import { Etcd3 } from 'etcd3';
import type { EtcdGateway } from '../../cluster/etcd-gateway.js';
import { Relay, SimplePolicy } from '../../cluster/relay.js';
import { withSingleEtcd } from './single-etcd.js';
import type { RowContext } from '../row.js';
import type { KnownBug, Reproduction } from './known-bug.js';

const EVENTS = 5000;
const BATCH = 100;
const WAIT_MS = 4000;
const PREFIX = '/registry/bug/';
/** In the middle of the catch-up: the events are more than twice as much. */
const CUT_AFTER_BYTES = 400_000;
const clock = new SystemClock();

async function write(gateway: EtcdGateway): Promise<number> {
  const from = await gateway.put(`${PREFIX}start`, '');
  for (let i = 0; i < EVENTS; i += BATCH)
    await Promise.all(
      Array.from({ length: BATCH }, (_, j) => gateway.put(`${PREFIX}${i + j}`, 'v'.repeat(200))),
    );
  return from;
}

async function waitForAll(seen: ReadonlySet<string>): Promise<number> {
  const end = clock.monotonic() + WAIT_MS;
  while (seen.size < EVENTS && clock.monotonic() < end) await clock.sleep(20);
  return seen.size;
}

/** How many of the events etcd3's own watcher delivers when its connection is cut while it catches up. */
async function followWithEtcd3(relay: Relay, after: number): Promise<number> {
  const client = new Etcd3({ hosts: `http://${relay.url}` });
  const seen = new Set<string>();
  const starting = client
    .watch()
    .prefix(PREFIX)
    .startRevision(`${after + 1}`);
  relay.cutAfter(CUT_AFTER_BYTES);
  const watcher = starting.watcher();
  watcher.on('error', () => undefined);
  watcher.on('put', ({ key }) => seen.add(key.toString()));
  const count = await waitForAll(seen);
  client.close();
  return count;
}

/** The same with the project's own watch. */
async function followWithStorage(relay: Relay, after: number): Promise<number> {
  const client = new EtcdClient({ endpoints: [`http://${relay.url}`] });
  const storage = new EtcdStorage({ client });
  const seen = new Set<string>();
  const stop = new AbortController();
  relay.cutAfter(CUT_AFTER_BYTES);
  const following = (async () => {
    for await (const items of storage.watch(PREFIX, { after, signal: stop.signal }))
      for (const item of items) if (item.kind === 'event') seen.add(item.event.entry.key);
  })();
  const count = await waitForAll(seen);
  stop.abort();
  await following;
  client.close();
  return count;
}

/** etcd3's watcher resumes at the revision of a header, which a partial catch-up already has: what lies between is lost. */
export const etcd3WatchLoss: KnownBug = {
  name: 'watch loss of etcd3 1.1.2',
  run: (context: RowContext): Promise<Reproduction> =>
    withSingleEtcd(context, async ({ etcd, plan }) => {
      const { gateway, clientAddress } = etcd.anyone;
      const after = await write(gateway);
      const relay = await Relay.start(plan.next(), clientAddress, new SimplePolicy());
      const theirs = await followWithEtcd3(relay, after);
      const ours = await followWithStorage(relay, after);
      await relay.close();
      return {
        isReproduced: theirs < EVENTS,
        isViolation: ours < EVENTS,
        detail: `of ${EVENTS} events, cut once in the catch-up, etcd3 delivered ${theirs}, libs/storage ${ours}`,
      };
    }),
};
