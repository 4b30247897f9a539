import type { PodSpec } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { setContainerDefaults } from './container.defaults.js';
import { setVolumeDefaults } from './volume.defaults.js';

const DEFAULT_GRACE_SECONDS = 30;

/** Keeps the deprecated `serviceAccount` equal to `serviceAccountName`, as upstream's conversion does. */
function syncServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_PodSpec; for pods and for templates alike. */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.containers ??= [];
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.terminationGracePeriodSeconds ??= DEFAULT_GRACE_SECONDS;
  spec.securityContext ??= {};
  spec.schedulerName ||= 'default-scheduler';
  syncServiceAccount(spec);
  list(spec.initContainers).forEach(setContainerDefaults);
  list(spec.containers).forEach(setContainerDefaults);
  list(spec.ephemeralContainers).forEach(setContainerDefaults);
  list(spec.volumes).forEach(setVolumeDefaults);
}
