import { describe, expect, it } from '@jest/globals';
import { newestStatus } from './pod-reporter.js';

const gate = (status: string) => ({ type: 'example.com/gate', status });
const ready = (status: string) => ({ type: 'Ready', status });

describe('newestStatus()', () => {
  it.each([
    {
      name: 'takes a gate that has closed again',
      own: [ready('True'), gate('True')],
      shown: [gate('False')],
      want: [ready('True'), gate('False')],
    },
    {
      name: 'lets go of a condition that its owner took away',
      own: [gate('True')],
      shown: [],
      want: [],
    },
    {
      name: 'keeps its own where others show an older one',
      own: [ready('True')],
      shown: [ready('False')],
      want: [ready('True')],
    },
    {
      name: 'takes over what it has not reported',
      own: [],
      shown: [ready('True')],
      want: [ready('True')],
    },
  ])('$name', ({ own, shown, want }) => {
    const { phase, conditions } = newestStatus(
      { phase: 'Running', conditions: own },
      { phase: 'Pending', conditions: shown },
    );
    expect([phase, conditions]).toEqual(['Running', want]);
  });
});
