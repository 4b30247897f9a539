import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { ControllerRevision, PodTemplateSpec } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { templateHash } from '../controllers/deployment/pod-template-hash.js';

const HASH = 'controller-revision-hash';

export interface RevisionRequest {
  readonly owner: KubeObject;
  readonly ownerReference: OwnerReference;
  readonly template: PodTemplateSpec;
  readonly existing: readonly ControllerRevision[];
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

export const hashOf = (revision: ControllerRevision): string =>
  revision.metadata.labels?.[HASH] ?? '';

/** Pure: what has to be done so that the current template is the latest revision. */
export function decideRevision(request: RevisionRequest): {
  readonly current: ControllerRevision;
  readonly action: 'keep' | 'create' | 'renumber';
} {
  const { owner, ownerReference, template, existing } = request;
  const data = revisionData(template);
  const latest = Math.max(0, ...existing.map(({ revision }) => revision));
  const known = existing.find((revision) => isFor(data, revision));
  if (known)
    return known.revision === latest
      ? { current: known, action: 'keep' }
      : { current: { ...known, revision: latest + 1 }, action: 'renumber' };
  const collisions = (owner as { status?: { collisionCount?: number } }).status?.collisionCount;
  const hash = templateHash(template, collisions ?? 0);
  const current: ControllerRevision = {
    metadata: {
      name: `${owner.metadata.name ?? ''}-${hash}`,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...template.metadata?.labels, [HASH]: hash },
      // `kubectl rollout history` shows the cause of a change from here.
      ...(owner.metadata.annotations ? { annotations: { ...owner.metadata.annotations } } : {}),
      ownerReferences: [ownerReference],
    },
    data: data as NonNullable<ControllerRevision['data']>,
    revision: latest + 1,
  };
  return { current, action: 'create' };
}

/** Carries the decision out and gives the current revision. */
export async function ensureRevision(
  client: ResourceClient<ControllerRevision>,
  request: RevisionRequest,
): Promise<ControllerRevision> {
  const { current, action } = decideRevision(request);
  if (action === 'keep') return current;
  if (action === 'renumber') return client.update(current);
  try {
    return await client.create(current);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace = '', name = '' } = current.metadata;
    return client.get({ namespace, name });
  }
}

/** Deletes the oldest revisions beyond `limit` that no pod has. */
export async function forgetRevisions(
  client: ResourceClient<ControllerRevision>,
  revisions: readonly ControllerRevision[],
  inUse: ReadonlySet<string>,
  limit: number,
): Promise<void> {
  const unused = revisions
    .filter((revision) => !inUse.has(hashOf(revision)))
    .sort((a, b) => a.revision - b.revision);
  for (const revision of unused.slice(0, Math.max(unused.length - limit, 0))) {
    const { namespace = '', name = '' } = revision.metadata;
    await client.delete({ namespace, name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
