import type { Steps } from '@orrery/apimachinery';
import { inTurns } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import { parseAccept } from '../negotiation/accept.js';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { sendBytes } from '../rest/send.js';
import type { RemoteDiscovery } from '../aggregation/remote-discovery.js';
import { toGnostic } from './gnostic.js';
import { toGnosticV3 } from './gnostic-v3.js';
import { jsonPieces } from './json-pieces.js';
import { OpenApiDocuments, hashSteps } from './openapi-documents.js';
import type { Document } from './openapi-documents.js';
import { openApiV2 } from './v2.js';
import { openApiV3 } from './v3.js';

type Gnosticable = Parameters<typeof toGnostic>[0];

const YEAR_MS = 365 * 24 * 3600 * 1000;

/** What clients ask for has an `@`, which no client takes back in a Content-Type (api-contract.md A.3). */
const GNOSTIC_ASKED = /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/;
const GNOSTIC_SENT = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

const GNOSTIC_V3_ASKED = /^application\/com\.github\.proto-openapi\.spec\.v3[@.]v1\.0\+protobuf$/;
const GNOSTIC_V3_SENT = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';

type Form = 'gnostic' | 'json';

/** undefined: the client takes neither. */
function formFor({ headers }: ApiRequest, asked: RegExp): Form | undefined {
  for (const { type } of parseAccept(headers.accept || '*/*')) {
    if (asked.test(type)) return 'gnostic';
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  }
  return undefined;
}

/** Without a body (k8s kube-openapi pkg/handler). */
async function refuseForm({ reply }: ApiRequest): Promise<void> {
  await reply.code(406).header('vary', 'Accept').send();
}

/** Levels of a document that are written field by field: its parts, their kinds, and each path or schema. */
const LEVELS = 3;

const toJson = (document: object): Steps<Buffer[]> => jsonPieces(document, LEVELS);

/** One after the other. */
function* then<A, B>(first: Steps<A>, next: (found: A) => Steps<B>): Steps<B> {
  return yield* next(yield* first);
}

const inJson = (document: object): Promise<Document> => inTurns(hashSteps(toJson(document)));

/** /openapi/v2 and /openapi/v3, made when first asked for and kept until what is served changes. */
export class OpenApi {
  readonly paths = ['/openapi/v2', '/openapi/v3', '/openapi/v3/'];

  constructor(
    private readonly catalog: ResourceCatalog,
    private readonly documents = new OpenApiDocuments(),
    private readonly remote?: RemoteDiscovery,
  ) {}

  /** Everything served here and, as far as they tell, by extension servers. */
  private async wholeV2(): Promise<{ readonly edition: string; readonly document: object }> {
    const edition = `${this.catalog.fingerprint()}+${this.remote?.edition ?? ''}`;
    if (this.merged?.edition !== edition) {
      const own = await inTurns(openApiV2(this.catalog));
      this.merged = { edition, document: (await this.remote?.openApiV2(own)) ?? own };
    }
    return this.merged;
  }

  private merged: { readonly edition: string; readonly document: object } | undefined;

  async serve(request: ApiRequest): Promise<boolean> {
    const path = request.path.replace(/\/$/, '');
    if (path === '/openapi/v2') await this.v2(request);
    else if (path === '/openapi/v3') await this.v3Root(request);
    else if (path.startsWith('/openapi/v3/')) return this.v3(request, path.slice(12));
    else return false;
    return true;
  }

  private async document(
    id: string,
    make: () => Steps<Buffer[]>,
    group?: string,
  ): Promise<Document> {
    const edition = this.catalog.fingerprint(group);
    const document = await this.documents.get(id, edition, make);
    if (this.catalog.fingerprint(group) !== edition) this.documents.drop(id, edition);
    return document;
  }

  private async v2(request: ApiRequest): Promise<void> {
    const form = formFor(request, GNOSTIC_ASKED);
    if (!form) {
      await refuseForm(request);
      return;
    }
    const isGnostic = form === 'gnostic';
    if (this.remote && this.remote.edition !== '') {
      await this.mergedV2(request, isGnostic);
      return;
    }
    this.merged = undefined;
    const document = isGnostic
      ? this.document('v2-gnostic', () => then(openApiV2(this.catalog), toGnostic))
      : this.document('v2', () => then(openApiV2(this.catalog), toJson));
    await this.send(request, await document, isGnostic ? GNOSTIC_SENT : 'application/json');
  }

  private async mergedV2(request: ApiRequest, isGnostic: boolean): Promise<void> {
    const { edition, document } = await this.wholeV2();
    const made = isGnostic
      ? this.documents.get('v2-gnostic', edition, () => toGnostic(document as Gnosticable))
      : this.documents.get('v2', edition, () => toJson(document));
    await this.send(request, await made, isGnostic ? GNOSTIC_SENT : 'application/json');
  }

  private async v3Root(request: ApiRequest): Promise<void> {
    const paths: Record<string, object> = {};
    for (const { group, versions } of this.catalog.groups()) {
      for (const version of versions) {
        const id = group === '' ? `api/${version}` : `apis/${group}/${version}`;
        const { hash } = await this.v3Document(group, version);
        paths[id] = { serverRelativeURL: `${request.basePath}/openapi/v3/${id}?hash=${hash}` };
      }
    }
    for (const { id, hash } of (await this.remote?.openApiV3()) ?? [])
      paths[id] ??= { serverRelativeURL: `${request.basePath}/openapi/v3/${id}?hash=${hash}` };
    await this.send(request, await inJson({ paths }), 'application/json');
  }

  private v3Document(group: string, version: string): Promise<Document> {
    return this.document(
      `v3/${group}/${version}`,
      () => then(openApiV3(this.catalog, group, version), toJson),
      group,
    );
  }

  private async v3(request: ApiRequest, id: string): Promise<boolean> {
    const match = /^(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(id);
    const [group, version] = match?.[1] ? ['', match[1]] : [match?.[2] ?? '', match?.[3] ?? ''];
    const known = this.catalog.groups().find((served) => served.group === group);
    if (!match) return false;
    const document = known?.versions.includes(version)
      ? await this.v3Document(group, version)
      : await this.remoteV3(group, version);
    if (!document) return false;
    const asked = request.query.get('hash');
    if (asked !== null && asked !== '' && asked !== document.hash) {
      const location = `${request.basePath}/openapi/v3/${id}?hash=${document.hash}`;
      await request.reply.code(301).header('location', location).send();
      return true;
    }
    if (asked) {
      const expires = new Date(request.context.receivedAt + YEAR_MS).toUTCString();
      void request.reply.header('cache-control', 'public, immutable').header('expires', expires);
    }
    await this.sendV3(request, id, document);
    return true;
  }

  /** Both forms of a document have one hash: that of its JSON. */
  private async sendV3(request: ApiRequest, id: string, document: Document): Promise<void> {
    const form = formFor(request, GNOSTIC_V3_ASKED);
    if (form !== 'gnostic') {
      await (form ? this.send(request, document, 'application/json') : refuseForm(request));
      return;
    }
    const { hash } = document;
    const { chunks } = await this.documents.get(`v3-gnostic/${id}`, hash, () =>
      toGnosticV3(JSON.parse(Buffer.concat(document.chunks).toString('utf8')) as Gnosticable),
    );
    await this.send(request, { chunks, hash }, GNOSTIC_V3_SENT);
  }

  private async remoteV3(group: string, version: string): Promise<Document | undefined> {
    const document = await this.remote?.openApiV3Document(group, version);
    return document && (await inJson(document));
  }

  private async send(request: ApiRequest, document: Document, contentType: string): Promise<void> {
    const etag = `"${document.hash}"`;
    void request.reply.header('etag', etag).header('vary', 'Accept');
    if (request.headers['if-none-match'] === etag) {
      await request.reply.code(304).send();
      return;
    }
    await sendBytes(request, request.reply, { contentType, chunks: document.chunks });
  }
}
