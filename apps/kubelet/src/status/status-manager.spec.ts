import { describe, expect, it } from '@jest/globals';
import type { Pod, PodStatus } from '@orrery/api';
import { newNotFound } from '@orrery/apimachinery';
import type { Reaction } from '@orrery/apimachinery';
import { currentReaction } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { StatusManager } from './status-manager.js';
import type { PodWriter } from './status-manager.js';
import { diffStatus } from './status-patch.js';

const pod = (over: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u', ...over },
  spec: { containers: [] },
});

class FakeApi {
  readonly log: string[] = [];
  failNext: Error | undefined;
  /** Resolved writes wait for this. */
  gate: Promise<void> = Promise.resolve();

  async patchStatus(target: Pod, patch: Readonly<Record<string, unknown>>): Promise<Pod> {
    await this.gate;
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure) throw failure;
    const status = patch['status'] as PodStatus;
    this.log.push(`patch ${status.phase ?? ''}`);
    return { ...target, status: { ...target.status, ...status } };
  }

  deletePod(): Promise<void> {
    this.log.push('delete');
    return Promise.resolve();
  }
}

function setUp(): { api: FakeApi; manager: StatusManager; retries: (() => void)[] } {
  const api = new FakeApi();
  const retries: (() => void)[] = [];
  const manager = new StatusManager(api, { apiPod: (one) => one }, silentLogger, (_, retry) =>
    retries.push(retry),
  );
  return { api, manager, retries };
}

describe('StatusManager', () => {
  it('writes a status once', async () => {
    const { api, manager } = setUp();
    manager.set(pod(), { phase: 'Pending' });
    await manager.settled();
    manager.set(pod(), { phase: 'Pending' });
    await manager.settled();
    expect(api.log).toEqual(['patch Pending']);
  });

  it('skips what was overtaken while a write was under way', async () => {
    const { api, manager } = setUp();
    let open = (): void => undefined;
    api.gate = new Promise((resolve) => (open = resolve));
    manager.set(pod(), { phase: 'Pending' });
    manager.set(pod(), { phase: 'Running' });
    manager.set(pod(), { phase: 'Succeeded' });
    open();
    await manager.settled();
    expect(api.log).toEqual(['patch Pending', 'patch Succeeded']);
  });

  it('sends what is newest when its turn at a shared gate comes', async () => {
    const api = new FakeApi();
    const turns: (() => void)[] = [];
    const manager = new StatusManager(
      api,
      { apiPod: (one) => one },
      silentLogger,
      () => undefined,
      {
        gate: async (write) => {
          await new Promise<void>((resolve) => turns.push(resolve));
          return write();
        },
      },
    );
    manager.set(pod(), { phase: 'Pending' });
    manager.set(pod(), { phase: 'Running' });
    const settled = manager.settled();
    for (let i = 0; i < 2; i++) {
      turns.shift()?.();
      await new Promise(setImmediate);
    }
    await settled;
    expect(api.log).toEqual(['patch Running']);
  });

  it('deletes a deleted pod only after its last status and its containers', async () => {
    const { api, manager } = setUp();
    const deleted = pod({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    manager.set(deleted, { phase: 'Running' });
    await manager.settled();
    manager.set(deleted, { phase: 'Succeeded' });
    manager.reclaim(deleted);
    await manager.settled();
    expect(api.log).toEqual(['patch Running', 'patch Succeeded', 'delete']);
  });

  it('does not delete a finished pod that nobody deleted, until somebody does', async () => {
    const { api, manager } = setUp();
    manager.set(pod(), { phase: 'Succeeded' });
    manager.reclaim(pod());
    await manager.settled();
    expect(api.log).toEqual(['patch Succeeded']);
    const deleted = pod({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    manager.observe({ ...deleted, status: { phase: 'Succeeded' } });
    await manager.settled();
    expect(api.log).toEqual(['patch Succeeded', 'delete']);
  });

  it.each([
    { name: 'writes again what somebody else changed', ready: 'False', want: 2 },
    { name: 'leaves alone what is as it wrote it', ready: 'True', want: 1 },
  ])('$name', async ({ ready: shown, want }) => {
    const { api, manager } = setUp();
    manager.set(pod(), { phase: 'Running', conditions: [ready] });
    await manager.settled();
    const conditions = [{ ...ready, status: shown }];
    manager.observe({ ...pod(), status: { phase: 'Running', conditions } });
    await manager.settled();
    expect(api.log).toHaveLength(want);
  });

  it('does not take an older view of the pod for a change', async () => {
    const { api, manager } = setUp();
    manager.set(pod({ resourceVersion: '7' }), { phase: 'Running' });
    await manager.settled();
    manager.observe({ ...pod({ resourceVersion: '6' }), status: { phase: 'Pending' } });
    await manager.settled();
    expect(api.log).toEqual(['patch Running']);
  });

  it('tries again after a failure, with the newest status', async () => {
    const { api, manager, retries } = setUp();
    api.failNext = new Error('no route');
    manager.set(pod(), { phase: 'Pending' });
    await manager.settled();
    retries[0]?.();
    await manager.settled();
    expect(api.log).toEqual(['patch Pending']);
  });

  it('gives up on a pod that is gone', async () => {
    const { api, manager, retries } = setUp();
    api.failNext = newNotFound({ group: '', resource: 'pods' }, 'p');
    manager.set(pod(), { phase: 'Pending' });
    await manager.settled();
    expect([api.log, retries]).toEqual([[], []]);
  });
});

interface DiffCase {
  readonly name: string;
  readonly before: PodStatus;
  readonly after: PodStatus;
  readonly want: unknown;
}

const ready = { type: 'Ready', status: 'True', lastTransitionTime: 't1' };
const foreign = { type: 'example.com/gate', status: 'True' };

describe('diffStatus()', () => {
  it.each<DiffCase>([
    {
      name: 'nothing for equal statuses',
      before: { phase: 'Running', conditions: [foreign, ready] },
      after: { phase: 'Running', conditions: [ready] },
      want: undefined,
    },
    {
      name: 'changed fields only',
      before: { phase: 'Pending', qosClass: 'Burstable' },
      after: { phase: 'Running', qosClass: 'Burstable' },
      want: { phase: 'Running' },
    },
    {
      name: 'null for what went',
      before: { phase: 'Failed', reason: 'Evicted' },
      after: { phase: 'Failed' },
      want: { reason: null },
    },
    {
      name: 'an address that changed',
      before: { podIPs: [{ ip: '10.0.0.1' }] },
      after: { podIPs: [{ ip: '10.0.0.2' }] },
      want: { podIPs: [{ ip: '10.0.0.2' }, { $patch: 'delete', ip: '10.0.0.1' }] },
    },
    {
      name: 'resources of the pod as a whole',
      before: { resources: { requests: { cpu: '1' } }, allocatedResources: { cpu: '1' } },
      after: { resources: { limits: { cpu: '1' } } },
      want: { resources: { limits: { cpu: '1' }, $patch: 'replace' }, allocatedResources: null },
    },
    {
      name: 'one condition, its old reason removed',
      before: { conditions: [{ ...ready, status: 'False', reason: 'ContainersNotReady' }] },
      after: { conditions: [ready] },
      want: { conditions: [{ ...ready, reason: null, message: null, lastProbeTime: null }] },
    },
  ])('gives $name', ({ before, after, want }) => {
    expect(diffStatus(before, after)).toEqual(want);
  });

  it('says that it reacts to the newest state that others wrote, not to its own writes', async () => {
    const told: (Reaction | undefined)[] = [];
    let revision = 10;
    const at = (resourceVersion: number): Pod => pod({ resourceVersion: String(resourceVersion) });
    const writer: PodWriter = {
      patchStatus: (_, { status }) => {
        told.push(currentReaction());
        return Promise.resolve({ ...at(++revision), status: status as PodStatus });
      },
      deletePod: () => Promise.resolve(),
    };
    const manager = new StatusManager(writer, { apiPod: (one) => one }, silentLogger, () => 0);
    manager.set(at(10), { phase: 'Pending' });
    await manager.settled();
    manager.observe({ ...at(11), status: { phase: 'Pending' } });
    manager.set(at(11), { phase: 'Running' });
    await manager.settled();
    manager.observe({ ...at(15), status: { phase: 'Running' } });
    manager.set(at(15), { phase: 'Succeeded' });
    await manager.settled();
    const because = (seen: number): Reaction => ({ controller: 'kubelet', revision: seen });
    expect(told).toEqual([because(10), because(10), because(15)]);
  });
});
