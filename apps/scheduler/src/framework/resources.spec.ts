import { describe, expect, it } from '@jest/globals';
import type { Container, PodSpec } from '@orrery/api';
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

describe('podNonZeroRequest()', () => {
  it('counts a container that asks for nothing as 100m and 200Mi', () => {
    const found = podNonZeroRequest(pod('a').build());
    expect(found).toMatchObject({ milliCpu: 100, memory: 200 * 1024 * 1024 });
  });

  it('respects a request of zero', () => {
    expect(podNonZeroRequest(pod('a').requests({ cpu: '0' }).build()).milliCpu).toBe(0);
  });
});
