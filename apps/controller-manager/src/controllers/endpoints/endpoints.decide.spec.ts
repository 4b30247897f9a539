import { describe, expect, it } from '@jest/globals';
import type { Pod, Service } from '@orrery/api';
import { endpointsAnnotations, endpointsLabels, subsetsOf } from './endpoints.decide.js';

const service = (spec: object = {}): Service => ({
  metadata: { name: 'web', namespace: 'd', labels: { a: 'b' } },
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.0.0.1',
    ports: [{ port: 80, targetPort: 'http' }],
    ...spec,
  },
});

interface Shape {
  readonly ready?: boolean;
  readonly ip?: string;
  readonly port?: number;
  readonly phase?: 'Running' | 'Failed';
  readonly leaving?: boolean;
}

const pod = (name: string, shape: Shape = {}): Pod => {
  const { ready = true, ip = '10.1.0.1', port = 8080, phase = 'Running', leaving } = shape;
  return {
    metadata: {
      name,
      namespace: 'd',
      uid: name,
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }],
    },
    status: {
      phase,
      podIP: ip,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
};

const shown = (svc: Service, pods: readonly Pod[]): string[] =>
  subsetsOf(svc, pods).subsets.map(
    ({ addresses = [], notReadyAddresses = [], ports = [] }) =>
      `${addresses.map(({ ip }) => ip).join()}|${notReadyAddresses.map(({ ip }) => ip).join()}|${ports.map(({ port }) => port).join()}`,
  );

describe('subsetsOf()', () => {
  it.each([
    { name: 'are none without pods', pods: [], want: [] },
    {
      name: 'tell ready pods from others, by address',
      pods: [pod('b', { ip: '10.1.0.2' }), pod('a'), pod('c', { ip: '10.1.0.3', ready: false })],
      want: ['10.1.0.1,10.1.0.2|10.1.0.3|8080'],
    },
    {
      name: 'are one for each set of ports that a name stands for',
      pods: [pod('a'), pod('b', { ip: '10.1.0.2', port: 9090 })],
      want: ['10.1.0.1||8080', '10.1.0.2||9090'],
    },
    { name: 'leave out pods that have ended', pods: [pod('a', { phase: 'Failed' })], want: [] },
    { name: 'leave out pods without an address', pods: [pod('a', { ip: '' })], want: [] },
    {
      name: 'leave out pods that are being deleted',
      pods: [pod('a', { leaving: true })],
      want: [],
    },
    {
      name: 'take all that have an address where the Service wants them',
      service: service({ publishNotReadyAddresses: true }),
      pods: [pod('a', { ready: false }), pod('b', { ip: '10.1.0.2', leaving: true })],
      want: ['10.1.0.1,10.1.0.2||8080'],
    },
    {
      name: 'need no ports where the Service is headless',
      service: service({ clusterIP: 'None', ports: [] }),
      pods: [pod('a')],
      want: ['10.1.0.1||'],
    },
  ])('$name', ({ service: svc = service(), pods, want }) => {
    expect(shown(svc, pods)).toEqual(want);
  });

  it('hold a thousand addresses, ready ones first', () => {
    const many = Array.from({ length: 1001 }, (_, i) =>
      pod(`p${i}`, { ip: `10.1.${Math.trunc(i / 250)}.${i % 250}`, ready: i > 0 }),
    );
    const { subsets, truncated } = subsetsOf(service(), many);
    expect(truncated).toBe(true);
    expect([subsets[0]?.addresses?.length, subsets[0]?.notReadyAddresses]).toEqual([
      1000,
      undefined,
    ]);
    expect(endpointsAnnotations({ a: 'b' }, truncated)).toEqual({
      a: 'b',
      'endpoints.kubernetes.io/over-capacity': 'truncated',
    });
  });

  it('take the mark away when all fit again', () => {
    const before = { 'endpoints.kubernetes.io/over-capacity': 'truncated', a: 'b' };
    expect(endpointsAnnotations(before, false)).toEqual({ a: 'b' });
  });

  it('are labelled as the Service is', () => {
    expect(endpointsLabels(service())).toMatchObject({
      a: 'b',
      'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    });
  });
});
