import { createHash } from 'node:crypto';
import type { ApiServices, RemoteApi } from './api-services.js';
import type { RemoteDocuments } from './remote-documents.js';
import { toOpenApiV3 } from './v2-to-v3.js';

type Json = Record<string, unknown>;

export interface RemoteGroup {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly string[];
}

interface LegacyResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** An APIResourceList in the aggregated form. */
function toAggregated(resources: readonly LegacyResource[], remote: RemoteApi): Json[] {
  const responseKind = (one: LegacyResource): Json => ({
    group: one.group ?? remote.group,
    version: one.version ?? remote.version,
    kind: one.kind,
  });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((parent) => {
      const subresources = resources
        .filter(({ name }) => name.startsWith(`${parent.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(parent.name.length + 1),
          responseKind: responseKind(sub),
          verbs: sub.verbs ?? [],
        }));
      return {
        resource: parent.name,
        responseKind: responseKind(parent),
        scope: parent.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: parent.singularName ?? '',
        verbs: parent.verbs ?? [],
        ...(parent.shortNames ? { shortNames: parent.shortNames } : {}),
        ...(parent.categories ? { categories: parent.categories } : {}),
        ...(subresources.length > 0 ? { subresources } : {}),
      };
    });
}

/** What extension API servers add to discovery and OpenAPI. */
export class RemoteDiscovery {
  constructor(
    private readonly apis: ApiServices,
    private readonly documents: RemoteDocuments,
  ) {}

  /** By priority. */
  groups(): RemoteGroup[] {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.apis.remote())
      groups.set(group, [...(groups.get(group) ?? []), version]);
    return [...groups].map(([group, versions]) => ({ group, versions }));
  }

  /** Items of an APIGroupDiscoveryList; a group whose server does not answer is stale. */
  async aggregated(): Promise<Json[]> {
    return Promise.all(
      this.groups().map(async ({ group, versions }) => ({
        metadata: { name: group },
        versions: await Promise.all(versions.map((version) => this.version(group, version))),
      })),
    );
  }

  private async version(group: string, version: string): Promise<Json> {
    const remote = this.apis.find(group, version);
    const list = remote && (await this.documents.get(remote, `/apis/${group}/${version}`));
    if (!remote || !list) return { version, freshness: 'Stale' };
    const resources = listOf(list['resources']) as unknown as LegacyResource[];
    return { version, resources: toAggregated(resources, remote), freshness: 'Current' };
  }

  /** `apis/<group>/<version>` and the hash of its OpenAPI v3 document, of servers that have OpenAPI. */
  async openApiV3(): Promise<{ readonly id: string; readonly hash: string }[]> {
    const found = await Promise.all(
      this.apis.remote().map(async (remote) => {
        const id = `apis/${remote.group}/${remote.version}`;
        const document = await this.readV3(remote);
        if (!document) return [];
        const hash = createHash('sha512').update(JSON.stringify(document)).digest('hex');
        return [{ id, hash: hash.toUpperCase() }];
      }),
    );
    return found.flat();
  }

  async openApiV3Document(group: string, version: string): Promise<Json | undefined> {
    const remote = this.apis.find(group, version);
    return remote && this.readV3(remote);
  }

  /** Servers older than OpenAPI v3 have their v2 document converted. */
  private async readV3(remote: RemoteApi): Promise<Json | undefined> {
    const id = `${remote.group}/${remote.version}`;
    const own = await this.documents.get(remote, `/openapi/v3/apis/${id}`);
    if (own) return own;
    const old = await this.documents.get(remote, '/openapi/v2');
    return old && toOpenApiV3(old, id);
  }

  /**
   * Paths and definitions that servers add to OpenAPI v2: only paths of their own group versions, and no definition
   * that is known already.
   */
  async openApiV2(known: Json): Promise<Json> {
    const paths: Json = {};
    const definitions: Json = {};
    const taken = (known['definitions'] ?? {}) as Json;
    for (const remote of this.apis.remote()) {
      const document = await this.documents.get(remote, '/openapi/v2');
      const prefix = `/apis/${remote.group}/${remote.version}/`;
      for (const [path, item] of Object.entries((document?.['paths'] ?? {}) as Json))
        if (`${path}/`.startsWith(prefix)) paths[path] = item;
      for (const [name, definition] of Object.entries((document?.['definitions'] ?? {}) as Json))
        if (!Object.hasOwn(taken, name)) definitions[name] = definition;
    }
    if (Object.keys(paths).length === 0) return known;
    return {
      ...known,
      paths: { ...(known['paths'] as Json), ...paths },
      definitions: { ...taken, ...definitions },
    };
  }

  /** Changes when what is added may change; '' without extension servers. */
  get edition(): string {
    return this.apis.remote().length === 0 ? '' : String(this.apis.version);
  }
}
