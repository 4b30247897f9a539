import { podAmounts } from '@orrery/api';
import type { Container, Pod } from '@orrery/api';
import { formatQuantity, zeroQuantity } from '@orrery/apimachinery';
import type { ContainerResources, PodResources } from '../runtime/runtime.js';
import { qosClassOf } from '../status/qos.js';
import { toNumber } from './downward.js';

const CPU_PERIOD_US = 100_000;
/** A container without a CPU request gets the kernel's minimum (k8s pkg/kubelet/cm/helpers_linux.go:MilliCPUToShares). */
const MIN_SHARES = 2;

/** What the pod asks for beyond its containers falls to them in equal parts (k8s pkg/kubelet/qos/policy.go). */
function shareOfPod({ spec }: Pod): number {
  const whole = toNumber(spec.resources?.requests?.['memory']);
  const own = [...spec.containers, ...(spec.initContainers ?? [])].reduce(
    (sum, one) => sum + toNumber(one.resources?.requests?.['memory']),
    0,
  );
  return whole > own ? (whole - own) / spec.containers.length : 0;
}

function oomScore(pod: Pod, memoryRequest: number, memoryCapacity: number): number {
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort' || memoryCapacity === 0) return 1000;
  const wanted = memoryRequest + shareOfPod(pod);
  const score = 1000 - Math.floor((1000 * wanted) / memoryCapacity);
  return Math.max(3, Math.min(999, score));
}

const quotaOf = (cpu: number): number =>
  cpu > 0 ? Math.max(1000, Math.floor(cpu * CPU_PERIOD_US)) : 0;
const sharesOf = (cpu: number): number => Math.max(MIN_SHARES, Math.floor(cpu * 1024));

/** cgroup values of a pod with all its containers: a limit holds for it where it is said of the pod, or of each container (k8s pkg/kubelet/cm/helpers_linux.go:ResourceConfigForPod). */
export function podResources(pod: Pod): PodResources {
  const { spec } = pod;
  const limits = podAmounts({ ...pod, status: {} }, 'limits');
  const requests = podAmounts({ ...pod, status: {} }, 'requests');
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const limit = (name: 'cpu' | 'memory'): number => {
    const isSaid =
      spec.resources?.limits?.[name] !== undefined ||
      all.every((one) => one.resources?.limits?.[name] !== undefined);
    return isSaid ? toNumber(formatQuantity(limits.get(name) ?? zeroQuantity)) : 0;
  };
  return {
    cpuShares: sharesOf(toNumber(formatQuantity(requests.get('cpu') ?? zeroQuantity))),
    cpuQuota: quotaOf(limit('cpu')),
    cpuPeriod: CPU_PERIOD_US,
    memoryLimitBytes: limit('memory'),
  };
}

/** cgroup values of a container, which has the pod's limits where it has none (k8s pkg/kubelet/kuberuntime/kuberuntime_container_linux.go). */
export function containerResources(
  pod: Pod,
  container: Container,
  memoryCapacity: number,
): ContainerResources {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const ofPod = pod.spec.resources?.limits ?? {};
  const cpuLimit = toNumber(limits['cpu'] ?? ofPod['cpu']);
  const cpuRequest = toNumber(requests['cpu'] ?? limits['cpu']);
  const memoryRequest = toNumber(requests['memory'] ?? limits['memory']);
  return {
    cpuShares: sharesOf(cpuRequest),
    cpuQuota: quotaOf(cpuLimit),
    cpuPeriod: CPU_PERIOD_US,
    memoryLimitBytes: toNumber(limits['memory'] ?? ofPod['memory']),
    oomScoreAdj: oomScore(pod, memoryRequest, memoryCapacity),
  };
}
