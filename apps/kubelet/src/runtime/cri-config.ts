import type {
  ContainerConfig as CriContainerConfig,
  Init,
  LinuxContainerResources,
  Mount,
  NamespaceOption,
  PodSandboxConfig,
} from '@orrery/cri';
import type {
  ContainerConfig,
  ContainerResources,
  PodResources,
  RuntimeMount,
  SandboxConfig,
} from './runtime.js';

const namespaces = (sandbox: SandboxConfig): Init<NamespaceOption> => ({
  network: sandbox.hostNetwork ? 'NODE' : 'POD',
  pid: sandbox.pidMode,
  ipc: sandbox.hostIpc ? 'NODE' : 'POD',
});

export function toSandboxConfig(config: SandboxConfig): Init<PodSandboxConfig> {
  return {
    metadata: {
      name: config.name,
      namespace: config.namespace,
      uid: config.uid,
      attempt: config.attempt,
    },
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dns,
    portMappings: config.portMappings,
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      securityContext: {
        namespaceOptions: namespaces(config),
        privileged: config.privileged,
      },
      sysctls: config.sysctls,
      resources: toPodResources(config.resources),
    },
  };
}

export const toPodResources = (resources: PodResources): Init<LinuxContainerResources> => ({
  cpuShares: resources.cpuShares,
  cpuQuota: resources.cpuQuota,
  cpuPeriod: resources.cpuPeriod,
  memoryLimitInBytes: resources.memoryLimitBytes,
});

export function toLinuxResources(resources: ContainerResources): Init<LinuxContainerResources> {
  return { ...toPodResources(resources), oomScoreAdj: resources.oomScoreAdj };
}

function toMount({ image, ...mount }: RuntimeMount): Init<Mount> {
  if (!image) return mount;
  const spec = { image: image.ref, userSpecifiedImage: image.name };
  return { ...mount, image: spec, imageSubPath: image.subPath };
}

export function toContainerConfig(
  config: ContainerConfig,
  sandbox: SandboxConfig,
): Init<CriContainerConfig> {
  const { resources } = config;
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.imageRef, userSpecifiedImage: config.userImage },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.envs,
    mounts: config.mounts.map(toMount),
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: toLinuxResources(resources),
      securityContext: {
        namespaceOptions: namespaces(sandbox),
        privileged: config.privileged,
        noNewPrivs: config.noNewPrivileges,
        capabilities: {
          addCapabilities: config.capabilities.add,
          dropCapabilities: config.capabilities.drop,
        },
        readonlyRootfs: config.readonlyRootfs,
        supplementalGroups: config.supplementalGroups,
        supplementalGroupsPolicy: config.supplementalGroupsPolicy,
        runAsUser: config.runAsUser === undefined ? undefined : { value: config.runAsUser },
        runAsGroup: config.runAsGroup === undefined ? undefined : { value: config.runAsGroup },
      },
    },
  };
}
