import { describe, expect, it } from '@jest/globals';
import type { NodeStatus } from '@orrery/api';
import { sameNodeStatus, statusPatch } from './node-status-changes.js';

const ready = (changes: object = {}) => ({
  type: 'Ready',
  status: 'True',
  lastHeartbeatTime: '2026-01-02T03:04:05Z',
  ...changes,
});

const told: NodeStatus = {
  capacity: { cpu: '8', memory: '33554432Ki' },
  allocatable: { cpu: '7600m', memory: '33452032Ki' },
  conditions: [ready()],
};

describe('sameNodeStatus()', () => {
  it.each<{ name: string; shown: NodeStatus; want: boolean }>([
    { name: 'is the same as what it was', shown: told, want: true },
    {
      name: "takes a server's way to write an amount for the same",
      shown: {
        ...told,
        capacity: { cpu: '8', memory: '32Gi' },
        allocatable: { cpu: '7600m', memory: '32668Mi' },
      },
      want: true,
    },
    {
      name: 'does not take a later heartbeat for a change',
      shown: { ...told, conditions: [ready({ lastHeartbeatTime: '2026-01-02T03:05:05Z' })] },
      want: true,
    },
    {
      name: 'leaves conditions of others alone',
      shown: { ...told, conditions: [{ type: 'Other', status: 'True' }, ready()] },
      want: true,
    },
    {
      name: 'sees an amount that is another',
      shown: { ...told, allocatable: { cpu: '7600m', memory: '32667Mi' } },
      want: false,
    },
    {
      name: 'sees a capacity that is another',
      shown: { ...told, capacity: { cpu: '8', memory: '31Gi' } },
      want: false,
    },
    {
      name: 'sees an amount that is gone, and one more',
      shown: { ...told, allocatable: { cpu: '7600m', 'example.com/gpu': '1' } },
      want: false,
    },
    {
      name: 'sees a condition that is another',
      shown: { ...told, conditions: [ready({ status: 'Unknown' })] },
      want: false,
    },
  ])('$name', ({ shown, want }) => {
    expect(sameNodeStatus(shown, told)).toBe(want);
  });
});

describe('statusPatch()', () => {
  it('takes out what may not be given any more, and replaces addresses as a whole', () => {
    const old = { ...told, allocatable: { 'example.com/gpu': '1' }, addresses: [] };
    const addresses = [{ type: 'Hostname', address: 'n' }];
    expect(statusPatch(old, { ...told, addresses })).toMatchObject({
      allocatable: { cpu: '7600m', 'example.com/gpu': null },
      addresses: [...addresses, { $patch: 'replace' }],
    });
  });
});
