import { expect, it } from '@jest/globals';
import { createMetrics } from '@orrery/component';
import { createPodGcMeters } from './pod-gc.metrics.js';

it('counts each deletion, and those that failed', async () => {
  const metrics = createMetrics();
  const counted = createPodGcMeters(metrics);
  await counted('n', 'orphaned', () => Promise.resolve());
  const failing = counted('n', 'unscheduled', () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  const lines = (await metrics.text()).split('\n').filter((line) => / \d+$/.test(line));
  expect(lines).toEqual([
    'pod_gc_collector_force_delete_pods_total{namespace="n",reason="orphaned"} 1',
    'pod_gc_collector_force_delete_pods_total{namespace="n",reason="unscheduled"} 1',
    'pod_gc_collector_force_delete_pod_errors_total{namespace="n",reason="unscheduled"} 1',
  ]);
});
