import type { Container, Pod, PodSpec } from '@orrery/api';
import type { ContainerUsage, RuntimeContainer } from '../src/runtime/runtime.js';

/** A pod that asks for what its containers say. */
export function podOf(
  name: string,
  spec: Partial<PodSpec> = {},
  container: Partial<Container> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1 },
    spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
  };
}

export const asking = (memory: string, cpu = '100m'): Partial<Container> => ({
  resources: { requests: { memory, cpu } },
});

/** A running container of the runtime. */
export function runningOf(name: string, extra: Partial<RuntimeContainer> = {}): RuntimeContainer {
  return {
    id: `id-${name}`,
    sandboxId: 's',
    name,
    state: 'running',
    image: 'i',
    imageRef: 'ref',
    hash: '',
    restartCount: 0,
    createdAtMs: 0,
    startedAtMs: 0,
    finishedAtMs: 0,
    exitCode: 0,
    reason: '',
    message: '',
    logPath: '',
    annotations: {},
    mounts: [],
    ...extra,
  };
}

export function usageOf(
  pod: Pod,
  memoryBytes: number,
  extra: Partial<ContainerUsage> = {},
): ContainerUsage {
  return {
    podUid: pod.metadata.uid ?? '',
    podName: pod.metadata.name ?? '',
    podNamespace: pod.metadata.namespace ?? '',
    container: 'c',
    containerId: `id-${pod.metadata.name ?? ''}`,
    timestampMs: 0,
    cpuNanoCores: 0,
    cpuCoreNanoSeconds: 0,
    memoryWorkingSetBytes: memoryBytes,
    memoryUsageBytes: memoryBytes,
    memoryRssBytes: memoryBytes,
    writableLayerBytes: 0,
    writableLayerInodes: 0,
    ...extra,
  };
}
