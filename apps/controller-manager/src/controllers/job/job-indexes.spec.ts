import { describe, expect, it } from '@jest/globals';
import type { Job, Pod } from '@orrery/api';
import { TRACKING } from './job-pods.js';
import { planJob } from './job.decide.js';

const START = '2026-01-01T00:00:00Z';
const NOW = Date.parse('2026-01-01T01:00:00Z');

interface Shape {
  readonly phase?: string;
  readonly failures?: number;
  readonly ignored?: number;
  readonly exitCode?: number;
  readonly ended?: string;
}

function pod(name: string, index: number, shape: Shape = {}): Pod {
  const { phase = 'Running', failures = 0, ignored = 0, exitCode = 1 } = shape;
  const finishedAt = shape.ended ?? '2026-01-01T00:00:30Z';
  const isOver = phase !== 'Running';
  return {
    metadata: {
      name,
      namespace: 'd',
      uid: name,
      finalizers: [TRACKING],
      annotations: {
        'batch.kubernetes.io/job-completion-index': String(index),
        'batch.kubernetes.io/job-index-failure-count': String(failures),
        'batch.kubernetes.io/job-index-ignored-failure-count': String(ignored),
      },
    },
    spec: { containers: [] },
    status: {
      phase,
      containerStatuses: [
        { name: 'main', ...(isOver ? { state: { terminated: { exitCode, finishedAt } } } : {}) },
      ],
    },
  } as unknown as Pod;
}

const FAILED: Shape = { phase: 'Failed' };
const SUCCEEDED: Shape = { phase: 'Succeeded', exitCode: 0 };

const job = (spec: object, status: object = {}): Job =>
  ({
    metadata: { name: 'j', uid: 'j', namespace: 'd' },
    spec: {
      completionMode: 'Indexed',
      parallelism: 3,
      completions: 3,
      backoffLimit: 2 ** 31 - 1,
      template: { spec: { containers: [], restartPolicy: 'Never' } },
      ...spec,
    },
    status: { startTime: START, ...status },
  }) as unknown as Job;

interface Case {
  readonly name: string;
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly create?: readonly number[];
  /** Failures that the new pods are told of. */
  readonly told?: Readonly<Record<number, readonly [counted: number, ignored: number]>>;
  readonly release?: readonly string[];
  readonly failedIndexes?: string;
  readonly conditions?: readonly string[];
  readonly recheck?: number;
}

const once = { backoffLimitPerIndex: 1 };
const never = { backoffLimitPerIndex: 0 };
const rule = (action: string): object => ({
  podFailurePolicy: {
    rules: [{ action, onExitCodes: { operator: 'In', values: [42] } }],
  },
});
const MARKED: Shape = { ...FAILED, exitCode: 42 };

const CASES: Case[] = [
  {
    name: 'tries an index again and keeps the pod that failed until then',
    job: job(once),
    pods: [pod('a', 0, FAILED), pod('b', 1), pod('c', 2)],
    create: [0],
    told: { 0: [1, 0] },
  },
  {
    name: 'lets the pod go once the next one knows',
    job: job(once),
    pods: [pod('a', 0, FAILED), pod('n', 0, { failures: 1 }), pod('b', 1), pod('c', 2)],
    release: ['a'],
  },
  {
    name: 'waits before it tries again',
    job: job(once),
    pods: [pod('a', 0, { ...FAILED, ended: '2026-01-01T00:59:55Z' }), pod('b', 1), pod('c', 2)],
    recheck: 5000,
  },
  {
    name: 'waits twice as long after the second failure',
    job: job({ backoffLimitPerIndex: 5 }),
    pods: [
      pod('a', 0, { ...FAILED, failures: 1, ended: '2026-01-01T00:59:55Z' }),
      pod('b', 1),
      pod('c', 2),
    ],
    recheck: 15_000,
  },
  {
    name: 'gives an index up that failed too often',
    job: job(never),
    pods: [pod('a', 0, FAILED), pod('b', 1), pod('c', 2)],
    release: ['a'],
    failedIndexes: '0',
  },
  {
    name: 'gives an index up by a rule',
    job: job({ backoffLimitPerIndex: 5, ...rule('FailIndex') }),
    pods: [pod('a', 0, MARKED), pod('b', 1), pod('c', 2)],
    release: ['a'],
    failedIndexes: '0',
  },
  {
    name: 'counts what is ignored apart',
    job: job({ ...never, ...rule('Ignore') }),
    pods: [pod('a', 0, MARKED), pod('b', 1), pod('c', 2)],
    create: [0],
    told: { 0: [0, 1] },
  },
  {
    name: 'does not try a failed index again',
    job: job(never, { failedIndexes: '0' }),
    pods: [pod('b', 1), pod('c', 2)],
    failedIndexes: '0',
  },
  {
    name: 'fails when all are over and one failed',
    job: job(never, { failedIndexes: '0', completedIndexes: '1,2' }),
    pods: [],
    failedIndexes: '0',
    conditions: ['FailureTarget FailedIndexes', 'Failed FailedIndexes'],
  },
  {
    name: 'fails when too many failed',
    job: job({ ...never, maxFailedIndexes: 1 }, { failedIndexes: '0' }),
    pods: [pod('b', 1, FAILED), pod('c', 2)],
    release: ['b'],
    failedIndexes: '0,1',
    conditions: ['FailureTarget MaxFailedIndexesExceeded'],
  },
  {
    name: 'succeeds by the indexes of a rule',
    job: job({ successPolicy: { rules: [{ succeededIndexes: '0' }] } }),
    pods: [pod('a', 0, SUCCEEDED), pod('b', 1), pod('c', 2)],
    release: ['a'],
    conditions: ['SuccessCriteriaMet SuccessPolicy'],
  },
  {
    name: 'succeeds by the number of a rule',
    job: job(
      { successPolicy: { rules: [{ succeededIndexes: '0' }, { succeededCount: 1 }] } },
      { completedIndexes: '2' },
    ),
    pods: [pod('b', 1)],
    conditions: ['SuccessCriteriaMet SuccessPolicy'],
  },
  {
    name: 'succeeds by some of the indexes of a rule',
    job: job(
      { successPolicy: { rules: [{ succeededIndexes: '0,2', succeededCount: 1 }] } },
      { completedIndexes: '2' },
    ),
    pods: [],
    conditions: ['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'],
  },
  {
    name: 'goes on until a rule is met',
    job: job({ successPolicy: { rules: [{ succeededIndexes: '0' }] } }, { completedIndexes: '2' }),
    pods: [pod('a', 0), pod('b', 1)],
  },
];

describe('planJob() by indexes', () => {
  it.each(CASES)('$name', (wanted) => {
    const plan = planJob(wanted.job, wanted.pods, NOW);
    expect(plan.create).toEqual(wanted.create ?? []);
    const told = plan.create.map((index) => {
      const { counted = 0, ignored = 0 } = plan.failures.get(index ?? -1) ?? {};
      return [index, [counted, ignored]] as const;
    });
    expect(Object.fromEntries(told)).toEqual(wanted.told ?? {});
    expect(plan.release.map(({ metadata }) => metadata.name)).toEqual(wanted.release ?? []);
    expect(plan.status?.failedIndexes ?? '').toBe(wanted.failedIndexes ?? '');
    const conditions = (plan.status?.conditions ?? []).map(
      ({ type, reason }) => `${type} ${reason}`,
    );
    expect(conditions).toEqual(wanted.conditions ?? []);
    expect(plan.recheckAfterMs).toBe(wanted.recheck);
  });
});
