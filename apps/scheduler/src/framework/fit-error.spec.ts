import { describe, expect, it } from '@jest/globals';
import { describeFailure } from './fit-error.js';
import { unresolvable, unschedulable } from './status.js';

const plugins = new Set<string>();

describe('describeFailure()', () => {
  it('counts each reason, sorted as text', () => {
    const statuses = new Map([
      ['a', unschedulable('Insufficient cpu', 'Too many pods')],
      ['b', unschedulable('Insufficient cpu')],
      ['c', unresolvable('node(s) were unschedulable')],
    ]);
    expect(describeFailure({ allNodes: 3, statuses, plugins })).toBe(
      '0/3 nodes are available: 1 Too many pods, 1 node(s) were unschedulable, 2 Insufficient cpu.',
    );
  });

  it('counts the nodes that were not looked at', () => {
    const absent = unresolvable("node(s) didn't satisfy plugin(s) [NodeAffinity]");
    const statuses = new Map([['a', unschedulable('Insufficient cpu')]]);
    expect(describeFailure({ allNodes: 3, statuses, absent, plugins })).toBe(
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    );
  });

  it('says what PreFilter and preemption said', () => {
    const diagnosis = { allNodes: 1, statuses: new Map(), preFilterMessage: 'no claim', plugins };
    expect(describeFailure(diagnosis, 'preemption: not now.')).toBe(
      '0/1 nodes are available: no claim. preemption: not now.',
    );
  });
});
