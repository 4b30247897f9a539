import { HASH_ANNOTATION } from './labels.js';
import { RuntimeError } from './runtime.js';
import type {
  ContainerConfig,
  ContainerResources,
  ContainerUsage,
  ExecResult,
  Runtime,
  RuntimeCondition,
  RuntimeContainer,
  ImageUser,
  PodUsage,
  RuntimeMetric,
  RuntimeImage,
  RuntimeInfo,
  RuntimePod,
  RuntimeSandbox,
  SandboxConfig,
} from './runtime.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Held {
  readonly pod: RuntimePod;
  readonly sandboxes: Mutable<RuntimeSandbox>[];
  readonly containers: Mutable<RuntimeContainer>[];
}

/** A runtime without processes: containers run until they are told to exit. For specs and hollow nodes. */
export class InMemoryRuntime implements Runtime {
  private readonly pods = new Map<string, Held>();
  private readonly refused = new Set<string>();
  private serial = 0;
  /** The /24 of the node's pods. */
  private addressPrefix = '10.0.0.';
  private listener: (uid: string) => void = () => undefined;

  constructor(private readonly now: () => number) {}

  /** Called with the uid of each pod that changes. */
  onChange(listener: (uid: string) => void): void {
    this.listener = listener;
  }

  /** Takes over a pod as it is said to be, with what runs in it. */
  adopt(pod: RuntimePod): void {
    const { uid, name, namespace } = pod;
    this.pods.set(uid, {
      pod: { uid, name, namespace, sandboxes: [], containers: [] },
      sandboxes: pod.sandboxes.map((one) => ({ ...one })),
      containers: pod.containers.map((one) => ({ ...one })),
    });
  }

  /** From now on this image cannot be pulled. */
  refuseImage(image: string): void {
    this.refused.add(image);
  }

  /** Ends the newest running container of that name. */
  exit(uid: string, name: string, exitCode: number): void {
    const found = this.pods
      .get(uid)
      ?.containers.find((one) => one.name === name && one.state === 'running');
    if (found) this.end(uid, found, exitCode);
  }

  version(): Promise<RuntimeInfo> {
    const all = { name: '', recursiveReadOnlyMounts: true, userNamespaces: true };
    return Promise.resolve({
      name: 'memory',
      version: '1',
      handlers: [all],
      supplementalGroupsPolicy: true,
    });
  }

  status(): Promise<readonly RuntimeCondition[]> {
    const up = { status: true, reason: '', message: '' };
    return Promise.resolve([
      { type: 'RuntimeReady', ...up },
      { type: 'NetworkReady', ...up },
    ]);
  }

  updatePodCidr(podCidr: string): Promise<void> {
    const [first = ''] = podCidr.split(',');
    this.addressPrefix = first.slice(0, first.lastIndexOf('.') + 1);
    return Promise.resolve();
  }

  listPods(): Promise<readonly RuntimePod[]> {
    return Promise.resolve([...this.pods.values()].map(toPod));
  }

  getPod(uid: string): Promise<RuntimePod | undefined> {
    const held = this.pods.get(uid);
    return Promise.resolve(held && toPod(held));
  }

  runSandbox(config: SandboxConfig): Promise<string> {
    const id = `s${++this.serial}`;
    const { uid, name, namespace, attempt, hostNetwork } = config;
    const held = this.pods.get(uid) ?? {
      pod: { uid, name, namespace, sandboxes: [], containers: [] },
      sandboxes: [],
      containers: [],
    };
    this.pods.set(uid, held);
    const ips = hostNetwork ? [] : [this.freeAddress()];
    held.sandboxes.unshift({ id, attempt, ready: true, createdAtMs: this.now(), ips, hostNetwork });
    this.listener(uid);
    return Promise.resolve(id);
  }

  async stopSandbox(id: string): Promise<void> {
    for (const [uid, held] of this.pods) {
      const sandbox = held.sandboxes.find((one) => one.id === id);
      if (!sandbox) continue;
      sandbox.ready = false;
      for (const one of held.containers)
        if (one.sandboxId === id && one.state === 'running') this.end(uid, one, 137);
      this.listener(uid);
    }
    return Promise.resolve();
  }

  removeSandbox(id: string): Promise<void> {
    for (const [uid, held] of this.pods) {
      const at = held.sandboxes.findIndex((one) => one.id === id);
      if (at >= 0) held.sandboxes.splice(at, 1);
      if (held.sandboxes.length === 0 && held.containers.length === 0) this.pods.delete(uid);
    }
    return Promise.resolve();
  }

  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
  ): Promise<string> {
    const id = `c${++this.serial}`;
    this.pods.get(sandbox.uid)?.containers.unshift({
      id,
      sandboxId,
      name: config.name,
      state: 'created',
      image: config.userImage,
      imageRef: config.imageRef,
      hash: config.annotations[HASH_ANNOTATION] ?? '',
      restartCount: config.attempt,
      createdAtMs: this.now(),
      startedAtMs: 0,
      finishedAtMs: 0,
      exitCode: 0,
      reason: '',
      message: '',
      logPath: config.logPath,
      annotations: config.annotations,
      mounts: config.mounts,
      resources: config.resources,
    });
    return Promise.resolve(id);
  }

  startContainer(id: string): Promise<void> {
    const [uid, container] = this.find(id);
    container.state = 'running';
    container.startedAtMs = this.now();
    this.listener(uid);
    return Promise.resolve();
  }

  stopContainer(id: string): Promise<void> {
    const [uid, container] = this.find(id);
    if (container.state === 'running') this.end(uid, container, 143);
    return Promise.resolve();
  }

  updatePodResources(): Promise<void> {
    return Promise.resolve();
  }

  updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    const [uid, container] = this.find(id);
    container.resources = resources;
    this.listener(uid);
    return Promise.resolve();
  }

  reopenLog(): Promise<void> {
    return Promise.resolve();
  }

  removeImage(): Promise<void> {
    return Promise.resolve();
  }

  imageBytes(): Promise<number> {
    return Promise.resolve(0);
  }

  removeContainer(id: string): Promise<void> {
    for (const held of this.pods.values()) {
      const at = held.containers.findIndex((one) => one.id === id);
      if (at >= 0) held.containers.splice(at, 1);
    }
    return Promise.resolve();
  }

  execSync(): Promise<ExecResult> {
    return Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
  }

  exec(): Promise<string> {
    return Promise.reject(new RuntimeError('Unimplemented', 'exec needs a process'));
  }

  attach(): Promise<string> {
    return Promise.reject(new RuntimeError('Unimplemented', 'attach needs a process'));
  }

  portForward(): Promise<string> {
    return Promise.reject(new RuntimeError('Unimplemented', 'port-forward needs a process'));
  }

  imageUser(): Promise<ImageUser> {
    return Promise.resolve({ username: '' });
  }

  imageRef(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  pullImage(image: string): Promise<string> {
    return this.refused.has(image)
      ? Promise.reject(new RuntimeError('NotFound', `no such image: ${image}`))
      : Promise.resolve(`memory/${image}`);
  }

  imageSize(): Promise<number> {
    return Promise.resolve(0);
  }

  listImages(): Promise<readonly RuntimeImage[]> {
    return Promise.resolve([]);
  }

  podUsage(): Promise<readonly PodUsage[]> {
    return Promise.resolve([]);
  }

  metrics(): Promise<readonly RuntimeMetric[]> {
    return Promise.resolve([]);
  }

  usage(): Promise<readonly ContainerUsage[]> {
    return Promise.resolve([]);
  }

  changes(_signal?: AbortSignal): AsyncIterable<string> {
    throw new RuntimeError('Unimplemented', 'listen with onChange');
  }

  close(): void {
    this.pods.clear();
  }

  /** The lowest address of the node's that no pod has; the first is the gateway's. */
  private freeAddress(): string {
    const used = new Set(
      [...this.pods.values()].flatMap(({ sandboxes }) =>
        sandboxes.flatMap(({ ready, ips }) => (ready ? ips : [])),
      ),
    );
    for (let last = 2; last < 255; last++)
      if (!used.has(`${this.addressPrefix}${last}`)) return `${this.addressPrefix}${last}`;
    throw new RuntimeError('Unknown', `no address is left in ${this.addressPrefix}0/24`);
  }

  private end(uid: string, container: Mutable<RuntimeContainer>, exitCode: number): void {
    container.state = 'exited';
    container.exitCode = exitCode;
    container.finishedAtMs = this.now();
    this.listener(uid);
  }

  private find(id: string): [string, Mutable<RuntimeContainer>] {
    for (const [uid, held] of this.pods) {
      const found = held.containers.find((one) => one.id === id);
      if (found) return [uid, found];
    }
    throw new RuntimeError('NotFound', `container ${id} not found`);
  }
}

const toPod = ({ pod, sandboxes, containers }: Held): RuntimePod => ({
  ...pod,
  sandboxes: sandboxes.map((one) => ({ ...one })),
  containers: containers.map((one) => ({ ...one })),
});
