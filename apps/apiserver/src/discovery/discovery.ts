import { createHash } from 'node:crypto';
import { toApiVersion } from '@orrery/apimachinery';
import type { ApiRequest } from '../filters/api-request.js';
import { parseAccept } from '../negotiation/accept.js';
import type { ResourceCatalog, ServedGroup } from '../rest/resource-catalog.js';
import { sendBytes, sendDocument } from '../rest/send.js';
import type { SubresourceHandler } from '../subresources.js';
import { aggregatedDiscovery } from './aggregated.js';
import { apiResourceList, apiResources } from './api-resources.js';

interface Aggregated {
  readonly bytes: Buffer;
  readonly etag: string;
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

/** Says what is served, in the legacy and the aggregated form (api-contract.md B.1). */
export class Discovery {
  private readonly cache = new Map<string, Aggregated>();
  private cachedAt = -1;

  constructor(
    private readonly catalog: ResourceCatalog,
    private readonly handlers: readonly SubresourceHandler[],
    private readonly serverAddress: string,
  ) {}

  /** Answers /api, /apis and what lies below them; false when the path is none of discovery's. */
  async serve(request: ApiRequest): Promise<boolean> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
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
    const version = aggregatedVersion(request.headers.accept ?? '');
    if (version) {
      await this.sendAggregated(request, core, version);
      return true;
    }
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
          groups: this.catalog
            .groups()
            .filter(({ group }) => group !== '')
            .map(toApiGroup),
        };
    await sendDocument(request, request.reply, document);
    return true;
  }

  private async group(request: ApiRequest, name: string): Promise<boolean> {
    const found = this.catalog.groups().find(({ group }) => group === name && group !== '');
    if (!found) return false;
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
    const resources = apiResources(this.catalog, this.handlers, group, version);
    await sendDocument(request, request.reply, apiResourceList(group, version, resources));
    return true;
  }

  private aggregated(core: boolean, version: 'v2' | 'v2beta1'): Aggregated {
    if (this.cachedAt !== this.catalog.version) {
      this.cache.clear();
      this.cachedAt = this.catalog.version;
    }
    const id = `${core}/${version}`;
    let made = this.cache.get(id);
    if (!made) {
      const document = aggregatedDiscovery(this.catalog, this.handlers, { core, version });
      const bytes = Buffer.from(JSON.stringify(document));
      const etag = `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`;
      this.cache.set(id, (made = { bytes, etag }));
    }
    return made;
  }

  private async sendAggregated(
    request: ApiRequest,
    core: boolean,
    version: 'v2' | 'v2beta1',
  ): Promise<void> {
    const { bytes, etag } = this.aggregated(core, version);
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
