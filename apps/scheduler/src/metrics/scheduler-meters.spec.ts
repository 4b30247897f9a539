import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '@orrery/component';
import { pod } from '../../test/builders.js';
import { newQueuedPod } from '../queue/queued-pod.js';
import { createSchedulerMeters } from './scheduler-meters.js';

/**
 * https://kubernetes.io/docs/reference/instrumentation/metrics/ of 1.36, and two of pkg/scheduler/metrics/metrics.go that
 * the page lacks; without those of batches, and those of gates that are off: gangs and asynchronous API calls.
 */
const UPSTREAM = `scheduler_cache_size scheduler_dra_bindingconditions_allocations_total
  scheduler_dra_bindingconditions_wait_duration_seconds scheduler_event_handling_duration_seconds
  scheduler_framework_extension_point_duration_seconds scheduler_goroutines scheduler_inflight_events
  scheduler_pending_pods scheduler_permit_wait_duration_seconds scheduler_plugin_evaluation_total
  scheduler_plugin_execution_duration_seconds scheduler_pod_scheduled_after_flush_total
  scheduler_pod_scheduling_attempts scheduler_pod_scheduling_sli_duration_seconds
  scheduler_preemption_attempts_total scheduler_preemption_goroutines_duration_seconds
  scheduler_preemption_goroutines_execution_total scheduler_preemption_victims
  scheduler_queue_incoming_pods_total scheduler_resourceclaim_creates_total scheduler_queueing_hint_execution_duration_seconds
  scheduler_schedule_attempts_total scheduler_scheduling_algorithm_duration_seconds
  scheduler_scheduling_attempt_duration_seconds scheduler_unschedulable_pods
  scheduler_volume_scheduling_stage_error_total`.split(/\s+/);

describe('the metrics of the scheduler', () => {
  it('have upstream’s names', async () => {
    const metrics = createMetrics();
    createSchedulerMeters(metrics);
    const names = (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith('# TYPE '))
      .map((line) => line.split(' ')[2]);
    expect(names.sort()).toEqual([...UPSTREAM].sort());
  });

  it('tell of hints, events, waits and preemptions by their outcome', async () => {
    const metrics = createMetrics();
    const meters = createSchedulerMeters(metrics);
    meters.hinted('NodeAffinity', 'NodeAdd', true, 0.001);
    meters.hinted('NodeAffinity', 'NodeAdd', false, 0.001);
    meters.eventHandled('NodeAdd', 0.001);
    meters.permitted('Success', 1);
    meters.preemption('error', 1);
    meters.deviceWait({ profile: 'p', driver: 'd', status: 'timeout', seconds: 2 });
    meters.bound({ ...newQueuedPod(pod('a').info(), 0), attempts: 2, flushed: true }, 1);
    meters.plugin('NodeName', 'Filter', 'Unschedulable', 0.00002);
    meters.point('Reserve', 'Success', 'p', 0.1);
    const asked = meters.evaluations('NodeName', 'Filter', 'p');
    asked();
    asked();
    meters.volumeStageFailed('bind');
    meters.claimCreated('failure');
    const text = await metrics.text();
    for (const line of [
      'scheduler_queueing_hint_execution_duration_seconds_count{plugin="NodeAffinity",event="NodeAdd",hint="Queue"} 1',
      'scheduler_queueing_hint_execution_duration_seconds_count{plugin="NodeAffinity",event="NodeAdd",hint="QueueSkip"} 1',
      'scheduler_event_handling_duration_seconds_count{event="NodeAdd"} 1',
      'scheduler_permit_wait_duration_seconds_count{result="Success"} 1',
      'scheduler_preemption_goroutines_execution_total{result="error"} 1',
      'scheduler_preemption_goroutines_duration_seconds_count{result="error"} 1',
      'scheduler_dra_bindingconditions_allocations_total{profile="p",driver="d",status="timeout"} 1',
      'scheduler_dra_bindingconditions_wait_duration_seconds_sum{profile="p",driver="d",status="timeout"} 2',
      'scheduler_pod_scheduled_after_flush_total 1',
      'scheduler_plugin_execution_duration_seconds_count{plugin="NodeName",extension_point="Filter",status="Unschedulable"} 1',
      'scheduler_framework_extension_point_duration_seconds_count{extension_point="Reserve",status="Success",profile="p"} 1',
      'scheduler_plugin_evaluation_total{plugin="NodeName",extension_point="Filter",profile="p"} 2',
      'scheduler_resourceclaim_creates_total{status="failure",admin_access="false"} 1',
      'scheduler_volume_scheduling_stage_error_total{operation="bind"} 1',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('count what there is when they are asked', async () => {
    const metrics = createMetrics();
    const events = new Map([['NodeAdd', 2]]);
    const refused = [
      { profile: 'p', plugins: ['A', 'B'] },
      { profile: 'p', plugins: ['A'] },
    ];
    createSchedulerMeters(metrics).watch({
      events: () => events,
      refused: () => refused,
      bindings: () => 3,
    });
    const values = async (): Promise<string[]> =>
      (await metrics.text())
        .split('\n')
        .filter((line) => /^scheduler_(inflight|unschedulable|goroutines)/.test(line));
    expect(await values()).toEqual([
      'scheduler_inflight_events{event="NodeAdd"} 2',
      'scheduler_unschedulable_pods{plugin="A",profile="p"} 2',
      'scheduler_unschedulable_pods{plugin="B",profile="p"} 1',
      'scheduler_goroutines{operation="binding"} 3',
    ]);
    events.clear();
    refused.length = 0;
    expect(await values()).toEqual(['scheduler_goroutines{operation="binding"} 3']);
  });
});
