import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@orrery/component';
import { forkContext, forkOf } from './fork-context.js';
import { parseFork } from './fork-flags.js';
import { formatForks } from './fork.js';
import { formatDiff } from './format-diff.js';

describe('parseFork()', () => {
  it.each([
    { name: 'a name', argv: 'x', want: { verb: 'create', names: ['x'] } },
    { name: 'no name', argv: '', want: { verb: 'create', names: [] } },
    {
      name: 'a flag before the name',
      argv: '--at 41 x',
      want: { names: ['x'], flags: { at: '41' } },
    },
    { name: 'a time ago', argv: 'x --at -5m', want: { names: ['x'], flags: { at: '-5m' } } },
    {
      name: 'switches',
      argv: '--run --use x',
      want: { names: ['x'], flags: { run: true, use: true } },
    },
    { name: 'a list', argv: 'ls -o json', want: { verb: 'ls', flags: { output: 'json' } } },
    {
      name: 'a comparison',
      argv: 'diff x --against live',
      want: { verb: 'diff', flags: { against: 'live' } },
    },
    { name: 'several to remove', argv: 'rm x y', want: { verb: 'rm', names: ['x', 'y'] } },
    { name: 'a run', argv: 'run x', want: { verb: 'run', names: ['x'] } },
    { name: 'a fork named as a verb', argv: 'create ls', want: { verb: 'create', names: ['ls'] } },
  ])('reads $name', ({ argv, want }) => {
    expect(parseFork(argv.split(' ').filter((word) => word !== ''))).toMatchObject(want);
  });

  it.each(['diff', 'run', 'rm', 'ls x', 'a b', 'x --against past', '--colour red'])(
    'refuses %s',
    (argv) => {
      expect(() => parseFork(argv.split(' '))).toThrow(ConfigError);
    },
  );
});

describe('forkContext()', () => {
  const live = {
    cluster: { name: 'orrery', cluster: { server: 'https://127.1.0.1:6443', 'a-field': 1 } },
    context: { name: 'admin@orrery', context: { cluster: 'orrery', user: 'admin' } },
  };

  it('stands beside the live one, with the same user', () => {
    const made = forkContext(live, 'x');
    expect(made).toMatchObject({
      cluster: {
        name: 'orrery/x',
        cluster: { server: 'https://127.1.0.1:6443/forks/x', 'a-field': 1 },
      },
      context: { name: 'orrery/x', context: { cluster: 'orrery/x', user: 'admin' } },
    });
    expect(forkOf(made.context)).toBe('x');
    expect(forkOf(live.context)).toBeUndefined();
  });

  it.each([
    { name: 'another fork', from: forkContext(live, 'y') },
    {
      name: 'the past',
      from: {
        ...live,
        cluster: { name: 'orrery@41', cluster: { server: 'https://127.1.0.1:6443/at/41' } },
      },
    },
  ])('leads to the live cluster from $name', ({ from }) => {
    expect(forkContext(from, 'x').cluster).toMatchObject({
      name: 'orrery/x',
      cluster: { server: 'https://127.1.0.1:6443/forks/x' },
    });
  });
});

describe('what is printed', () => {
  it('lists forks', () => {
    const view = {
      metadata: {
        name: 'x',
        uid: 'u',
        creationTimestamp: '2026-01-01T00:00:00Z',
        resourceVersion: '8',
      },
      spec: { baseRevision: 7 },
      status: { user: 'admin', path: '/forks/x' },
    };
    expect(formatForks([])).toBe('no forks');
    expect(formatForks([view])).toBe(
      ['NAME  BASE  CREATED               BY', 'x     7     2026-01-01T00:00:00Z  admin'].join(
        '\n',
      ),
    );
  });

  it('shows what differs, field by field', () => {
    const pod = (image: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', resourceVersion: image },
      spec: {
        containers: [
          { name: 'c', image },
          { name: 'd', image: 'same' },
        ],
        ports: [image],
      },
    });
    const diff = {
      fork: 'x',
      baseRevision: 7,
      against: 'base',
      changes: [
        { type: 'added', kind: 'Pod', namespace: 'd', name: 'n' },
        {
          type: 'changed',
          kind: 'Pod',
          namespace: 'd',
          name: 'p',
          before: pod('a'),
          after: pod('b'),
        },
        { type: 'deleted', kind: 'Node', name: 'k' },
        { type: 'changed', kind: 'Lease', namespace: 's', name: 'l' },
      ],
    } as const;
    expect(formatDiff(diff, false).split('\n')).toEqual([
      'fork x against revision 7, its base: 3 objects differ (and 1 of Leases and Events: --all)',
      '+ Pod d/n',
      '~ Pod d/p',
      '    spec.containers[c].image: "a" → "b"',
      '    spec.ports: ["a"] → ["b"]',
      '- Node k',
    ]);
    expect(formatDiff(diff, true)).toContain('~ Lease s/l');
  });
});
