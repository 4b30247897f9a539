import { createHash } from 'node:crypto';
import { toApiVersion } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { parseAccept } from '../negotiation/accept.js';
import { requireDocument, requireRoute } from '../negotiation/produced.js';
import type { ResourceCatalog, ServedGroup } from '../rest/resource-catalog.js';
import { sendBytes, sendDocument } from '../rest/send.js';
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

function encode(document: unknown): Aggregated {
  const bytes = Buffer.from(JSON.stringify(document));
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
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
  private readonly cache = new Map<string, Aggregated>();
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
    const { subresources } = this.extensions;
    const document = aggregatedDiscovery(this.catalog, subresources, { core: false, version });
    const items = [...(document['items'] as AggregatedGroup[])];
    for (const group of (await remote.aggregated()) as unknown as AggregatedGroup[]) {
      const own = items.findIndex(({ metadata }) => metadata.name === group.metadata.name);
      if (own < 0) items.push(group);
      else items[own] = mergeVersions(items[own] ?? group, group);
    }
    return encode({ ...document, items });
  }

  private aggregated(core: boolean, version: 'v2' | 'v2beta1'): Aggregated {
    if (this.cachedAt !== this.catalog.version) {
      this.cache.clear();
      this.cachedAt = this.catalog.version;
    }
    const id = `${core}/${version}`;
    let made = this.cache.get(id);
    if (!made) {
      const { subresources } = this.extensions;
      made = encode(aggregatedDiscovery(this.catalog, subresources, { core, version }));
      this.cache.set(id, made);
    }
    return made;
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
        : this.aggregated(core, version);
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
