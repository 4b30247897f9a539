import { describe, expect, it } from '@jest/globals';
import type { Container, ContainerState, ContainerStatus, Pod } from '@orrery/api';
import { generateStatus } from './generate-status.js';

const NOW = '2026-01-01T00:00:00Z';
const LOST = 'ContainerStatusUnknown';
const c = (name: string): Container => ({ name, image: 'i' });

const podOf = (over: Partial<Pod['spec']> = {}, annotations: Record<string, string> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u', annotations },
  spec: { containers: [c('a')], restartPolicy: 'Never', ...over },
});

const seen = (name: string, state: ContainerState): ContainerStatus => ({
  name,
  state,
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
});

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly inits?: readonly ContainerStatus[];
  readonly regular?: readonly ContainerStatus[];
  readonly terminal: boolean;
  readonly want: { readonly phase: string; readonly reasons: Record<string, string | undefined> };
}

/** How a pod ends of which the runtime knows nothing. */
describe('the status of a pod of which nothing will run', () => {
  it.each<Case>([
    {
      name: 'while it may still run, a container waits',
      pod: podOf(),
      terminal: false,
      want: { phase: 'Pending', reasons: { a: 'ContainerCreating' } },
    },
    {
      name: 'a container that never started has failed',
      pod: podOf(),
      terminal: true,
      want: { phase: 'Failed', reasons: { a: LOST } },
    },
    {
      name: 'one that ended well is told as it ended, and the other has failed',
      pod: podOf({ containers: [c('a'), c('b')] }),
      regular: [seen('a', { terminated: { exitCode: 0, reason: 'Completed' } })],
      terminal: true,
      want: { phase: 'Failed', reasons: { a: 'Completed', b: LOST } },
    },
    {
      name: 'of init containers that never started the first has failed, and the others still wait',
      pod: podOf({ initContainers: [c('i'), c('j')] }),
      terminal: true,
      want: {
        phase: 'Failed',
        reasons: { i: LOST, j: 'PodInitializing', a: 'PodInitializing' },
      },
    },
    {
      name: 'after its last init container the pod was ready to run',
      pod: podOf({ initContainers: [c('i')] }),
      inits: [seen('i', { terminated: { exitCode: 0, reason: 'Completed' } })],
      terminal: true,
      want: { phase: 'Failed', reasons: { i: 'Completed', a: LOST } },
    },
    {
      name: 'a static pod keeps its phase',
      pod: podOf({ restartPolicy: 'Always' }, { 'kubernetes.io/config.source': 'file' }),
      terminal: true,
      want: { phase: 'Pending', reasons: { a: LOST } },
    },
  ])('$name', ({ pod, inits = [], regular = [], terminal, want }) => {
    const status = generateStatus({
      pod,
      runtimePod: undefined,
      old: { initContainerStatuses: [...inits], containerStatuses: [...regular] },
      reasons: new Map(),
      probes: { started: () => false, ready: () => false },
      runtimeName: 'orrery',
      hostIps: ['127.0.0.1'],
      now: NOW,
      terminal,
      terminationMessage: () => undefined,
    });
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const reasons = Object.fromEntries(
      all.map(({ name, state }) => [name, state?.waiting?.reason ?? state?.terminated?.reason]),
    );
    expect({ phase: status.phase, reasons }).toEqual(want);
  });
});
