import { expect, it } from '@jest/globals';
import { createMetrics } from '@orrery/component';
import { actionOf, createAutoscalerMeters } from './horizontal-pod-autoscaler.metrics.js';

it.each([
  { current: 2, wanted: 3, want: 'scale_up' },
  { current: 2, wanted: 1, want: 'scale_down' },
  { current: 2, wanted: 2, want: 'none' },
])('$current to $wanted: $want', ({ current, wanted, want }) => {
  expect(actionOf(current, wanted)).toBe(want);
});

it('knows an autoscaler until it is gone', async () => {
  const metrics = createMetrics();
  const meters = createAutoscalerMeters(metrics);
  const lines = async (): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => / \d+$/.test(line));
  meters.added('n/web');
  meters.added('n/web');
  meters.desired('n/web', 3);
  expect(await lines()).toEqual([
    'horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers 1',
    'horizontal_pod_autoscaler_controller_desired_replicas{namespace="n",hpa_name="web"} 3',
  ]);
  meters.forget('n/web');
  expect(await lines()).toEqual([
    'horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers 0',
  ]);
});
