import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { CronJobKind } from '../cronjob/cronjob.kind.js';
import { JobKind } from './job.kind.js';
import { validateGenerated } from './job-selector.js';
import { validateJob } from './job.validation.js';
import type { Job } from '../../../types.js';

const spec = (more: object): object => ({ spec: more });
const fails = (rule: object): object => ({ podFailurePolicy: { rules: [rule] } });
const always = { template: { spec: { restartPolicy: 'Always' } } };

describe('a job', () => {
  it.each<Refused>([
    {
      name: 'pods that never end',
      change: spec(always),
      want: [
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      ],
    },
    {
      name: 'indexes that it does not have',
      change: spec({ backoffLimitPerIndex: 1, completionMode: 'Some' }),
      want: [
        'spec.completionMode: Unsupported value: "Some": supported values: "Indexed", "NonIndexed"',
        'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
      ],
    },
    {
      name: 'indexes without end',
      change: spec({ completionMode: 'Indexed', maxFailedIndexes: 1, parallelism: 100001 }),
      want: [
        'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
        'spec.completions: Required value: when completion mode is Indexed',
        'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
      ],
    },
    {
      name: 'rules for failures that mean nothing',
      change: spec(
        fails({
          action: 'FailIndex',
          onExitCodes: { operator: 'In', containerName: 'x', values: [3, 0, 3] },
        }),
      ),
      want: [
        'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
        'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
        'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
        'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3',
        'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered',
      ],
    },
    {
      name: 'a rule without condition',
      change: spec(fails({ action: 'Ignore' })),
      want: [
        'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
      ],
    },
    {
      name: 'a success of more indexes than there are',
      change: spec({
        completionMode: 'Indexed',
        completions: 3,
        successPolicy: { rules: [{ succeededCount: 4, succeededIndexes: '0-1' }, {}] },
      }),
      want: [
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
        'spec.successPolicy.rules[1]: Required value: at least one of succeededCount or succeededIndexes must be specified',
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(JobKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    {
      name: 'a completion time without being complete',
      before: {},
      after: {
        status: { startTime: '2026-01-01T00:00:02Z', completionTime: '2026-01-01T00:00:01Z' },
      },
      want: [
        'status.completionTime: Invalid value: "2026-01-01T00:00:01Z": cannot set completionTime when there is no Complete=True condition',
        'status.completionTime: Invalid value: "2026-01-01T00:00:01Z": completionTime cannot be set before startTime',
      ],
    },
    {
      name: 'another end',
      before: { status: { conditions: [{ type: 'Failed', status: 'True' }] } },
      after: { status: { conditions: [] } },
      want: [
        'status.conditions: Invalid value: []: cannot disable the terminal Failed=True condition',
      ],
    },
  ])('has no status of $name', ({ before, after, want }) => {
    expect(updateRefusals(JobKind, before, after, 'status')).toEqual(want);
  });
});

describe('a cron job', () => {
  it.each<Refused>([
    {
      name: 'a schedule and a zone that are none',
      change: spec({ schedule: 'TZ=UTC 0 * * * *', timeZone: 'Mars/North' }),
      want: [
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
        'spec.timeZone: Invalid value: "Mars/North": unknown time zone Mars/North',
      ],
    },
    {
      name: 'a selector of its own',
      change: spec({
        jobTemplate: { spec: { manualSelector: true, selector: { matchLabels: { a: 'b' } } } },
        concurrencyPolicy: 'Some',
      }),
      want: [
        'spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", "Forbid", "Replace"',
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "false", "nil"',
      ],
    },
    {
      name: 'a name too long for its jobs',
      change: { metadata: { name: 'a'.repeat(53) } },
      want: [
        `metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`,
      ],
    },
  ])('is refused for $name', ({ change, want }) => {
    expect(refusals(CronJobKind, change)).toEqual(want);
  });
});

describe('the selector of a job', () => {
  const job = (spec: object, labels: Record<string, string> = { app: 'x' }): Job =>
    ({
      metadata: { name: 'j', uid: 'u' },
      spec: { ...spec, template: { metadata: { labels } } },
    }) as Job;
  const textsOf = (found: readonly { field: string; message: string }[]): string[] =>
    found
      .filter(({ field }) => /selector|labels/.test(field))
      .map(({ field, message }) => `${field}: ${message.replace(/{.*}/, '{}')}`);

  it.each([
    {
      name: 'that is not there',
      given: job({ manualSelector: true }),
      want: [
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`',
      ],
    },
    {
      name: 'of other pods',
      given: job({ manualSelector: true, selector: { matchLabels: { app: 'y' } } }),
      want: [
        'spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`',
      ],
    },
    {
      name: 'that cannot be, and nothing more',
      given: job({
        manualSelector: true,
        selector: { matchExpressions: [{ key: 'a', operator: 'No' }] },
      }),
      want: [
        'spec.selector.matchExpressions[0].operator: Invalid value: "No": not a valid selector operator',
      ],
    },
  ])('is refused when it is one $name', ({ given, want }) => {
    expect(textsOf(validateJob(given))).toEqual(want);
  });

  it("must be the generated one once it is no more said to be the user's", () => {
    const old = job({ manualSelector: true, selector: { matchLabels: { app: 'x' } } });
    const now = job({ selector: { matchLabels: { app: 'x' } } });
    expect(textsOf(validateGenerated(now, old))).toEqual([
      "spec.template.metadata.labels[controller-uid]: Required value: must be 'u'",
      "spec.template.metadata.labels[job-name]: Required value: must be 'j'",
      'spec.selector: Invalid value: {}: `selector` not auto-generated',
    ]);
    expect(validateGenerated(old, now)).toEqual([]);
  });
});
