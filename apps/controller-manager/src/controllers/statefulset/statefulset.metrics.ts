import type { ObjectKey } from '@orrery/apimachinery';
import type { Metrics } from '@orrery/component';
import { isAvailable } from '../../pods/pod-state.js';
import { replicasOf } from './stateful-identity.js';
import { arrange, isTerminating, maxUnavailable } from './statefulset.decide.js';
import type { StatefulWorld } from './statefulset.decide.js';

const SUBSYSTEM = 'statefulset_controller';

/** What is told of sets that may lose several pods at once. */
export interface StatefulMeters {
  planned(world: StatefulWorld): void;
  forget(key: ObjectKey): void;
}

/** Pure: pods of the wanted ordinals that are absent, on their way out or not available (stateful_set_control.go). */
export function unavailableReplicas(world: StatefulWorld): number {
  const { set, now } = world;
  const { slots } = arrange(world);
  return slots.filter(
    ({ pod }) =>
      !pod || isTerminating(pod) || !isAvailable(pod, set.spec?.minReadySeconds ?? 0, now),
  ).length;
}

/**
 * k8s pkg/controller/statefulset/metrics/metrics.go. Upstream tells of sets with its gate MaxUnavailableStatefulSet alone,
 * with which the API server gives each that rolls the field: so those that have it are told of.
 */
export function createStatefulMeters(metrics: Metrics): StatefulMeters {
  const labels = ['statefulset_namespace', 'statefulset_name', 'pod_management_policy'] as const;
  const most = metrics.gauge({
    name: `${SUBSYSTEM}_statefulset_max_unavailable`,
    help: 'Maximum number of unavailable pods allowed during StatefulSet rolling updates',
    labels,
  });
  const unavailable = metrics.gauge({
    name: `${SUBSYSTEM}_statefulset_unavailable_replicas`,
    help: 'Current number of unavailable pods in StatefulSet',
    labels,
  });
  const told = new Map<string, Record<(typeof labels)[number], string>>();
  return {
    planned(world) {
      const { metadata, spec } = world.set;
      if (spec?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) return;
      const { namespace = '', name = '' } = metadata;
      const values = {
        statefulset_namespace: namespace,
        statefulset_name: name,
        pod_management_policy: spec.podManagementPolicy ?? 'OrderedReady',
      };
      told.set(`${namespace}/${name}`, values);
      most.set(values, maxUnavailable(world));
      unavailable.set(values, replicasOf(world.set) === 0 ? 0 : unavailableReplicas(world));
    },
    forget({ namespace = '', name }) {
      const values = told.get(`${namespace}/${name}`);
      told.delete(`${namespace}/${name}`);
      if (!values) return;
      most.remove(values);
      unavailable.remove(values);
    },
  };
}
