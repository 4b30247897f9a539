import { describe, expect, it } from '@jest/globals';
import type { KubeClient } from '@orrery/client';
import { ServerVersion, toMinor } from './server-version.js';

describe('toMinor()', () => {
  it.each([
    { name: 'reads a number', version: { major: '1', minor: '36' }, want: 36 },
    { name: 'reads one of a vendor', version: { minor: '20+' }, want: 20 },
    { name: 'finds none where none is said', version: { minor: '' }, want: undefined },
  ])('$name', ({ version, want }) => {
    expect(toMinor(version)).toBe(want);
  });
});

describe(ServerVersion.name, () => {
  const serverOf = (answers: Readonly<Record<string, unknown>>): KubeClient =>
    ({
      raw: (path: string) => Promise.resolve({ code: 200, body: JSON.stringify(answers[path]) }),
    }) as unknown as KubeClient;

  it.each([
    { name: 'is new enough', answers: { '/version': { minor: '36' } }, want: true },
    { name: 'is too old', answers: { '/version': { minor: '22' } }, want: false },
    {
      name: 'is told by what it serves when it does not know itself',
      answers: {
        '/version': { minor: '' },
        '/apis/autoscaling': { versions: [{ version: 'v1' }] },
      },
      want: false,
    },
    {
      name: 'is new enough when it serves what new ones do',
      answers: { '/version': {}, '/apis/autoscaling': { versions: [{ version: 'v2' }] } },
      want: true,
    },
  ])('$name', async ({ answers, want }) => {
    expect(await new ServerVersion(serverOf(answers)).isAtLeast(23)).toBe(want);
  });
});
