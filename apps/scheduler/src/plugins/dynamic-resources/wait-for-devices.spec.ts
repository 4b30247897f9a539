import { describe, expect, it } from '@jest/globals';
import type { ResourceClaim } from '@orrery/api';
import { noActions } from '@orrery/controller';
import { pod } from '../../../test/builders.js';
import { FakeClock } from '../../../test/fake-clock.js';
import { ClaimLedger } from '../../cache/claim-ledger.js';
import type { DeviceWait } from '../../framework/plugin.js';
import type { ClaimState } from './claim-state.js';
import { waitForDevices } from './wait-for-devices.js';

const LIMIT_MS = 10_000;

const claim = (condition?: string): ResourceClaim => {
  const device = { driver: 'd', pool: 'p', device: 'x' };
  const conditions = condition ? [{ type: condition, status: 'True' }] : [];
  return {
    metadata: { name: 'c', namespace: 'default' },
    spec: {},
    status: {
      allocation: {
        devices: {
          results: [
            {
              ...device,
              request: 'r',
              bindingConditions: ['yes'],
              bindingFailureConditions: ['no'],
            },
          ],
        },
      },
      devices: [{ ...device, conditions }],
    },
  } as unknown as ResourceClaim;
};

describe('waitForDevices() tells how long it waited, and what came of it', () => {
  it.each([
    { name: 'attached', condition: 'yes', status: 'success' },
    { name: 'refused', condition: 'no', status: 'failure' },
    { name: 'silent', condition: undefined, status: 'timeout' },
  ])('$name: $status', async ({ condition, status }) => {
    const told: DeviceWait[] = [];
    class Steps extends FakeClock {
      override sleep(ms: number): Promise<void> {
        this.advance(ms);
        return Promise.resolve();
      }
    }
    const waiting = {
      clock: new Steps(),
      events: noActions,
      ledger: new ClaimLedger(),
      bindingMs: LIMIT_MS,
      nodeName: 'n1',
      schedulerName: 'p',
      deviceWaited: (wait: DeviceWait) => {
        told.push(wait);
      },
    };
    const state = { claims: [claim(condition)] } as unknown as ClaimState;
    const waited = waitForDevices(state, pod('a').build(), waiting, new AbortController().signal);
    await waited.catch(() => undefined);
    expect(told).toEqual([
      { profile: 'p', driver: 'd', status, seconds: status === 'timeout' ? 10.5 : 0 },
    ]);
  });
});
