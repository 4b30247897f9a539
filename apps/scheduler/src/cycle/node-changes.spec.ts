import { describe, expect, it } from '@jest/globals';
import { node } from '../../test/builders.js';
import type { NodeBuilder } from '../../test/builders.js';
import { enoughFeasible } from './feasible-count.js';
import { nodeChanges } from './node-changes.js';

describe('nodeChanges()', () => {
  it.each<{ name: string; to: NodeBuilder; want: string[] }>([
    { name: 'nothing', to: node('n1'), want: [] },
    { name: 'allocatable', to: node('n1').allocatable({ cpu: '8' }), want: ['NodeAllocatable'] },
    { name: 'labels', to: node('n1').labels({ a: 'b' }), want: ['NodeLabel'] },
    { name: 'a cordon', to: node('n1').cordoned(), want: ['NodeTaint'] },
    {
      name: 'a taint',
      to: node('n1').tainted({ key: 'k', effect: 'NoSchedule' }),
      want: ['NodeTaint'],
    },
    { name: 'features', to: node('n1').declaring('A'), want: ['NodeDeclaredFeatures'] },
  ])('tells $name', ({ to, want }) => {
    expect(nodeChanges(to.build(), node('n1').build())).toEqual(want);
  });
});

describe('enoughFeasible()', () => {
  it.each([
    { nodes: 50, percentage: 10, want: 50 },
    { nodes: 1000, percentage: 0, want: 420 },
    { nodes: 6000, percentage: 0, want: 300 },
    { nodes: 1000, percentage: 5, want: 100 },
    { nodes: 1000, percentage: 100, want: 1000 },
  ])('$nodes nodes at $percentage %: $want', ({ nodes, percentage, want }) => {
    expect(enoughFeasible(nodes, percentage)).toBe(want);
  });
});
