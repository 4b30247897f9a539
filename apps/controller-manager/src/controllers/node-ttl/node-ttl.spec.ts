import { describe, expect, it } from '@jest/globals';
import { ttlSeconds } from './node-ttl.reconciler.js';

describe('ttlSeconds()', () => {
  it.each([
    { name: 'few nodes read at once', nodes: 3, before: undefined, want: 0 },
    { name: 'more nodes keep what they read', nodes: 200, before: undefined, want: 15 },
    { name: 'stays at a border from below', nodes: 95, before: 0, want: 0 },
    { name: 'stays at a border from above', nodes: 95, before: 15, want: 15 },
    { name: 'very many keep it for long', nodes: 5000, before: 60, want: 300 },
    { name: 'what is told otherwise is put right', nodes: 3, before: 7, want: 0 },
  ])('$name', ({ nodes, before, want }) => {
    expect(ttlSeconds(nodes, before)).toBe(want);
  });
});
