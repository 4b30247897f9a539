import type { CriClient, ImageService, RuntimeService } from '@orrery/cri';
import type { Clock } from '@orrery/component';
import type { RuntimeMetrics } from '../metrics/runtime-metrics.js';

/** How upstream's metrics name calls (k8s pkg/kubelet/kuberuntime/instrumented_services.go); no other is counted. */
const RUNTIME_OPERATIONS: Readonly<Partial<Record<keyof RuntimeService, string>>> = {
  version: 'version',
  status: 'status',
  updateRuntimeConfig: 'update_runtime_config',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandbox: 'list_podsandbox',
  updatePodSandboxResources: 'update_podsandbox_resources',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  reopenContainerLog: 'reopen_container_log',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  listContainerStats: 'list_container_stats',
  listPodSandboxStats: 'list_podsandbox_stats',
  listMetricDescriptors: 'list_metric_descriptors',
  listPodSandboxMetrics: 'list_podsandbox_metrics',
};

const IMAGE_OPERATIONS: Readonly<Partial<Record<keyof ImageService, string>>> = {
  listImages: 'list_images',
  imageStatus: 'image_status',
  pullImage: 'pull_image',
  removeImage: 'remove_image',
  imageFsInfo: 'image_fs_info',
};

type Call = (...input: readonly unknown[]) => Promise<unknown>;

/** Told of each call's name, its request and, when it has ended, its time and outcome. */
type Ended = (operation: string, input: unknown, seconds: number, isError: boolean) => void;

function counted<T extends object>(
  service: T,
  operations: Readonly<Partial<Record<keyof T, string>>>,
  clock: Clock,
  ended: Ended,
): T {
  const calls = service as Record<string, Call>;
  const result: Record<string, Call> = { ...calls };
  for (const [method, operation] of Object.entries<string | undefined>(operations)) {
    const call = calls[method];
    if (!call || operation === undefined) continue;
    result[method] = async (...input) => {
      const startedMs = clock.monotonic();
      const end = (isError: boolean): void => {
        ended(operation, input[0], (clock.monotonic() - startedMs) / 1000, isError);
      };
      try {
        const answer = await call(...input);
        end(false);
        return answer;
      } catch (error) {
        end(true);
        throw error;
      }
    };
  }
  return result as T;
}

/** The connection, with each call counted where it leaves. */
export function instrumentedCri(cri: CriClient, metrics: RuntimeMetrics, clock: Clock): CriClient {
  const ended: Ended = (operation_type, input, seconds, isError) => {
    metrics.operations.inc({ operation_type });
    metrics.operationDuration.observe({ operation_type }, seconds);
    if (isError) metrics.operationErrors.inc({ operation_type });
    if (operation_type !== 'run_podsandbox') return;
    const { runtimeHandler: runtime_handler = '' } = input as { runtimeHandler?: string };
    metrics.runSandboxDuration.observe({ runtime_handler }, seconds);
    if (isError) metrics.runSandboxErrors.inc({ runtime_handler });
  };
  return {
    ...cri,
    runtime: counted(cri.runtime, RUNTIME_OPERATIONS, clock, ended),
    images: counted(cri.images, IMAGE_OPERATIONS, clock, ended),
  };
}
