import { describe, expect, it } from '@jest/globals';
import type { Container, Pod } from '@orrery/api';
import { hashContainer } from '../containers/hash.js';
import type { RuntimeContainer, RuntimePod } from '../runtime/runtime.js';
import { computeActions } from './compute-actions.js';
import type { ProbeVerdicts } from './compute-actions.js';

const container = (name: string, over: Partial<Container> = {}): Container => ({
  name,
  image: 'busybox',
  ...over,
});
const pod = (spec: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [container('a')], ...spec },
});

const run = (name: string, over: Partial<RuntimeContainer> = {}): RuntimeContainer => ({
  id: `id-${name}`,
  sandboxId: 's1',
  name,
  state: 'running',
  image: 'busybox',
  imageRef: 'ref',
  hash: hashContainer(container(name)),
  restartCount: 0,
  createdAtMs: 1,
  startedAtMs: 1,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  logPath: '',
  annotations: {},
  mounts: [],
  ...over,
});
const exited = (name: string, exitCode: number): RuntimeContainer =>
  run(name, { state: 'exited', exitCode });

const held = (containers: RuntimeContainer[], ready = true, ips = ['10.0.0.1']): RuntimePod => ({
  uid: 'u',
  namespace: 'default',
  name: 'p',
  sandboxes: [{ id: 's1', attempt: 0, ready, createdAtMs: 1, ips, hostNetwork: false }],
  containers,
});

const calm: ProbeVerdicts = {
  livenessFailed: () => false,
  startupFailed: () => false,
  started: () => true,
};

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly runtime: RuntimePod | undefined;
  readonly probes?: Partial<ProbeVerdicts>;
  readonly want: {
    kill?: boolean;
    sandbox?: number;
    init?: string[];
    start?: string[];
    end?: string[];
    ephemeral?: string[];
  };
}

const sidecar = container('s', { restartPolicy: 'Always' });

const cases: Case[] = [
  {
    name: 'makes a sandbox and starts all of a new pod',
    pod: pod({ containers: [container('a'), container('b')] }),
    runtime: undefined,
    want: { sandbox: 0, start: ['a', 'b'] },
  },
  {
    name: 'starts only the first init container at first',
    pod: pod({ initContainers: [container('i'), container('j')] }),
    runtime: undefined,
    want: { sandbox: 0, init: ['i'] },
  },
  {
    name: 'starts the containers when the sandbox is there',
    pod: pod(),
    runtime: held([]),
    want: { start: ['a'] },
  },
  { name: 'does nothing while all run', pod: pod(), runtime: held([run('a')]), want: {} },
  {
    name: 'waits for a running init container',
    pod: pod({ initContainers: [container('i')] }),
    runtime: held([run('i')]),
    want: {},
  },
  {
    name: 'goes on to the next init container',
    pod: pod({ initContainers: [container('i'), container('j')] }),
    runtime: held([exited('i', 0)]),
    want: { init: ['j'] },
  },
  {
    name: 'starts the containers after the last init container',
    pod: pod({ initContainers: [container('i')] }),
    runtime: held([exited('i', 0)]),
    want: { start: ['a'] },
  },
  {
    name: 'repeats a failed init container',
    pod: pod({ initContainers: [container('i')] }),
    runtime: held([exited('i', 1)]),
    want: { init: ['i'] },
  },
  {
    name: 'gives up a pod that never restarts when init fails',
    pod: pod({ restartPolicy: 'Never', initContainers: [container('i')] }),
    runtime: held([exited('i', 1)]),
    want: { kill: true },
  },
  {
    name: 'holds the containers until a sidecar has started',
    pod: pod({ initContainers: [sidecar] }),
    runtime: held([run('s')]),
    probes: { started: () => false },
    want: {},
  },
  {
    name: 'starts the containers beside a started sidecar',
    pod: pod({ initContainers: [sidecar] }),
    runtime: held([run('s')]),
    want: { start: ['a'] },
  },
  {
    name: 'restarts a sidecar while containers run',
    pod: pod({ initContainers: [sidecar] }),
    runtime: held([run('a'), exited('s', 1)]),
    want: { init: ['s'] },
  },
  {
    name: 'ends a finished pod although its sidecar runs',
    pod: pod({ restartPolicy: 'Never', initContainers: [sidecar] }),
    runtime: held([exited('a', 0), run('s')]),
    want: { kill: true },
  },
  {
    name: 'restarts an exited container',
    pod: pod(),
    runtime: held([exited('a', 0)]),
    want: { start: ['a'] },
  },
  {
    name: 'leaves a success alone under OnFailure',
    pod: pod({ restartPolicy: 'OnFailure', containers: [container('a'), container('b')] }),
    runtime: held([exited('a', 0), run('b')]),
    want: {},
  },
  {
    name: 'restarts a failure under OnFailure',
    pod: pod({ restartPolicy: 'OnFailure' }),
    runtime: held([exited('a', 1)]),
    want: { start: ['a'] },
  },
  {
    name: 'replaces a container of another image',
    pod: pod({ containers: [container('a', { image: 'nginx' })] }),
    runtime: held([run('a')]),
    want: { end: ['a'], start: ['a'] },
  },
  {
    name: 'restarts what fails its liveness probe',
    pod: pod(),
    runtime: held([run('a')]),
    probes: { livenessFailed: () => true },
    want: { end: ['a'], start: ['a'] },
  },
  {
    name: 'ends but does not restart it when nothing restarts',
    pod: pod({ restartPolicy: 'Never' }),
    runtime: held([run('a')]),
    probes: { livenessFailed: () => true },
    want: { end: ['a'] },
  },
  {
    name: 'makes the next sandbox when the last is dead',
    pod: pod(),
    runtime: held([exited('a', 137)], false),
    want: { sandbox: 1, start: ['a'] },
  },
  {
    name: 'makes no sandbox for a finished pod that never restarts',
    pod: pod({ restartPolicy: 'Never' }),
    runtime: held([exited('a', 1)], false),
    want: { kill: true },
  },
  {
    name: 'makes a sandbox anew that got no address',
    pod: pod(),
    runtime: held([], true, []),
    want: { kill: true, sandbox: 1, start: ['a'] },
  },
  {
    name: 'starts an ephemeral container once',
    pod: pod({ ephemeralContainers: [container('d')] }),
    runtime: held([run('a')]),
    want: { ephemeral: ['d'] },
  },
  {
    name: 'never restarts an ephemeral container',
    pod: pod({ ephemeralContainers: [container('d')] }),
    runtime: held([run('a'), exited('d', 1)]),
    want: {},
  },
];

describe('computeActions()', () => {
  it.each(cases)('$name', ({ pod: subject, runtime, probes, want }) => {
    const actions = computeActions(subject, runtime, { ...calm, ...probes });
    const names = (list: readonly { readonly name: string }[]): string[] =>
      list.map((one) => one.name);
    expect({
      kill: actions.killPod,
      sandbox: actions.createSandbox ? actions.attempt : undefined,
      init: names(actions.initToStart),
      start: names(actions.toStart),
      end: names(actions.toKill),
      ephemeral: names(actions.ephemeralToStart),
    }).toEqual({
      kill: false,
      sandbox: undefined,
      init: [],
      start: [],
      end: [],
      ephemeral: [],
      ...want,
    });
  });
});

describe('computeActions(), with a resize', () => {
  const both = pod({ initContainers: [sidecar, container('i')], containers: [container('a')] });
  const runs = held([run('s'), run('i')]);

  it('changes init containers while they run', () => {
    const actions = computeActions(both, runs, calm, () => 'update');
    expect(actions.toUpdate.map((one) => one.container.name)).toEqual(['s', 'i']);
    expect(actions.toKill).toEqual([]);
  });

  it('restarts a sidecar whose policy says so', () => {
    const actions = computeActions(both, runs, calm, ({ name }) =>
      name === 's' ? 'restart' : 'none',
    );
    expect(actions.toKill.map(({ name, reason }) => [name, reason])).toEqual([['s', 'resize']]);
    expect(actions.initToStart.map(({ name }) => name)).toEqual(['s']);
  });
});
