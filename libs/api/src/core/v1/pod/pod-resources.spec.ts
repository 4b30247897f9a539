import { describe, expect, it } from '@jest/globals';
import { formatQuantity } from '@orrery/apimachinery';
import type { Pod } from '../../../types.js';
import { podAmounts } from './pod-resources.js';

const asks = (cpu: string, limit?: string): object => ({
  name: 'c',
  resources: { requests: { cpu }, ...(limit ? { limits: { cpu: limit } } : {}) },
});
const pod = (spec: object, status: object = {}): Pod => ({ metadata: {}, spec, status }) as Pod;
const inEffect = (cpu: string, granted = cpu): object => ({
  containerStatuses: [
    {
      name: 'c',
      resources: { requests: { cpu }, limits: { cpu } },
      allocatedResources: { cpu: granted },
    },
  ],
});
const infeasible = { type: 'PodResizePending', status: 'True', reason: 'Infeasible' };

describe('podAmounts()', () => {
  it.each([
    {
      name: 'takes what the pod asks for as a whole before what its containers do',
      pod: pod({ containers: [asks('1', '2')], resources: { requests: { cpu: '3' } } }),
      want: { requests: '3', limits: '2' },
    },
    {
      name: 'adds the overhead to limits that there are',
      pod: pod({ containers: [asks('1', '2')], overhead: { cpu: '250m' } }),
      want: { requests: '1250m', limits: '2250m' },
    },
    {
      name: 'makes no limit of the overhead',
      pod: pod({ containers: [asks('1')], overhead: { cpu: '250m' } }),
      want: { requests: '1250m', limits: undefined },
    },
    {
      name: 'takes what is in effect while less is asked for',
      pod: pod({ containers: [asks('1', '1')] }, inEffect('2', '3')),
      want: { requests: '3', limits: '2' },
    },
    {
      name: 'does not take what the node can never give',
      pod: pod(
        { containers: [asks('100', '100')] },
        { ...inEffect('2'), conditions: [infeasible] },
      ),
      want: { requests: '2', limits: '2' },
    },
  ])('$name', ({ pod: given, want }) => {
    const cpu = (field: 'requests' | 'limits'): string | undefined => {
      const amount = podAmounts(given, field).get('cpu');
      return amount && formatQuantity(amount);
    };
    expect({ requests: cpu('requests'), limits: cpu('limits') }).toEqual(want);
  });
});
