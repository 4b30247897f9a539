import { describe, expect, it } from '@jest/globals';
import type { NetworkPolicy } from '@orrery/api';
import { PolicyEvaluator } from './evaluator.js';
import { compilePolicies } from './compile.js';
import { namespace, pod, policy } from './policy-fixture.js';

const PODS = [
  pod('shop', 'web', '10.244.1.2', { app: 'web' }, { http: 80 }),
  pod('shop', 'db', '10.244.1.3', { app: 'db' }, { sql: 5432 }),
  pod('shop', 'job', '10.244.2.2', { app: 'job' }),
  pod('ops', 'probe', '10.244.2.3', { app: 'web' }, { http: 8080 }),
  {
    ...pod('ops', 'host', '192.0.2.1', { app: 'web' }),
    spec: { hostNetwork: true, containers: [] },
  },
];
const NAMESPACES = [namespace('shop', { team: 'a' }), namespace('ops', { team: 'b' })];
const ADDRESSES = {
  web: '10.244.1.2',
  db: '10.244.1.3',
  job: '10.244.2.2',
  probe: '10.244.2.3',
  host: '192.0.2.1',
  far: '203.0.113.9',
} as const;
type Name = keyof typeof ADDRESSES;

/** `web>db:5432` or `web>db:53/UDP`. */
function permits(policies: readonly NetworkPolicy[], flow: string): boolean {
  const [, from, to, port, protocol = 'TCP'] = /^(\w+)>(\w+):(\d+)(?:\/(\w+))?$/.exec(flow) ?? [];
  const set = compilePolicies({ policies, pods: PODS, namespaces: NAMESPACES });
  return new PolicyEvaluator(set).permits({
    source: ADDRESSES[from as Name],
    address: ADDRESSES[to as Name],
    port: Number(port),
    protocol: protocol as 'TCP',
  });
}

interface Case {
  readonly name: string;
  readonly spec: NetworkPolicy['spec'];
  readonly yes?: readonly string[];
  readonly no?: readonly string[];
}

const DB = { podSelector: { matchLabels: { app: 'db' } } };
const WEB = { matchLabels: { app: 'web' } };

describe('compilePolicies()', () => {
  it('lets everything through without policies', () => {
    expect(permits([], 'web>db:5432')).toBe(true);
  });

  it.each<Case>([
    {
      name: 'isolates all pods of the namespace for what comes in when nothing else is said',
      spec: { podSelector: {} },
      yes: ['web>probe:80', 'db>far:443', 'db>db:1'],
      no: ['web>db:5432', 'far>web:80', 'probe>job:1'],
    },
    {
      name: 'isolates for what goes out by policyTypes alone',
      spec: { podSelector: {}, policyTypes: ['Egress'] },
      yes: ['probe>web:80', 'far>web:80'],
      no: ['web>db:5432', 'db>far:443'],
    },
    {
      name: 'isolates both ways when egress rules are given without policyTypes',
      spec: { ...DB, egress: [{}] },
      yes: ['db>far:1'],
      no: ['web>db:1'],
    },
    {
      name: 'ignores egress rules when policyTypes says Ingress',
      spec: { ...DB, policyTypes: ['Ingress'], egress: [{ ports: [{ port: 1 }] }] },
      yes: ['db>far:443'],
      no: ['web>db:1'],
    },
    {
      name: 'takes an empty rule for everyone',
      spec: { ...DB, ingress: [{}] },
      yes: ['far>db:1', 'web>db:9/UDP'],
    },
    {
      name: 'selects peers by pod in its own namespace only',
      spec: { ...DB, ingress: [{ from: [{ podSelector: WEB }] }] },
      yes: ['web>db:1'],
      no: ['probe>db:1', 'job>db:1', 'host>db:1'],
    },
    {
      name: 'selects every pod of the namespaces selected',
      spec: { ...DB, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }] }] },
      yes: ['probe>db:1'],
      no: ['web>db:1', 'host>db:1', 'far>db:1'],
    },
    {
      name: 'joins both selectors of one peer',
      spec: {
        ...DB,
        ingress: [{ from: [{ namespaceSelector: {}, podSelector: WEB }] }],
      },
      yes: ['web>db:1', 'probe>db:1'],
      no: ['job>db:1'],
    },
    {
      name: 'takes one of several peers',
      spec: {
        ...DB,
        ingress: [{ from: [{ podSelector: WEB }, { ipBlock: { cidr: '203.0.113.0/24' } }] }],
      },
      yes: ['web>db:1', 'far>db:1'],
      no: ['job>db:1'],
    },
    {
      name: 'leaves out the exceptions of a block',
      spec: {
        ...DB,
        ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.0/29'] } }] }],
      },
      yes: ['far>db:1', 'host>db:1'],
    },
    {
      name: 'refuses an exception of a block',
      spec: {
        ...DB,
        ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.8/29'] } }] }],
      },
      yes: ['web>db:1'],
      no: ['far>db:1'],
    },
    {
      name: 'knows ports, ranges and protocols',
      spec: {
        ...DB,
        ingress: [
          {
            ports: [
              { port: 80, endPort: 90 },
              { port: 53, protocol: 'UDP' },
            ],
          },
        ],
      },
      yes: ['web>db:80', 'web>db:90', 'web>db:53/UDP'],
      no: ['web>db:91', 'web>db:53', 'web>db:80/UDP'],
    },
    {
      name: 'takes a protocol without a port for all its ports',
      spec: { ...DB, ingress: [{ ports: [{ protocol: 'UDP' }] }] },
      yes: ['web>db:7/UDP'],
      no: ['web>db:7'],
    },
    {
      name: 'finds a named port at the pod that it guards',
      spec: { ...DB, ingress: [{ ports: [{ port: 'sql' }] }] },
      yes: ['far>db:5432'],
      no: ['far>db:5433'],
    },
    {
      name: 'lets nothing through for a named port that the pod does not have',
      spec: { ...DB, ingress: [{ ports: [{ port: 'http' }] }] },
      no: ['far>db:80', 'web>db:8080'],
    },
    {
      name: 'finds a named port at each pod that is called',
      spec: {
        ...DB,
        policyTypes: ['Egress'],
        egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 'http' }] }],
      },
      yes: ['db>web:80', 'db>probe:8080'],
      no: ['db>web:8080', 'db>probe:80', 'db>far:80'],
    },
    {
      name: 'finds a named port at any pod when everyone is a peer',
      spec: {
        ...DB,
        policyTypes: ['Egress'],
        egress: [{ ports: [{ port: 'http' }, { port: 1 }] }],
      },
      yes: ['db>probe:8080', 'db>far:1'],
      no: ['db>far:80'],
    },
    {
      name: 'finds a named port at the pods inside a block',
      spec: {
        ...DB,
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '10.244.2.0/24' } }], ports: [{ port: 'http' }] }],
      },
      yes: ['db>probe:8080'],
      no: ['db>web:80'],
    },
    {
      name: 'selects no peer for a selector that nothing matches',
      spec: { ...DB, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'none' } } }] }] },
      no: ['web>db:1', 'far>db:1'],
    },
  ])('$name', ({ spec, yes = [], no = [] }) => {
    const policies = [policy('shop', 'p', spec)];
    expect(yes.filter((flow) => !permits(policies, flow))).toEqual([]);
    expect(no.filter((flow) => permits(policies, flow))).toEqual([]);
  });

  it('adds what each policy lets through', () => {
    const policies = [
      policy('shop', 'a', { ...DB, ingress: [{ ports: [{ port: 1 }] }] }),
      policy('shop', 'b', { ...DB, ingress: [{ ports: [{ port: 2 }] }] }),
    ];
    expect(['web>db:1', 'web>db:2', 'web>db:3'].map((flow) => permits(policies, flow))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('never refuses the traffic between a pod and its own node', () => {
    const nodes = [
      { addresses: ['192.0.2.1'], podCidrs: ['10.244.1.0/24'] },
      { addresses: ['192.0.2.2'], podCidrs: ['10.244.2.0/24'] },
    ];
    const set = {
      ...compilePolicies({
        policies: [policy('shop', 'p', { podSelector: {} })],
        pods: PODS,
        namespaces: NAMESPACES,
      }),
      nodes,
    };
    const from = (source: string): boolean =>
      new PolicyEvaluator(set).permits({ source, address: ADDRESSES.db, port: 1, protocol: 'TCP' });
    expect([from('192.0.2.1'), from('192.0.2.2')]).toEqual([true, false]);
  });

  it('keeps equal rules once', () => {
    const spec = { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] };
    const set = compilePolicies({
      policies: [policy('shop', 'a', spec), policy('shop', 'b', spec)],
      pods: PODS,
      namespaces: NAMESPACES,
    });
    expect(set.rules).toHaveLength(1);
    expect(set.pods.map(({ ingress }) => ingress)).toEqual([[0], [0], [0]]);
  });
});
