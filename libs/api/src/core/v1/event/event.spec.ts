import { describe, expect, it } from '@jest/globals';
import { EventsEventKind } from '../../../events/v1/event/event.kind.js';
import type { Refused } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { EventKind } from './event.kind.js';

const at = '2026-01-01T00:00:00.000000Z';
const pod = { kind: 'Pod', name: 'web', namespace: 'default' };
const report = {
  metadata: { namespace: 'default' },
  eventTime: at,
  type: 'Normal',
  reason: 'Started',
  action: 'Start',
  reportingController: 'example.com/x',
  reportingInstance: 'x-1',
  regarding: pod,
};

describe('an event of v1', () => {
  it.each<Refused>([
    {
      name: 'another namespace',
      change: { metadata: { namespace: 'default' }, involvedObject: { ...pod, namespace: 'x' } },
      want: ['involvedObject.namespace: Invalid value: "x": does not match event.namespace'],
    },
    {
      name: 'a report of nobody',
      change: { metadata: { namespace: 'default' }, involvedObject: pod, eventTime: at },
      want: [
        'reportingComponent: Required value',
        'reportingComponent: Invalid value: "": name part must be non-empty',
        "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        'reportingInstance: Required value',
        'action: Required value',
        'reason: Required value',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(EventKind, change)).toEqual(want);
  });
});

describe('an event of events.k8s.io/v1', () => {
  it.each<Refused>([
    {
      name: 'the fields of old',
      change: {
        ...report,
        deprecatedCount: 1,
        deprecatedFirstTimestamp: at,
        deprecatedSource: { component: 'x' },
        type: 'Other',
      },
      want: [
        'type: Invalid value: "": has invalid value: Other',
        'firstTimestamp: Invalid value: "": needs to be unset',
        'count: Invalid value: "": needs to be unset',
        'source: Invalid value: "": needs to be unset',
      ],
    },
    {
      name: 'a series of one',
      change: { ...report, series: { count: 1 }, action: 'a'.repeat(129) },
      want: [
        'action: Invalid value: "": can have at most 128 characters',
        'series.count: Invalid value: "": should be at least 2',
        'series.lastObservedTime: Required value',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(EventsEventKind, change)).toEqual(want);
  });

  it('changes in its series alone', () => {
    const series = { count: 2, lastObservedTime: at };
    expect(updateRefusals(EventsEventKind, report, { ...report, series })).toEqual([]);
    expect(updateRefusals(EventsEventKind, report, { ...report, note: 'x' })).toEqual([
      'message: Invalid value: "x": field is immutable',
    ]);
  });
});
