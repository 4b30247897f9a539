import { SystemClock } from '@orrery/component';
import type { EtcdMember } from '../cluster/etcd-cluster.js';
import type { FaultContext, FaultKind } from './fault.js';

const clock = new SystemClock();

/** Which members a fault hits. */
type Choose = (context: FaultContext) => Promise<readonly EtcdMember[]>;

const leader: Choose = async ({ cluster }) => [await cluster.etcd.leader()];

const follower: Choose = async ({ cluster, random }) => {
  const followers = await cluster.etcd.followers();
  const chosen = followers[Math.floor(random.next() * followers.length)];
  return chosen ? [chosen] : [];
};

const all: Choose = ({ cluster }) => Promise.resolve(cluster.etcd.members);

const kill = (name: string, choose: Choose): FaultKind => ({
  name: `kill ${name}`,
  run: async (context) => {
    const members = await choose(context);
    await Promise.all(members.map(({ process }) => process.kill()));
    await clock.sleep(context.holdMs);
    await context.cluster.etcd.startAll();
  },
});

const pause = (name: string, choose: Choose): FaultKind => ({
  name: `pause ${name}`,
  run: async (context) => {
    const members = await choose(context);
    for (const { process } of members) process.pause();
    try {
      await clock.sleep(context.holdMs);
    } finally {
      for (const { process } of members) process.resume();
    }
    await context.cluster.etcd.ready();
  },
});

const partition = (
  name: string,
  choose: Choose,
  apply: (context: FaultContext, member: number) => void,
): FaultKind => ({
  name,
  run: async (context) => {
    const { etcd } = context.cluster;
    for (const { index } of await choose(context)) apply(context, index);
    try {
      await clock.sleep(context.holdMs);
    } finally {
      etcd.network.heal();
    }
    await etcd.ready();
  },
});

const isolate = (name: string, choose: Choose): FaultKind =>
  partition(`isolate ${name}`, choose, ({ cluster }, member) =>
    cluster.etcd.network.isolate(member),
  );

const deafen = (name: string, choose: Choose): FaultKind =>
  partition(`deafen ${name}`, choose, ({ cluster }, member) => cluster.etcd.network.deafen(member));

/** Half a heartbeat to two of them, each way. */
const delay: FaultKind = partition('delay', leader, ({ cluster, random }) => {
  const { heartbeatMs } = cluster.etcd.timers;
  cluster.etcd.network.slow(Math.round(heartbeatMs * (0.5 + 1.5 * random.next())));
});

const STORM_MS = 25;

const compactionStorm: FaultKind = {
  name: 'compaction storm',
  run: async ({ cluster, holdMs, recordedTo, random }) => {
    const end = clock.monotonic() + holdMs;
    while (clock.monotonic() < end) {
      const { gateway } = cluster.etcd.member(Math.floor(random.next() * 3));
      // Compacting twice at one revision is refused, and says so.
      await gateway.compact(recordedTo(), random.next() < 0.2).catch(() => undefined);
      await clock.sleep(STORM_MS);
    }
  },
};

const FILLER = '/filler/';
const FILLER_BYTES = 500_000;

/** The cure needs all steps: compact, defragment each member, disarm each member's alarm. */
async function cure({ cluster, recordedTo }: FaultContext): Promise<void> {
  const { members, anyone } = cluster.etcd;
  await anyone.gateway.deletePrefix(FILLER);
  await anyone.gateway.compact(recordedTo(), true).catch(() => undefined);
  for (const { gateway } of members) await gateway.defragment();
  for (const memberId of await anyone.gateway.alarms()) await anyone.gateway.disarm(memberId);
}

const quota: FaultKind = {
  name: 'quota',
  quotaBytes: 16 * 1024 * 1024,
  run: async (context) => {
    const { gateway } = context.cluster.etcd.anyone;
    for (let i = 0; i < 100; i++) {
      const isFull = await gateway.put(`${FILLER}${i % 5}`, Buffer.alloc(FILLER_BYTES)).then(
        () => false,
        () => true,
      );
      if (isFull) break;
    }
    if ((await gateway.alarms()).length === 0) throw new Error('etcd raised no alarm');
    await clock.sleep(context.holdMs);
    await cure(context);
  },
};

/** What can happen to etcd. */
export const ETCD_FAULTS: readonly FaultKind[] = [
  kill('leader', leader),
  kill('follower', follower),
  kill('all', all),
  pause('leader', leader),
  pause('follower', follower),
  pause('all', all),
  isolate('leader', leader),
  isolate('follower', follower),
  deafen('leader', leader),
  deafen('follower', follower),
  delay,
  compactionStorm,
  quota,
];
