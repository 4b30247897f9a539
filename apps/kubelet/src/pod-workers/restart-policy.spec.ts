import { describe, expect, it } from '@jest/globals';
import type { Container, Pod } from '@orrery/api';
import { canRestart, restartsAfter, runsOnce } from './restart-policy.js';

const podOf = (restartPolicy: 'Always' | 'OnFailure' | 'Never', container: Container): Pod => ({
  metadata: { name: 'p' },
  spec: { restartPolicy, containers: [container] },
});
const rules = (operator: 'In' | 'NotIn', ...values: number[]): Partial<Container> => ({
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator, values } }],
});

describe('restartsAfter()', () => {
  it.each<[string, 'Always' | 'OnFailure' | 'Never', Partial<Container>, number, boolean]>([
    ['the pod says always', 'Always', {}, 0, true],
    ['the pod says on failure, and it failed', 'OnFailure', {}, 1, true],
    ['the pod says on failure, and it succeeded', 'OnFailure', {}, 0, false],
    ['the pod says never', 'Never', {}, 1, false],
    ["the container's always beats the pod's never", 'Never', { restartPolicy: 'Always' }, 0, true],
    [
      "the container's never beats the pod's always",
      'Always',
      { restartPolicy: 'Never' },
      1,
      false,
    ],
    ['a rule names the code', 'Never', { restartPolicy: 'Never', ...rules('In', 42) }, 42, true],
    ['no rule names the code', 'Never', { restartPolicy: 'Never', ...rules('In', 42) }, 1, false],
    ['a rule excludes it', 'Never', { restartPolicy: 'Never', ...rules('NotIn', 0) }, 0, false],
    ['a rule excludes others', 'Never', { restartPolicy: 'Never', ...rules('NotIn', 0) }, 9, true],
  ])('%s', (_name, policy, extra, code, want) => {
    const container: Container = { name: 'c', ...extra };
    expect(restartsAfter(podOf(policy, container), container, code)).toBe(want);
  });
});

describe('runsOnce()', () => {
  it.each<[string, Partial<Container>, boolean]>([
    ['nothing of its own', {}, true],
    ['a policy of its own', { restartPolicy: 'OnFailure' }, false],
    ['rules', { restartPolicy: 'Never', ...rules('In', 1) }, false],
  ])('in a pod that never restarts, a container with %s', (_name, extra, want) => {
    const container: Container = { name: 'c', ...extra };
    const pod = podOf('Never', container);
    expect([runsOnce(pod), canRestart(pod, container)]).toEqual([want, !want]);
  });
});
