import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { controllerOf, isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { ControllerRevision, PodTemplateSpec } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { templateHash } from '../controllers/deployment/pod-template-hash.js';

/** Of a name, before the hash (k8s pkg/controller/history/controller_history.go:ControllerRevisionName). */
const MAX_PREFIX = 223;

export interface RevisionRequest {
  readonly owner: KubeObject;
  readonly ownerReference: OwnerReference;
  readonly template: PodTemplateSpec;
  readonly existing: readonly ControllerRevision[];
  /** Label of the new revision that tells its hash. */
  readonly hashLabel: string;
  /** How many names of other templates the owner has met so far. */
  readonly collisions: number;
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, sorted(one)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

/**
 * What is kept of a template: a strategic patch that puts it back. Clients compare its bytes with what they make of the
 * template themselves, so it has Go's order of keys and the time that Go writes for none
 * (k8s pkg/controller/daemon/update.go:getPatch).
 */
export const revisionData = (template: PodTemplateSpec): Record<string, unknown> => ({
  spec: {
    template: sorted({
      ...template,
      $patch: 'replace',
      metadata: { ...template.metadata, creationTimestamp: null },
    }),
  },
});

/** Of revisions that were written otherwise, too. */
const isFor = (data: Record<string, unknown>, { data: kept }: ControllerRevision): boolean => {
  const { template } = (kept as { spec?: { template?: PodTemplateSpec } } | undefined)?.spec ?? {};
  return template !== undefined && isDeepStrictEqual(revisionData(template), data);
};

const byNumber = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision ||
  Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? '') ||
  ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

export interface RevisionDecision {
  /** 'renumber': the template is an older revision's once more. */
  readonly action: 'keep' | 'create' | 'renumber';
  readonly current: ControllerRevision;
  /** Further revisions of the very same template. */
  readonly duplicates: readonly ControllerRevision[];
}

/**
 * Pure: what has to be done so that the current template is the latest revision. Of several with that template the
 * highest counts (k8s pkg/controller/history/controller_history.go:FindEqualRevisions, pkg/controller/daemon/update.go:constructHistory).
 */
export function decideRevision(request: RevisionRequest): RevisionDecision {
  const data = revisionData(request.template);
  const equal: ControllerRevision[] = [];
  const others: ControllerRevision[] = [];
  for (const revision of request.existing.toSorted(byNumber))
    (isFor(data, revision) ? equal : others).push(revision);
  const next = (others.at(-1)?.revision ?? 0) + 1;
  const known = equal.pop();
  if (!known) {
    return { current: newRevision(request, data, next), action: 'create', duplicates: [] };
  }
  return known.revision >= next
    ? { current: known, action: 'keep', duplicates: equal }
    : { current: { ...known, revision: next }, action: 'renumber', duplicates: equal };
}

function newRevision(
  request: RevisionRequest,
  data: Record<string, unknown>,
  revision: number,
): ControllerRevision {
  const { owner, ownerReference, template, hashLabel } = request;
  const hash = templateHash(template, request.collisions);
  const { name = '', namespace = '', annotations } = owner.metadata;
  return {
    metadata: {
      name: `${name.slice(0, MAX_PREFIX)}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      // `kubectl rollout history` shows the cause of a change from here.
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ownerReferences: [ownerReference],
    },
    data: data as NonNullable<ControllerRevision['data']>,
    revision,
  };
}

/** The current revision, and how many names were found to be another's on the way to its own. */
export interface Ensured extends Omit<RevisionDecision, 'action'> {
  readonly collisions: number;
}

/** Carries the decision out; a name that another template's revision has is counted and the next one tried. */
export async function ensureRevision(
  client: ResourceClient<ControllerRevision>,
  request: RevisionRequest,
): Promise<Ensured> {
  const { current, action, duplicates } = decideRevision(request);
  const { collisions } = request;
  if (action === 'keep') return { current, duplicates, collisions };
  if (action === 'renumber')
    return { current: await client.update(current), duplicates, collisions };
  try {
    return { current: await client.create(current), duplicates, collisions };
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace = '', name = '' } = current.metadata;
    const found = await client.get({ namespace, name });
    const isOurs = controllerOf(found)?.uid === request.ownerReference.uid;
    if (isOurs && isFor(current.data as Record<string, unknown>, found))
      return { current: found, duplicates, collisions };
    return ensureRevision(client, { ...request, collisions: collisions + 1 });
  }
}

/** Deletes the oldest of `unused` until `limit` of them are left, or all. */
export async function forgetRevisions(
  client: ResourceClient<ControllerRevision>,
  unused: readonly ControllerRevision[],
  limit: number,
): Promise<void> {
  const surplus = Math.max(unused.length - Math.max(limit, 0), 0);
  for (const revision of unused.toSorted(byNumber).slice(0, surplus)) {
    const { namespace = '', name = '' } = revision.metadata;
    await client.delete({ namespace, name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
