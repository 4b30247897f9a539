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

interface AggregatedResource {
  readonly resource: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly responseKind: { readonly kind: string };
  readonly verbs: readonly string[];
}

interface AggregatedGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly resources?: readonly AggregatedResource[];
  }[];
}

/** k8s api/apidiscovery/v2. A server that does not know it answers in the older form. */
const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

const resourcesIn = ({
  metadata: { name: group = '' },
  versions,
}: AggregatedGroup): ResourceRef[] =>
  firstOfEach(
    versions.flatMap(({ version, resources = [] }) =>
      resources
        .filter(({ verbs }) => NEEDED.every((verb) => verbs.includes(verb)))
        .map(({ resource, responseKind: { kind }, scope }) =>
          ref(group, version, resource, kind, scope === 'Namespaced'),
        ),
    ),
  );

/** For who asks again and again: one answer for all groups, and none of what is as before. */
export class RepeatedDiscovery {
  private readonly known = new Map<
    string,
    { readonly etag: string; readonly refs: ResourceRef[] }
  >();

  constructor(private readonly client: KubeClient) {}

  /** As of discoverResources(). */
  async refs(): Promise<readonly ResourceRef[]> {
    const core = await this.ask('/api');
    const others = core && (await this.ask('/apis'));
    return core && others ? [...core, ...others] : (await discoverResources(this.client)).refs;
  }

  /** Undefined when the server does not know this form. */
  private async ask(path: string): Promise<readonly ResourceRef[] | undefined> {
    const before = this.known.get(path);
    const options = { accept: AGGREGATED, etag: before?.etag };
    const { code, body, etag } = await this.client.raw(path, undefined, options);
    if (code === 304 && before) return before.refs;
    if (code !== 200) throw new Error(`GET ${path}: the server answered ${code}`);
    const { kind, items = [] } = JSON.parse(body) as { kind: string; items?: AggregatedGroup[] };
    if (kind !== 'APIGroupDiscoveryList') return undefined;
    const refs = items.flatMap(resourcesIn);
    if (etag !== undefined) this.known.set(path, { etag, refs });
    return refs;
  }
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
