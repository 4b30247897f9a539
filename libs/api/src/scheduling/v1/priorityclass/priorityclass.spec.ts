import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { PriorityClassKind } from './priorityclass.kind.js';

const policy = (preemptionPolicy: string): object => ({ preemptionPolicy });

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
