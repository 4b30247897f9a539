import { describe, expect, it } from '@jest/globals';
import { ClusterFiles, addressesOf, nodeName } from './layout.js';
import { etcdEndpoints, kubelet, processes, toProcess } from './plan.js';
import type { PlanInput } from './plan.js';

const input = (changes: Partial<PlanInput> = {}): PlanInput => ({
  files: new ClusterFiles('/clusters/orrery'),
  addresses: addressesOf(42),
  etcdMembers: 1,
  nodes: 3,
  grouping: 'grouped',
  standby: false,
  extraArgs: {},
  componentDir: '/dist',
  nodeBinary: '/usr/bin/node',
  ...changes,
});

const names = (changes: Partial<PlanInput>): string[] =>
  processes(input(changes)).map((group) => group.name);

describe('processes()', () => {
  it.each<{ name: string; changes: Partial<PlanInput>; want: string[] }>([
    {
      name: 'three groups beside the dataplane by default',
      changes: {},
      want: ['dataplane', 'kube-apiserver', 'controllers', 'nodes'],
    },
    {
      name: 'a second group of controllers that stands by',
      changes: { standby: true },
      want: ['dataplane', 'kube-apiserver', 'controllers', 'controllers-2', 'nodes'],
    },
    {
      name: 'one process a component when isolated',
      changes: { grouping: 'isolated', nodes: 1 },
      want: [
        'dataplane',
        'kube-apiserver',
        'kube-controller-manager',
        'kube-scheduler',
        'container-runtime-k8s-01',
        'kubelet-k8s-01',
      ],
    },
    { name: 'one process for all', changes: { grouping: 'single' }, want: ['components'] },
    {
      name: 'relays beside them when it is published',
      changes: { publish: '172.17.0.2' },
      want: ['dataplane', 'kube-apiserver', 'controllers', 'nodes', 'relays'],
    },
  ])('$name', ({ changes, want }) => {
    expect(names(changes)).toEqual(want);
  });

  it('relays to the same ports of every node', () => {
    const relays = processes(input({ publish: '172.17.0.2', nodes: 2 })).at(-1);
    expect(relays?.instances.map(({ args }) => args)).toEqual([
      ['--listen=172.17.0.2:6443', '--to=127.42.0.1:6443'],
      ['--listen=172.17.0.2:30000-30031', '--check=none', '--to=127.42.0.1', '--to=127.42.0.2'],
    ]);
  });

  it('gives every component a pid file of its own, whichever process carries it', () => {
    const pidFiles = processes(input({ standby: true }))
      .map((group) => toProcess(input(), group))
      .flatMap((spec) => spec.pidFiles);
    expect(new Set(pidFiles).size).toBe(pidFiles.length);
    expect(pidFiles).toContain('/clusters/orrery/run/kube-scheduler-2.pid');
  });
});

describe('toProcess()', () => {
  it.each([
    { name: 'beside the bundles', base: undefined, want: '/dist/.compile-cache' },
    { name: 'where the environment says', base: '/opt/compiled', want: '/opt/compiled' },
  ])('has compiled code kept $name', ({ base, want }) => {
    const { NODE_COMPILE_CACHE: before } = process.env;
    delete process.env['NODE_COMPILE_CACHE'];
    if (base !== undefined) process.env['NODE_COMPILE_CACHE'] = base;
    try {
      for (const grouping of ['grouped', 'single'] as const)
        for (const group of processes(input({ grouping })))
          expect(toProcess(input({ grouping }), group).env?.['NODE_COMPILE_CACHE']).toBe(want);
    } finally {
      delete process.env['NODE_COMPILE_CACHE'];
      if (before !== undefined) process.env['NODE_COMPILE_CACHE'] = before;
    }
  });
});

describe('toProcess(), what all processes are started with', () => {
  it('has the threshold of malloc fixed, and the young objects bounded', () => {
    for (const grouping of ['grouped', 'isolated', 'single'] as const)
      for (const group of processes(input({ grouping, publish: '172.17.0.2' }))) {
        const { args, env } = toProcess(input({ grouping }), group);
        expect(env?.['MALLOC_MMAP_THRESHOLD_']).toBe('32768');
        expect(args[0]).toBe('--max-semi-space-size=16');
      }
  });
});

describe('toProcess(), one process for all', () => {
  it.each([
    { name: 'at once', completion: undefined, want: ['/dist/orrery.js', 'run'] },
    {
      name: 'when the files of this start are there',
      completion: 'third',
      want: ['/dist/orrery.js', '--after-init=/clusters/orrery,third', 'run'],
    },
  ])('runs $name', ({ completion, want }) => {
    const single = input({ grouping: 'single', ...(completion ? { completion } : {}) });
    const [args] = processes(single).map((group) => toProcess(single, group).args);
    expect(args?.slice(1)).toEqual([...want, '/clusters/orrery/run/components.json']);
  });
});

describe('toProcess(), one process a component', () => {
  const isolated = input({
    grouping: 'isolated',
    nodes: 1,
    publish: '172.17.0.2',
    network: { mode: 'routed', backend: 'host-gw' },
  });

  it.each([
    { app: 'kubelet', want: ['/dist/kubelet.js'] },
    { app: 'node-network', want: ['/dist/orrery.js', 'node-network'] },
    { app: 'relay', want: ['/dist/orrery.js', 'relay'] },
  ])('starts $app by what holds it', ({ app, want }) => {
    const group = processes(isolated).find(({ instances: [only] }) => only?.app === app);
    const { args } = toProcess(isolated, group ?? { name: '', instances: [] });
    expect(args.join(' ')).toContain(` ${want.join(' ')} --`);
  });
});

describe('kubelet()', () => {
  it.each([
    { nodes: 2, want: [true, false] },
    { nodes: 1, want: [false] },
  ])('taints the first of $nodes nodes only if there are others: $want', ({ nodes, want }) => {
    const taints = want.map((_, i) =>
      kubelet(input({ nodes }), i + 1).args.some((arg) => arg.startsWith('--register-with-taints')),
    );
    expect(taints).toEqual(want);
  });

  it('puts further flags of the user last, so that they win', () => {
    const { args } = kubelet(input({ extraArgs: { kubelet: ['--max-pods=5'] } }), 2);
    expect(args.at(-1)).toBe('--max-pods=5');
  });
});

describe('addressesOf()', () => {
  it('keeps every address of a cluster inside its block', () => {
    const { apiServer, podCidr, serviceCidr, dns, node, etcdMember } = addressesOf(42);
    for (const address of [apiServer, podCidr, serviceCidr, dns, node(62), etcdMember(3)])
      expect(address.startsWith('127.42.')).toBe(true);
  });

  it('names nodes and etcd members by number', () => {
    expect(nodeName(2)).toBe('k8s-02');
    expect(etcdEndpoints(input({ etcdMembers: 3 }))).toEqual([
      'http://127.42.0.201:2379',
      'http://127.42.0.202:2379',
      'http://127.42.0.203:2379',
    ]);
  });
});
