import { describe, expect, it } from '@jest/globals';
import type { Node } from '@orrery/api';
import { desiredRoutes, routeChanges, tunnelMac } from './routes.js';
import type { Route, RouteMode } from './routes.js';

const node = (name: string, podCIDR?: string, address?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: podCIDR === undefined ? {} : { podCIDR },
  status: address === undefined ? {} : { addresses: [{ type: 'InternalIP', address }] },
});
const SERVICES: Route = { to: '10.96.0.0/12', kind: 'local' };

describe('desiredRoutes()', () => {
  it.each<{ name: string; mode?: RouteMode; nodes: Node[]; want: Route[] }>([
    { name: 'has the service range before any node is known', nodes: [], want: [] },
    {
      name: 'makes its own pod range local',
      nodes: [node('a', '10.244.1.0/24', '172.18.0.5')],
      want: [{ to: '10.244.1.0/24', kind: 'local' }],
    },
    {
      name: 'sends the pod range of another node to that node',
      nodes: [node('b', '10.244.2.0/24', '172.18.0.6')],
      want: [{ to: '10.244.2.0/24', kind: 'via', via: '172.18.0.6' }],
    },
    {
      name: 'leaves out a node without range or address',
      nodes: [node('b', undefined, '172.18.0.6'), node('c', '10.244.3.0/24')],
      want: [],
    },
    {
      name: 'leaves its own range to the bridge',
      mode: 'host-gw',
      nodes: [node('a', '10.244.1.0/24', '172.18.0.5'), node('b', '10.244.2.0/24', '172.18.0.6')],
      want: [{ to: '10.244.2.0/24', kind: 'via', via: '172.18.0.6' }],
    },
    {
      name: 'sends the pod range of another node through the tunnel to it',
      mode: 'vxlan',
      nodes: [node('b', '10.244.2.0/24', '172.18.0.6')],
      want: [
        {
          to: '10.244.2.0/24',
          kind: 'tunnel',
          via: '10.244.2.0',
          mac: '0a:58:0a:f4:02:00',
          node: '172.18.0.6',
        },
      ],
    },
    {
      name: 'has both stacks of a node',
      nodes: [
        {
          ...node('b'),
          spec: { podCIDRs: ['10.244.2.0/24', 'fd00:2::/64'] },
          status: {
            addresses: [
              { type: 'InternalIP', address: '172.18.0.6' },
              { type: 'InternalIP', address: 'fd00::6' },
            ],
          },
        },
      ],
      want: [
        { to: '10.244.2.0/24', kind: 'via', via: '172.18.0.6' },
        { to: 'fd00:2::/64', kind: 'via', via: 'fd00::6' },
      ],
    },
    {
      name: 'leaves pods to others without a backend',
      mode: 'none',
      nodes: [node('b', '10.244.2.0/24', '172.18.0.6')],
      want: [],
    },
  ])('$name', ({ nodes, mode = 'routed', want }) => {
    const options = { self: 'a', serviceCidrs: [SERVICES.to], mode };
    expect(desiredRoutes(nodes, options)).toEqual([SERVICES, ...want]);
  });
});

describe('routeChanges()', () => {
  const far: Route = { to: '10.244.2.0/24', kind: 'via', via: '172.18.0.6' };
  const moved: Route = { ...far, via: '172.18.0.9' };
  const near: Route = { to: far.to, kind: 'local' };
  it.each<{ name: string; now: Route[]; wanted: Route[]; remove: Route[]; add: Route[] }>([
    { name: 'does nothing when all is there', now: [far], wanted: [far], remove: [], add: [] },
    { name: 'adds what is new', now: [], wanted: [far], remove: [], add: [far] },
    { name: 'removes what is no longer wanted', now: [far], wanted: [], remove: [far], add: [] },
    {
      name: 'replaces the route of a node that moved',
      now: [far],
      wanted: [moved],
      remove: [],
      add: [moved],
    },
    {
      name: 'removes a far route before the range becomes local',
      now: [far],
      wanted: [near],
      remove: [far],
      add: [near],
    },
  ])('$name', ({ now, wanted, remove, add }) => {
    expect(routeChanges(new Map(now.map((r) => [r.to, r])), wanted)).toEqual({ remove, add });
  });
});

describe(tunnelMac.name, () => {
  it.each([
    { cidrs: ['10.244.2.0/24'], want: '0a:58:0a:f4:02:00' },
    { cidrs: ['fd00:10:244:2::/64'], want: '0a:58:02:44:00:02' },
    { cidrs: ['fd00:10:244::/64'], want: '0a:58:02:44:00:00' },
    { cidrs: ['fd00:10:244:2::/64', '10.244.2.0/24'], want: '0a:58:0a:f4:02:00' },
    { cidrs: [], want: undefined },
  ])('of $cidrs is $want', ({ cidrs, want }) => {
    expect(tunnelMac(cidrs)).toBe(want);
  });
});
