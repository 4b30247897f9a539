import { describe, expect, it } from '@jest/globals';
import { decodeChanges, decodePolicies, decodeReplacement } from './rule-set.request.js';

const backend = { address: '10.244.1.2', port: 8080, weight: 1 };
const rule = {
  id: 'default/web:http',
  protocol: 'TCP',
  frontends: [{ address: '10.96.0.5', port: 80, kind: 'clusterIP' }],
  policy: 'random',
  affinityMs: 0,
  backends: [backend, { ...backend, address: 'fd00::2', weight: 0.5, host: 'pod' }],
};
const full = {
  ...rule,
  inside: { sources: ['10.244.0.0/16'], backends: [backend] },
  allowedSources: ['10.0.0.0/8'],
  maxConnections: 5,
  udpIdleMs: 1_000,
};

describe('the form of rules', () => {
  it('takes what kube-proxy sends, as it is', () => {
    const body = { sources: ['10.0.0.2'], rules: [rule, full] };
    expect(decodeReplacement(body)).toBe(body);
    const changes = { set: [full], remove: ['TCP default/old'] };
    expect(decodeChanges(changes)).toBe(changes);
    expect(decodeReplacement({ sources: [], rules: [] })).toEqual({ sources: [], rules: [] });
  });

  it.each<{ name: string; body: unknown; want: string }>([
    { name: 'no object', body: null, want: ' must be an object' },
    { name: 'a list', body: [], want: ' must be an object' },
    { name: 'no rules', body: { sources: [] }, want: 'rules is missing' },
    { name: 'another field', body: { sources: [], rules: [], x: 1 }, want: 'x is unknown' },
    {
      name: 'a prototype',
      body: JSON.parse('{"sources":[],"rules":[],"__proto__":{"rules":[]}}') as unknown,
      want: '__proto__ is unknown',
    },
    {
      name: 'sources that are no texts',
      body: { sources: [1], rules: [] },
      want: 'sources[0] must be a text',
    },
  ])('refuses $name', ({ body, want }) => {
    expect(decodeReplacement(body)).toContain(want);
  });

  it.each<{ name: string; change: object; want: string }>([
    { name: 'no id', change: { id: '' }, want: 'rules[0].id must be a text that is not empty' },
    {
      name: 'SCTP',
      change: { protocol: 'SCTP' },
      want: 'rules[0].protocol must be one of TCP, UDP',
    },
    {
      name: 'no frontends',
      change: { frontends: [] },
      want: 'rules[0].frontends must be a list that is not empty',
    },
    {
      name: 'a name for an address',
      change: { backends: [{ ...backend, address: 'localhost' }] },
      want: 'rules[0].backends[0].address must be an IP address',
    },
    {
      name: 'port 0',
      change: { backends: [{ ...backend, port: 0 }] },
      want: 'rules[0].backends[0].port must be a port',
    },
    {
      name: 'port 65536',
      change: { backends: [{ ...backend, port: 65_536 }] },
      want: 'rules[0].backends[0].port must be a port',
    },
    {
      name: 'a negative weight',
      change: { backends: [{ ...backend, weight: -1 }] },
      want: 'rules[0].backends[0].weight must be a number of at least 0',
    },
    {
      name: 'another scheduler',
      change: { policy: 'lblc' },
      want: 'rules[0].policy must be one of random, rr, wrr, lc, wlc, sh, dh, sed, nq, mh',
    },
    {
      name: 'half a millisecond',
      change: { affinityMs: 0.5 },
      want: 'rules[0].affinityMs must be a whole number of at least 0',
    },
    {
      name: 'a limit of 0',
      change: { maxConnections: 0 },
      want: 'rules[0].maxConnections must be a whole number of at least 1',
    },
    {
      name: 'trust in every backend',
      change: { trusted: true },
      want: 'rules[0].trusted is unknown',
    },
    {
      name: 'a host of another kind',
      change: { backends: [{ ...backend, host: 'kubelet' }] },
      want: 'rules[0].backends[0].host must be one of pod, apiServer',
    },
    {
      name: 'half of inside',
      change: { inside: { sources: [] } },
      want: 'rules[0].inside.backends is missing',
    },
    {
      name: 'another kind',
      change: { frontends: [{ address: '10.0.0.1', port: 1, kind: 'x' }] },
      want: 'rules[0].frontends[0].kind must be one of clusterIP, nodePort, externalIP, loadBalancer',
    },
  ])('refuses $name, and names the field', ({ change, want }) => {
    expect(decodeReplacement({ sources: [], rules: [{ ...rule, ...change }] })).toEqual([want]);
  });

  it('names twenty problems at most', () => {
    const rules = Array.from({ length: 100 }, () => ({ ...rule, id: 1 }));
    expect(decodeReplacement({ sources: [], rules })).toHaveLength(20);
  });
});

describe('the form of policies', () => {
  const policies = {
    rules: [
      {
        ports: [{ protocol: 'SCTP' }, { protocol: 'TCP', from: 80, to: 90 }],
        addresses: ['10.244.1.2'],
        blocks: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }],
      },
      {},
    ],
    pods: [{ pod: 'default/web', addresses: ['10.244.1.2'], ingress: [0], egress: [] }],
    nodes: [{ addresses: ['10.0.0.1'], podCidrs: ['10.244.1.0/24'] }],
  };

  it('takes what kube-proxy sends, as it is', () => {
    expect(decodePolicies(policies)).toBe(policies);
  });

  it.each<{ name: string; change: object; want: string }>([
    { name: 'no lists', change: { pods: {} }, want: 'pods must be a list' },
    { name: 'nothing for a pod', change: { pods: [null] }, want: 'pods[0] must be an object' },
    {
      name: 'a pod without addresses',
      change: { pods: [{ pod: 'a/b' }] },
      want: 'pods[0].addresses is missing',
    },
    {
      name: 'a place that is none',
      change: { pods: [{ pod: 'a/b', addresses: [], ingress: [-1] }] },
      want: 'pods[0].ingress[0] must be a whole number of at least 0',
    },
    {
      name: 'a rule of another kind',
      change: { rules: [{ ports: 80 }] },
      want: 'rules[0].ports must be a list',
    },
  ])('refuses $name', ({ change, want }) => {
    expect(decodePolicies({ ...policies, ...change })).toEqual([want]);
  });
});
