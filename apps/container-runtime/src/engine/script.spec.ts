import { describe, expect, it } from '@jest/globals';
import { scriptOf } from './script.js';

describe('scriptOf', () => {
  it('is quiet by default', () => {
    expect(scriptOf({ container: 'c', annotations: {}, env: {} })).toEqual({
      startDelayMs: 0,
      exitAfterMs: undefined,
      exitCode: 1,
      failEvery: 0,
      memoryBytes: 0,
      memoryGrowth: 0,
      cpuCores: 0,
      logLine: 'still here',
      logEveryMs: undefined,
    });
  });

  it('reads amounts as quantities, and nonsense as nothing', () => {
    const annotations = { 'orrery.dev/memory': '64Mi', 'orrery.dev/cpu': '250m' };
    const env = { ORRERY_MEMORY_GROWTH: 'lots', ORRERY_LOG_EVERY: '1s' };
    expect(scriptOf({ container: 'c', annotations, env })).toMatchObject({
      memoryBytes: 67_108_864,
      cpuCores: 0.25,
      memoryGrowth: 0,
      logEveryMs: 1_000,
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
