import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { pod } from '../../test/builders.js';
import { FakeClock } from '../../test/fake-clock.js';
import type { ClusterEventName } from '../framework/cluster-event.js';
import type { QueuedPod } from './queued-pod.js';
import { SchedulingQueue } from './scheduling-queue.js';

const MINUTE = 60_000;

describe(SchedulingQueue.name, () => {
  let clock: FakeClock;
  let queue: SchedulingQueue;
  let helpful: ClusterEventName;

  let isHeld: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    helpful = 'NodeAdd';
    isHeld = true;
    queue = new SchedulingQueue({
      clock,
      backoff: { initialMs: 1000, maxMs: 10_000 },
      maxUnschedulableMs: 5 * MINUTE,
      policy: {
        less: (a, b) => a.info.priority > b.info.priority,
        gated: (each) =>
          each.metadata.annotations?.['waits'] === 'yes'
            ? isHeld
            : (each.spec.schedulingGates ?? []).length > 0,
        mayRelease: (_pod, event) => event.name === 'ResourceClaim',
        helps: (_pod, event) => event.name === helpful,
      },
    });
  });

  const never = new AbortController().signal;
  const take = async (): Promise<QueuedPod> => {
    const next = await queue.pop(never);
    if (!next) throw new Error('nothing in the queue');
    return next;
  };
  const refuse = (taken: QueuedPod): void => {
    taken.refusals += 1;
    taken.refusedBy = new Set(['NodeResourcesFit']);
    queue.putBack(taken, taken.info);
  };
  const fail = (taken: QueuedPod): void => {
    taken.errors += 1;
    queue.putBack(taken, taken.info);
  };

  it('tells which pods wait after a refusal, which events are kept, and what is tried for its long wait alone', async () => {
    queue.add(pod('a').build());
    const taken = await take();
    queue.onEvent({ name: 'NodeTaint' });
    expect([...queue.keptEvents]).toEqual([['NodeTaint', 1]]);
    refuse(taken);
    expect([...queue.refused()].map(({ info }) => info.name)).toEqual(['a']);
    expect(queue.keptEvents.size).toBe(0);
    clock.advance(6 * MINUTE);
    queue.flush();
    const again = await take();
    expect(again.flushed).toBe(true);
    refuse(again);
    queue.onEvent({ name: helpful });
    expect((await take()).flushed).toBe(false);
  });

  it('gives the most important pod first', async () => {
    for (const [name, priority] of [
      ['a', 1],
      ['b', 9],
      ['c', 5],
    ] as const)
      queue.add(pod(name).priority(priority).build());
    const order = [await take(), await take(), await take()];
    expect(order.map(({ info }) => info.name)).toEqual(['b', 'c', 'a']);
  });

  it('keeps a refused pod until something happens that helps', async () => {
    queue.add(pod('a').build());
    refuse(await take());
    queue.onEvent({ name: 'NodeLabel' });
    expect(queue.sizes).toMatchObject({ unschedulable: 1, active: 0, backoff: 0 });
    queue.onEvent({ name: 'NodeAdd' });
    expect(queue.sizes).toMatchObject({ unschedulable: 0, backoff: 1 });
  });

  it('remembers which event woke a refused pod', async () => {
    queue.add(pod('a').build());
    refuse(await take());
    queue.onEvent({ name: 'NodeAdd', new: { metadata: { name: 'n', resourceVersion: '41' } } });
    clock.advance(MINUTE);
    expect(await take()).toMatchObject({ wokenBy: 41 });
  });

  it('does not miss what helps while the pod is being tried', async () => {
    queue.add(pod('a').build());
    const taken = await take();
    queue.onEvent({ name: 'NodeAdd' });
    refuse(taken);
    expect(queue.sizes).toMatchObject({ unschedulable: 0, backoff: 1 });
  });

  it('forgets events once nothing that they could help is in flight', async () => {
    queue.add(pod('a').build());
    const first = await take();
    queue.onEvent({ name: 'NodeAdd' });
    refuse(first);
    const second = await take();
    refuse(second);
    expect(queue.sizes).toMatchObject({ unschedulable: 1, backoff: 0 });
  });

  it('gives a refused pod before its backoff ends when nothing else is to do', async () => {
    queue.add(pod('a').build());
    refuse(await take());
    queue.onEvent({ name: 'NodeAdd' });
    expect((await take()).attempts).toBe(2);
  });

  it('doubles the wait after each error, up to ten seconds', async () => {
    queue.add(pod('a').build());
    const waits: number[] = [];
    let taken = await take();
    while (waits.length < 6) {
      fail(taken);
      const from = clock.monotonic();
      const next = queue.pop(never);
      while (queue.sizes.backoff === 1) {
        clock.advance(500);
        queue.flush();
      }
      waits.push(clock.monotonic() - from);
      taken = (await next) ?? taken;
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('tries a refused pod again after five minutes although nothing happened', async () => {
    queue.add(pod('a').build());
    refuse(await take());
    clock.advance(5 * MINUTE + 1);
    queue.flush();
    expect(queue.sizes.active).toBe(1);
  });

  it('holds a gated pod whatever happens, until it is changed', () => {
    const gated = pod('a')
      .spec({ schedulingGates: [{ name: 'x' }] })
      .build();
    queue.add(gated);
    queue.onEvent({ name: 'NodeAdd' });
    clock.advance(6 * MINUTE);
    queue.flush();
    expect(queue.sizes).toMatchObject({ gated: 1, active: 0 });
    queue.update(pod('a').build(), gated);
    expect(queue.sizes).toMatchObject({ gated: 0, active: 1 });
  });

  it('lets a gated pod go when an event brings what it waits for', () => {
    const gated = pod('a').build();
    gated.metadata.annotations = { waits: 'yes' };
    queue.add(gated);
    queue.onEvent({ name: 'ResourceClaim' });
    expect(queue.sizes).toMatchObject({ gated: 1, active: 0 });
    isHeld = false;
    queue.onEvent({ name: 'NodeAdd' });
    expect(queue.sizes).toMatchObject({ gated: 1, active: 0 });
    queue.onEvent({ name: 'ResourceClaim' });
    expect(queue.sizes).toMatchObject({ gated: 0, active: 1 });
  });

  it('ignores a change of the status of a refused pod, not one of its spec', async () => {
    const before = pod('a').build();
    queue.add(before);
    refuse(await take());
    queue.update(pod('a').startedAt('now').build(), before);
    expect(queue.sizes.unschedulable).toBe(1);
    queue.update(pod('a').labels({ x: 'y' }).build(), before);
    expect(queue.sizes.unschedulable).toBe(0);
  });

  it('forgets a deleted pod', async () => {
    queue.add(pod('a').build());
    queue.delete({ namespace: 'default', name: 'a' });
    expect(queue.sizes.active).toBe(0);
    queue.add(pod('b').build());
    expect((await take()).info.name).toBe('b');
  });

  it('does not take a pod twice', async () => {
    const a: Pod = pod('a').build();
    queue.add(a);
    await take();
    queue.add(a);
    expect(queue.sizes.active).toBe(0);
  });

  it('ends a wait when the signal aborts', async () => {
    const stop = new AbortController();
    const next = queue.pop(stop.signal);
    stop.abort();
    expect(await next).toBeUndefined();
  });
});
