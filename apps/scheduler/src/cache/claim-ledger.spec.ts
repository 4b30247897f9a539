import { describe, expect, it } from '@jest/globals';
import type { ResourceClaim } from '@orrery/api';
import { SteppedClock } from '@orrery/component';
import { DRIVER, claim } from '../../test/devices.js';
import { ClaimLedger } from './claim-ledger.js';

const key = { namespace: 'default', name: 'a' };
const ID = `${DRIVER}/p/d0`;

const allocated = (resourceVersion: string, over: object = {}): ResourceClaim => {
  const free = claim('a');
  const result = { request: 'r', driver: DRIVER, pool: 'p', device: 'd0', ...over };
  return {
    ...free,
    metadata: { ...free.metadata, resourceVersion },
    status: { allocation: { devices: { results: [result] } } },
  };
};

describe(ClaimLedger.name, () => {
  it('counts what is decided from the decision to the end of the claim', () => {
    const ledger = new ClaimLedger();
    ledger.observe(claim('a'));
    expect(ledger.taken.has(ID)).toBe(false);
    ledger.pend(allocated('1'));
    expect([ledger.taken.has(ID), ledger.isPending('uid-a')]).toEqual([true, true]);
    ledger.assume(allocated('2'));
    ledger.settle(claim('a'));
    expect([ledger.taken.has(ID), ledger.isPending('uid-a')]).toEqual([true, false]);
    ledger.observe(allocated('2'));
    expect(ledger.taken.has(ID)).toBe(true);
    ledger.forget(allocated('2'));
    expect([ledger.taken.has(ID), ledger.get(key)]).toEqual([false, undefined]);
  });

  it('tells once the watch shows a claim, or that time is up', async () => {
    const ledger = new ClaimLedger();
    const clock = new SteppedClock();
    const { signal } = new AbortController();
    const soon = ledger.whenSeen(key, { clock, ms: 100 }, signal);
    ledger.observe(claim('b'));
    ledger.observe(claim('a'));
    await soon;
    await ledger.whenSeen(key, { clock, ms: 100 }, signal);
    const late = ledger.whenSeen({ ...key, name: 'c' }, { clock, ms: 100 }, signal);
    let isOver = false;
    void late.then(() => (isOver = true));
    await clock.step(99);
    expect(isOver).toBe(false);
    await clock.step(1);
    await late;
  });

  it('ends the wait for a claim with its reason', async () => {
    const stop = new AbortController();
    const clock = new SteppedClock();
    const waiting = new ClaimLedger().whenSeen(key, { clock, ms: 100 }, stop.signal);
    stop.abort(new Error('the scheduler ends'));
    await expect(waiting).rejects.toThrow('the scheduler ends');
  });

  it('gives back what was decided and not written', () => {
    const ledger = new ClaimLedger();
    ledger.observe(claim('a'));
    ledger.pend(allocated('1'));
    ledger.settle(claim('a'));
    expect(ledger.taken.has(ID)).toBe(false);
  });

  it('believes its own write until the watch is as new', () => {
    const ledger = new ClaimLedger();
    ledger.observe(claim('a'));
    ledger.assume(allocated('5'));
    ledger.observe({ ...claim('a'), metadata: { ...claim('a').metadata, resourceVersion: '4' } });
    expect(ledger.get(key)?.metadata.resourceVersion).toBe('5');
    ledger.observe({ ...claim('a'), metadata: { ...claim('a').metadata, resourceVersion: '6' } });
    expect([ledger.get(key)?.metadata.resourceVersion, ledger.taken.has(ID)]).toEqual(['6', false]);
  });

  it('counts devices that are shared by what is consumed of them', () => {
    const ledger = new ClaimLedger();
    ledger.observe(allocated('1', { shareID: 's', consumedCapacity: { memory: '2' } }));
    expect(ledger.taken.has(ID)).toBe(false);
    expect(ledger.taken.consumed(ID)).toEqual(new Map([['memory', 2_000_000_000n]]));
    ledger.forget(allocated('1'));
    expect(ledger.taken.consumed(ID)).toBeUndefined();
  });

  it('leaves devices of administrators to others', () => {
    const ledger = new ClaimLedger();
    ledger.observe(allocated('1', { adminAccess: true }));
    expect(ledger.taken.has(ID)).toBe(false);
  });
});
