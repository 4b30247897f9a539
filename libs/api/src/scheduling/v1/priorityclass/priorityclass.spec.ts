import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { PriorityClassKind } from './priorityclass.kind.js';

const policy = (preemptionPolicy: string): object => ({ preemptionPolicy });

describe('names of the system', () => {
  const refused = (error: string): string =>
    `metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ${error}`;

  it.each([
    {
      name: 'one that is not known',
      change: { metadata: { name: 'system-x' } },
      want: 'system-x is not a known system priority class',
    },
    {
      name: 'another value',
      change: { metadata: { name: 'system-node-critical' }, value: 7 },
      want: 'value of system-node-critical PriorityClass must be 2000001000',
    },
    {
      name: 'the default of all',
      change: {
        metadata: { name: 'system-cluster-critical' },
        value: 2_000_000_000,
        globalDefault: true,
      },
      want: 'globalDefault of system-cluster-critical PriorityClass must be false',
    },
  ])('are refused: $name', ({ change, want }) => {
    expect(refusals(PriorityClassKind, change)).toEqual([refused(want)]);
    // Updates are not asked.
    expect(updateRefusals(PriorityClassKind, change, change)).toEqual([]);
  });
});

describe('the preemption policy of a PriorityClass', () => {
  it.each([
    {
      given: 'Always',
      want: 'Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
    },
    { given: '', want: 'Required value' },
  ])('is not "$given"', ({ given, want }) => {
    expect(refusals(PriorityClassKind, policy(given))).toEqual([`preemptionPolicy: ${want}`]);
  });

  it('stays what it is', () => {
    expect(updateRefusals(PriorityClassKind, policy('Never'), {})).toEqual([
      'preemptionPolicy: Invalid value: "PreemptLowerPriority": field is immutable',
    ]);
  });
});
