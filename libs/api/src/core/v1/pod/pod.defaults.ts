import type { Container, Pod, PodStatus } from '../../../types.js';
import { entries, list } from '../../../meta/list.js';
import { setPodLevelDefaults } from './pod-level.defaults.js';
import { setPodSpecDefaults } from '../pod-spec/pod-spec.defaults.js';

/** Requests that are not given are those of the limits; in pods only, not in templates. */
function setRequestsFromLimits(container: Container): void {
  const { resources } = container;
  for (const [name, amount] of entries(resources?.limits)) {
    if (!resources) return;
    resources.requests ??= {};
    resources.requests[name] ??= amount;
  }
}

function setHostPorts(container: Container): void {
  for (const port of list(container.ports)) port.hostPort ||= port.containerPort;
}

/** Fields that upstream's structs always write, and the deprecated twins of podIPs. */
function setStatusDefaults(status: PodStatus): void {
  if (status.podIP && list(status.podIPs).length === 0) status.podIPs = [{ ip: status.podIP }];
  const first = list(status.podIPs)[0]?.ip;
  if (first) status.podIP = first;
  for (const container of [
    ...list(status.initContainerStatuses),
    ...list(status.containerStatuses),
    ...list(status.ephemeralContainerStatuses),
  ]) {
    container.lastState ??= {};
    container.state ??= {};
  }
}

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_Pod, conversion.go:Convert_v1_Pod_To_core_Pod (the grace period, in pods only). */
export function setPodDefaults(pod: Pod): void {
  const spec = (pod.spec ??= { containers: [] });
  setPodSpecDefaults(spec);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  const containers = [...list(spec.containers), ...list(spec.initContainers)];
  containers.forEach(setRequestsFromLimits);
  setPodLevelDefaults(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) containers.forEach(setHostPorts);
  if (pod.status) setStatusDefaults(pod.status);
}
