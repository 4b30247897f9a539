import type { Pod } from '@orrery/api';
import { SystemClock, silentLogger } from '@orrery/component';
import { eventually as retry } from '@orrery/testkit';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { podOf } from '../../test/builders.js';
import { FakeApi } from '../../test/fake-api.js';
import { runFleetWith } from './hollow-fleet.js';
import { HollowFlags } from './hollow-flags.js';

jest.setTimeout(60_000);

const eventually = (fn: () => void): Promise<void> => retry(fn, { timeoutMs: 30_000 });

/** Rounds go on this many times faster than the machine's time. */
const SPEED = 200;

class FastClock extends SystemClock {
  override now(): number {
    return super.now() * SPEED;
  }

  override monotonic(): number {
    return super.monotonic() * SPEED;
  }

  override after(...[ms, ...rest]: Parameters<SystemClock['after']>): () => void {
    return super.after(ms / SPEED, ...rest);
  }
}

describe(runFleetWith.name, () => {
  let api: FakeApi;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    api = new FakeApi();
    stop = new AbortController();
    const flags = Object.assign(new HollowFlags(), { hollowNodes: 3, rootDir: '/nowhere' });
    const context = {
      client: api.client,
      signal: stop.signal,
      clock: new FastClock(),
      logger: silentLogger,
    };
    running = runFleetWith(flags, context);
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  const readyNodes = (): readonly (string | undefined)[] =>
    api
      .all('nodes')
      .filter(({ status }) =>
        ((status?.['conditions'] ?? []) as { type: string; status: string }[]).some(
          (one) => one.type === 'Ready' && one.status === 'True',
        ),
      )
      .map(({ metadata }) => metadata.name);

  const boundPod = (name: string, node: string): Pod => ({
    ...podOf(name),
    spec: { ...podOf(name).spec, nodeName: node },
  });

  it('registers each node, Ready, with a Lease', async () => {
    await eventually(() => {
      expect(readyNodes()).toEqual(['hollow-0001', 'hollow-0002', 'hollow-0003']);
      expect(api.all('leases')).toHaveLength(3);
    });
    const key = { namespace: 'kube-node-lease', name: 'hollow-0002' };
    expect(api.get('leases', key)?.spec).toMatchObject({ holderIdentity: 'hollow-0002' });
  });

  it('renews every Lease again and again, and writes nothing else', async () => {
    await eventually(() => expect(api.all('leases')).toHaveLength(3));
    const before = api.writes.length;
    await eventually(() => expect(api.writes.length).toBeGreaterThan(before + 30));
    const idle = api.writes.slice(before).filter((write) => write !== 'update leases');
    // At most the heartbeat of a status, which comes every five minutes of this fast time.
    expect(new Set(idle).size).toBeLessThanOrEqual(1);
  });

  it('registers a node again that was deleted', async () => {
    await eventually(() => expect(readyNodes()).toHaveLength(3));
    api.remove('nodes', { name: 'hollow-0002' });
    await eventually(() => expect(readyNodes()).toContain('hollow-0002'));
  });

  it('gives a pod of a node that was idle an address of its range, and ends it', async () => {
    await eventually(() => expect(readyNodes()).toHaveLength(3));
    const node = api.get('nodes', { name: 'hollow-0002' });
    api.put('nodes', {
      ...node,
      metadata: { ...node?.metadata },
      spec: { podCIDR: '10.9.8.0/24' },
    });
    api.put('pods', boundPod('p', 'hollow-0002'));
    const key = { namespace: 'default', name: 'p' };
    await eventually(() =>
      expect(api.get('pods', key)?.status).toMatchObject({ phase: 'Running', podIP: '10.9.8.2' }),
    );
    const pod = api.get('pods', key);
    api.put('pods', {
      ...pod,
      metadata: {
        ...pod?.metadata,
        deletionTimestamp: '2026-11-21T00:00:00Z',
        deletionGracePeriodSeconds: 1,
      },
    });
    await eventually(() => expect(api.get('pods', key)).toBeUndefined());
  });
});
