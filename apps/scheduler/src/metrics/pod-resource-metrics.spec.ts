import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { pod } from '../../test/builders.js';
import { createPodResourceMetrics, unitOf } from './pod-resource-metrics.js';

it.each([
  ['cpu', 'cores'],
  ['memory', 'bytes'],
  ['ephemeral-storage', 'bytes'],
  ['hugepages-2Mi', 'bytes'],
  ['attachable-volumes-csi-d', 'integer'],
  ['example.com/gpu', ''],
])('unitOf(%s): %s', (resource, want) => {
  expect(unitOf(resource)).toBe(want);
});

describe('the page', () => {
  const limited = (name: string): Pod =>
    pod(name)
      .containers({
        name: 'c',
        resources: { requests: { cpu: '250m', memory: '0' }, limits: { 'example.com/gpu': '2' } },
      })
      .priority(7)
      .on('n1')
      .build();
  const labels = (resource: string, unit: string): string =>
    `{namespace="default",pod="a",node="n1",scheduler="default-scheduler",priority="7",resource="${resource}",unit="${unit}"}`;

  it('tells of pods that have not ended, without what is zero', async () => {
    const over: Pod = { ...limited('over'), status: { phase: 'Succeeded' } };
    const metrics = createPodResourceMetrics(() => [limited('a'), over]);
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('kube_'));
    expect(lines).toEqual([
      `kube_pod_resource_request${labels('cpu', 'cores')} 0.25`,
      `kube_pod_resource_limit${labels('example.com/gpu', '')} 2`,
    ]);
  });
});
