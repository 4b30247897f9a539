import { describe, expect, it } from '@jest/globals';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { PodDisruptionBudgetKind } from './poddisruptionbudget.kind.js';

const odd = { matchExpressions: [{ key: 'a', operator: 'In', values: ['!'] }] };

describe('PodDisruptionBudgets', () => {
  it('have one of two limits', () => {
    const spec = { minAvailable: 1, maxUnavailable: '50%', selector: { matchLabels: { a: 'b' } } };
    expect(refusals(PodDisruptionBudgetKind, { spec })).toEqual([
      'spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":"50%","UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
    ]);
  });

  it('may have any name that can be part of a path', () => {
    expect(refusals(PodDisruptionBudgetKind, { metadata: { name: 'Any Name!' } })).toEqual([]);
    expect(refusals(PodDisruptionBudgetKind, { metadata: { name: 'a/b' } })).toEqual([
      `metadata.name: Invalid value: "a/b": may not contain '/'`,
    ]);
  });

  it('keep selectors for values that no label has', () => {
    const stored = { spec: { selector: odd } };
    expect(updateRefusals(PodDisruptionBudgetKind, stored, stored)).toEqual([]);
    expect(updateRefusals(PodDisruptionBudgetKind, {}, stored)).toHaveLength(1);
  });
});
