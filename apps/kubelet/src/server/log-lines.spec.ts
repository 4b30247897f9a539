import { describe, expect, it } from '@jest/globals';
import type { ContainerState, PodStatus } from '@orrery/api';
import { parseLogOptions, renderLine } from './log-lines.js';
import { logTarget } from './log-target.js';

describe('renderLine()', () => {
  const line = '2026-01-01T00:00:10.5Z stdout F hello';
  it.each([
    { name: 'the text alone', line, query: {}, want: 'hello\n' },
    {
      name: 'no newline after a partial line',
      line: '2026-01-01T00:00:10Z stdout P hel',
      query: {},
      want: 'hel',
    },
    { name: 'times', line, query: { timestamps: 'true' }, want: '2026-01-01T00:00:10.5Z hello\n' },
    { name: 'nothing of the other stream', line, query: { stream: 'Stderr' }, want: undefined },
    {
      name: 'nothing too old',
      line,
      query: { sinceTime: '2026-01-01T00:00:11Z' },
      want: undefined,
    },
    {
      name: 'what is new enough',
      line,
      query: { sinceTime: '2026-01-01T00:00:10Z' },
      want: 'hello\n',
    },
    { name: 'nothing of what is no log line', line: 'garbage', query: {}, want: undefined },
  ])('gives $name', ({ line: text, query, want }) => {
    expect(renderLine(text, parseLogOptions(query, 0))).toBe(want);
  });

  it.each(['tailLines', 'limitBytes', 'sinceSeconds'])('refuses a bad %s by name', (name) => {
    expect(() => parseLogOptions({ [name]: 'x' }, 0)).toThrow(name);
  });
});

interface Case {
  readonly name: string;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
  readonly previous?: boolean;
  readonly want: string;
}

const ended = (id: string): ContainerState => ({
  terminated: { exitCode: 1, containerID: `orrery://${id}` },
});

describe('logTarget()', () => {
  it.each<Case>([
    { name: 'the running container', state: { running: {} }, want: 'now' },
    { name: 'the ended container', state: ended('old'), want: 'old' },
    {
      name: 'the last run in back-off',
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: ended('old'),
      want: 'old',
    },
    {
      name: 'the previous run',
      state: { running: {} },
      lastState: ended('old'),
      previous: true,
      want: 'old',
    },
    {
      name: 'no previous run',
      state: { running: {} },
      previous: true,
      want: 'previous terminated container "c" in pod "p" not found',
    },
    {
      name: 'a container being created',
      state: { waiting: { reason: 'ContainerCreating' } },
      want: 'container "c" in pod "p" is waiting to start: ContainerCreating',
    },
    {
      name: 'an image that cannot be had',
      state: { waiting: { reason: 'ErrImagePull' } },
      want: 'container "c" in pod "p" is waiting to start: image can\'t be pulled',
    },
  ])('$name', ({ state, lastState, previous = false, want }) => {
    const one = {
      name: 'c',
      containerID: 'orrery://now',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state,
      lastState: lastState ?? {},
    };
    const status: PodStatus = { containerStatuses: [one] };
    let found: string;
    try {
      found = logTarget('p', status, 'c', previous);
    } catch (error) {
      found = (error as Error).message;
    }
    expect(found).toBe(want);
  });
});
