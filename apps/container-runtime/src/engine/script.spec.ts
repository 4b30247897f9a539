import { describe, expect, it } from '@jest/globals';
import { scriptOf } from './script.js';

describe('scriptOf', () => {
  it('is quiet by default', () => {
    expect(scriptOf({ container: 'c', annotations: {}, env: {} })).toEqual({
      startDelayMs: 0,
      exitAfterMs: undefined,
      exitCode: 1,
      failEvery: 0,
    });
  });

  it.each([
    { name: 'the pod', annotations: { 'orrery.dev/exit-after': '2s' }, env: {}, ms: 2_000 },
    {
      name: 'the container before the pod',
      annotations: { 'orrery.dev/exit-after': '2s', 'c.container.orrery.dev/exit-after': '3s' },
      env: {},
      ms: 3_000,
    },
    {
      name: 'the environment before both',
      annotations: { 'c.container.orrery.dev/exit-after': '3s' },
      env: { ORRERY_EXIT_AFTER: '4s' },
      ms: 4_000,
    },
    { name: 'nothing from nonsense', annotations: { 'orrery.dev/exit-after': 'x' }, env: {} },
  ])('takes $name', ({ annotations, env, ms }) => {
    expect(scriptOf({ container: 'c', annotations, env } as never).exitAfterMs).toBe(ms);
  });
});
