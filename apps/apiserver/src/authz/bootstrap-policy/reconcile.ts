import { deepEqual } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '@orrery/api';
import { uncovered } from '../rules.js';

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

const mayUpdate = (object: KubeObject): boolean =>
  object.metadata.annotations?.[AUTOUPDATE] !== 'false';

function missing(
  have: Record<string, string> | undefined,
  want: Record<string, string> = {},
): boolean {
  return Object.entries(want).some(([key, value]) => have?.[key] !== value);
}

function withMetadata<T extends KubeObject>(stored: T, wanted: T): T {
  const { labels, annotations } = wanted.metadata;
  const merged = structuredClone(stored);
  merged.metadata.labels = { ...merged.metadata.labels, ...labels };
  merged.metadata.annotations = { ...merged.metadata.annotations, ...annotations };
  return merged;
}

const lacksMetadata = (stored: KubeObject, wanted: KubeObject): boolean =>
  missing(stored.metadata.labels, wanted.metadata.labels) ||
  missing(stored.metadata.annotations, wanted.metadata.annotations);

/** The rules that are lacking. Mostly none: whether they are the same is soon seen. */
const lackingRules = (have: readonly PolicyRule[], want: readonly PolicyRule[]): PolicyRule[] =>
  deepEqual(have, want) ? [] : uncovered(have, want);

/** The role that a restart must write: adds the rules that are lacking, removes none; undefined = nothing to do. */
export function reconcileRole<T extends ClusterRole | Role>(stored: T, wanted: T): T | undefined {
  if (!mayUpdate(stored)) return undefined;
  const aggregated = 'aggregationRule' in wanted && wanted.aggregationRule !== undefined;
  const lacking = aggregated ? [] : lackingRules(stored.rules ?? [], wanted.rules ?? []);
  if (lacking.length === 0 && !lacksMetadata(stored, wanted)) return undefined;
  const merged = withMetadata(stored, wanted);
  if (lacking.length > 0) merged.rules = [...(merged.rules ?? []), ...lacking];
  return merged;
}

const same = (a: Subject, b: Subject): boolean =>
  a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');

/** The binding that a restart must write: adds subjects, removes none; undefined = nothing to do. */
export function reconcileBinding<T extends ClusterRoleBinding | RoleBinding>(
  stored: T,
  wanted: T,
): T | undefined {
  if (!mayUpdate(stored)) return undefined;
  const lacking = (wanted.subjects ?? []).filter(
    (subject) => !(stored.subjects ?? []).some((known) => same(known, subject)),
  );
  if (lacking.length === 0 && !lacksMetadata(stored, wanted)) return undefined;
  const merged = withMetadata(stored, wanted);
  if (lacking.length > 0) merged.subjects = [...(merged.subjects ?? []), ...lacking];
  return merged;
}
