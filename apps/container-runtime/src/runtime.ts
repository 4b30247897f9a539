import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Logger, Random } from '@orrery/component';
import type { ContainerConfig, LinuxContainerUser } from '@orrery/cri';
import { Catalog } from './catalog/catalog.js';
import { BASE_FILES, TOOLS } from './catalog/image-definitions.js';
import type { ImageFile } from './catalog/image-definitions.js';
import { parseReference } from './catalog/reference.js';
import { ContainerEngine } from './engine/container-engine.js';
import { ContainerEvents } from './engine/container-events.js';
import { CniPodNetwork, defaultCniCache } from './network/cni-pod-network.js';
import { HostPodNetwork } from './network/host-pod-network.js';
import { HostPorts } from './network/host-ports.js';
import type { PodNetwork } from './network/pod-network.js';
import { nodeNameOf } from './options.js';
import type { RuntimeOptions } from './options.js';
import { confine, probeConfinement } from './process/confinement.js';
import type { Confinement, Privileges } from './process/confinement.js';
import { ContainerEnvironment } from './process/environment.js';
import { contentOf } from './process/image-files.js';
import type { ImageContent } from './process/image-files.js';
import { probeIsolation } from './process/isolation.js';
import type { Isolation } from './process/isolation.js';
import { DOCUMENTS } from './programs/documents.js';
import type { ContainerRecord } from './store/container.js';
import { ImageStore } from './store/image-store.js';
import { ImageVolumes } from './store/image-volumes.js';
import { RecordStore } from './store/record-store.js';
import type { SandboxRecord } from './store/sandbox.js';
import { WritableLayers } from './store/writable-layers.js';
import { StreamingServer } from './streaming/streaming-server.js';

export const RUNTIME = Symbol('Runtime');

export interface RuntimeDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: what this machine allows. */
  readonly isolation?: Isolation;
}

function networkOf(options: RuntimeOptions, { random, logger }: RuntimeDependencies): PodNetwork {
  if (options.network !== 'netns') return new HostPodNetwork(options.root);
  return new CniPodNetwork({
    confDir: options.cniConfDir,
    binDirs: options.cniBinDir.split(','),
    netnsPrefix: options.netnsPrefix,
    cacheDir: options.cniCacheDir || defaultCniCache(options.root),
    random,
    logger,
  });
}

type Security = NonNullable<ContainerRecord['config']['linux']>['securityContext'];

/** `uid:gid`, where the pod, its groups or the image ask for one. */
function userOf(security: Security, imageUid: number | undefined): string | undefined {
  const uid = security?.runAsUser?.value ?? imageUid;
  const group = security?.runAsGroup?.value;
  const isPlain = uid === undefined && group === undefined;
  if (isPlain && (security?.supplementalGroups.length ?? 0) === 0) return undefined;
  return `${uid ?? 0}:${group ?? 0}`;
}

/** Of those that a pod sets, the ones of an IPC namespace; not where it shares the machine's. */
function ipcSysctls({ config: { linux } }: SandboxRecord): Record<string, string> {
  if (linux?.securityContext?.namespaceOptions?.ipc === 'NODE') return {};
  const all = Object.entries(linux?.sysctls ?? {});
  return Object.fromEntries(
    all.filter(([name]) => /^(?:kernel\.(?:shm|msg|sem)|fs\.mqueue\.)/.test(name)),
  );
}

const privilegesOf = (security: Security): Privileges => ({
  privileged: security?.privileged ?? false,
  noNewPrivileges: security?.noNewPrivs ?? false,
  capabilities: {
    add: security?.capabilities?.addCapabilities ?? [],
    drop: security?.capabilities?.dropCapabilities ?? [],
  },
});

/** Everything that the RPCs work on. */
export class Runtime {
  readonly sandboxes: RecordStore<SandboxRecord>;
  readonly containers: RecordStore<ContainerRecord>;
  readonly images: ImageStore;
  readonly catalog: Catalog;
  readonly network: PodNetwork;
  readonly hostPorts: HostPorts;
  /** Sandboxes whose network is being made: id by reserved name. */
  readonly startingSandboxes = new Map<string, string>();
  readonly events = new ContainerEvents();
  readonly engine: ContainerEngine;
  readonly streaming: StreamingServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly isolation: Isolation;
  readonly layers: WritableLayers;
  readonly imageVolumes: ImageVolumes;
  private confinement: Confinement | undefined;

  constructor(
    readonly options: RuntimeOptions,
    dependencies: RuntimeDependencies,
  ) {
    const { root } = options;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    this.clock = dependencies.clock;
    this.random = dependencies.random;
    this.isolation = dependencies.isolation ?? probeIsolation();
    this.sandboxes = new RecordStore(join(root, 'sandboxes'), 'sandbox');
    this.containers = new RecordStore(join(root, 'containers'), 'container');
    this.images = new ImageStore(join(root, 'images'));
    this.imageVolumes = new ImageVolumes({
      folder: join(root, 'image-volumes'),
      find: (image) => this.images.find(image),
      filesOf: (image) => this.volumeFilesOf(image),
    });
    this.catalog = options.catalog === '' ? new Catalog() : Catalog.fromFolder(options.catalog);
    this.network = networkOf(options, dependencies);
    this.hostPorts = new HostPorts({
      ...dependencies,
      nodeIps: [options.nodeIp, options.secondNodeIp ?? []].flat(),
    });
    this.engine = new ContainerEngine({
      root,
      node: nodeNameOf(options),
      componentDir: options.componentDir,
      adoptDir: options.adoptDir,
      catalog: this.catalog,
      sandboxes: this.sandboxes,
      containers: this.containers,
      events: this.events,
      clock: this.clock,
      logger: dependencies.logger,
      environmentOf: (record, sandbox) => this.environmentOf(record, sandbox),
    });
    this.layers = new WritableLayers(this.clock, (id) => join(this.engine.folderOf(id), 'rootfs'));
    this.streaming = new StreamingServer({
      address: options.streamAddress || options.nodeIp,
      port: options.streamPort,
      clock: this.clock,
      random: this.random,
      logger: dependencies.logger,
    });
  }

  async start(): Promise<void> {
    if (this.network instanceof CniPodNetwork) await this.network.prepare();
    for (const sandbox of this.sandboxes.list())
      if (sandbox.ready && !sandbox.hostNetwork) await this.recoverNetwork(sandbox);
    this.engine.recover();
    await this.streaming.listen();
  }

  async stop(): Promise<void> {
    await this.streaming.close();
    this.hostPorts.destroy();
    await this.engine.shutdown();
  }

  /** A sandbox whose network is gone is not ready, so that the kubelet makes another. */
  private async recoverNetwork(sandbox: SandboxRecord): Promise<void> {
    if (!(await this.network.recover(sandbox))) this.sandboxes.put({ ...sandbox, ready: false });
    else if (!this.network.servesHostPorts) await this.hostPorts.open(sandbox);
  }

  newId(): string {
    const part = (): string => this.random.uuid().replaceAll('-', '');
    return part() + part();
  }

  /** kube-proxy is a program of ours that finds its files below ORRERY_ROOTFS. */
  private isolationOf({ image }: ContainerRecord): Isolation {
    return this.catalog.programOf(image) === 'kube-proxy' ? 'none' : this.isolation;
  }

  /** Tried with the first command, so that a runtime without any starts sooner. */
  private confinementHere(): Confinement {
    return (this.confinement ??= probeConfinement(this.isolation));
  }

  private imageOf(
    { image, config }: ContainerRecord,
    { netns, ip }: SandboxRecord,
    isolation: Isolation,
  ): ImageContent {
    const { files, mounts } = contentOf(this.catalog.definitionOf(image), {
      isolation,
      componentDir: this.options.componentDir,
      listen: netns === undefined ? ip : '',
      noNewPrivileges: config.linux?.securityContext?.noNewPrivs ?? false,
      documents: DOCUMENTS[this.catalog.programOf(image)] ?? [],
    });
    const tools = TOOLS[parseReference(image)?.name ?? ''] ?? [];
    return { files: [...files, ...tools, ...this.catalog.filesOf(image)], mounts };
  }

  private volumeFilesOf(image: string): readonly ImageFile[] {
    const definition = this.catalog.definitionOf(image);
    const { files } = contentOf(definition, {
      isolation: this.isolation,
      componentDir: this.options.componentDir,
      listen: '',
      noNewPrivileges: false,
      documents: DOCUMENTS[this.catalog.programOf(image)] ?? [],
    });
    return [...(definition ? BASE_FILES : []), ...files, ...this.catalog.filesOf(image)];
  }

  /** With those that the image gives to its user, unless the pod's alone are wanted. */
  private groupsOf(security: Security, image: string): readonly number[] {
    const own = security?.supplementalGroups.map(Number) ?? [];
    if (security?.supplementalGroupsPolicy === 'Strict') return own;
    const definition = this.catalog.definitionOf(image);
    const uid = security?.runAsUser?.value ?? definition?.uid ?? 0;
    return [...new Set([...own, ...(definition?.groups?.[uid] ?? [])])];
  }

  /** As whom a container's processes run. */
  usersOf(config: ContainerConfig, image: string): LinuxContainerUser {
    const security = config.linux?.securityContext;
    const uid = security?.runAsUser?.value ?? this.catalog.definitionOf(image)?.uid ?? 0;
    const gid = security?.runAsGroup?.value ?? 0;
    const groups = [...new Set([gid, ...this.groupsOf(security, image)])];
    return { uid, gid, supplementalGroups: groups };
  }

  private environmentOf(record: ContainerRecord, sandbox: SandboxRecord): ContainerEnvironment {
    const { config } = record;
    const security = config.linux?.securityContext;
    const dns = sandbox.config.dnsConfig;
    const isolation = this.isolationOf(record);
    const image = this.imageOf(record, sandbox, isolation);
    return new ContainerEnvironment({
      rootfs: join(this.engine.folderOf(record.id), 'rootfs'),
      isolation,
      hostname: sandbox.config.hostname || nodeNameOf(this.options),
      ip: sandbox.ip,
      netns: sandbox.netns,
      mounts: [...config.mounts, ...image.mounts],
      files: image.files,
      dns: dns ?? { servers: [], searches: [], options: [] },
      env: {
        POD_IP: sandbox.ip,
        ...Object.fromEntries(config.envs.map(({ key, value }) => [key, value])),
      },
      workingDir: config.workingDir,
      memberFiles: this.engine.limits.memberFiles(record.id),
      cgroups: this.engine.limits.views(record.id),
      sysctls: isolation === 'root' ? ipcSysctls(sandbox) : {},
      user: userOf(security, this.catalog.definitionOf(record.image)?.uid),
      groups: this.groupsOf(security, record.image),
      readonlyRoot: security?.readonlyRootfs ?? false,
      confine: () => confine(this.confinementHere(), privilegesOf(security)),
    });
  }
}
