import { describe, expect, it } from '@jest/globals';
import type { Job, JobStatus, Pod } from '@orrery/api';
import { createMetrics } from '@orrery/component';
import type { JobPlan } from './job.decide.js';
import {
  actionOf,
  countCreations,
  createJobMeters,
  creationReason,
  endedSince,
} from './job.metrics.js';
import { policyActions } from './pod-failure-policy.js';

const job = (spec: object = {}, status: object = {}): Job =>
  ({ metadata: { name: 'j' }, spec, status }) as Job;

describe('creationReason()', () => {
  it.each([
    { name: 'the first pods', spec: {}, status: {}, want: 'new' },
    {
      name: 'one for a failed pod',
      spec: {},
      status: { failed: 1 },
      want: 'recreate_terminating_or_failed',
    },
    {
      name: 'one for a leaving pod',
      spec: {},
      status: { terminating: 1 },
      want: 'recreate_terminating_or_failed',
    },
    {
      name: 'a policy that waits',
      spec: { podReplacementPolicy: 'Failed' },
      status: { failed: 1 },
      want: 'recreate_failed',
    },
    {
      name: 'a policy that waits, at first',
      spec: { podReplacementPolicy: 'Failed' },
      status: {},
      want: 'new',
    },
  ])('$name: $want', ({ spec, status, want }) => {
    expect(creationReason(job(spec, status))).toBe(want);
  });
});

describe('endedSince()', () => {
  const indexed = { completionMode: 'Indexed', completions: 6 };
  it.each([
    {
      name: 'pods',
      spec: {},
      before: { succeeded: 1, failed: 2 },
      after: { succeeded: 3, failed: 3 },
      want: [2, 1, 0],
    },
    {
      name: 'indexes',
      spec: indexed,
      before: { completedIndexes: '0' },
      after: { completedIndexes: '0,2-4' },
      want: [3, 0, 0],
    },
    {
      name: 'indexes that may not fail again',
      spec: { ...indexed, backoffLimitPerIndex: 0 },
      before: {},
      after: { failed: 1, failedIndexes: '5' },
      want: [0, 1, 1],
    },
    {
      name: 'nothing',
      spec: {},
      before: { succeeded: 1 },
      after: { succeeded: 1 },
      want: [0, 0, 0],
    },
  ])('counts $name', ({ spec, before, after, want }) => {
    const { succeeded, failed, failedIndexes } = endedSince(job(spec, before), after as JobStatus);
    expect([succeeded, failed, failedIndexes]).toEqual(want);
  });
});

describe('actionOf()', () => {
  const pod = { metadata: {} } as Pod;
  const plan = (more: Partial<JobPlan>): JobPlan =>
    ({ status: {}, create: [], remove: [], withdraw: [], ...more }) as JobPlan;
  const ending = (type: string): JobStatus =>
    ({ conditions: [{ type, status: 'True' }] }) as JobStatus;
  it.each([
    { name: 'nothing to do', spec: {}, plan: plan({}), want: 'tracking' },
    { name: 'new pods', spec: {}, plan: plan({ create: [undefined] }), want: 'pods_created' },
    { name: 'too many pods', spec: {}, plan: plan({ withdraw: [pod] }), want: 'pods_deleted' },
    { name: 'suspension', spec: { suspend: true }, plan: plan({}), want: 'pods_deleted' },
    {
      name: 'a failure',
      spec: {},
      plan: plan({ status: ending('FailureTarget'), remove: [pod] }),
      want: 'reconciling',
    },
    {
      name: 'success',
      spec: {},
      plan: plan({ status: ending('SuccessCriteriaMet') }),
      want: 'reconciling',
    },
    {
      name: 'a job on its way out',
      spec: {},
      plan: plan({ status: undefined }),
      want: 'reconciling',
    },
  ])('$name: $want', ({ spec, plan: one, want }) => {
    expect(actionOf(job(spec), one)).toBe(want);
  });
});

describe('policyActions()', () => {
  const failed = (uid: string, exitCode: number): Pod =>
    ({
      metadata: { uid, name: uid, namespace: 'n' },
      status: {
        phase: 'Failed',
        containerStatuses: [{ name: 'c', state: { terminated: { exitCode } } }],
      },
    }) as Pod;
  const rules = [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } }];
  const policy = { podFailurePolicy: { rules } };

  it('names the rule of each new failure that has one', () => {
    const pods = [failed('a', 7), failed('b', 1), failed('known', 7)];
    const known = { uncountedTerminatedPods: { failed: ['known'] } };
    expect(policyActions(job(policy, known), pods)).toEqual(['Ignore']);
  });
});

describe('the metrics', () => {
  const tracked = (
    phase: string,
    finalizers: readonly string[] = ['batch.kubernetes.io/job-tracking'],
  ): Pod => ({ metadata: { finalizers }, status: { phase } }) as Pod;

  it('count the ends, pods and conditions that are new', async () => {
    const metrics = createMetrics();
    const meters = createJobMeters(metrics);
    const complete = [{ type: 'Complete', status: 'True', reason: 'CompletionsReached' }];
    const after = { succeeded: 2, conditions: complete } as unknown as JobStatus;
    meters.told(job({}, { succeeded: 1 }), after);
    meters.told(job({}, after), after);
    meters.foreign('acme.io/controller');
    meters.judged(['Count', 'Count']);
    const counted = countCreations(job(), meters);
    await counted.create(() => Promise.resolve());
    await counted.create(() => Promise.reject(new Error('no'))).catch(() => undefined);
    counted.tell();
    meters.podChanged(tracked('Running'), tracked('Succeeded'));
    meters.podChanged(tracked('Succeeded'), tracked('Succeeded'));
    meters.podChanged(tracked('Succeeded'), tracked('Succeeded', []));
    meters.podChanged(undefined, tracked('Failed'));
    meters.podChanged(tracked('Failed'), undefined);
    const lines = (await metrics.text()).split('\n').filter((line) => / [1-9]\d*$/.test(line));
    expect(lines.map((line) => line.replace('job_controller_', ''))).toEqual([
      'jobs_by_external_controller_total{controller_name="acme.io/controller"} 1',
      'jobs_finished_total{completion_mode="NonIndexed",result="succeeded",reason="CompletionsReached"} 1',
      'job_pods_finished_total{completion_mode="NonIndexed",result="succeeded"} 1',
      'job_pods_creation_total{reason="new",status="succeeded"} 1',
      'job_pods_creation_total{reason="new",status="failed"} 1',
      'pod_failures_handled_by_failure_policy_total{action="Count"} 2',
      'terminated_pods_tracking_finalizer_total{event="add"} 2',
      'terminated_pods_tracking_finalizer_total{event="delete"} 2',
    ]);
  });
});
