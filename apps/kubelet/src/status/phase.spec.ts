import { describe, expect, it } from '@jest/globals';
import type { Container, ContainerState, ContainerStatus, Pod } from '@orrery/api';
import { phaseOf } from './phase.js';
import type { Phase } from './phase.js';

const running: ContainerState = { running: { startedAt: 't' } };
const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode } });
const status = (
  name: string,
  state: ContainerState,
  over: Partial<ContainerStatus> = {},
): ContainerStatus => ({
  name,
  state,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...over,
});
const c = (name: string, over: Partial<Container> = {}): Container => ({ name, ...over });

interface Case {
  readonly name: string;
  readonly spec?: Partial<Pod['spec']>;
  readonly statuses: ContainerStatus[];
  readonly terminal?: boolean;
  readonly want: Phase;
}

describe('phaseOf()', () => {
  it.each<Case>([
    { name: 'waiting', statuses: [status('a', waiting)], want: 'Pending' },
    { name: 'running', statuses: [status('a', running)], want: 'Running' },
    {
      name: 'one of two still waiting',
      spec: { containers: [c('a'), c('b')] },
      statuses: [status('a', running), status('b', waiting)],
      want: 'Pending',
    },
    {
      name: 'in back-off after a crash',
      statuses: [status('a', waiting, { lastState: ended(1) })],
      want: 'Running',
    },
    { name: 'succeeded, but always restarted', statuses: [status('a', ended(0))], want: 'Running' },
    {
      name: 'succeeded for good',
      spec: { restartPolicy: 'OnFailure' },
      statuses: [status('a', ended(0))],
      want: 'Succeeded',
    },
    {
      name: 'failed, to be restarted',
      spec: { restartPolicy: 'OnFailure' },
      statuses: [status('a', ended(1))],
      want: 'Running',
    },
    {
      name: 'failed for good',
      spec: { restartPolicy: 'Never' },
      statuses: [status('a', ended(1))],
      want: 'Failed',
    },
    {
      name: 'deleted, ended well',
      statuses: [status('a', ended(0))],
      terminal: true,
      want: 'Succeeded',
    },
    {
      name: 'deleted, killed',
      statuses: [status('a', ended(137))],
      terminal: true,
      want: 'Failed',
    },
    {
      name: 'initializing',
      spec: { initContainers: [c('i')] },
      statuses: [status('i', running), status('a', waiting)],
      want: 'Pending',
    },
    {
      name: 'failed to initialize for good',
      spec: { restartPolicy: 'Never', initContainers: [c('i')] },
      statuses: [status('i', ended(1)), status('a', waiting)],
      want: 'Failed',
    },
    {
      name: 'finished beside a running sidecar',
      spec: { restartPolicy: 'Never', initContainers: [c('s', { restartPolicy: 'Always' })] },
      statuses: [status('s', running, { started: true }), status('a', ended(0))],
      want: 'Running',
    },
  ])('$name is $want', ({ spec, statuses, terminal = false, want }) => {
    const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [c('a')], ...spec } };
    expect(phaseOf(pod, statuses, terminal)).toBe(want);
  });
});
