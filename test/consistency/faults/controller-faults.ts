import { SystemClock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { ControllerManager, LEASE_MS } from '../cluster/controller-manager.js';
import { HttpSession, field } from '../load/http-session.js';
import type { FaultContext, FaultKind } from './fault.js';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager';
const START_MS = 30_000;
const clock = new SystemClock();

async function holderOf(session: HttpSession, server: string): Promise<string> {
  const { json } = await session.send({ server, method: 'GET', path: LEASE });
  const holder = field(json, 'spec', 'holderIdentity');
  return typeof holder === 'string' ? holder : '';
}

/** Waits until somebody else than `before` holds the lease. */
function nextHolder(
  { session, server }: { session: HttpSession; server: string },
  before: string,
  timeoutMs: number,
): Promise<string> {
  return eventually(
    async () => {
      const holder = await holderOf(session, server);
      if (holder === '' || holder === before) throw new Error('nobody takes the lease');
      return holder;
    },
    { timeoutMs, intervalMs: 50 },
  );
}

/** Pauses the elected one beyond its lease: the other takes over, and the first does not act as if nothing had been. */
async function pauseLeader({ cluster }: FaultContext): Promise<void> {
  const session = new HttpSession('harness');
  const server = cluster.server(0).directUrl;
  const lease = { session, server };
  const started: ControllerManager[] = [];
  const start = (name: string): ControllerManager => {
    const { folder, processes } = cluster;
    const manager = new ControllerManager({ name, server, folder, processes });
    started.push(manager);
    return manager;
  };
  try {
    const before = await holderOf(session, server);
    const first = start('controller-1');
    const deposed = await nextHolder(lease, before, START_MS);
    start('controller-2');
    await clock.sleep(LEASE_MS);
    first.pause();
    const elected = await nextHolder(lease, deposed, START_MS);
    first.resume();
    await clock.sleep(LEASE_MS);
    const now = await holderOf(session, server);
    if (now !== elected)
      throw new Error(`the paused leader ${deposed} took the lease back: ${now}`);
  } finally {
    await Promise.all(started.map((manager) => manager.kill()));
    session.close();
  }
}

/** What can happen to whoever writes by itself. */
export const CONTROLLER_FAULTS: readonly FaultKind[] = [
  { name: 'pause controller', run: pauseLeader },
];
