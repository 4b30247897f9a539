import { describe, expect, it } from '@jest/globals';
import type { Container, PodStatus } from '@orrery/api';
import { podOf, runningOf } from '../../test/builders.js';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import { containersToReset, mustRestartAll, restartingCondition } from './restart-all.js';

const trigger = {
  name: 'trigger',
  image: 'i',
  restartPolicy: 'Never',
  restartPolicyRules: [
    { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } },
  ],
} as Container;
const pod = podOf('p', { containers: [trigger, { name: 'c', image: 'i' }] });

const run = (name: string, over: Partial<RuntimeContainer> = {}): RuntimeContainer =>
  runningOf(name, { name, ...over });
const held = (...containers: RuntimeContainer[]): RuntimePod => ({
  uid: 'u',
  namespace: 'default',
  name: 'p',
  sandboxes: [],
  containers,
});
const ended = run('trigger', { state: 'exited', exitCode: 42 });
const begun: PodStatus = { conditions: [{ type: 'AllContainersRestarting', status: 'True' }] };

interface Case {
  readonly name: string;
  readonly runtime?: RuntimePod;
  readonly old?: PodStatus;
  readonly phase?: string;
  readonly want: object;
}

const started = {
  status: 'True',
  reason: 'RestartAllContainersStarted',
  message: 'container exited with restart policy rule',
};

describe('the condition AllContainersRestarting', () => {
  it.each<Case>([
    { name: 'nothing runs yet', phase: 'Pending', want: { status: 'False' } },
    { name: 'the pod failed', phase: 'Failed', want: { status: 'False', reason: 'PodFailed' } },
    {
      name: 'the pod succeeded',
      phase: 'Succeeded',
      want: { status: 'False', reason: 'PodCompleted' },
    },
    { name: 'all run', runtime: held(run('trigger'), run('c')), want: { status: 'False' } },
    { name: 'one ended by the rule', runtime: held(ended, run('c')), want: started },
    {
      name: 'one ended by another code',
      runtime: held(run('trigger', { state: 'exited', exitCode: 1 }), run('c')),
      want: { status: 'False' },
    },
    { name: 'some are taken away', runtime: held(run('c')), old: begun, want: started },
    { name: 'all are taken away', old: begun, want: { status: 'False' } },
  ])('when $name', ({ runtime, old = {}, phase = 'Running', want }) => {
    expect(restartingCondition(pod, runtime, old, phase)).toEqual([
      { type: 'AllContainersRestarting', ...want },
    ]);
  });

  it('is not there without such a rule', () => {
    expect(restartingCondition(podOf('q'), undefined, begun, 'Running')).toEqual([]);
    expect(mustRestartAll(podOf('q'), undefined, begun)).toBe(false);
  });
});

describe('containersToReset()', () => {
  it('takes the one that began it last', () => {
    const names = containersToReset(pod, held(ended, run('c'), run('debugger'))).map(
      (one) => one.name,
    );
    expect(names).toEqual(['c', 'trigger']);
  });
});
