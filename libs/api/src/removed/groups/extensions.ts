import { DaemonSetKind } from '../../apps/v1/daemonset/daemonset.kind.js';
import { DeploymentKind } from '../../apps/v1/deployment/deployment.kind.js';
import { ReplicaSetKind } from '../../apps/v1/replicaset/replicaset.kind.js';
import { IngressKind } from '../../networking/v1/ingress/ingress.kind.js';
import { NetworkPolicyKind } from '../../networking/v1/networkpolicy/networkpolicy.kind.js';
import type { Json } from '../json.js';
import { isObject } from '../json.js';
import type { RemovedVersion } from '../removed-kind.js';
import { removedKind } from '../removed-kind.js';
import {
  rollbackConversion,
  setSelectorDefaults,
  templateGenerationConversion,
} from '../workloads.js';
import { ingressConversion, setIngressDefaults } from './networking.js';

/** Means what an absent value meant (k8s pkg/apis/extensions/v1beta1/defaults.go). */
const NO_LIMIT = 2 ** 31 - 1;

/** No categories: `get all` would show the workloads of apps twice. */
const inGroup = (deprecated: string, removed: string): RemovedVersion => ({
  group: 'extensions',
  version: 'v1beta1',
  categories: [],
  lifecycle: { deprecated, removed },
});

function setDeploymentDefaults(object: Json): void {
  setSelectorDefaults(object);
  const { spec } = object;
  if (!isObject(spec)) return;
  spec['progressDeadlineSeconds'] ??= NO_LIMIT;
  spec['revisionHistoryLimit'] ??= NO_LIMIT;
  spec['strategy'] ??= {};
  const { strategy } = spec;
  if (!isObject(strategy) || (strategy['type'] ?? 'RollingUpdate') !== 'RollingUpdate') return;
  strategy['rollingUpdate'] ??= {};
  const rolling = strategy['rollingUpdate'];
  if (!isObject(rolling)) return;
  rolling['maxUnavailable'] ??= 1;
  rolling['maxSurge'] ??= 1;
}

function setDaemonSetDefaults(object: Json): void {
  setSelectorDefaults(object);
  const { spec } = object;
  if (!isObject(spec)) return;
  spec['updateStrategy'] ??= {};
  const strategy = spec['updateStrategy'];
  if (isObject(strategy)) strategy['type'] ||= 'OnDelete';
}

export const removedExtensions = [
  removedKind(DeploymentKind, {
    ...inGroup('1.8', '1.16'),
    conversion: rollbackConversion,
    setDefaults: setDeploymentDefaults,
  }),
  removedKind(ReplicaSetKind, { ...inGroup('1.8', '1.16'), setDefaults: setSelectorDefaults }),
  removedKind(DaemonSetKind, {
    ...inGroup('1.8', '1.16'),
    conversion: templateGenerationConversion,
    setDefaults: setDaemonSetDefaults,
  }),
  removedKind(NetworkPolicyKind, inGroup('1.9', '1.16')),
  removedKind(IngressKind, {
    ...inGroup('1.14', '1.22'),
    conversion: ingressConversion,
    setDefaults: setIngressDefaults,
  }),
];
