import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Container, Pod, PodStatus } from '@orrery/api';
import { SystemClock, silentLogger, toTime } from '@orrery/component';
import { hashContainer } from '../containers/hash.js';
import { ImagePuller } from '../images/image-puller.js';
import { HASH_ANNOTATION } from '../runtime/labels.js';
import { InMemoryRuntime } from '../runtime/in-memory-runtime.js';
import type { ContainerConfig, RuntimePod } from '../runtime/runtime.js';
import { generateStatus } from '../status/generate-status.js';
import { ContainerStarter } from './container-starter.js';
import { LifecycleHooks } from './lifecycle-hooks.js';
import { noPodEvents } from './pod-events.js';
import { PodKiller } from './pod-killer.js';
import { PodWorkers } from './pod-workers.js';
import { sandboxConfig } from './sandbox-config.js';

const clock = new SystemClock();
const probes = {
  livenessFailed: (): boolean => false,
  startupFailed: (): boolean => false,
  started: (): boolean => true,
  ready: (): boolean => true,
};

async function eventually(check: () => boolean): Promise<void> {
  const deadline = clock.monotonic() + 3_000;
  while (!check()) {
    if (clock.monotonic() > deadline) throw new Error('it did not happen within 3 s');
    await clock.sleep(5);
  }
}

/** A kubelet's worker side over a runtime in memory. */
class Bench {
  readonly runtime = new InMemoryRuntime(() => clock.now());
  readonly statuses = new Map<string, PodStatus>();
  readonly ended: string[] = [];
  readonly stop = new AbortController();
  readonly workers: PodWorkers;
  readonly cache = new Map<string, RuntimePod | undefined>();
  /** Events of the workers: reason and message. */
  readonly told: string[] = [];
  /** What readiness probes say. */
  isReady = true;

  constructor() {
    const { runtime } = this;
    const said = { ...probes, ready: () => this.isReady };
    const hooks = new LifecycleHooks(runtime, clock);
    const starter = new ContainerStarter({
      runtime,
      hooks,
      images: new ImagePuller(runtime, () => clock.now()),
      events: noPodEvents,
      makeConfig: ({ container }, imageRef, attempt) =>
        Promise.resolve(configOf(container, imageRef, attempt)),
      now: () => clock.now(),
    });
    const killer = new PodKiller({
      runtime,
      hooks,
      events: noPodEvents,
      clock,
      logger: silentLogger,
    });
    const refresh = async (uid: string): Promise<RuntimePod | undefined> => {
      const pod = await runtime.getPod(uid);
      this.cache.set(uid, pod);
      return pod;
    };
    runtime.onChange((uid) => {
      void refresh(uid).then(() => this.workers.wake(uid));
    });
    this.workers = new PodWorkers(
      {
        clock,
        logger: silentLogger,
        runtime,
        starter,
        killer,
        events: {
          pod: (_pod, _type, reason, message) => {
            this.told.push(`${reason}: ${message}`);
          },
        },
        probes,
        hooks: {
          cached: (uid) => this.cache.get(uid),
          refresh,
          admit: (pod) =>
            pod.metadata.name === 'refused' ? { reason: 'OutOfcpu', message: 'full' } : undefined,
          allocated: (pod) => pod,
          resizePlan: () => 'none',
          applyResize: () => Promise.resolve(),
          sandboxMade: () => undefined,
          isPodResized: () => false,
          resizePod: () => Promise.resolve(),
          networkProblem: () => undefined,
          prepare: () => Promise.resolve(),
          sandboxConfig: (pod, attempt) =>
            sandboxConfig(pod, attempt, {
              paths: { rootDir: '/r', podLogsDir: '/l' },
              clusterDns: [],
              clusterDomain: '',
            }),
          prepareDevices: () => Promise.resolve(),
          runtimeHandler: ({ spec }) =>
            spec.runtimeClassName === 'absent'
              ? Promise.reject(new Error('runtimeclasses.node.k8s.io "absent" not found'))
              : Promise.resolve(''),
          probe: () => undefined,
          stopProbes: () => undefined,
          report: (pod, input) => {
            const uid = pod.metadata.uid ?? '';
            const status = generateStatus({
              ...input,
              pod,
              old: this.statuses.get(uid) ?? {},
              ...(input.failure ? { failure: input.failure } : {}),
              probes: said,
              runtimeName: 'memory',
              hostIps: ['192.168.0.1'],
              now: toTime(clock.now()),
              terminationMessage: () => undefined,
            });
            this.statuses.set(uid, status);
            return status;
          },
          reclaim: () => Promise.resolve(),
        },
      },
      this.stop.signal,
      ({ metadata: { uid = '' } }, returns) => {
        if (returns) this.statuses.delete(uid);
        else this.ended.push(uid);
      },
    );
  }

  condition(type: string, uid = 'u'): string | undefined {
    return this.statuses.get(uid)?.conditions?.find((one) => one.type === type)?.status;
  }

  phase(uid = 'u'): string | undefined {
    return this.statuses.get(uid)?.phase;
  }

  waiting(uid = 'u'): string | undefined {
    return this.statuses.get(uid)?.containerStatuses?.[0]?.state?.waiting?.reason;
  }
}

const configOf = (container: Container, imageRef: string, attempt: number): ContainerConfig => ({
  name: container.name,
  attempt,
  imageRef,
  userImage: container.image ?? '',
  command: [],
  args: [],
  workingDir: '',
  envs: [],
  mounts: [],
  labels: {},
  annotations: { [HASH_ANNOTATION]: hashContainer(container) },
  logPath: '',
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: { cpuShares: 2, cpuQuota: 0, cpuPeriod: 0, memoryLimitBytes: 0, oomScoreAdj: 0 },
  privileged: false,
  readonlyRootfs: false,
  supplementalGroups: [],
  noNewPrivileges: false,
  capabilities: { add: [], drop: [] },
});

const pod = (spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'default', uid: 'u', ...metadata },
  spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec },
});

describe('PodWorkers', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });
  afterEach(async () => {
    bench.stop.abort();
    await bench.workers.stopped();
  });

  it('brings a new pod to Running and Ready', async () => {
    bench.workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    expect(bench.condition('Ready')).toBe('True');
  });

  it('runs a pod again that came back with its uid while it ended', async () => {
    bench.workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    const before = bench.cache.get('u')?.sandboxes[0]?.id;
    bench.workers.remove(pod());
    bench.workers.update(pod());
    await eventually(() => bench.cache.get('u')?.sandboxes[0]?.id !== before);
    await eventually(() => bench.phase() === 'Running');
    expect([bench.ended, bench.workers.isTerminating('u')]).toEqual([[], false]);
  });

  it('runs nothing of a pod whose RuntimeClass is not there, and says so', async () => {
    bench.workers.update(pod({ runtimeClassName: 'absent' }));
    await eventually(() =>
      bench.told.includes(
        'FailedCreatePodSandBox: Failed to create pod sandbox: runtimeclasses.node.k8s.io "absent" not found',
      ),
    );
    expect(bench.waiting()).toBe('ContainerCreating');
    expect(bench.cache.get('u')).toBeUndefined();
  });

  it('runs init containers before the others', async () => {
    bench.workers.update(pod({ initContainers: [{ name: 'i', image: 'busybox:1' }] }));
    await eventually(
      () => bench.statuses.get('u')?.initContainerStatuses?.[0]?.state?.running !== undefined,
    );
    expect([bench.phase(), bench.waiting()]).toEqual(['Pending', 'PodInitializing']);
    bench.runtime.exit('u', 'i', 0);
    await eventually(() => bench.phase() === 'Running');
  });

  it('restarts a crash at once, and backs off after the second', async () => {
    bench.workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    bench.runtime.exit('u', 'c', 1);
    await eventually(() => bench.statuses.get('u')?.containerStatuses?.[0]?.restartCount === 1);
    bench.runtime.exit('u', 'c', 1);
    await eventually(() => bench.waiting() === 'CrashLoopBackOff');
    const status = bench.statuses.get('u')?.containerStatuses?.[0];
    expect(status?.lastState?.terminated?.exitCode).toBe(1);
    expect(status?.state?.waiting?.message).toBe(
      'back-off 10s restarting failed container=c pod=p_default(u)',
    );
  });

  it('shows an image that cannot be pulled', async () => {
    bench.runtime.refuseImage('nginx:1');
    bench.workers.update(pod());
    await eventually(() => bench.waiting() === 'ErrImagePull');
    bench.workers.update(pod({ containers: [{ name: 'c', image: 'nginx:2' }] }, { generation: 2 }));
    await eventually(() => bench.phase() === 'Running');
  });

  it('shows that the image of a volume cannot be pulled', async () => {
    bench.runtime.refuseImage('data:1');
    const spec = (reference: string): Partial<Pod['spec']> => ({
      containers: [
        { name: 'c', image: 'nginx:1', volumeMounts: [{ name: 'v', mountPath: '/data' }] },
      ],
      volumes: [{ name: 'v', image: { reference } }],
    });
    bench.workers.update(pod(spec('data:1')));
    await eventually(() => bench.waiting() === 'ErrImagePull');
    bench.workers.update(pod(spec('data:2'), { generation: 2 }));
    await eventually(() => bench.phase() === 'Running');
  });

  it('ends a pod that finished', async () => {
    bench.workers.update(pod({ restartPolicy: 'Never' }));
    await eventually(() => bench.phase() === 'Running');
    bench.runtime.exit('u', 'c', 0);
    await eventually(() => bench.ended.length === 1);
    expect(bench.phase()).toBe('Succeeded');
  });

  it('ends a deleted pod and its sandbox', async () => {
    bench.workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    bench.workers.update(pod({}, { deletionTimestamp: toTime(0), deletionGracePeriodSeconds: 1 }));
    await eventually(() => bench.ended.length === 1);
    const left = await bench.runtime.getPod('u');
    expect([bench.phase(), left?.sandboxes[0]?.ready, left?.containers[0]?.state]).toEqual([
      'Failed',
      false,
      'exited',
    ]);
  });

  it('tells that a container is no longer ready while it ends', async () => {
    const { runtime, workers } = bench;
    workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    const stop = runtime.stopContainer.bind(runtime);
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isStopping = false;
    runtime.stopContainer = async (id) => {
      isStopping = true;
      await held;
      await stop(id);
    };
    workers.update(pod({}, { deletionTimestamp: toTime(0), deletionGracePeriodSeconds: 60 }));
    await eventually(() => isStopping);
    bench.isReady = false;
    workers.probed('u');
    expect([bench.condition('Ready'), bench.phase()]).toEqual(['False', 'Running']);
    release?.();
    await eventually(() => bench.ended.length === 1);
  });

  it('turns away what is not admitted, without containers', async () => {
    bench.workers.update(pod({}, { name: 'refused' }));
    await eventually(() => bench.ended.length === 1);
    const status = bench.statuses.get('u');
    expect([status?.phase, status?.reason, status?.containerStatuses]).toEqual([
      'Failed',
      'OutOfcpu',
      undefined,
    ]);
    expect(status?.message).toBe('Pod was rejected: full');
    expect(bench.told).toEqual(['OutOfcpu: full']);
  });

  it('ends a pod at its deadline', async () => {
    bench.workers.update(pod({ activeDeadlineSeconds: 1 }));
    await eventually(() => bench.ended.length === 1);
    expect([bench.phase(), bench.statuses.get('u')?.reason]).toEqual([
      'Failed',
      'DeadlineExceeded',
    ]);
  });

  it('replaces a container whose image changed', async () => {
    bench.workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    bench.workers.update(pod({ containers: [{ name: 'c', image: 'nginx:2' }] }));
    await eventually(() => bench.statuses.get('u')?.containerStatuses?.[0]?.image === 'nginx:2');
    expect(bench.statuses.get('u')?.containerStatuses?.[0]?.restartCount).toBe(1);
  });

  it('takes all containers away and starts them anew where a rule says so', async () => {
    const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } };
    const trigger = { name: 'trigger', image: 'i:1', restartPolicy: 'Never' };
    bench.workers.update(
      pod({
        restartPolicy: 'Never',
        initContainers: [{ name: 'init', image: 'busybox:1' }],
        containers: [
          { name: 'c', image: 'nginx:1' },
          { ...trigger, restartPolicyRules: [rule] } as Container,
        ],
      }),
    );
    const restarts = (): number[] => {
      const { initContainerStatuses = [], containerStatuses = [] } = bench.statuses.get('u') ?? {};
      return [...initContainerStatuses, ...containerStatuses].map((one) => one.restartCount);
    };
    const finishInit = async (): Promise<void> => {
      await eventually(
        () => bench.cache.get('u')?.containers.some(({ name }) => name === 'init') === true,
      );
      bench.runtime.exit('u', 'init', 0);
    };
    await finishInit();
    await eventually(() => bench.phase() === 'Running');
    const sandboxes = bench.cache.get('u')?.sandboxes.map(({ id }) => id);
    bench.runtime.exit('u', 'trigger', 42);
    await eventually(() => restarts()[0] === 1);
    await finishInit();
    await eventually(() => bench.cache.get('u')?.containers.length === 3);
    await eventually(() => bench.phase() === 'Running');
    const status = bench.statuses.get('u');
    expect(restarts()).toEqual([1, 1, 1]);
    expect(
      status?.containerStatuses?.map(({ lastState }) => lastState?.terminated?.reason),
    ).toEqual(['RestartingAllContainers', 'RestartingAllContainers']);
    expect(status?.conditions?.find(({ type }) => type === 'AllContainersRestarting')?.status).toBe(
      'False',
    );
    expect(bench.cache.get('u')?.sandboxes.map(({ id }) => id)).toEqual(sandboxes);
    bench.runtime.exit('u', 'trigger', 1);
    bench.runtime.exit('u', 'c', 0);
    await eventually(() => bench.phase() === 'Failed');
  });

  it('starts a static pod of the same name only when its forerunner has ended', async () => {
    bench.workers.update(pod());
    await eventually(() => bench.phase() === 'Running');
    bench.workers.update(pod({}, { uid: 'v' }));
    expect(bench.workers.active()).toHaveLength(1);
    bench.workers.remove(pod());
    await eventually(() => bench.phase('v') === 'Running');
    expect(bench.ended).toEqual(['u']);
  });
});
