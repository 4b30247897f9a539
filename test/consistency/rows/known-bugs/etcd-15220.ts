import { SystemClock } from '@orrery/component';
import type { EtcdGateway } from '../../cluster/etcd-gateway.js';
import type { RowContext } from '../row.js';
import { withSingleEtcd } from './single-etcd.js';
import type { KnownBug, Reproduction } from './known-bug.js';

const RUN_MS = 6000;
const WRITERS = 4;
const clock = new SystemClock();

/** Versions with the correction: 3.4.25, 3.5.8, 3.6. */
function isFixed(version: string): boolean {
  const [, minor = 0, patch = 0] = version.split('.').map(Number);
  return minor > 5 || (minor === 5 && patch >= 8) || (minor === 4 && patch >= 25);
}

/** Counts events that came after a progress notification had said that nothing at or below its revision would. */
async function countLies(gateway: EtcdGateway): Promise<{ lies: number; notices: number }> {
  const stop = new AbortController();
  const writers = Array.from({ length: WRITERS }, async (_, i) => {
    for (let n = 0; !stop.signal.aborted; n++) await gateway.put(`/bug/${i}`, `${n}`);
  });
  let [lies, notices] = [0, 0];
  const end = clock.monotonic() + RUN_MS;
  while (clock.monotonic() < end) {
    const found = await watchOnce(gateway, Math.min(500, end - clock.monotonic()));
    lies += found.lies;
    notices += found.notices;
  }
  stop.abort();
  await Promise.all(writers);
  return { lies, notices };
}

/** A watch that catches up from far behind, and is asked for its progress all the while. */
async function watchOnce(
  gateway: EtcdGateway,
  ms: number,
): Promise<{ lies: number; notices: number }> {
  let [lies, notices, promised] = [0, 0, 0];
  const watch = gateway.watch(
    1,
    ({ revision, events, isCreated }) => {
      for (const event of events) if (event.revision <= promised) lies++;
      if (events.length > 0 || isCreated) return;
      notices++;
      promised = Math.max(promised, revision);
    },
    () => undefined,
  );
  const until = clock.monotonic() + ms;
  while (clock.monotonic() < until) {
    watch.requestProgress();
    await clock.sleep(1);
  }
  watch.close();
  return { lies, notices };
}

/** etcd#15220: a progress notification that was asked for may overtake events. */
export const etcd15220: KnownBug = {
  name: 'etcd#15220 (progress overtakes events)',
  run: (context: RowContext): Promise<Reproduction> =>
    withSingleEtcd(context, async ({ etcd, version }) => {
      const { lies, notices } = await countLies(etcd.anyone.gateway);
      return {
        isReproduced: lies > 0,
        isCorrected: isFixed(version) && lies === 0,
        detail: `etcd ${version}: ${lies} events came after a progress notification that ruled them out, ${notices} notifications in ${RUN_MS / 1000} s`,
      };
    }),
};
