import { describe, expect, it } from '@jest/globals';
import type { Container, DeviceClass, Pod } from '@orrery/api';
import { classOfResource } from './device-class-resolver.js';
import { extendedRequests } from './extended-requests.js';

const GPU = 'example.com/gpu';

const c = (name: string, gpus: number | undefined, over: Partial<Container> = {}): Container => ({
  name,
  resources: { requests: { cpu: '1', ...(gpus === undefined ? {} : { [GPU]: String(gpus) }) } },
  ...over,
});

const podOf = (containers: Container[], initContainers: Container[] = []): Pod => ({
  metadata: { name: 'p' },
  spec: { containers, initContainers },
});

const deviceClass = (
  name: string,
  creationTimestamp: string,
  extendedResourceName?: string,
): DeviceClass => ({
  metadata: { name, creationTimestamp },
  spec: extendedResourceName ? { extendedResourceName } : {},
});

interface Case {
  readonly name: string;
  readonly pod: Pod;
  /** `name=count` */
  readonly requests: string[];
  /** `container=request` */
  readonly mappings: string[];
}

/** k8s extendeddynamicresources_test.go plays the same. */
describe('extendedRequests()', () => {
  it.each<Case>([
    {
      name: 'each container asks for its own',
      pod: podOf([c('a', 1), c('b', 2)]),
      requests: ['container-0-request-1=1', 'container-1-request-1=2'],
      mappings: ['a=container-0-request-1', 'b=container-1-request-1'],
    },
    {
      name: 'one that asks for none gets none',
      pod: podOf([c('a', 0), c('b', undefined), c('d', 1)]),
      requests: ['container-2-request-1=1'],
      mappings: ['d=container-2-request-1'],
    },
    {
      name: 'an init container uses the devices of those that come after it',
      pod: podOf([c('a', 1), c('b', 1)], [c('i', 2)]),
      requests: ['container-1-request-1=1', 'container-2-request-1=1'],
      mappings: [
        'a=container-1-request-1',
        'b=container-2-request-1',
        'i=container-1-request-1',
        'i=container-2-request-1',
      ],
    },
    {
      name: 'init containers share the largest of what they ask for beyond that',
      pod: podOf([c('a', 1)], [c('i', 2), c('j', 4)]),
      requests: ['container-1-request-1=3', 'container-2-request-1=1'],
      mappings: [
        'a=container-2-request-1',
        'i=container-2-request-1',
        'i=container-1-request-1',
        'j=container-2-request-1',
        'j=container-1-request-1',
      ],
    },
    {
      name: 'a sidecar keeps its own, and an earlier init container may use them',
      pod: podOf([c('a', undefined)], [c('i', 1), c('s', 1, { restartPolicy: 'Always' })]),
      requests: ['container-1-request-1=1'],
      mappings: ['s=container-1-request-1', 'i=container-1-request-1'],
    },
  ])('$name', ({ pod, requests, mappings }) => {
    const found = extendedRequests(pod, new Map([[GPU, 'gpus']]));
    expect(found.requests.map(({ name, exactly }) => `${name}=${exactly?.count}`)).toEqual(
      requests,
    );
    expect(new Set(found.requests.map(({ exactly }) => exactly?.deviceClassName))).toEqual(
      new Set(['gpus']),
    );
    const shown = found.mappings.map((each) => `${each.containerName}=${each.requestName}`);
    expect(shown).toEqual(mappings);
  });
});

describe('classOfResource()', () => {
  const OLD = '2026-01-01T00:00:00Z';
  const NEW = '2026-01-02T00:00:00Z';
  it.each([
    {
      name: 'by the name it tells',
      resource: GPU,
      classes: [deviceClass('a', OLD, GPU)],
      want: 'a',
    },
    {
      name: 'the later of two',
      resource: GPU,
      classes: [deviceClass('b', NEW, GPU), deviceClass('a', OLD, GPU)],
      want: 'b',
    },
    {
      name: 'of two as old the first by name',
      resource: GPU,
      classes: [deviceClass('b', OLD, GPU), deviceClass('a', OLD, GPU)],
      want: 'a',
    },
    {
      name: 'by the name of the class',
      resource: 'deviceclass.resource.kubernetes.io/a',
      classes: [deviceClass('a', OLD, GPU)],
      want: 'a',
    },
    {
      name: 'none of a class that there is not',
      resource: 'deviceclass.resource.kubernetes.io/b',
      classes: [deviceClass('a', OLD, GPU)],
      want: undefined,
    },
    { name: 'none', resource: GPU, classes: [deviceClass('a', OLD)], want: undefined },
    { name: 'not cpu', resource: 'cpu', classes: [deviceClass('a', OLD, 'cpu')], want: undefined },
  ])('$name', ({ resource, classes, want }) => {
    expect(classOfResource(resource, classes)).toBe(want);
  });
});
