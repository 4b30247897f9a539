import { describe, expect, it } from '@jest/globals';
import type { Job, Pod } from '@orrery/api';
import { formatIndexes, parseIndexes } from './completion-indexes.js';
import { TRACKING, giveIndex, track } from './job-pods.js';
import { planJob } from './job.decide.js';

const START = '2026-01-01T00:00:00Z';
const NOW = Date.parse('2026-01-01T01:00:00Z');

interface Shape {
  phase?: string;
  tracked?: boolean;
  index?: number;
  leaving?: boolean;
  exitCode?: number;
  ended?: string;
  restarts?: number;
}

function pod(name: string, shape: Shape = {}): Pod {
  const { phase = 'Running', tracked = true, index, leaving, exitCode = 1, restarts = 0 } = shape;
  const finishedAt = shape.ended ?? '2026-01-01T00:00:30Z';
  const isOver = phase === 'Failed' || phase === 'Succeeded';
  return {
    metadata: {
      name,
      namespace: 'd',
      uid: name,
      ...(tracked ? { finalizers: [TRACKING] } : {}),
      ...(leaving ? { deletionTimestamp: START } : {}),
      ...(index === undefined
        ? {}
        : { annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } }),
    },
    spec: { containers: [] },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'main',
          restartCount: restarts,
          ...(isOver ? { state: { terminated: { exitCode, finishedAt } } } : {}),
        },
      ],
    },
  } as unknown as Pod;
}

const job = (spec: object = {}, status: object = {}): Job =>
  ({
    metadata: { name: 'j', uid: 'j', namespace: 'd' },
    spec: {
      parallelism: 2,
      completions: 3,
      backoffLimit: 2,
      template: { spec: { containers: [], restartPolicy: 'Never' } },
      ...spec,
    },
    status: { startTime: START, ...status },
  }) as unknown as Job;

const succeeded: Shape = { phase: 'Succeeded', exitCode: 0 };
const failed: Shape = { phase: 'Failed' };
const names = (pods: readonly Pod[]): (string | undefined)[] =>
  pods.map(({ metadata }) => metadata.name);

interface Case {
  name: string;
  job: Job;
  pods?: Pod[];
  create?: (number | undefined)[];
  remove?: string[];
  withdraw?: string[];
  release?: string[];
  status?: object;
  conditions?: string[];
  recheck?: number;
}

const rules = (...list: object[]): object => ({ podFailurePolicy: { rules: list } });
const onExit = (action: string): object => ({
  action,
  onExitCodes: { operator: 'In', values: [42] },
});
const announced = { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'X' }] };

const CASES: Case[] = [
  { name: 'starts as many as may run at once', job: job(), create: [undefined, undefined] },
  {
    name: 'names an end in the status before it counts it',
    job: job({ completions: 1 }),
    pods: [pod('a', succeeded)],
    release: ['a'],
    status: { uncountedTerminatedPods: { succeeded: ['a'] } },
    conditions: ['SuccessCriteriaMet'],
  },
  {
    name: 'counts an end once its pod is released, and only once',
    job: job({ completions: 1 }, { uncountedTerminatedPods: { succeeded: ['a'] } }),
    pods: [pod('a', { ...succeeded, tracked: false })],
    status: { succeeded: 1, uncountedTerminatedPods: {} },
    conditions: ['SuccessCriteriaMet', 'Complete'],
  },
  {
    name: 'does not count again what it has counted',
    job: job({}, { succeeded: 1, uncountedTerminatedPods: {} }),
    pods: [pod('a', { ...succeeded, tracked: false })],
    status: { succeeded: 1 },
    create: [undefined, undefined],
  },
  {
    name: 'needs no more pods than are left to succeed',
    job: job({}, { succeeded: 2 }),
    create: [undefined],
  },
  {
    name: 'takes surplus pods away without counting them',
    job: job({ parallelism: 1 }),
    pods: [pod('a'), pod('b', { phase: 'Pending' })],
    withdraw: ['b'],
  },
  {
    name: 'waits after a failure',
    job: job(),
    pods: [pod('a', { ...failed, ended: '2026-01-01T00:59:57Z' })],
    release: ['a'],
    recheck: 7_000,
  },
  {
    name: 'waits twice as long after the next failure',
    job: job(),
    pods: [pod('a', failed), pod('b', { ...failed, ended: '2026-01-01T00:59:57Z' })],
    release: ['a', 'b'],
    recheck: 17_000,
  },
  {
    name: 'fails beyond the back-off limit and takes the rest away',
    job: job({ backoffLimit: 0 }),
    pods: [pod('a', failed), pod('b')],
    release: ['a'],
    remove: ['b'],
    conditions: ['FailureTarget BackoffLimitExceeded'],
  },
  {
    name: 'counts restarts where pods restart',
    job: job({ backoffLimit: 3, template: { spec: { restartPolicy: 'OnFailure' } } }),
    pods: [pod('a', { restarts: 3 })],
    remove: ['a'],
    conditions: ['FailureTarget BackoffLimitExceeded'],
  },
  {
    name: 'says Failed when no pod is left',
    job: job({}, announced),
    conditions: ['FailureTarget X', 'Failed X'],
  },
  {
    name: 'fails at its deadline',
    job: job({ activeDeadlineSeconds: 60 }),
    pods: [pod('a')],
    remove: ['a'],
    conditions: ['FailureTarget DeadlineExceeded'],
  },
  {
    name: 'looks again at its deadline',
    job: job({ activeDeadlineSeconds: 3601, parallelism: 1 }),
    pods: [pod('a')],
    recheck: 1_000,
  },
  {
    name: 'takes pods away while suspended',
    job: job({ suspend: true }),
    pods: [pod('a')],
    withdraw: ['a'],
    status: { active: 1 },
    conditions: ['Suspended JobSuspended'],
  },
  {
    name: 'fills the lowest free indexes',
    job: job(
      { completionMode: 'Indexed', parallelism: 3, completions: 5 },
      { completedIndexes: '0' },
    ),
    pods: [pod('b', { index: 2 })],
    create: [1, 3],
    status: { completedIndexes: '0', succeeded: 1 },
  },
  {
    name: 'takes a second pod of an index away',
    job: job({ completionMode: 'Indexed', parallelism: 1 }),
    pods: [pod('a', { index: 0 }), pod('b', { index: 0 })],
    withdraw: ['b'],
  },
  {
    name: 'ends a work queue when one succeeded and none runs',
    job: job({ completions: undefined }, { succeeded: 1 }),
    conditions: ['SuccessCriteriaMet', 'Complete'],
  },
  {
    name: 'fails at once by policy',
    job: job(rules(onExit('FailJob'))),
    pods: [pod('a', { ...failed, exitCode: 42 })],
    release: ['a'],
    conditions: ['FailureTarget PodFailurePolicy'],
  },
  {
    name: 'does not count what the policy ignores',
    job: job({ ...rules(onExit('Ignore')), parallelism: 1, backoffLimit: 0 }),
    pods: [pod('a', { ...failed, exitCode: 42 })],
    release: ['a'],
    create: [undefined],
    status: { uncountedTerminatedPods: {} },
  },
  {
    name: 'counts a pod that leaves as failed',
    job: job({ parallelism: 1 }),
    pods: [pod('a', { leaving: true })],
    release: ['a'],
    create: [undefined],
    status: { terminating: 1, uncountedTerminatedPods: { failed: ['a'] } },
  },
  {
    name: 'waits for a pod that leaves when only failed ones are replaced',
    job: job({ parallelism: 1, podReplacementPolicy: 'Failed' }),
    pods: [pod('a', { leaving: true })],
  },
];

describe('planJob()', () => {
  it.each(CASES)('$name', (wanted) => {
    const plan = planJob(wanted.job, wanted.pods ?? [], NOW);
    expect(plan.create).toEqual(wanted.create ?? []);
    expect(names(plan.remove)).toEqual(wanted.remove ?? []);
    expect(names(plan.withdraw)).toEqual(wanted.withdraw ?? []);
    expect(names(plan.release)).toEqual(wanted.release ?? []);
    expect(plan.status).toMatchObject(wanted.status ?? {});
    const conditions = (plan.status?.conditions ?? []).map(
      ({ type, reason }) => `${type} ${reason ?? ''}`,
    );
    const want = (wanted.conditions ?? []).map((text) =>
      text.includes(' ') ? text : `${text} CompletionsReached`,
    );
    expect(conditions).toEqual(want);
    expect(plan.recheckAfterMs).toBe(wanted.recheck);
  });

  it('clears the start time of a suspended job', () => {
    expect(planJob(job({ suspend: true }), [], NOW).status?.startTime).toBeUndefined();
  });

  it('only lets the pods of a finished job go', () => {
    const over = job({}, { conditions: [{ type: 'Complete', status: 'True' }] });
    const plan = planJob(over, [pod('a')], NOW);
    expect(names(plan.release)).toEqual(['a']);
    expect(plan.status).toBeUndefined();
  });
});

describe('planJob() on servers that keep no uids of pods', () => {
  it('counts the pods that are there, and tracks none', () => {
    const pods = [
      pod('a', { phase: 'Succeeded', tracked: false }),
      pod('b', { phase: 'Failed', tracked: false }),
      pod('c', { tracked: false }),
    ];
    const plan = planJob(job({}, { succeeded: 7, failed: 7 }), pods, NOW, 'present');
    expect(plan.status).toMatchObject({ succeeded: 1, failed: 1, active: 1 });
    expect(plan.status?.uncountedTerminatedPods).toEqual({});
    expect(plan.release).toEqual([]);
  });

  it('completes a job once its pods have succeeded', () => {
    const pods = ['a', 'b', 'c'].map((name) => pod(name, { phase: 'Succeeded', tracked: false }));
    const { status } = planJob(job(), pods, NOW, 'present');
    expect(status?.conditions?.map(({ type }) => type)).toContain('Complete');
  });
});

describe('completion indexes', () => {
  it.each([
    { text: '', want: [] },
    { text: '0-2,5', want: [0, 1, 2, 5] },
    { text: '0,1,3', want: [0, 1, 3] },
  ])('reads and writes $text', ({ text, want }) => {
    expect([...parseIndexes(text, 10)]).toEqual(want);
    expect(formatIndexes(new Set(want))).toBe(text);
  });
});

describe('giveIndex()', () => {
  it('names the index of a pod that has one', () => {
    const draft = pod('x', { tracked: false });
    track(draft);
    giveIndex(draft, job(), 4);
    expect(draft.metadata).toMatchObject({ finalizers: [TRACKING], generateName: 'j-4-' });
    expect(draft.spec?.hostname).toBe('j-4');
  });
});
