import { rmSync } from 'node:fs';
import { SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { removeLan } from '@orrery/network';
import { lockedBy } from '../cluster/cluster-lock.js';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { lanNames } from '../cluster/node-namespaces.js';
import { readSettings } from '../cluster/settings.js';
import { endLeftovers, leftovers, signalAll } from '../cluster/leftovers.js';

const POLL_MS = 50;
/** Our programs notice by themselves that their supervisor has gone, and stop in order. */
const PATIENCE_MS = 10_000;
const ETCD_MS = 3_000;

/** What a cluster whose nodes are network namespaces has added to this host. */
async function removeNetwork(files: ClusterFiles): Promise<void> {
  const settings = readSettings(files);
  if (settings?.network)
    await removeLan(lanNames({ addresses: addressesOf(settings.block, settings.network.mode) }));
}

/**
 * `orrery sweep DIR PID`, run by the guard of a supervisor that died: ends what does not end by itself, etcd last. Stops
 * at once when another supervisor has taken the cluster.
 */
export async function sweep(
  dir: string,
  supervisor: number,
  clock: Clock = new SystemClock(),
): Promise<void> {
  const files = new ClusterFiles(dir);
  const isOurs = (): boolean => lockedBy(files) === supervisor;
  const wait = async (isDone: () => boolean, patienceMs: number): Promise<void> => {
    const deadline = clock.monotonic() + patienceMs;
    while (isOurs() && !isDone() && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
  };
  await wait(() => leftovers(files).others.length === 0, PATIENCE_MS);
  if (!isOurs()) return;
  signalAll(leftovers(files).etcd, 'SIGTERM');
  await wait(() => leftovers(files).etcd.length === 0, ETCD_MS);
  if (!isOurs()) return;
  await endLeftovers(files, clock);
  await removeNetwork(files);
  for (const file of [files.controlSocket, files.supervisorPid]) rmSync(file, { force: true });
}
