import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../findings.fixture.js';
import { refusals, updateRefusals } from '../../findings.fixture.js';
import { HorizontalPodAutoscalerKind } from './horizontalpodautoscaler/horizontalpodautoscaler.kind.js';

const target = (apiVersion: string, kind = 'Deployment'): object => ({
  spec: { scaleTargetRef: { apiVersion, kind, name: 'web' } },
});
const at = 'spec.scaleTargetRef.apiVersion';
const NO_GROUP = 'apiVersion must specify API group';

describe('what a HorizontalPodAutoscaler scales', () => {
  it.each<Refused>([
    {
      name: 'without group',
      change: target('v1'),
      want: [`${at}: Invalid value: "v1": ${NO_GROUP}`],
    },
    {
      name: 'without version',
      change: target(''),
      want: [`${at}: Invalid value: "": ${NO_GROUP}`],
    },
    {
      name: 'of two groups',
      change: target('a/b/c'),
      want: [`${at}: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c`],
    },
    { name: 'of the core group', change: target('v1', 'ReplicationController'), want: [] },
  ])('is judged when it is $name', ({ change, want }) => {
    expect(refusals(HorizontalPodAutoscalerKind, change)).toEqual(want);
  });

  it.each<RefusedUpdate>([
    { name: 'stay without group', before: target('v1'), after: target('v1'), want: [] },
    {
      name: 'not lose its group',
      before: target('apps/v1'),
      after: target('v1'),
      want: [`${at}: Invalid value: "v1": ${NO_GROUP}`],
    },
  ])('may $name', ({ before, after, want }) => {
    expect(updateRefusals(HorizontalPodAutoscalerKind, before, after)).toEqual(want);
  });

  it('may stay scaled to none', () => {
    const external = {
      type: 'External',
      external: { metric: { name: 'q' }, target: { type: 'Value', value: '1' } },
    };
    const none = { spec: { minReplicas: 0, metrics: [external] } };
    expect(updateRefusals(HorizontalPodAutoscalerKind, none, none)).toEqual([]);
  });

  it('is scaled within a tolerance that is not negative', () => {
    const behavior = { scaleUp: { tolerance: '-100m' } };
    expect(refusals(HorizontalPodAutoscalerKind, { spec: { behavior } })).toEqual([
      'spec.behavior.scaleUp.tolerance: Invalid value: "-100m": must be greater than or equal to 0',
    ]);
  });
});
