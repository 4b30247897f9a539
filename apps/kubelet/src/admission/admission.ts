import type { Node, Pod, Taint, Toleration } from '@orrery/api';
import { isExtendedResource } from '@orrery/api';
import { toNumber } from '../containers/downward.js';
import { isStaticPod } from '../containers/visit.js';
import { forbiddenSysctl } from './sysctls.js';

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionInput {
  readonly pod: Pod;
  readonly node: Node | undefined;
  /** Other pods that hold resources on this node. */
  readonly others: readonly Pod[];
  readonly allocatable: Readonly<Record<string, string>>;
  readonly maxPods: number;
  /** Settings of the kernel that pods may change although they are not safe. */
  readonly unsafeSysctls: readonly string[];
  /** Whether the runtime can leave out the groups that images give. */
  readonly hasGroupsPolicy?: boolean | undefined;
}

/** What the pod asks for as a whole, else the sum over containers, or the largest init container when that is more, plus sidecars. */
export function requestOf(pod: Pod, resource: string): number {
  const amount = (list: Record<string, string> | undefined): number => toNumber(list?.[resource]);
  const whole = pod.spec.resources?.requests;
  if (whole?.[resource] !== undefined) return amount(whole) + amount(pod.spec.overhead);
  const regular = pod.spec.containers.reduce(
    (sum, one) => sum + amount(one.resources?.requests),
    0,
  );
  let sidecars = 0;
  let peak = 0;
  for (const one of pod.spec.initContainers ?? []) {
    const own = amount(one.resources?.requests);
    if (one.restartPolicy === 'Always') sidecars += own;
    peak = Math.max(peak, sidecars + (one.restartPolicy === 'Always' ? 0 : own));
  }
  return Math.max(regular + sidecars, peak) + amount(pod.spec.overhead);
}

function requestedResources(pod: Pod): string[] {
  const lists = [pod.spec, ...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
    (one) => one.resources?.requests ?? {},
  );
  return [...new Set(lists.flatMap((list) => Object.keys(list)))].filter(
    (name) => name !== 'ephemeral-storage',
  );
}

const inUnits = (resource: string, amount: number): number =>
  resource === 'cpu' ? Math.round(amount * 1000) : amount;

/** A resource of the whole cluster, which an extender counts, is none of the node's (k8s pkg/kubelet/lifecycle/predicate.go:removeMissingExtendedResources). */
const isForeign = (resource: string, { allocatable }: AdmissionInput): boolean =>
  isExtendedResource(resource) && !(resource in allocatable);

function checkResources(input: AdmissionInput): Refusal | undefined {
  if (input.others.length + 1 > input.maxPods)
    return {
      reason: 'OutOfpods',
      message: `Node didn't have enough resource: pods, requested: 1, used: ${input.others.length}, capacity: ${input.maxPods}`,
    };
  for (const resource of requestedResources(input.pod)) {
    if (isForeign(resource, input)) continue;
    const wanted = requestOf(input.pod, resource);
    const used = input.others.reduce((sum, pod) => sum + requestOf(pod, resource), 0);
    const capacity = toNumber(input.allocatable[resource]);
    if (wanted > 0 && used + wanted > capacity)
      return {
        reason: `OutOf${resource}`,
        message: `Node didn't have enough resource: ${resource}, requested: ${inUnits(resource, wanted)}, used: ${inUnits(resource, used)}, capacity: ${inUnits(resource, capacity)}`,
      };
  }
  return undefined;
}

const tolerates = (toleration: Toleration, taint: Taint): boolean =>
  (!toleration.effect || toleration.effect === taint.effect) &&
  (!toleration.key || toleration.key === taint.key) &&
  (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? ''));

function checkTaints({ pod, node }: AdmissionInput): Refusal | undefined {
  const open = node?.spec.taints?.find(
    (taint) =>
      taint.effect === 'NoExecute' &&
      !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint)),
  );
  return open && !isStaticPod(pod)
    ? { reason: 'TaintToleration', message: 'Predicate TaintToleration failed' }
    : undefined;
}

function checkSelector({ pod, node }: AdmissionInput): Refusal | undefined {
  const labels = node?.metadata.labels;
  if (!labels || isStaticPod(pod)) return undefined;
  const misses = Object.entries(pod.spec.nodeSelector ?? {}).some(
    ([key, value]) => labels[key] !== value,
  );
  return misses
    ? {
        reason: 'NodeAffinity',
        message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
      }
    : undefined;
}

/** The host's ports that a pod takes, each as protocol, address and port. */
function hostPortsOf({ spec }: Pod): { readonly ip: string; readonly key: string }[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
    .flatMap((container) => container.ports ?? [])
    .filter(({ hostPort }) => hostPort)
    .map(({ hostPort, hostIP, protocol }) => ({
      ip: hostIP === undefined || hostIP === '' ? '0.0.0.0' : hostIP,
      key: `${protocol ?? 'TCP'}/${hostPort ?? 0}`,
    }));
}

/** Whether another pod of the node has the port already (k8s scheduler NodePorts, which the kubelet asks too). */
function checkPorts({ pod, others }: AdmissionInput): Refusal | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0 || isStaticPod(pod)) return undefined;
  const taken = others.flatMap(hostPortsOf);
  const clash = wanted.some(({ ip, key }) =>
    taken.some(
      (other) => other.key === key && (other.ip === ip || [ip, other.ip].includes('0.0.0.0')),
    ),
  );
  return clash
    ? {
        reason: 'NodePorts',
        message:
          "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
      }
    : undefined;
}

/** The node's own last word on a pod bound to it (k8s pkg/kubelet/lifecycle/predicate.go). Pure. */
export function admit(input: AdmissionInput): Refusal | undefined {
  const os = input.pod.spec.os?.name;
  if (os && os !== 'linux')
    return {
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  const policy = input.pod.spec.securityContext?.supplementalGroupsPolicy;
  if (policy === 'Strict' && input.hasGroupsPolicy === false)
    return {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    };
  const sysctl = forbiddenSysctl(input.pod, input.unsafeSysctls);
  if (sysctl) return { reason: 'SysctlForbidden', message: sysctl };
  return checkSelector(input) ?? checkTaints(input) ?? checkPorts(input) ?? checkResources(input);
}
