import { StatusError } from '@orrery/apimachinery';
import { HistoryGone } from '@orrery/history';
import { CauseReader, History, WriteLog, isStorageError } from '@orrery/storage';
import type { EtcdStorage } from '@orrery/storage';
import type { ServerExtensions, ServerServices } from '../extensions.js';
import type { ApiRequest, ApiResponse } from '../filters/api-request.js';
import type { Authorizer } from '../filters/authorization.js';
import type { PathHandler } from '../subresources.js';
import { Access } from './access.js';
import { clusterDiff } from './cluster-diff.js';
import { eventLog } from './event-log.js';
import { explain } from './explain.js';
import type { HistoryRequest } from './history-request.js';
import { expired } from './history-query.js';
import { KeyCatalog } from './key-catalog.js';
import { objectRevisions } from './object-revisions.js';

export interface HistoryDeps {
  readonly services: ServerServices;
  readonly authorizer: Authorizer;
  readonly etcd: EtcdStorage;
}

const PREFIX = '/history/';

/** What is below /history/; each answers a document, or nothing when it has replied itself. */
const ROUTES: Readonly<Record<string, (call: HistoryRequest) => Promise<object | void>>> = {
  revisions: objectRevisions,
  explain,
  diff: clusterDiff,
  log: eventLog,
};

const KNOWN = Object.keys(ROUTES)
  .map((name) => `${PREFIX}${name}`)
  .join(', ');

/**
 * `/history/…`: what was written, by whom and why. The chain in front has asked for the nonResourceURL `/history/*`;
 * here the rules of today are asked about each object.
 */
class HistoryPaths implements PathHandler {
  readonly path = PREFIX;
  private readonly history: History;
  private readonly log: WriteLog;
  private readonly causes: CauseReader;

  constructor(private readonly deps: HistoryDeps) {
    const { etcd } = deps;
    this.history = new History(etcd);
    this.log = new WriteLog(etcd.client);
    this.causes = new CauseReader(etcd.client);
  }

  async handle(request: ApiRequest): Promise<ApiResponse | undefined> {
    // The past of the past is the past: /at/41/history/ is nothing of its own.
    if (request.basePath !== '') return undefined;
    const [name = ''] = request.path.slice(PREFIX.length).split('/');
    const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
    if (!route)
      throw new StatusError(
        404,
        'NotFound',
        `there is nothing at ${request.path}: history is at ${KNOWN}`,
      );
    if (request.method !== 'GET')
      throw new StatusError(405, 'MethodNotAllowed', `${PREFIX}${name} can only be read, with GET`);
    const answer = await this.answer(request, route, name);
    if (!answer) return undefined;
    return {
      status: 200,
      contentType: 'application/json',
      body: `${JSON.stringify({ apiVersion: 'history.orrery.dev/v1', ...answer })}\n`,
    };
  }

  private async answer(
    request: ApiRequest,
    route: (call: HistoryRequest) => Promise<object | void>,
    name: string,
  ): Promise<object | void> {
    try {
      return await route(this.callOf(request, name));
    } catch (error) {
      if (error instanceof HistoryGone || isStorageError(error, 'compacted'))
        throw await expired(this.history, 'what was asked for');
      throw error;
    }
  }

  private callOf(request: ApiRequest, name: string): HistoryRequest {
    const { services, authorizer, etcd } = this.deps;
    const { user, signal } = request.context;
    const freshCatalog = (): KeyCatalog => new KeyCatalog(etcd.keyspace, services.kinds());
    const freshAccess = (): Access => new Access(authorizer, user);
    return {
      request,
      rest: request.path.slice(PREFIX.length + name.length),
      now: services.clock.now(),
      clock: services.clock,
      signal: AbortSignal.any([signal, services.signal]),
      history: this.history,
      log: this.log,
      causes: this.causes,
      kinds: services.kinds(),
      catalog: freshCatalog(),
      access: freshAccess(),
      freshCatalog,
      freshAccess,
    };
  }
}

/** The extensions of a server that also serves its history. */
export function withHistory(
  extensions: ServerExtensions,
  deps: Omit<HistoryDeps, 'authorizer'>,
): ServerExtensions {
  const { authorizer, paths } = extensions;
  return { ...extensions, paths: [...paths, new HistoryPaths({ ...deps, authorizer })] };
}
