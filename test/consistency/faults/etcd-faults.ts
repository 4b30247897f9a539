import { SystemClock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import type { EtcdMember } from '../cluster/etcd-cluster.js';
import type { FaultContext, FaultKind } from './fault.js';

const EVIDENCE_MS = 8000;
const READ_MS = 400;
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

/** Shows that a fault did what it is for; throws when it did not. */
type Evidence = (context: FaultContext, member: EtcdMember) => Promise<unknown>;

/** The others have elected one of their own. */
const isDeposed: Evidence = ({ cluster }, member) =>
  eventually(async () => (await cluster.etcd.leader()) !== member, { timeoutMs: EVIDENCE_MS });

/** It cannot answer a linearizable read. */
const isBehind: Evidence = async (_context, { gateway, process }) => {
  const answered = await gateway.revision(READ_MS).then(
    () => true,
    () => false,
  );
  if (answered) throw new Error(`${process.name} still has a quorum`);
};

const none: Evidence = () => Promise.resolve();

interface Partition {
  readonly name: string;
  readonly choose: Choose;
  readonly apply: (context: FaultContext, member: number) => void;
  readonly evidence: Evidence;
}

const partition = ({ name, choose, apply, evidence }: Partition): FaultKind => ({
  name,
  run: async (context) => {
    const { etcd } = context.cluster;
    const members = await choose(context);
    for (const { index } of members) apply(context, index);
    try {
      await clock.sleep(context.holdMs);
      for (const member of members) await evidence(context, member);
    } finally {
      etcd.network.heal();
    }
    await etcd.ready();
  },
});

const isolate = (name: string, choose: Choose, evidence: Evidence): FaultKind =>
  partition({
    name: `isolate ${name}`,
    choose,
    apply: ({ cluster }, member) => cluster.etcd.network.isolate(member),
    evidence,
  });

const deafen = (name: string, choose: Choose, evidence: Evidence): FaultKind =>
  partition({
    name: `deafen ${name}`,
    choose,
    apply: ({ cluster }, member) => cluster.etcd.network.deafen(member),
    evidence,
  });

/** Half a heartbeat to two of them, each way. */
const delay: FaultKind = partition({
  name: 'delay',
  choose: leader,
  apply: ({ cluster, random }) => {
    const { heartbeatMs } = cluster.etcd.timers;
    cluster.etcd.network.slow(Math.round(heartbeatMs * (0.5 + 1.5 * random.next())));
  },
  evidence: none,
});

const STORM_MS = 25;

const compactionStorm: FaultKind = {
  name: 'compaction storm',
  run: async ({ cluster, holdMs, recordedTo, random }) => {
    const end = clock.monotonic() + holdMs;
    let compactions = 0;
    while (clock.monotonic() < end) {
      const { gateway } = cluster.etcd.member(Math.floor(random.next() * 3));
      // Compacting twice at one revision is refused, and says so.
      await gateway.compact(recordedTo(), random.next() < 0.2).then(
        () => compactions++,
        () => undefined,
      );
      await clock.sleep(STORM_MS);
    }
    if (compactions === 0) throw new Error('nothing was compacted');
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
  isolate('leader', leader, isDeposed),
  isolate('follower', follower, isBehind),
  deafen('leader', leader, isDeposed),
  deafen('follower', follower, isBehind),
  delay,
  compactionStorm,
  quota,
];
