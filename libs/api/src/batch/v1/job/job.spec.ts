import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { context, objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
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
        'spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"',
      ],
    },
    {
      name: 'limits of indexes that it does not have',
      change: spec({ backoffLimitPerIndex: 1, maxFailedIndexes: 2 }),
      want: [
        'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
        'spec.maxFailedIndexes: Invalid value: 2: requires indexed completion mode',
      ],
    },
    {
      name: 'more failed indexes than indexes',
      change: spec({
        completionMode: 'Indexed',
        completions: 2,
        backoffLimitPerIndex: 1,
        maxFailedIndexes: 100_001,
      }),
      want: [
        'spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to completions',
        'spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 100000',
      ],
    },
    {
      name: 'many indexes with a limit each and without bound',
      change: {
        metadata: { name: 'w' },
        spec: {
          completionMode: 'Indexed',
          completions: 100_001,
          parallelism: 10_001,
          backoffLimitPerIndex: 1,
        },
      },
      want: [
        'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
        'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
      ],
    },
    {
      name: 'many indexes with a limit each and a wide bound',
      change: {
        metadata: { name: 'w' },
        spec: {
          completionMode: 'Indexed',
          completions: 100_001,
          backoffLimitPerIndex: 1,
          maxFailedIndexes: 10_001,
        },
      },
      want: [
        'spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
      ],
    },
    {
      name: 'a manager without a domain',
      change: spec({ managedBy: 'me' }),
      want: [
        'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
      ],
    },
    {
      name: 'indexes of success that cannot be read',
      change: spec({
        completionMode: 'Indexed',
        completions: 5,
        successPolicy: {
          rules: ['a', '1-2-3', '9', '2-2', '1,0', '1-9'].map((succeededIndexes) => ({
            succeededIndexes,
          })),
        },
      }),
      want: [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "a": error parsing succeededIndexes: cannot convert string to integer for index: "a"',
        'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "1-2-3": error parsing succeededIndexes: the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by \'-\'',
        'spec.successPolicy.rules[2].succeededIndexes: Invalid value: "9": error parsing succeededIndexes: too large index: "9"',
        'spec.successPolicy.rules[3].succeededIndexes: Invalid value: "2-2": error parsing succeededIndexes: non-increasing order, previous: 2, current: 2',
        'spec.successPolicy.rules[4].succeededIndexes: Invalid value: "1,0": error parsing succeededIndexes: non-increasing order, previous: 1, current: 0',
        'spec.successPolicy.rules[5].succeededIndexes: Invalid value: "1-9": error parsing succeededIndexes: too large index: "9"',
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

  it('counts a condition of a pod as true when it says nothing else', () => {
    const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }];
    const { spec: defaulted } = objectOf(JobKind, spec({ podFailurePolicy: { rules } }));
    expect(defaulted.podFailurePolicy?.rules[0]?.onPodConditions).toEqual([
      { type: 'DisruptionTarget', status: 'True' },
    ]);
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
      name: 'a schedule that is none',
      change: spec({ schedule: '61 * * * *' }),
      want: [
        'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
      ],
    },
    {
      name: 'a zone whose name is no file',
      change: spec({ timeZone: 'Europe//Berlin' }),
      want: ['spec.timeZone: Invalid value: "Europe//Berlin": unknown time zone Europe//Berlin'],
    },
    {
      name: 'a zone in the wrong case',
      change: spec({ timeZone: 'europe/berlin' }),
      want: ['spec.timeZone: Invalid value: "europe/berlin": unknown time zone europe/berlin'],
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
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
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

describe('an update of a cron job', () => {
  const zoned = spec({ schedule: 'TZ=UTC 0 * * * *' });

  it('may keep a zone in its schedule, but not beside the field', () => {
    expect(updateRefusals(CronJobKind, zoned, zoned)).toEqual([]);
    const both = spec({ schedule: 'TZ=UTC 0 * * * *', timeZone: 'Etc/UTC' });
    expect(updateRefusals(CronJobKind, zoned, both)).toEqual([
      'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
    ]);
  });

  it('does not ask again for a zone that it does not change', () => {
    const gone = spec({ timeZone: 'Mars/North' });
    expect(updateRefusals(CronJobKind, gone, gone)).toEqual([]);
  });

  it('tells of a zone in its schedule', () => {
    const warnings: string[] = [];
    const telling = { ...context, warn: (text: string) => void warnings.push(text) };
    const object = objectOf(CronJobKind, zoned);
    CronJobKind.strategy.validateUpdate?.(object, objectOf(CronJobKind, zoned), telling);
    expect(warnings).toEqual([
      'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
    ]);
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

  it.each([
    {
      name: 'that has none of its own',
      labels: undefined,
      template: { app: 'x' },
      want: 'with app',
    },
    { name: 'whose pods have none either', labels: undefined, template: undefined, want: 'alone' },
    { name: 'with its own', labels: { mine: 'y' }, template: { app: 'x' }, want: 'its own' },
  ])('is among the labels of a job $name', ({ labels, template, want }) => {
    const made = objectOf(JobKind, {
      metadata: { name: 'j', uid: 'u', ...(labels ? { labels } : {}) },
      spec: { template: { metadata: template ? { labels: template } : {} } },
    });
    JobKind.setDefaults?.(made);
    JobKind.strategy.prepareForCreate?.(made, context);
    const generated = {
      'batch.kubernetes.io/controller-uid': 'u',
      'batch.kubernetes.io/job-name': 'j',
      'controller-uid': 'u',
      'job-name': 'j',
    };
    const wanted: Record<string, object> = {
      'with app': { ...generated, app: 'x' },
      alone: generated,
      'its own': { mine: 'y' },
    };
    expect(made.metadata.labels).toEqual(wanted[want]);
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
