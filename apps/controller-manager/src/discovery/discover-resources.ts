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

/** A group's versions, the preferred one first. */
function versionsOf({ preferredVersion, versions }: ApiGroup): string[] {
  const all = [preferredVersion, ...versions].flatMap((one) => (one ? [one.version] : []));
  return [...new Set(all)];
}

/** Of each resource the first, that is of the most preferred version that has it. */
function firstOfEach(refs: readonly ResourceRef[]): ResourceRef[] {
  const found = new Map<string, ResourceRef>();
  for (const one of refs) if (!found.has(one.plural)) found.set(one.plural, one);
  return [...found.values()];
}

/** Every resource that can be listed, watched and deleted, in the preferred version of its group that has it. */
export async function discoverResources(client: KubeClient): Promise<Discovered> {
  const { groups } = await getJson<{ groups: ApiGroup[] }>(client, '/apis');
  const wanted = [
    { group: '', versions: ['v1'] },
    ...groups.map((group) => ({ group: group.name, versions: versionsOf(group) })),
  ];
  const found = await Promise.allSettled(
    wanted.map(async ({ group, versions }) =>
      firstOfEach(
        (await Promise.all(versions.map((version) => resourcesOf(client, group, version)))).flat(),
      ),
    ),
  );
  return {
    refs: found.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    failed: wanted.filter((_, i) => found[i]?.status === 'rejected').map(({ group }) => group),
  };
}
