import type { KubeObject } from '@orrery/apimachinery';
import { parseApiVersion } from '@orrery/apimachinery';

/** An object that another names. */
export interface RelatedObject {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

/** A bond by which news of one object makes somebody write another. */
export interface Relation {
  readonly target: RelatedObject;
  /** How the bond is called where a cause was inferred by it. */
  readonly rule: string;
  /** The state of the target that the object itself says it is about. */
  readonly revision?: number;
}

interface Reference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly controller?: boolean;
}

interface Subject {
  readonly involvedObject?: Reference;
  readonly regarding?: Reference;
  readonly subsets?: readonly {
    addresses?: readonly Addressed[];
    notReadyAddresses?: readonly Addressed[];
  }[];
  readonly endpoints?: readonly Addressed[];
  readonly spec?: {
    readonly scaleTargetRef?: Reference;
    readonly claimRef?: Reference;
    readonly volumeName?: string;
  };
}

interface Addressed {
  readonly targetRef?: Reference;
}

function toRelation(reference: Reference, rule: string, namespace?: string): Relation[] {
  const { kind, name, uid, apiVersion = 'v1', resourceVersion } = reference;
  if (!kind || !name) return [];
  const home = reference.namespace ?? namespace;
  const revision = Number(resourceVersion ?? 0);
  return [
    {
      target: {
        group: parseApiVersion(apiVersion).group,
        kind,
        name,
        ...(home ? { namespace: home } : {}),
        ...(uid ? { uid } : {}),
      },
      rule,
      ...(Number.isSafeInteger(revision) && revision > 0 ? { revision } : {}),
    },
  ];
}

function owners({ metadata }: KubeObject): Relation[] {
  return (metadata.ownerReferences ?? []).flatMap((owner) =>
    toRelation(owner, `its owner ${owner.kind} ${owner.name}`, metadata.namespace),
  );
}

function endpoints(object: KubeObject & Subject): Relation[] {
  const { namespace, name = '' } = object.metadata;
  const service =
    object.kind === 'Endpoints'
      ? toRelation({ kind: 'Service', name }, `its Service ${name}`, namespace)
      : [];
  const addressed = [
    ...(object.endpoints ?? []),
    ...(object.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
      ...addresses,
      ...notReadyAddresses,
    ]),
  ];
  const targets = addressed.flatMap(({ targetRef }) =>
    targetRef
      ? toRelation(targetRef, `${targetRef.kind} ${targetRef.name}, which it lists`, namespace)
      : [],
  );
  return [...service, ...targets];
}

function named(object: KubeObject & Subject): Relation[] {
  const { namespace } = object.metadata;
  const { spec, involvedObject, regarding } = object;
  const about = involvedObject ?? regarding;
  return [
    ...(about ? toRelation(about, `what it is about`, namespace) : []),
    ...(spec?.scaleTargetRef ? toRelation(spec.scaleTargetRef, 'what it scales', namespace) : []),
    ...(spec?.claimRef ? toRelation(spec.claimRef, 'the claim it is bound to') : []),
    ...(spec?.volumeName
      ? toRelation({ kind: 'PersistentVolume', name: spec.volumeName }, 'the volume it is bound to')
      : []),
  ];
}

/** Kinds that components make for each Namespace. */
const OF_NAMESPACE = new Set(['ServiceAccount', 'ConfigMap']);

function home({ kind = '', metadata }: KubeObject): Relation[] {
  const { namespace } = metadata;
  return namespace && OF_NAMESPACE.has(kind)
    ? toRelation({ kind: 'Namespace', name: namespace }, 'its Namespace')
    : [];
}

/** Which objects' news may have made somebody write this one: owners first. */
export function relationsOf(object: KubeObject): Relation[] {
  const subject = object as KubeObject & Subject;
  return [...owners(object), ...named(subject), ...endpoints(subject), ...home(object)];
}

const PODS = { group: '', kind: 'Pod' } as const;

/** Kinds whose changes make a controller write the status of their owner. */
const DEPENDENTS: Readonly<Record<string, { readonly group: string; readonly kind: string }>> = {
  Deployment: { group: 'apps', kind: 'ReplicaSet' },
  ReplicaSet: PODS,
  StatefulSet: PODS,
  DaemonSet: PODS,
  ReplicationController: PODS,
  Job: PODS,
  CronJob: { group: 'batch', kind: 'Job' },
};

/** What objects of this kind own, as far as their status tells of it. */
export const dependentKindOf = (
  kind: string,
): { readonly group: string; readonly kind: string } | undefined =>
  Object.hasOwn(DEPENDENTS, kind) ? DEPENDENTS[kind] : undefined;

/** Whether `object` names the object of this uid as an owner. */
export const isOwnedBy = ({ metadata }: KubeObject, uid: string | undefined): boolean =>
  uid !== undefined && (metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false);

interface Type {
  readonly group: string;
  readonly kind: string;
}

/** `apps/Deployment`, `/Pod`: how a type is named where revisions are counted by it. */
export const typeKey = ({ group, kind }: Type): string => `${group}/${kind}`;

/** Types of which news makes somebody write an object: its own, those that it names, and what it owns. */
export function relatedTypesOf(type: Type, object: KubeObject): Type[] {
  const dependent = dependentKindOf(type.kind);
  const named = relationsOf(object).map(({ target }) => target);
  const all = [type, ...named, ...(dependent ? [dependent] : [])];
  return [...new Map(all.map((one) => [typeKey(one), one])).values()].slice(0, MOST_TYPES);
}

/** A record of them is written with a write. */
const MOST_TYPES = 6;
