import type { KubeObject } from '@orrery/apimachinery';
import { caBundleProblem } from '@orrery/api';
import type {
  CustomResourceDefinition as Definition,
  CustomResourceDefinitionCondition as Condition,
  CustomResourceDefinitionNames as Names,
} from '@orrery/api';
import type { StoreHooks } from '@orrery/registry';

/** Why a definition's names cannot be had. */
export interface NameConflict {
  readonly reason: string;
  readonly message: string;
}

export const hasCondition = ({ status }: Definition, type: string): boolean =>
  (status?.conditions ?? []).some((one) => one.type === type && one.status === 'True');

const resourcesOf = ({ plural, singular, shortNames = [] }: Partial<Names>): string[] =>
  [plural, singular, ...shortNames].filter((name) => name !== undefined && name !== '') as string[];

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;

/** The names of a definition that others of its group have (apiextensions pkg/controller/status/naming_controller.go). */
export function nameConflict(
  definition: Definition,
  all: Iterable<Definition>,
): NameConflict | undefined {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of all) {
    if (other === definition || other.spec.group !== definition.spec.group) continue;
    if (other.metadata.name === definition.metadata.name) continue;
    const isOlder =
      hasCondition(other, 'NamesAccepted') && !hasCondition(definition, 'NamesAccepted');
    if (!isOlder) continue;
    const accepted = other.status?.acceptedNames ?? other.spec.names;
    for (const name of resourcesOf(accepted)) resources.add(name);
    for (const name of [accepted.kind, accepted.listKind ?? '']) kinds.add(name);
  }
  const { plural, singular = '', shortNames = [], kind, listKind = '' } = definition.spec.names;
  const taken = (reason: string, name: string, names: ReadonlySet<string>): NameConflict[] =>
    name !== '' && names.has(name) ? [{ reason, message: inUse(name) }] : [];
  const [last] = [
    ...taken('ListKindConflict', listKind, kinds),
    ...taken('KindConflict', kind, kinds),
    ...shortNames.flatMap((name) => taken('ShortNamesConflict', name, resources)),
    ...taken('SingularConflict', singular, resources),
    ...taken('PluralConflict', plural, resources),
  ];
  return last;
}

const condition = (
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
): Condition => ({ type, status, reason, message });

/**
 * A definition whose webhook cannot be trusted is not established (apiextensions-apiserver
 * pkg/controller/establish/establishing_controller.go:sync); one that was stays so.
 */
function established(definition: Definition): Condition {
  const bundle = definition.spec.conversion?.webhook?.clientConfig?.caBundle ?? '';
  const isTrusted = bundle === '' || caBundleProblem(bundle) === undefined;
  if (isTrusted || hasCondition(definition, 'Established')) {
    const text = 'the initial names have been accepted';
    return condition('Established', 'True', 'InitialNamesAccepted', text);
  }
  const text = 'The conversion webhook CABundle is invalid';
  return condition('Established', 'False', 'InvalidCABundle', text);
}

/** Whether the names are accepted, and the resource served. */
export function nameConditions(
  definition: Definition,
  conflict: NameConflict | undefined,
): Condition[] {
  if (conflict) {
    return [
      condition('NamesAccepted', 'False', conflict.reason, conflict.message),
      condition('Established', 'False', 'NotAccepted', 'not all names are accepted'),
    ];
  }
  return [
    condition('NamesAccepted', 'True', 'NoConflicts', 'no conflicts found'),
    established(definition),
  ];
}

const marked: Condition = condition(
  'Terminating',
  'True',
  'InstanceDeletionPending',
  'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
);

export const terminating: Condition = condition(
  'Terminating',
  'True',
  'InstanceDeletionInProgress',
  'CustomResource deletion is in progress',
);

/** The conditions with `wanted` among them; the time changes only where the status does. */
export function withConditions(
  present: readonly Condition[],
  wanted: readonly Condition[],
  now: string,
): Condition[] {
  const others = present.filter((has) => !wanted.some(({ type }) => type === has.type));
  const made = wanted.map((one) => {
    const known = present.find(({ type, status }) => type === one.type && status === one.status);
    return { ...one, lastTransitionTime: known?.lastTransitionTime ?? now };
  });
  return [...others, ...made];
}

/** Holds a definition until its objects are gone. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** The first DELETE marks a definition and lets it wait for its objects (apiextensions-apiserver pkg/registry/customresourcedefinition/etcd.go:Delete). */
export const definitionHooks: StoreHooks = {
  pendingFinalizers: ({ metadata }: KubeObject) =>
    metadata.deletionTimestamp === undefined ? [CLEANUP] : [],
  hasOwnDelete: true,
  markDeleting(definition: Definition) {
    if (hasCondition(definition, 'Terminating')) return;
    const { metadata } = definition;
    const { finalizers = [], deletionTimestamp = '' } = metadata;
    metadata.finalizers = [...finalizers.filter((one) => one !== CLEANUP), CLEANUP];
    const { status } = definition;
    definition.status = {
      ...status,
      conditions: withConditions(status?.conditions ?? [], [marked], deletionTimestamp),
    };
  },
};
