import { describe, expect, it } from '@jest/globals';
import type { Container, ContainerStatus, PodSpec, PodStatus } from '@orrery/api';
import { pod } from '../../test/builders.js';
import { podNonZeroRequest, podRequest } from './resources.js';

const asks = (cpu: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests: { cpu } },
  ...more,
});
const sidecar = (cpu: string): Container => asks(cpu, { restartPolicy: 'Always' });

interface Case {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly want: number;
}

describe('podRequest()', () => {
  it.each<Case>([
    { name: 'adds up the containers', spec: { containers: [asks('1'), asks('500m')] }, want: 1500 },
    {
      name: 'takes the largest init container when it is larger than all containers',
      spec: { containers: [asks('1')], initContainers: [asks('2'), asks('3')] },
      want: 3000,
    },
    {
      name: 'adds sidecars to the containers',
      spec: { containers: [asks('1')], initContainers: [sidecar('1')] },
      want: 2000,
    },
    {
      name: 'adds to an init container only the sidecars that start before it',
      spec: { containers: [asks('1')], initContainers: [sidecar('1'), asks('3'), sidecar('1')] },
      want: 4000,
    },
    {
      name: 'adds the overhead',
      spec: { containers: [asks('1')], overhead: { cpu: '250m' } },
      want: 1250,
    },
    {
      name: 'takes the request of the pod as a whole before those of its containers',
      spec: { containers: [asks('1')], resources: { requests: { cpu: '3' } } },
      want: 3000,
    },
  ])('$name', ({ spec, want }) => {
    expect(podRequest(pod('a').spec(spec).build()).milliCpu).toBe(want);
  });

  it('reads memory, storage and extended resources', () => {
    const requests = { memory: '1Gi', 'ephemeral-storage': '1k', 'example.com/gpu': '2' };
    const found = podRequest(pod('a').requests(requests).build());
    expect(found).toMatchObject({ milliCpu: 0, memory: 2 ** 30, ephemeralStorage: 1000 });
    expect(found.scalars.get('example.com/gpu')).toBe(2);
  });
});

const inEffect = (cpu: string, granted?: string, name = 'c'): ContainerStatus => ({
  name,
  image: 'i',
  imageID: 'i',
  ready: true,
  restartCount: 0,
  resources: { requests: { cpu } },
  ...(granted ? { allocatedResources: { cpu: granted } } : {}),
});

interface ResizeCase {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly status: PodStatus;
  readonly want: number;
}

describe('podRequest() of a pod that is resized', () => {
  const infeasible = { type: 'PodResizePending', status: 'True', reason: 'Infeasible' };
  it.each<ResizeCase>([
    {
      name: 'takes what is in effect while less is asked for',
      spec: { containers: [asks('1')] },
      status: { containerStatuses: [inEffect('3')] },
      want: 3000,
    },
    {
      name: 'takes what was granted when that is the most',
      spec: { containers: [asks('1')] },
      status: { containerStatuses: [inEffect('2', '4')] },
      want: 4000,
    },
    {
      name: 'takes what is asked for while less is in effect',
      spec: { containers: [asks('5')] },
      status: { containerStatuses: [inEffect('2', '2')] },
      want: 5000,
    },
    {
      name: 'does not take what the node can never give',
      spec: { containers: [asks('500')] },
      status: { containerStatuses: [inEffect('2', '2')], conditions: [infeasible] },
      want: 2000,
    },
    {
      name: 'does not look at what is granted before anything is in effect',
      spec: { containers: [asks('1')] },
      status: { containerStatuses: [{ ...inEffect('1', '4'), resources: undefined as never }] },
      want: 1000,
    },
    {
      name: 'looks at sidecars',
      spec: { containers: [asks('1')], initContainers: [{ ...sidecar('1'), name: 's' }] },
      status: { initContainerStatuses: [inEffect('2', '2', 's')] },
      want: 3000,
    },
    {
      name: 'does not look at init containers that end',
      spec: { containers: [asks('1')], initContainers: [{ ...asks('1'), name: 'i' }] },
      status: { initContainerStatuses: [inEffect('2', '2', 'i')] },
      want: 1000,
    },
    {
      name: 'takes the most of the pod as a whole',
      spec: { containers: [asks('1')], resources: { requests: { cpu: '3' } } },
      status: { resources: { requests: { cpu: '6' } }, allocatedResources: { cpu: '4' } },
      want: 6000,
    },
  ])('$name', ({ spec, status, want }) => {
    const built = pod('a').spec(spec).build();
    expect(podRequest({ ...built, status }).milliCpu).toBe(want);
  });
});

describe('podNonZeroRequest()', () => {
  it('counts nothing that the pod asks for as a whole, or in another container', () => {
    const spec = {
      containers: [{ name: 'a' }, asks('1')],
      resources: { requests: { memory: '1Gi' } },
    };
    expect(podNonZeroRequest(pod('a').spec(spec).build())).toMatchObject({
      milliCpu: 1000,
      memory: 2 ** 30,
    });
  });

  it('counts a container that asks for nothing as 100m and 200Mi', () => {
    const found = podNonZeroRequest(pod('a').build());
    expect(found).toMatchObject({ milliCpu: 100, memory: 200 * 1024 * 1024 });
  });

  it('respects a request of zero', () => {
    expect(podNonZeroRequest(pod('a').requests({ cpu: '0' }).build()).milliCpu).toBe(0);
  });
});
