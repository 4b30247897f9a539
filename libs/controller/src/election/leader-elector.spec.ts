import { expect, it } from '@jest/globals';
import { StatusError } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { SystemClock, silentLogger } from '@orrery/component';
import type { Logger } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { LeaderElector } from './leader-elector.js';

it('says why it may not have the lease, once for each reason', async () => {
  const reasons = ['no right', 'no right', 'no right', 'no room'];
  const warned: unknown[] = [];
  let asked = 0;
  const get = (): Promise<never> => {
    const reason = reasons[Math.min(asked++, reasons.length - 1)] ?? '';
    return Promise.reject(new StatusError(403, 'Forbidden', reason));
  };
  const logger = Object.assign(Object.create(silentLogger) as Logger, {
    warn: (_message: string, about: unknown) => {
      warned.push(about);
    },
  });
  const elector = new LeaderElector({
    client: { resource: () => ({ get }) } as unknown as KubeClient,
    lease: { namespace: 'kube-system', name: 'second' },
    identity: 'me',
    retryPeriodMs: 1,
    clock: new SystemClock(),
    random: { next: () => 0, uuid: () => 'uuid' },
    logger,
  });
  const stop = new AbortController();
  const running = elector.start(stop.signal, () => Promise.resolve());
  await eventually(() => asked > reasons.length + 1);
  stop.abort();
  await running;
  expect(warned).toEqual([
    { lease: 'second', error: 'StatusError: no right' },
    { lease: 'second', error: 'StatusError: no room' },
  ]);
});

it('is not well while it goes on with its work long after its lease ran out', async () => {
  const real = new SystemClock();
  let ahead = 0;
  const clock = Object.assign(Object.create(real) as SystemClock, {
    monotonic: () => real.monotonic() + ahead,
  });
  const refuse = (): Promise<never> => Promise.reject(new StatusError(403, 'Forbidden', 'no'));
  const create = (lease: unknown): Promise<unknown> => Promise.resolve(lease);
  const get = (): Promise<never> => Promise.reject(new StatusError(404, 'NotFound', 'none'));
  const elector = new LeaderElector({
    client: { resource: () => ({ get, create, update: refuse }) } as unknown as KubeClient,
    lease: { namespace: 'kube-system', name: 'first' },
    identity: 'me',
    retryPeriodMs: 1,
    clock,
    random: { next: () => 0, uuid: () => 'uuid' },
    logger: silentLogger,
  });
  const stop = new AbortController();
  let begun = false;
  let finish = (): void => undefined;
  const lead = (): Promise<void> => {
    begun = true;
    return new Promise<void>((resolve) => (finish = resolve));
  };
  const running = elector.start(stop.signal, lead);
  await eventually(() => begun);
  expect(elector.problem).toBeUndefined();
  ahead = 36_000;
  expect(elector.problem).toBe('failed election to renew leadership on lease first');
  stop.abort();
  finish();
  await running;
  expect(elector.problem).toBeUndefined();
});
