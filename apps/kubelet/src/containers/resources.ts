import type { Container, Pod } from '@orrery/api';
import type { ContainerResources } from '../runtime/runtime.js';
import { qosClassOf } from '../status/qos.js';
import { toNumber } from './downward.js';

const CPU_PERIOD_US = 100_000;
/** A container without a CPU request gets the kernel's minimum (k8s pkg/kubelet/cm/helpers_linux.go:MilliCPUToShares). */
const MIN_SHARES = 2;

function oomScore(pod: Pod, memoryRequest: number, memoryCapacity: number): number {
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort' || memoryCapacity === 0) return 1000;
  const score = 1000 - Math.floor((1000 * memoryRequest) / memoryCapacity);
  return Math.max(3, Math.min(999, score));
}

/** cgroup values of a container (k8s pkg/kubelet/kuberuntime/kuberuntime_container_linux.go). */
export function containerResources(
  pod: Pod,
  container: Container,
  memoryCapacity: number,
): ContainerResources {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const cpuLimit = toNumber(limits['cpu']);
  const cpuRequest = requests['cpu'] === undefined ? cpuLimit : toNumber(requests['cpu']);
  const memoryRequest = toNumber(requests['memory'] ?? limits['memory']);
  return {
    cpuShares: Math.max(MIN_SHARES, Math.floor(cpuRequest * 1024)),
    cpuQuota: cpuLimit > 0 ? Math.max(1000, Math.floor(cpuLimit * CPU_PERIOD_US)) : 0,
    cpuPeriod: CPU_PERIOD_US,
    memoryLimitBytes: toNumber(limits['memory']),
    oomScoreAdj: oomScore(pod, memoryRequest, memoryCapacity),
  };
}
