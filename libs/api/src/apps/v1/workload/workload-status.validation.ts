import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid } from '@orrery/apimachinery';
import { nonNegative } from '../../../meta/fields.js';
import { when } from '../../../meta/findings.js';

const STATUS = FieldPath.of('status');

type Counts = Readonly<Record<string, unknown>>;

const countOf = (status: Counts, field: string): number => {
  const value = status[field];
  return typeof value === 'number' ? value : 0;
};

interface StatusRules {
  /** Fields that are counts. */
  readonly counts: readonly string[];
  /** Fields that cannot exceed `replicas`. */
  readonly withinReplicas?: readonly string[];
  /** What availableReplicas cannot exceed, as upstream names it in its message. */
  readonly withinReady?: 'readyReplicas' | 'status.readyReplicas';
}

/** Counts of a status by themselves and beside each other; collisions are only ever counted up. */
export function validateCounts(
  status: object | undefined,
  old: object | undefined,
  rules: StatusRules,
): FieldError[] {
  const now = (status ?? {}) as Counts;
  const before = (old ?? {}) as Counts;
  const at = (field: string): FieldPath => STATUS.child(field);
  const collisions = countOf(now, 'collisionCount');
  const available = countOf(now, 'availableReplicas');
  return [
    ...rules.counts.flatMap((field) => nonNegative(countOf(now, field), at(field))),
    ...(rules.withinReplicas ?? [])
      .filter((field) => countOf(now, field) > countOf(now, 'replicas'))
      .map((field) =>
        invalid(at(field), countOf(now, field), 'cannot be greater than status.replicas'),
      ),
    ...when(
      rules.withinReady !== undefined && available > countOf(now, 'readyReplicas'),
      invalid(at('availableReplicas'), available, `cannot be greater than ${rules.withinReady}`),
    ),
    ...when(
      rules.counts.includes('collisionCount') && collisions < countOf(before, 'collisionCount'),
      invalid(at('collisionCount'), collisions, 'cannot be decremented'),
    ),
  ];
}

/** ReplicaSets and ReplicationControllers (k8s pkg/apis/apps/validation/validation.go:ValidateReplicaSetStatus). */
export const REPLICA_COUNTS: StatusRules = {
  counts: [
    'replicas',
    'fullyLabeledReplicas',
    'readyReplicas',
    'availableReplicas',
    'observedGeneration',
    'terminatingReplicas',
  ],
  withinReplicas: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
  withinReady: 'readyReplicas',
};

export const DEPLOYMENT_COUNTS: StatusRules = {
  counts: [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'terminatingReplicas',
    'collisionCount',
  ],
  withinReplicas: ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
  withinReady: 'readyReplicas',
};

export const STATEFUL_SET_COUNTS: StatusRules = {
  counts: [
    'replicas',
    'readyReplicas',
    'currentReplicas',
    'updatedReplicas',
    'availableReplicas',
    'observedGeneration',
    'collisionCount',
  ],
  withinReplicas: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
  withinReady: 'status.readyReplicas',
};

export const DAEMON_SET_COUNTS: StatusRules = {
  counts: [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ],
};
