import { stringifySteps, toApiVersion } from '@orrery/apimachinery';
import { inTurns } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import { parseAccept } from '../negotiation/accept.js';
import { requireDocument, requireRoute } from '../negotiation/produced.js';
import type { ResourceCatalog, ServedGroup } from '../rest/resource-catalog.js';
import { sendBytes, sendDocument } from '../rest/send.js';
import { jsonHash } from '../aggregation/json-hash.js';
import type { RemoteDiscovery } from '../aggregation/remote-discovery.js';
import type { ServerExtensions } from '../extensions.js';
import { aggregatedDiscovery } from './aggregated.js';
import { apiResourceList, apiResources } from './api-resources.js';

interface Aggregated {
  readonly bytes: Buffer;
  readonly etag: string;
}

interface AggregatedGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly { readonly version: string }[];
}

function mergeVersions(own: AggregatedGroup, added: AggregatedGroup): AggregatedGroup {
  const known = new Set(own.versions.map(({ version }) => version));
  const more = added.versions.filter(({ version }) => !known.has(version));
  return { ...own, versions: [...own.versions, ...more] };
}

async function encode(json: string): Promise<Aggregated> {
  const bytes = Buffer.from(json);
  return { bytes, etag: `"${await jsonHash(bytes)}"` };
}

/** A document of which others may add to the items: all before these, and each of them with its text. */
interface Extensible {
  readonly head: string;
  readonly items: readonly { readonly group: AggregatedGroup; readonly json: string }[];
}

function toExtensible(document: Readonly<Record<string, unknown>>): Extensible {
  const { items, ...rest } = document;
  return {
    head: `${JSON.stringify(rest).slice(0, -1)},"items":[`,
    items: (items as AggregatedGroup[]).map((group) => ({ group, json: JSON.stringify(group) })),
  };
}

const GROUP = 'apidiscovery.k8s.io';

/** Which aggregated version the client takes before plain JSON, if any. */
function aggregatedVersion(accept: string): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== 'application/json') continue;
    const { g, v, as } = parameters;
    if (as === undefined) return undefined;
    if (g === GROUP && as === 'APIGroupDiscoveryList' && (v === 'v2' || v === 'v2beta1')) return v;
  }
  return undefined;
}

function toApiGroup({ group, versions }: ServedGroup): Record<string, unknown> {
  const all = versions.map((version) => ({
    groupVersion: toApiVersion(group, version),
    version,
  }));
  return { name: group, versions: all, preferredVersion: all[0] };
}

/** Other paths are not cut up: one may be a megabyte of slashes. */
const ROOTS = /^\/+apis?(?:\/|$)/;

/** Says what is served, in the legacy and the aggregated form (api-contract.md B.1). */
export class Discovery {
  private readonly cache = new Map<string, unknown>();
  private cachedAt = -1;

  constructor(
    private readonly catalog: ResourceCatalog,
    private readonly extensions: Pick<ServerExtensions, 'subresources' | 'aggregator'>,
    private readonly serverAddress: string,
  ) {}

  private get remote(): RemoteDiscovery | undefined {
    return this.extensions.aggregator?.discovery;
  }

  /** What this server serves, then what extension servers add. */
  private groups(): readonly ServedGroup[] {
    const groups = new Map(this.catalog.groups().map((one) => [one.group, one]));
    for (const { group, versions } of this.remote?.groups() ?? []) {
      const own = groups.get(group)?.versions ?? [];
      const added = versions.filter((version) => !own.includes(version));
      groups.set(group, { group, versions: [...own, ...added] });
    }
    return [...groups.values()];
  }

  /** The paths that this answers. */
  paths(): string[] {
    return this.groups().flatMap(({ group, versions }) => {
      const root = group === '' ? '/api' : `/apis/${group}`;
      return [root, ...versions.map((version) => `${root}/${version}`)];
    });
  }

  /** Answers /api, /apis and what lies below them; false when the path is none of discovery's. */
  async serve(request: ApiRequest): Promise<boolean> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    if (!ROOTS.test(request.path)) return false;
    const [root, ...rest] = request.path.split('/').filter((segment) => segment !== '');
    const [first = '', second = ''] = rest;
    if (root === 'api') {
      if (rest.length === 0) return this.root(request, true);
      return rest.length === 1 && this.groupVersion(request, '', first);
    }
    if (root !== 'apis' || rest.length > 2) return false;
    if (rest.length === 0) return this.root(request, false);
    return rest.length === 1
      ? this.group(request, first)
      : this.groupVersion(request, first, second);
  }

  private async root(request: ApiRequest, core: boolean): Promise<boolean> {
    const { accept } = request.headers;
    if (core) requireRoute(accept);
    const version = aggregatedVersion(accept ?? '');
    if (version) {
      await this.sendAggregated(request, core, version);
      return true;
    }
    requireDocument(request);
    const document = core
      ? {
          kind: 'APIVersions',
          versions: ['v1'],
          serverAddressByClientCIDRs: [
            { clientCIDR: '0.0.0.0/0', serverAddress: this.serverAddress },
          ],
        }
      : {
          kind: 'APIGroupList',
          apiVersion: 'v1',
          groups: this.groups()
            .filter(({ group }) => group !== '')
            .map(toApiGroup),
        };
    await sendDocument(request, request.reply, document);
    return true;
  }

  private async group(request: ApiRequest, name: string): Promise<boolean> {
    const found = this.groups().find(({ group }) => group === name && group !== '');
    if (!found) return false;
    requireDocument(request);
    await sendDocument(request, request.reply, {
      kind: 'APIGroup',
      apiVersion: 'v1',
      ...toApiGroup(found),
    });
    return true;
  }

  private async groupVersion(
    request: ApiRequest,
    group: string,
    version: string,
  ): Promise<boolean> {
    const known = this.catalog.groups().find((served) => served.group === group);
    if (!known?.versions.includes(version)) return false;
    if (this.catalog.isBuiltIn(group)) requireRoute(request.headers.accept);
    requireDocument(request);
    const resources = apiResources(this.catalog, this.extensions.subresources, group, version);
    await sendDocument(request, request.reply, apiResourceList(group, version, resources));
    return true;
  }

  /** With what extension servers add, which is not kept: they may have changed. */
  private async withRemote(
    version: 'v2' | 'v2beta1',
    remote: RemoteDiscovery,
  ): Promise<Aggregated> {
    const { head, items } = this.kept(`extensible/${version}`, () =>
      toExtensible(this.document(false, version)),
    );
    const texts = new Map(items.map(({ group, json }) => [group.metadata.name ?? '', json]));
    for (const group of (await remote.aggregated()) as unknown as AggregatedGroup[]) {
      const { name = '' } = group.metadata;
      const own = items.find((item) => item.group.metadata.name === name)?.group;
      const merged = own ? mergeVersions(own, group) : group;
      texts.set(name, (await inTurns(stringifySteps(merged))) ?? '');
    }
    return encode(`${head}${[...texts.values()].join(',')}]}`);
  }

  private document(core: boolean, version: 'v2' | 'v2beta1'): Record<string, unknown> {
    return aggregatedDiscovery(this.catalog, this.extensions.subresources, { core, version });
  }

  /** What was made of the catalog as it is. */
  private kept<T>(id: string, make: () => T): T {
    if (this.cachedAt !== this.catalog.version) {
      this.cache.clear();
      this.cachedAt = this.catalog.version;
    }
    const known = this.cache.get(id);
    if (known !== undefined) return known as T;
    const made = make();
    this.cache.set(id, made);
    return made;
  }

  private aggregated(core: boolean, version: 'v2' | 'v2beta1'): Promise<Aggregated> {
    return this.kept(`${core}/${version}`, () =>
      encode(JSON.stringify(this.document(core, version))),
    );
  }

  private async sendAggregated(
    request: ApiRequest,
    core: boolean,
    version: 'v2' | 'v2beta1',
  ): Promise<void> {
    const { remote } = this;
    const { bytes, etag } =
      !core && remote && remote.edition !== ''
        ? await this.withRemote(version, remote)
        : await this.aggregated(core, version);
    void request.reply
      .header('etag', etag)
      .header('vary', 'Accept')
      .header('cache-control', 'public');
    if (request.headers['if-none-match'] === etag) {
      await request.reply.code(304).send();
      return;
    }
    await sendBytes(request, request.reply, {
      contentType: `application/json;g=${GROUP};v=${version};as=APIGroupDiscoveryList`,
      chunks: [bytes],
    });
  }
}
