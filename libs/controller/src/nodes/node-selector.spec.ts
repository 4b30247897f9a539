import { describe, expect, it } from '@jest/globals';
import type { Node, NodeSelectorTerm, Pod } from '@orrery/api';
import { nodeMatchesPod, nodeMatchesTerm } from './node-selector.js';

const n1: Node = { metadata: { name: 'n1', labels: { disk: 'ssd', gen: '7' } }, spec: {} };

interface Case {
  readonly name: string;
  readonly term: NodeSelectorTerm;
  readonly want: boolean;
}

describe('nodeMatchesTerm()', () => {
  it.each<Case>([
    { name: 'an empty term selects nothing', term: {}, want: false },
    {
      name: 'In finds one of the values',
      term: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['hdd', 'ssd'] }] },
      want: true,
    },
    {
      name: 'NotIn holds for an absent label',
      term: { matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['x'] }] },
      want: true,
    },
    {
      name: 'Exists needs the label',
      term: { matchExpressions: [{ key: 'none', operator: 'Exists' }] },
      want: false,
    },
    {
      name: 'DoesNotExist refuses the label',
      term: { matchExpressions: [{ key: 'disk', operator: 'DoesNotExist' }] },
      want: false,
    },
    {
      name: 'Gt compares numbers',
      term: { matchExpressions: [{ key: 'gen', operator: 'Gt', values: ['6'] }] },
      want: true,
    },
    {
      name: 'Lt refuses an equal number',
      term: { matchExpressions: [{ key: 'gen', operator: 'Lt', values: ['7'] }] },
      want: false,
    },
    {
      name: 'Gt never holds for text',
      term: { matchExpressions: [{ key: 'disk', operator: 'Gt', values: ['1'] }] },
      want: false,
    },
    {
      name: 'matchFields compares the name',
      term: { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] },
      want: true,
    },
    {
      name: 'all requirements must hold',
      term: {
        matchExpressions: [{ key: 'disk', operator: 'Exists' }],
        matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }],
      },
      want: false,
    },
  ])('$name', ({ term, want }) => {
    expect(nodeMatchesTerm(term, n1)).toBe(want);
  });
});

describe('nodeMatchesPod()', () => {
  it('needs nodeSelector as well as one of the required terms', () => {
    const required = {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'gen', operator: 'Exists' as const }] }],
    };
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
    const wants = (nodeSelector: Record<string, string>): Pick<Pod, 'spec'> => ({
      spec: { containers: [], nodeSelector, affinity },
    });
    expect(nodeMatchesPod(wants({ disk: 'ssd' }), n1)).toBe(true);
    expect(nodeMatchesPod(wants({ disk: 'hdd' }), n1)).toBe(false);
  });
});
