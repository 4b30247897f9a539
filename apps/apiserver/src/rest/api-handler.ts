import { StatusError, newNotFound } from '@orrery/apimachinery';
import type { ApiRequest, ApiResponse } from '../filters/api-request.js';
import type { Discovery } from '../discovery/discovery.js';
import { versionInfo } from '../discovery/version.js';
import type { ServerExtensions } from '../extensions.js';
import type { HealthChecks } from '@orrery/component';
import type { RequestMetrics } from '../health/request-metrics.js';
import { requireRoute } from '../negotiation/produced.js';
import { dispatch } from './dispatch.js';
import type { ResourceCatalog, ServedResource } from './resource-catalog.js';
import { noRoute } from './rules/method-not-allowed.js';
import { serveRequestKind, serveSubresource } from './subresource.js';
import type { WatchDeps } from './watch.js';

export interface ApiHandlerParts {
  readonly catalog: ResourceCatalog;
  readonly discovery: Discovery;
  readonly health: HealthChecks;
  readonly extensions: ServerExtensions;
  readonly metrics: RequestMetrics;
  /** Names of metrics that are not served. */
  readonly disabledMetrics: readonly string[];
  readonly watch: WatchDeps;
  readonly paths: readonly {
    /** Those that it answers. */
    readonly paths: readonly string[];
    serve(request: ApiRequest): Promise<boolean>;
  }[];
}

const NOT_FOUND: ApiResponse = {
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  headers: { 'x-content-type-options': 'nosniff' },
  body: '404 page not found\n',
};

const JSON_TYPE = 'application/json';
const SLIS = '/metrics/slis';

/** What upstream writes itself, in lines for people (k8s responsewriters/writers.go:WriteRawJSON). */
const rawJson = (document: object): ApiResponse => ({
  status: 200,
  contentType: JSON_TYPE,
  body: JSON.stringify(document, undefined, 2),
});

/** Answers with what a path handler made. */
export async function sendResponse(request: ApiRequest, response: ApiResponse): Promise<void> {
  const { reply } = request;
  for (const [name, value] of Object.entries(response.headers ?? {}))
    void reply.header(name, value);
  await reply
    .code(response.status)
    .header('content-type', response.contentType)
    // To a text the framework would add a charset.
    .send(Buffer.from(response.body));
}

/** Across all namespaces custom resources are listed and watched, no more (apiextensions-apiserver pkg/apiserver/customresource_handler.go). */
const isOutside = ({ info }: ApiRequest, { kind }: ServedResource): boolean =>
  kind.scope === 'Namespaced' &&
  info.namespace === '' &&
  !(info.verb === 'list' || info.verb === 'watch');

/** Serves a request that may pass: resources, then discovery, health and other paths. */
export class ApiHandler {
  constructor(private readonly parts: ApiHandlerParts) {}

  get limiter(): ServerExtensions['limiter'] {
    return this.parts.extensions.limiter;
  }

  async handle(request: ApiRequest): Promise<void> {
    if (await this.parts.extensions.aggregator?.serve(request)) return;
    const served = request.info.isResource
      ? await this.resource(request)
      : await this.nonResource(request);
    if (!served) await this.#notFound(request);
  }

  /** Paths below a served group have a router upstream, which answers in JSON; custom resources look for the object first. */
  async #notFound(request: ApiRequest): Promise<void> {
    const { catalog } = this.parts;
    const { group, version, resource, name, subresource } = request.info;
    const custom = catalog.find(group, version, resource)?.custom;
    if (custom && subresource !== '') throw newNotFound({ group, resource }, name);
    const [, prefix, named] = request.path.split('/', 3);
    const isRouted =
      prefix === 'api' ||
      (prefix === 'apis' && catalog.all().some((one) => !one.custom && one.kind.group === named));
    if (isRouted)
      throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {
        details: {},
      });
    await sendResponse(request, NOT_FOUND);
  }

  private async resource(request: ApiRequest): Promise<boolean> {
    const { catalog, extensions, watch } = this.parts;
    const { group, version, resource, subresource, apiPrefix } = request.info;
    if ((apiPrefix === 'api') !== (group === '')) return false;
    const found = catalog.find(group, version, resource);
    if (!found) return serveRequestKind(request, extensions);
    if (found.kind.deprecation) this.#deprecated(request, found.kind.deprecation);
    const call = { request, resource: found };
    if (
      found.kind.scope === 'Cluster' &&
      request.info.namespace !== '' &&
      resource !== 'namespaces'
    )
      return false;
    if (found.custom && isOutside(request, found)) {
      await sendResponse(request, NOT_FOUND);
      return true;
    }
    this.parts.metrics.tookBody(request.info, request.body.length);
    const { sent } = watch;
    if (sent) request.setSentAbout((type, object) => sent.about(request.context, type, object));
    // Built-in kinds have no route for it upstream; proxies have, and custom kinds go by the verb.
    if (request.method === 'HEAD' && !found.custom && subresource !== 'proxy') throw noRoute();
    if (subresource !== '') return serveSubresource(call, extensions);
    await dispatch(call, watch);
    return true;
  }

  /** Warns, counts and notes in the audit log that what is asked for is deprecated (k8s …/endpoints/metrics/metrics.go). */
  #deprecated(request: ApiRequest, text: string): void {
    const removed = /unavailable in v(\d+\.\d+)/.exec(text)?.[1] ?? '';
    const { context, info } = request;
    context.warn(text);
    context.annotate?.('k8s.io/deprecated', 'true');
    if (removed !== '') context.annotate?.('k8s.io/removed-release', removed);
    this.parts.metrics.askedDeprecated(info, removed);
  }

  private async nonResource(request: ApiRequest): Promise<boolean> {
    const { discovery, health, extensions, paths } = this.parts;
    if (await discovery.serve(request)) return true;
    const told = await this.#told(request);
    if (told) {
      await sendResponse(request, told);
      return true;
    }
    const checked = await health.serve(request);
    if (checked) {
      await sendResponse(request, checked);
      return true;
    }
    for (const path of paths) if (await path.serve(request)) return true;
    const handler = extensions.paths.find(({ path }) =>
      path.endsWith('/') ? request.path.startsWith(path) : request.path === path,
    );
    const response = await handler?.handle(request);
    if (response) await sendResponse(request, response);
    return response !== undefined || request.reply.sent;
  }

  /** What the server tells of itself. */
  async #told({ path, headers }: ApiRequest): Promise<ApiResponse | undefined> {
    if (path === '/' || path === '/index.html') return rawJson({ paths: this.listed() });
    if (path === '/version' || path === '/version/') {
      requireRoute(headers.accept, [JSON_TYPE]);
      return rawJson(versionInfo());
    }
    if (path !== '/metrics' && path !== SLIS) return undefined;
    const { extensions, metrics, disabledMetrics } = this.parts;
    extensions.limiter?.publish();
    const disabled = new Set(disabledMetrics);
    const isServed = (name: string): boolean =>
      !disabled.has(name) && (path !== SLIS || name.startsWith('kubernetes_healthcheck'));
    const body = await metrics.text(isServed);
    return { status: 200, contentType: metrics.metrics.contentType, body };
  }

  /** Every path that is answered; those below /debug are not told. */
  listed(): string[] {
    const { discovery, health, extensions, paths } = this.parts;
    const own = [...discovery.paths(), ...health.paths(), ...paths.flatMap((one) => one.paths)];
    const extended = extensions.paths.map(({ path }) => path);
    const all = [...own, ...extended, '/apis', '/apis/', '/metrics', SLIS, '/version'];
    return [...new Set(all)].filter((path) => !path.startsWith('/debug/')).sort();
  }
}
