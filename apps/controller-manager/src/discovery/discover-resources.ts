import type { ResourceRef } from '@orrery/api';
import { ref } from '@orrery/api';
import type { KubeClient } from '@orrery/client';

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface ApiGroup {
  readonly name: string;
  readonly preferredVersion?: { readonly version: string };
  readonly versions: readonly { readonly version: string }[];
}

export interface Discovered {
  readonly refs: readonly ResourceRef[];
  /** Groups whose resources could not be asked for. */
  readonly failed: readonly string[];
}

const NEEDED = ['list', 'watch', 'delete'];

async function getJson<T>(client: KubeClient, path: string): Promise<T> {
  const { code, body } = await client.raw(path);
  if (code !== 200) throw new Error(`GET ${path}: the server answered ${code}`);
  return JSON.parse(body) as T;
}

async function resourcesOf(
  client: KubeClient,
  group: string,
  version: string,
): Promise<ResourceRef[]> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const { resources } = await getJson<{ resources: ApiResource[] }>(client, path);
  return resources
    .filter(({ name, verbs }) => !name.includes('/') && NEEDED.every((v) => verbs.includes(v)))
    .map(({ name, kind, namespaced }) => ref(group, version, name, kind, namespaced));
}

/** Every resource that can be listed, watched and deleted, in its group's preferred version. */
export async function discoverResources(client: KubeClient): Promise<Discovered> {
  const { groups } = await getJson<{ groups: ApiGroup[] }>(client, '/apis');
  const wanted = [
    { group: '', version: 'v1' },
    ...groups.map(({ name, preferredVersion, versions }) => ({
      group: name,
      version: preferredVersion?.version ?? versions[0]?.version ?? 'v1',
    })),
  ];
  const found = await Promise.allSettled(
    wanted.map(({ group, version }) => resourcesOf(client, group, version)),
  );
  return {
    refs: found.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    failed: wanted.filter((_, i) => found[i]?.status === 'rejected').map(({ group }) => group),
  };
}
