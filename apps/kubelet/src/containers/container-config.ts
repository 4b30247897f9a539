import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, Pod, VolumeMount } from '@orrery/api';
import type { MountPropagation } from '@orrery/cri';
import {
  CONTAINER_NAME_LABEL,
  GRACE_PERIOD_ANNOTATION,
  HASH_ANNOTATION,
  POD_NAMESPACE_LABEL,
  POD_NAME_LABEL,
  POD_UID_LABEL,
  PRE_STOP_ANNOTATION,
  RESTART_COUNT_ANNOTATION,
  TERMINATION_PATH_ANNOTATION,
  TERMINATION_POLICY_ANNOTATION,
} from '../runtime/labels.js';
import type { ContainerConfig, ImageUser, RuntimeMount } from '../runtime/runtime.js';
import { ContainerConfigError } from './downward.js';
import { makeEnvironment } from './env.js';
import type { EnvContext } from './env.js';
import { expand } from './expand.js';
import { hashContainer } from './hash.js';
import { hostsFile, nodeHostsFile } from './hosts-file.js';
import { containerLogPath, podDir } from './paths.js';
import type { KubeletPaths } from './paths.js';
import { recursiveReadOnly } from '../volumes/recursive-read-only.js';
import { containerResources } from './resources.js';
import { subPathOf } from '../volumes/sub-path.js';
import { normalizeImage } from '../images/image-name.js';
import type { MountedVolume } from '../volumes/claims.js';
import { describePod, uidOf } from './visit.js';

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly imageRef: string;
  imageUser(imageRef: string): Promise<ImageUser>;
  /** The pod's mounted volumes by volume name. */
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly env: EnvContext;
  readonly paths: KubeletPaths;
  readonly memoryCapacity: number;
  /** Volumes that are images, by volume name. */
  readonly imageVolumes?: ReadonlyMap<string, ImageVolume>;
  readonly supportsRecursiveReadOnly?: boolean;
}

const TERMINATION_PATH = '/dev/termination-log';

function labelsOf(pod: Pod, container: Container): Record<string, string> {
  return {
    [POD_NAME_LABEL]: pod.metadata.name ?? '',
    [POD_NAMESPACE_LABEL]: pod.metadata.namespace ?? '',
    [POD_UID_LABEL]: uidOf(pod),
    [CONTAINER_NAME_LABEL]: container.name,
  };
}

function annotationsOf(pod: Pod, container: Container, attempt: number): Record<string, string> {
  const preStop = container.lifecycle?.preStop;
  const grace = pod.spec.terminationGracePeriodSeconds;
  return {
    [HASH_ANNOTATION]: hashContainer(container),
    [RESTART_COUNT_ANNOTATION]: String(attempt),
    [TERMINATION_PATH_ANNOTATION]: container.terminationMessagePath ?? TERMINATION_PATH,
    [TERMINATION_POLICY_ANNOTATION]: container.terminationMessagePolicy ?? 'File',
    ...(grace === undefined ? {} : { [GRACE_PERIOD_ANNOTATION]: String(grace) }),
    ...(preStop ? { [PRE_STOP_ANNOTATION]: JSON.stringify(preStop) } : {}),
  };
}

/** k8s pkg/kubelet/kubelet_pods.go:translateMountPropagation. */
const PROPAGATION: Readonly<Record<string, MountPropagation>> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

/** An image as a volume: which, and as the pod names it. */
export interface ImageVolume {
  readonly ref: string;
  readonly name: string;
}

/** No folder of the node; nobody writes into it. */
const IMAGE: MountedVolume = { path: '', readOnly: true };

interface MountPlace {
  /** In the container's list. */
  readonly index: number;
  readonly lookup: (name: string) => string | undefined;
}

const subOf = ({ subPathExpr, subPath = '' }: VolumeMount, lookup: MountPlace['lookup']): string =>
  subPathExpr ? expand(subPathExpr, lookup) : subPath;

async function mountOf(
  mount: VolumeMount,
  input: ContainerConfigInput,
  { index, lookup }: MountPlace,
): Promise<RuntimeMount> {
  const { pod, container, paths } = input;
  const image = input.imageVolumes?.get(mount.name);
  const volume = image ? IMAGE : input.volumes.get(mount.name);
  if (volume === undefined)
    throw new ContainerConfigError(
      `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
    );
  const { mode, problem } = recursiveReadOnly(mount, input.supportsRecursiveReadOnly === true);
  if (problem !== undefined) throw new ContainerConfigError(problem);
  const sub = subOf(mount, lookup);
  const subPaths = join(podDir(paths, uidOf(pod)), 'volume-subpaths');
  const kept = join(subPaths, mount.name, container.name, String(index));
  const hostPath = image || sub === '' ? volume.path : await subPathOf(volume.path, sub, kept);
  if (hostPath === undefined)
    throw new ContainerConfigError(
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`,
    );
  return {
    containerPath: join('/', mount.mountPath),
    hostPath,
    readonly: volume.readOnly || mount.readOnly === true,
    ...(mode ? { recursiveReadOnly: true } : {}),
    ...(image ? { image: { ...image, subPath: sub } } : {}),
    propagation: PROPAGATION[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
  };
}

async function volumeMounts(
  input: ContainerConfigInput,
  lookup: (name: string) => string | undefined,
): Promise<RuntimeMount[]> {
  const mounts: RuntimeMount[] = [];
  for (const [index, mount] of (input.container.volumeMounts ?? []).entries())
    mounts.push(await mountOf(mount, input, { index, lookup }));
  return mounts;
}

async function terminationMount(input: ContainerConfigInput): Promise<RuntimeMount> {
  const dir = join(podDir(input.paths, uidOf(input.pod)), 'containers', input.container.name);
  const hostPath = join(dir, randomBytes(4).toString('hex'));
  await mkdir(dirname(hostPath), { recursive: true });
  await writeFile(hostPath, '');
  await chmod(hostPath, 0o666);
  const containerPath = input.container.terminationMessagePath ?? TERMINATION_PATH;
  return { containerPath, hostPath, readonly: false };
}

const MACHINE_HOSTS = '/etc/hosts';

async function hostsMount({ pod, env, paths }: ContainerConfigInput): Promise<RuntimeMount> {
  const { podIps, hostIps } = env.addresses;
  const text = pod.spec.hostNetwork
    ? nodeHostsFile(pod, hostIps, await readFile(MACHINE_HOSTS, 'utf8').catch(() => ''))
    : hostsFile(pod, podIps, env.clusterDomain);
  const hostPath = join(podDir(paths, uidOf(pod)), 'etc-hosts');
  await writeFile(hostPath, text);
  return { containerPath: '/etc/hosts', hostPath, readonly: false };
}

type Security = Pick<
  ContainerConfig,
  | 'runAsUser'
  | 'runAsGroup'
  | 'supplementalGroups'
  | 'supplementalGroupsPolicy'
  | 'privileged'
  | 'readonlyRootfs'
  | 'noNewPrivileges'
  | 'capabilities'
>;

/** The pod's volumes belong to its fsGroup, so its processes do too. */
function groupsOf({ spec: { securityContext } }: Pod): number[] {
  const { fsGroup, supplementalGroups = [] } = securityContext ?? {};
  return [...new Set([...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])])];
}

type NonRootInput = Pick<ContainerConfigInput, 'pod' | 'container' | 'imageRef' | 'imageUser'>;

/** Throws when a container that must not run as root would (k8s pkg/kubelet/kuberuntime/security_context.go:verifyRunAsNonRoot). */
export async function checkNonRoot({
  pod,
  container,
  imageRef,
  imageUser,
}: NonRootInput): Promise<void> {
  const { runAsUser, runAsNonRoot } = { ...pod.spec.securityContext, ...container.securityContext };
  if (runAsNonRoot !== true) return;
  const where = `(pod: "${describePod(pod)}", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return;
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  }
  const { uid, username } = await imageUser(imageRef);
  if (uid === 0)
    throw new ContainerConfigError(
      `container has runAsNonRoot and image will run as root ${where}`,
    );
  if (uid === undefined && username !== '')
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root ${where}`,
    );
}

/** The container's own settings win over the pod's. */
function securityOf({ pod, container }: ContainerConfigInput): Security {
  const own = container.securityContext ?? {};
  const { runAsUser, runAsGroup } = { ...pod.spec.securityContext, ...own };
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: groupsOf(pod),
    supplementalGroupsPolicy:
      pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge',
    privileged: own.privileged === true,
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    capabilities: { add: own.capabilities?.add ?? [], drop: own.capabilities?.drop ?? [] },
  };
}

/** Everything the runtime must know of one start of a container. Rejects with ContainerConfigError. */
export async function makeContainerConfig(input: ContainerConfigInput): Promise<ContainerConfig> {
  const { pod, container, attempt } = input;
  if (container.volumeDevices?.length)
    throw new ContainerConfigError('volumeDevices are not modelled');
  await checkNonRoot(input);
  const environment = await makeEnvironment(pod, container, {
    ...input.env,
    volumes: input.volumes,
  });
  const lookup = (name: string): string | undefined => environment.get(name);
  const mounts = await volumeMounts(input, lookup);
  const termination = await terminationMount(input);
  const hosts = mounts.some((mount) => mount.containerPath === '/etc/hosts')
    ? []
    : [await hostsMount(input)];
  return {
    name: container.name,
    attempt,
    imageRef: input.imageRef,
    userImage: normalizeImage(container.image ?? ''),
    command: (container.command ?? []).map((part) => expand(part, lookup)),
    args: (container.args ?? []).map((part) => expand(part, lookup)),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts: [...mounts, ...hosts, termination],
    labels: labelsOf(pod, container),
    annotations: annotationsOf(pod, container, attempt),
    logPath: containerLogPath(container.name, attempt),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    resources: containerResources(pod, container, input.memoryCapacity),
    ...securityOf(input),
  };
}
