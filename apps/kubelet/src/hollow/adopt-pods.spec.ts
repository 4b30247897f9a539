import { describe, expect, it } from '@jest/globals';
import type { Pod } from '@orrery/api';
import { SystemClock } from '@orrery/component';
import { hashContainer } from '../containers/hash.js';
import { isMirrorPod, isStaticPod } from '../containers/visit.js';
import { readMachine } from '../node/machine.js';
import { computeActions } from '../pod-workers/compute-actions.js';
import { machineOf, toRuntimePod, toStaticPod } from './adopt-pods.js';
import { HollowRuntime } from './hollow-runtime.js';

const NO_PROBES = {
  livenessFailed: () => false,
  startupFailed: () => false,
  started: () => true,
};

const pod = (status: Pod['status'], spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-0', namespace: 'ns1', uid: 'u1' },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'nginx' }], ...spec },
  status,
});

const running = {
  name: 'c',
  image: 'nginx',
  imageID: 'docker.io/nginx@sha256:1',
  containerID: 'orrery://abc',
  ready: true,
  restartCount: 2,
  state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
};

const started = pod({
  phase: 'Running',
  podIP: '10.0.1.7',
  startTime: '2026-01-01T00:00:00Z',
  containerStatuses: [running],
});

describe('toRuntimePod()', () => {
  it('holds what the status says is running', () => {
    expect(toRuntimePod(started)).toMatchObject({
      uid: 'u1',
      sandboxes: [{ ready: true, ips: ['10.0.1.7'], hostNetwork: false }],
      containers: [
        {
          id: 'abc',
          name: 'c',
          state: 'running',
          restartCount: 2,
          hash: hashContainer({ name: 'c', image: 'nginx' }),
          startedAtMs: Date.parse('2026-01-01T00:00:00Z'),
        },
      ],
    });
  });

  it('gives a kubelet nothing to do', () => {
    const actions = computeActions(started, toRuntimePod(started), NO_PROBES);
    expect(actions).toMatchObject({
      killPod: false,
      createSandbox: false,
      toKill: [],
      toReset: [],
      toStart: [],
      initToStart: [],
    });
  });

  it('leaves a pod that has ended as it is', () => {
    const ended = pod(
      {
        phase: 'Succeeded',
        containerStatuses: [
          {
            ...running,
            state: {
              terminated: { exitCode: 0, reason: 'Completed', containerID: 'orrery://abc' },
            },
          },
        ],
      },
      { restartPolicy: 'Never' },
    );
    const held = toRuntimePod(ended);
    expect(held?.sandboxes[0]?.ready).toBe(false);
    expect(held?.containers[0]).toMatchObject({ state: 'exited', exitCode: 0 });
  });

  it('holds nothing of a pod that has not started', () => {
    expect(toRuntimePod(pod({ phase: 'Pending' }))).toBeUndefined();
    expect(toRuntimePod(pod(undefined))).toBeUndefined();
  });
});

describe('toStaticPod()', () => {
  it('is what the mirror shows', () => {
    const mirror: Pod = {
      ...started,
      metadata: {
        ...started.metadata,
        annotations: { 'kubernetes.io/config.mirror': 'h1', 'kubernetes.io/config.source': 'file' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n' }],
      },
    };
    const made = toStaticPod(mirror);
    expect([isMirrorPod(mirror), isStaticPod(made), isMirrorPod(made)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(made.metadata).toMatchObject({
      uid: 'h1',
      annotations: { 'kubernetes.io/config.hash': 'h1' },
    });
    expect(made.metadata.ownerReferences).toBeUndefined();
  });
});

describe('machineOf()', () => {
  it('is the one that the Node stands for, wherever it is hosted', () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      spec: {},
      status: { capacity: { cpu: '64', memory: '1Gi', 'ephemeral-storage': '2048Ki' } },
    };
    const here = readMachine('/');
    expect(machineOf(node, here)).toMatchObject({
      cpus: 64,
      memoryBytes: 1024 ** 3,
      ephemeralStorageBytes: 2048 * 1024,
      hostname: 'n1',
      kernelVersion: here.kernelVersion,
    });
    expect(machineOf({ ...node, status: {} }, here).cpus).toBe(here.cpus);
  });
});

describe(HollowRuntime.name, () => {
  it('ends what was adopted and is meant to end, and nothing else', async () => {
    const due: (() => void)[] = [];
    const clock = new (class extends SystemClock {
      override after(_ms: number, work: () => void): () => void {
        due.push(work);
        return () => undefined;
      }
    })();
    const runtime = new HollowRuntime(clock, (_uid, name) => (name === 'job' ? 1000 : undefined));
    const held = toRuntimePod(started);
    const [container] = held?.containers ?? [];
    if (!held || !container) throw new Error('nothing to adopt');
    runtime.adopt({ ...held, containers: [container, { ...container, id: 'j', name: 'job' }] });
    expect(due).toHaveLength(1);
    due[0]?.();
    const states = (await runtime.getPod('u1'))?.containers.map(({ name, state }) => [name, state]);
    expect(states).toEqual([
      ['c', 'running'],
      ['job', 'exited'],
    ]);
  });

  it('gives addresses of the range of its node that no adopted pod has', async () => {
    const runtime = new HollowRuntime(new SystemClock(), () => undefined);
    await runtime.updatePodCidr('10.0.1.0/24');
    const held = toRuntimePod(pod({ ...started.status, podIP: '10.0.1.2' }));
    if (held) runtime.adopt(held);
    const sandbox = {
      uid: 'u2',
      name: 'p',
      namespace: 'ns1',
      attempt: 0,
      hostNetwork: false,
    } as Parameters<HollowRuntime['runSandbox']>[0];
    await runtime.runSandbox(sandbox);
    expect((await runtime.getPod('u2'))?.sandboxes[0]?.ips).toEqual(['10.0.1.3']);
  });
});
