import { ControllerRevisionKind } from '../../apps/v1/controllerrevision/controllerrevision.kind.js';
import { DaemonSetKind } from '../../apps/v1/daemonset/daemonset.kind.js';
import { DeploymentKind } from '../../apps/v1/deployment/deployment.kind.js';
import { ReplicaSetKind } from '../../apps/v1/replicaset/replicaset.kind.js';
import { StatefulSetKind } from '../../apps/v1/statefulset/statefulset.kind.js';
import type { Json } from '../json.js';
import { isObject } from '../json.js';
import { removedKind } from '../removed-kind.js';
import { rollbackConversion, setSelectorDefaults } from '../workloads.js';

const BETA_1 = { version: 'v1beta1', lifecycle: { deprecated: '1.8', removed: '1.16' } };
const BETA_2 = { version: 'v1beta2', lifecycle: { deprecated: '1.9', removed: '1.16' } };

/** k8s pkg/apis/apps/v1beta1/defaults.go. Mutates. */
function setDeploymentDefaults(object: Json): void {
  setSelectorDefaults(object);
  const { spec } = object;
  if (isObject(spec)) spec['revisionHistoryLimit'] ??= 2;
}

function setStatefulSetDefaults(object: Json): void {
  setSelectorDefaults(object);
  const { spec } = object;
  if (!isObject(spec)) return;
  spec['updateStrategy'] ??= {};
  const strategy = spec['updateStrategy'];
  if (isObject(strategy)) strategy['type'] ||= 'OnDelete';
}

export const removedApps = [
  ...[DeploymentKind, ReplicaSetKind, StatefulSetKind, DaemonSetKind, ControllerRevisionKind].map(
    (hub) => removedKind(hub, BETA_2),
  ),
  removedKind(DeploymentKind, {
    ...BETA_1,
    conversion: rollbackConversion,
    setDefaults: setDeploymentDefaults,
  }),
  removedKind(StatefulSetKind, { ...BETA_1, setDefaults: setStatefulSetDefaults }),
  removedKind(ControllerRevisionKind, BETA_1),
];
