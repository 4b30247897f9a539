import type { Fork } from '@orrery/storage';

export const FORK_API = 'orrery.dev/v1';

/** A fork as the API tells of it; the key of its issuer stays in etcd. */
export const toDocument = ({
  name,
  uid,
  base,
  time,
  user,
  created,
}: Fork): Record<string, unknown> => ({
  kind: 'Fork',
  apiVersion: FORK_API,
  metadata: { name, uid, creationTimestamp: time, resourceVersion: String(created) },
  spec: { baseRevision: base },
  status: { user, path: `/forks/${name}` },
});

export const toListDocument = (forks: readonly Fork[]): Record<string, unknown> => ({
  kind: 'ForkList',
  apiVersion: FORK_API,
  metadata: {},
  items: forks.map(toDocument),
});
