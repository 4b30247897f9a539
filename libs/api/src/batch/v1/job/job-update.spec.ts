import { describe, expect, it } from '@jest/globals';
import type { RefusedUpdate } from '../../../findings.fixture.js';
import { context, objectOf, updateRefusals } from '../../../findings.fixture.js';
import type { Job, JobStatus } from '../../../types.js';
import { JobKind } from './job.kind.js';
import { validateJobStatus } from './job-status.validation.js';

const START = '2026-01-01T00:00:01Z';
const LATER = '2026-01-01T00:00:02Z';
const yes = (...types: string[]): object => ({
  conditions: types.map((type) => ({ type, status: 'True' })),
});
const status = (...parts: object[]): object => ({ status: Object.assign({}, ...parts) as object });
const over = { startTime: START, completionTime: LATER };
const complete = yes('SuccessCriteriaMet', 'Complete');
const indexed = { completionMode: 'Indexed', completions: 5, parallelism: 2 };
const withStatus = (more: object, now: object): object => ({ spec: more, status: now });

describe('the status of a job', () => {
  it.each<RefusedUpdate>([
    {
      name: 'a completion time without being complete',
      before: {},
      after: status({ startTime: LATER, completionTime: START }),
      want: [
        `status.completionTime: Invalid value: "${START}": cannot set completionTime when there is no Complete=True condition`,
        `status.completionTime: Invalid value: "${START}": completionTime cannot be set before startTime`,
      ],
    },
    {
      name: 'a lost end',
      before: status({ startTime: START }, yes('FailureTarget', 'Failed')),
      after: status({ startTime: START }, { conditions: [] }),
      want: [
        'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
        'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
      ],
    },
    {
      name: 'completion without anything that belongs to it',
      before: {},
      after: status(yes('Complete'), { active: 1, terminating: 1 }),
      want: [
        'status.completionTime: Required value: completionTime is required for Complete jobs',
        'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
        'status.active: Invalid value: 1: active>0 is invalid for finished job',
        'status.startTime: Required value: startTime is required for finished job',
        'status.terminating: Invalid value: 1: terminating>0 is invalid for finished job',
      ],
    },
    {
      name: 'a failure that nothing announces',
      before: {},
      after: status({ startTime: START }, yes('Failed')),
      want: [
        'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
      ],
    },
    {
      name: 'both ends',
      before: {},
      after: status(over, yes('SuccessCriteriaMet', 'FailureTarget', 'Complete', 'Failed')),
      want: [
        'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
        'status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions',
        'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions',
        'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
      ],
    },
    {
      name: 'pods that wait to be counted twice, and for a job that is over',
      before: {},
      after: status(over, complete, {
        uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] },
      }),
      want: [
        'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
        'status.uncountedTerminatedPods: Invalid value: {"Succeeded":["a",""],"Failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
      ],
    },
    {
      name: 'indexes of a job that has none',
      before: {},
      after: status({ completedIndexes: '0', failedIndexes: '' }),
      want: [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
        'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ],
    },
    {
      name: 'indexes that cannot be',
      before: { spec: { ...indexed, backoffLimitPerIndex: 1 } },
      after: withStatus(
        { ...indexed, backoffLimitPerIndex: 1 },
        { completedIndexes: '0-x', failedIndexes: '9' },
      ),
      want: [
        'status.completedIndexes: Invalid value: "0-x": error parsing completedIndexes: cannot convert string to integer for index: "x"',
        'status.failedIndexes: Invalid value: "9": error parsing failedIndexes: too large index: "9"',
      ],
    },
    {
      name: 'indexes that have both failed and completed',
      before: { spec: { ...indexed, backoffLimitPerIndex: 1 } },
      after: withStatus(
        { ...indexed, backoffLimitPerIndex: 1 },
        { completedIndexes: '0,2-4', failedIndexes: '1,3' },
      ),
      want: [
        'status.failedIndexes: Invalid value: "1,3": failedIndexes and completedIndexes overlap at index: 3',
      ],
    },
    {
      name: 'more ready pods than pods',
      before: {},
      after: status({ active: 1, ready: 2 }),
      want: ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
    },
    {
      name: 'counters that go back',
      before: status({ succeeded: 2, failed: 1 }),
      after: status({ succeeded: 1 }),
      want: [
        'status.failed: Invalid value: 0: cannot decrease the failed counter',
        'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
      ],
    },
    {
      name: 'times that move',
      before: status(over, complete),
      after: status({ startTime: LATER, completionTime: '2026-01-01T00:00:09Z' }, complete),
      want: [
        'status.completionTime: Invalid value: "2026-01-01T00:00:09Z": completionTime cannot be mutated',
        'status.startTime: Required value: startTime cannot be removed for unsuspended job',
      ],
    },
    {
      name: 'success after the end, or lost',
      before: status(over, yes('Complete')),
      after: status(over, complete),
      want: [
        'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
      ],
    },
    {
      name: 'completion that its policy has not seen',
      before: {
        spec: { ...indexed, successPolicy: { rules: [{ succeededCount: 1 }] } },
        ...status(over, yes('Complete')),
      },
      after: {
        spec: { ...indexed, successPolicy: { rules: [{ succeededCount: 1 }] } },
        ...status(over, yes('Complete'), { succeeded: 1 }),
      },
      want: [
        'status.conditions: Invalid value: cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
      ],
    },
  ])('has not $name', ({ before, after, want }) => {
    expect(updateRefusals(JobKind, before, after, 'status')).toEqual(want);
  });

  it('may stay wrong where a write does not touch it', () => {
    const wrong = status({ completionTime: START, startTime: LATER, completedIndexes: '0' });
    expect(updateRefusals(JobKind, wrong, wrong, 'status')).toEqual([]);
  });

  it('may lose successes of an indexed job that can shrink', () => {
    const elastic = { ...indexed, parallelism: 5 };
    const before = withStatus(elastic, { succeeded: 2 });
    expect(
      updateRefusals(JobKind, before, withStatus(elastic, { succeeded: 1 }), 'status'),
    ).toEqual([]);
  });

  it('needs no announcement where controllers of old releases write', () => {
    const of = (now: JobStatus): Job => ({ ...objectOf(JobKind), status: now });
    const failed = of({ startTime: START, ...(yes('Failed') as JobStatus) });
    expect(validateJobStatus(failed, of({}), { ...context, servesRemovedApis: true })).toEqual([]);
  });
});

describe('an update of a job', () => {
  const pod = (more: object): object => ({ template: { spec: more } });
  const suspended = { suspend: true };
  const gpu = { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '4' } } }] };
  const plain = { containers: [{ name: 'c', image: 'x' }] };
  const other = { containers: [{ name: 'c', image: 'y' }] };
  const fixed = (path: string): RegExp => new RegExp(`^${path}: .*field is immutable$`);

  it.each([
    {
      name: 'resources of a job that never started',
      before: { spec: { ...suspended, ...pod(plain) } },
      after: { spec: { ...suspended, ...pod(gpu) } },
    },
    {
      name: 'resources of a job that stands still',
      before: withStatus(
        { ...suspended, ...pod(plain) },
        { startTime: START, ...yes('Suspended') },
      ),
      after: { spec: { ...suspended, ...pod(gpu) } },
    },
    {
      name: 'nodes of a job that never started',
      before: { spec: { ...suspended, ...pod({ affinity: { nodeAffinity: {} } }) } },
      after: { spec: { ...suspended, ...pod({ nodeSelector: { a: 'b' }, schedulingGates: [] }) } },
    },
    {
      name: 'the size of an indexed job',
      before: { spec: { ...indexed } },
      after: { spec: { ...indexed, completions: 7, parallelism: 7 } },
    },
  ])('may change the $name', ({ before, after }) => {
    expect(updateRefusals(JobKind, before, after).filter((text) => /immutable/.test(text))).toEqual(
      [],
    );
  });

  it.each([
    {
      name: 'resources while it runs',
      before: { spec: pod(plain) },
      after: { spec: pod(gpu) },
      want: fixed('spec.template'),
    },
    {
      name: 'resources while its pods go',
      before: withStatus({ ...suspended, ...pod(plain) }, { active: 1 }),
      after: { spec: { ...suspended, ...pod(gpu) } },
      want: fixed('spec.template'),
    },
    {
      name: 'resources once it has started and is not known to stand still',
      before: withStatus({ ...suspended, ...pod(plain) }, { startTime: START }),
      after: { spec: { ...suspended, ...pod(gpu) } },
      want: fixed('spec.template'),
    },
    {
      name: 'images though it stands still',
      before: { spec: { ...suspended, ...pod(plain) } },
      after: { spec: { ...suspended, ...pod(other) } },
      want: fixed('spec.template.spec'),
    },
    {
      name: 'the number of completions alone',
      before: { spec: { ...indexed } },
      after: { spec: { ...indexed, completions: 7 } },
      want: /^spec.completions: Invalid value: 7: can only be modified in tandem with spec.parallelism$/,
    },
  ])('may not change $name', ({ before, after, want }) => {
    const found = updateRefusals(JobKind, before, after);
    expect(found.filter((text) => /immutable|tandem/.test(text))).toEqual([
      expect.stringMatching(want),
    ]);
  });
});
