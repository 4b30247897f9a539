import type { Container, EphemeralContainer, LifecycleHandler, Probe } from '../../../types.js';
import { list } from '../../../meta/list.js';
import { defaultPullPolicy } from './image.js';

type HttpGetHolder = Pick<LifecycleHandler, 'httpGet'>;

function setHttpGetDefaults(holder: HttpGetHolder | undefined): void {
  if (!holder?.httpGet) return;
  holder.httpGet.path ||= '/';
  holder.httpGet.scheme ||= 'HTTP';
}

function setProbeDefaults(probe: Probe | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= '';
  setHttpGetDefaults(probe);
}

function setEnvDefaults(container: Container | EphemeralContainer): void {
  for (const variable of list(container.env)) {
    const { fieldRef, resourceFieldRef } = variable.valueFrom ?? {};
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor ||= '0';
  }
}

/** k8s pkg/apis/core/v1/defaults.go:SetDefaults_Container and what it holds. */
export function setContainerDefaults(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image);
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  // A Go struct without omitempty effect: upstream always writes it.
  container.resources ??= {};
  for (const port of list(container.ports)) port.protocol ||= 'TCP';
  setEnvDefaults(container);
  setProbeDefaults(container.livenessProbe);
  setProbeDefaults(container.readinessProbe);
  setProbeDefaults(container.startupProbe);
  setHttpGetDefaults(container.lifecycle?.postStart);
  setHttpGetDefaults(container.lifecycle?.preStop);
}
