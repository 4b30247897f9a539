import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { refusals } from '../../../findings.fixture.js';
import { LimitRangeKind } from './limitrange.kind.js';

const limit = (item: object): object => ({ spec: { limits: [item] } });

describe('a limit range', () => {
  it.each<Refused>([
    {
      name: 'amounts in the wrong order',
      change: limit({
        type: 'Container',
        min: { cpu: '2' },
        max: { cpu: '1' },
        default: { cpu: '1500m' },
      }),
      want: [
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1500m": min value 2 is greater than default request value 1500m',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1500m": default request value 1500m is greater than max value 1',
        'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1500m',
        'spec.limits[0].default[cpu]: Invalid value: "1": default value 1500m is greater than max value 1',
      ],
    },
    {
      name: 'defaults of pods',
      change: limit({ type: 'Pod', default: { cpu: '1' } }),
      want: ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
    },
    {
      name: 'claims without size',
      change: limit({ type: 'PersistentVolumeClaim', max: { x: '1' } }),
      want: [
        'spec.limits[0].max[x]: Invalid value: "x": must be a standard resource type or fully qualified',
        'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
      ],
    },
    {
      name: 'a type twice',
      change: { spec: { limits: [{ type: 'Pod' }, { type: 'Pod' }, { type: 'Other' }] } },
      want: [
        'spec.limits[1].type: Duplicate value: "Pod"',
        'spec.limits[2].type: Invalid value: "Other": must be a standard limit type or fully qualified',
      ],
    },
    {
      name: 'a ratio below one and above max/min',
      change: {
        spec: {
          limits: [
            { type: 'Pod', maxLimitRequestRatio: { cpu: '500m' } },
            {
              type: 'Container',
              min: { cpu: '1' },
              max: { cpu: '2' },
              maxLimitRequestRatio: { cpu: '3' },
            },
          ],
        },
      },
      want: [
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
        'spec.limits[1].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(LimitRangeKind, change)).toEqual(want);
  });
});
