import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fence } from '@orrery/apimachinery';
import type { ConfigMap } from '@orrery/api';
import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { SystemClock, SystemRandom, createLogger, createMetrics } from '@orrery/component';
import { ApiEventRecorder, LeaderElector, createLeaderMeters } from '@orrery/controller';
import { eventually } from '@orrery/testkit';
import { useControlPlane } from '../control-plane.js';
import { LeaderProgram } from './paused-leader.js';
import type { LeaderChild } from './paused-leader.js';

const NS = 'default';
const plane = useControlPlane({});
const maps = resources.configmaps;
const SOON = { timeoutMs: 30_000 };

describe('writes under a Lease', () => {
  const FENCE: Fence = { namespace: NS, name: 'lead', transitions: 1, holder: 'a' };
  const key = { namespace: NS, name: 'lead' };
  let leader: KubeClient;

  const hold = async (holderIdentity: string, leaseTransitions: number): Promise<void> => {
    const spec = { holderIdentity, leaseTransitions, leaseDurationSeconds: 15 };
    const lease = plane.client.resource(resources.leases);
    const found = await lease.get(key).catch(() => undefined);
    if (found) await lease.update({ ...found, spec });
    else await lease.create({ metadata: key, spec });
  };
  const under = (fence: Fence): KubeClient =>
    connect({ server: plane.server, insecureSkipTlsVerify: true, fence: () => fence });
  const map = (name: string): ConfigMap => ({ metadata: { name, namespace: NS } });

  beforeAll(() => {
    leader = under(FENCE);
  });
  afterAll(() => leader.close());

  it('are made while it is held, also when it is renewed meanwhile', async () => {
    await hold('a', 1);
    const made = await leader.resource(maps).create(map('kept'));
    await hold('a', 1);
    await leader.resource(maps).update({ ...made, data: { a: '1' } });
    await leader
      .resource(maps)
      .patch({ namespace: NS, name: 'kept' }, 'merge', { data: { b: '2' } });
    expect((await plane.get(maps, { namespace: NS, name: 'kept' })).data).toEqual({
      a: '1',
      b: '2',
    });
  });

  it('are made when renewals come between them', async () => {
    await hold('a', 1);
    const renewals = (async () => {
      for (let i = 0; i < 20; i++) await hold('a', 1);
    })();
    const writes = Array.from({ length: 40 }, (_, i) =>
      leader.resource(maps).create(map(`busy-${i}`)),
    );
    await Promise.all([renewals, ...writes]);
  });

  const others: readonly { name: string; holder: string; transitions: number }[] = [
    { name: 'another holds it', holder: 'b', transitions: 2 },
    { name: 'another held it in between', holder: 'a', transitions: 3 },
    { name: 'nobody holds it', holder: '', transitions: 1 },
  ];

  it.each(others)(
    'are refused when $name, whatever their verb',
    async ({ holder, transitions }) => {
      await hold('a', 1);
      const name = `m-${transitions}-${holder || 'none'}`;
      const made = await leader.resource(maps).create(map(name));
      const pod = {
        metadata: { name, namespace: NS },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      };
      const madePod = await leader.resource(resources.pods).create(pod);
      await hold(holder, transitions);
      const client = leader.resource(maps);
      const pods = leader.resource(resources.pods);
      const target = { namespace: NS, name };
      const refused = [
        () => client.create(map(`${name}-more`)),
        () => client.update({ ...made, data: { a: '1' } }),
        () => client.patch(target, 'merge', { data: { a: '1' } }),
        () =>
          client.patch(
            target,
            'apply',
            { apiVersion: 'v1', kind: 'ConfigMap', ...map(name), data: { a: '1' } },
            { fieldManager: 'm' },
          ),
        () => client.delete(target),
        () => client.deleteCollection({ namespace: NS }),
        () => pods.updateStatus({ ...madePod, status: { phase: 'Running' } }),
        () =>
          pods.createSubresource(target, 'binding', {
            metadata: target,
            target: { kind: 'Node', name: 'n' },
          }),
        () => pods.createSubresource(target, 'eviction', { metadata: target }),
      ];
      for (const write of refused)
        await expect(write()).rejects.toMatchObject({ reason: 'Fenced', code: 409 });
      expect(await plane.get(maps, target)).toEqual(made);
      expect((await plane.get(resources.pods, target)).metadata.resourceVersion).toBe(
        madePod.metadata.resourceVersion,
      );
    },
  );

  it('are refused when there is no such Lease, or the header is malformed', async () => {
    const stranger = under({ namespace: NS, name: 'nobodys', transitions: 0 });
    await expect(stranger.resource(maps).create(map('x'))).rejects.toMatchObject({
      reason: 'Fenced',
    });
    await stranger.close();
    const broken = under({ ...FENCE, name: 'No Name' });
    await expect(broken.resource(maps).create(map('x'))).rejects.toMatchObject({ code: 400 });
    await broken.close();
  });
});

describe('a leader that was paused while its lease passed to another', () => {
  let program: LeaderProgram;
  let child: LeaderChild | undefined;

  beforeAll(async () => {
    program = await LeaderProgram.build();
  }, 60_000);
  afterAll(() => {
    program.remove();
  });
  afterEach(async () => {
    await child?.stop();
    await plane.client
      .resource(resources.leases)
      .delete({ namespace: 'kube-system', name: 'paused' })
      .catch(() => undefined);
  });

  /** Takes the lease over from the paused child; the revision at which it passed. */
  async function takeOver(): Promise<number> {
    const elector = new LeaderElector({
      client: plane.client,
      lease: { namespace: 'kube-system', name: 'paused' },
      identity: 'successor',
      leaseDurationMs: 1000,
      renewDeadlineMs: 800,
      retryPeriodMs: 150,
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: createLogger({ component: 'successor' }),
    });
    const stop = new AbortController();
    let revision = 0;
    const running = elector.start(stop.signal, async (term) => {
      const lease = await plane.get(resources.leases, { namespace: 'kube-system', name: 'paused' });
      revision = Number(lease.metadata.resourceVersion);
      await new Promise((resolve) => {
        term.addEventListener('abort', resolve, { once: true });
      });
    });
    successors.push(async () => {
      stop.abort(new Error('the spec ends'));
      await running;
    });
    await eventually(() => revision > 0, SOON);
    return revision;
  }
  const successors: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of successors.splice(0)) await stop();
  });

  /** Starts a leader, pauses it in the midst of its writes, and resumes it when another leads. */
  async function pauseLeader(mode: 'careful' | 'reckless' | 'unfenced'): Promise<number> {
    const leader = program.start(plane.server, mode);
    child = leader;
    await eventually(() => leader.written.length >= 3, SOON);
    leader.pause();
    const revision = await takeOver();
    leader.resume();
    return revision;
  }

  const writtenAfter = async (revision: number): Promise<number> =>
    (await plane.list(maps, NS)).filter(
      ({ metadata }) =>
        metadata.generateName === 'by-child-' && Number(metadata.resourceVersion) > revision,
    ).length;

  it('writes nothing more: its own clock says that the time is over', async () => {
    const revision = await pauseLeader('careful');
    await eventually(() => child?.lines.includes('stopped') ?? false, SOON);
    expect(await writtenAfter(revision)).toBe(0);
  }, 60_000);

  it('writes nothing even if it does not look: the server refuses', async () => {
    const revision = await pauseLeader('reckless');
    await eventually(() => child?.lines.includes('refused Fenced') ?? false, SOON);
    expect(await writtenAfter(revision)).toBe(0);
  }, 60_000);

  it('would write if neither it nor the server looked', async () => {
    const revision = await pauseLeader('unfenced');
    await eventually(async () => (await writtenAfter(revision)) > 0, SOON);
  }, 60_000);
});

/** Leads until the term ends. */
const untilTheEnd = (term: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    term.addEventListener('abort', () => {
      resolve();
    });
  });

describe('who leads', () => {
  it('is told by metrics: the lease is read again only when another has changed it', async () => {
    const key = { namespace: 'kube-system', name: 'counted' };
    const metrics = createMetrics();
    const base = {
      client: plane.client,
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: createLogger({ component: 'counted' }),
      meters: createLeaderMeters(metrics, 'counted'),
    };
    const times = { leaseDurationMs: 60_000, renewDeadlineMs: 50_000, retryPeriodMs: 20 };
    const elector = new LeaderElector({ ...base, ...times, lease: key, identity: 'me' });
    const values = async (): Promise<number[]> =>
      (await metrics.text())
        .split('\n')
        .filter((line) => line.endsWith('"} 0') || line.endsWith('"} 1'))
        .map((line) => Number(line.at(-1)));
    expect(await values()).toEqual([0]);
    const stop = new AbortController();
    const running = elector.start(stop.signal, untilTheEnd);
    const leases = plane.client.resource(resources.leases);
    const renewed = async (): Promise<unknown> => (await leases.get(key)).spec.renewTime;
    const first = await eventually(renewed, SOON);
    await eventually(async () => (await renewed()) !== first, SOON);
    expect(await values()).toEqual([1]);
    await eventually(() => leases.patch(key, 'merge', { metadata: { labels: { a: 'b' } } }), SOON);
    await eventually(async () => {
      expect(await values()).toEqual([1, 1]);
    }, SOON);
    stop.abort();
    await running;
    expect(await values()).toEqual([0, 1]);
  });

  it('is told by events of the Lease, as upstream tells it', async () => {
    const key = { namespace: 'kube-system', name: 'told' };
    const base = {
      client: plane.client,
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: createLogger({ component: 'told' }),
    };
    const times = { leaseDurationMs: 1000, renewDeadlineMs: 800, retryPeriodMs: 150 };
    const events = new ApiEventRecorder({ ...base, component: 'told' });
    const elector = new LeaderElector({ ...base, ...times, lease: key, identity: 'me', events });
    const stop = new AbortController();
    const running = elector.start(stop.signal, untilTheEnd);
    const told = async (message: string): Promise<void> => {
      const { items } = await plane.client.resource(resources.events).list({
        namespace: 'kube-system',
        fieldSelector: 'involvedObject.kind=Lease,involvedObject.name=told,reason=LeaderElection',
      });
      expect(items.map((each) => [each.source?.component, each.message])).toContainEqual([
        'told',
        message,
      ]);
    };
    await eventually(() => told('me became leader'), SOON);
    const leases = plane.client.resource(resources.leases);
    await eventually(async () => {
      const lease = await leases.get(key);
      const spec = { ...lease.spec, holderIdentity: 'you', leaseDurationSeconds: 3600 };
      await leases.update({ ...lease, spec });
    }, SOON);
    await eventually(() => told('me stopped leading'), SOON);
    stop.abort();
    await running;
  });
});
