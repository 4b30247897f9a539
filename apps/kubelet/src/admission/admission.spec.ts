import { describe, expect, it } from '@jest/globals';
import type { Node, Pod } from '@orrery/api';
import { admit } from './admission.js';
import type { AdmissionInput } from './admission.js';

const pod = (cpu?: string, spec: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: {
    containers: [{ name: 'c', ...(cpu ? { resources: { requests: { cpu } } } : {}) }],
    ...spec,
  },
});
type Port = NonNullable<Pod['spec']['containers'][number]['ports']>[number];

const withPort = (port: Omit<Port, 'containerPort'>): Pod =>
  pod(undefined, { containers: [{ name: 'c', ports: [{ containerPort: 80, ...port }] }] });

const node: Node = {
  metadata: { name: 'n', labels: { disk: 'ssd' } },
  spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] },
};
const input = (over: Partial<AdmissionInput>): AdmissionInput => ({
  pod: pod(),
  node: undefined,
  others: [],
  allocatable: { cpu: '2' },
  maxPods: 3,
  unsafeSysctls: [],
  ...over,
});

const wantsGpu = pod(undefined, {
  containers: [{ name: 'c', resources: { requests: { 'x.io/gpu': '1' } } }],
});

interface Case {
  readonly name: string;
  readonly over: Partial<AdmissionInput>;
  readonly want: string | undefined;
}

describe('admit()', () => {
  it.each<Case>([
    {
      name: 'a pod that fits',
      over: { pod: pod('1500m'), others: [pod('500m')] },
      want: undefined,
    },
    { name: 'a pod without requests', over: { others: [pod('2')] }, want: undefined },
    { name: 'too much cpu', over: { pod: pod('1501m'), others: [pod('500m')] }, want: 'OutOfcpu' },
    {
      name: 'an extended resource that the node does not have',
      over: { pod: wantsGpu },
      want: undefined,
    },
    {
      name: 'more of an extended resource than the node has',
      over: { pod: wantsGpu, allocatable: { cpu: '2', 'x.io/gpu': '0' } },
      want: 'OutOfx.io/gpu',
    },
    {
      name: 'groups that cannot be left out',
      over: {
        pod: pod(undefined, { securityContext: { supplementalGroupsPolicy: 'Strict' } }),
        hasGroupsPolicy: false,
      },
      want: 'SupplementalGroupsPolicyNotSupported',
    },
    { name: 'too many pods', over: { others: [pod(), pod(), pod()] }, want: 'OutOfpods' },
    {
      name: 'a node selector that matches',
      over: { node: { ...node, spec: {} }, pod: pod(undefined, { nodeSelector: { disk: 'ssd' } }) },
      want: undefined,
    },
    {
      name: 'a node selector that does not',
      over: { node: { ...node, spec: {} }, pod: pod(undefined, { nodeSelector: { disk: 'hdd' } }) },
      want: 'NodeAffinity',
    },
    { name: 'a taint', over: { node }, want: 'TaintToleration' },
    {
      name: 'a tolerated taint',
      over: { node, pod: pod(undefined, { tolerations: [{ operator: 'Exists' }] }) },
      want: undefined,
    },
    {
      name: "another pod's host port",
      over: { pod: withPort({ hostPort: 80 }), others: [withPort({ hostPort: 80 })] },
      want: 'NodePorts',
    },
    {
      name: "another pod's host port at another address",
      over: {
        pod: withPort({ hostPort: 80, hostIP: '127.0.0.1' }),
        others: [withPort({ hostPort: 80, hostIP: '127.0.0.2' })],
      },
      want: undefined,
    },
    {
      name: "another pod's host port of another protocol",
      over: {
        pod: withPort({ hostPort: 80 }),
        others: [withPort({ hostPort: 80, protocol: 'UDP' })],
      },
      want: undefined,
    },
    {
      name: 'another operating system',
      over: { pod: pod(undefined, { os: { name: 'windows' } }) },
      want: 'PodOSNotSupported',
    },
    {
      name: 'a setting of the kernel that is not safe',
      over: {
        pod: pod(undefined, {
          securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
        }),
      },
      want: 'SysctlForbidden',
    },
  ])('$name', ({ over, want }) => {
    expect(admit(input(over))?.reason).toBe(want);
  });
});
