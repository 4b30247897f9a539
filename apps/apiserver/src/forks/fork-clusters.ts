import { setMaxListeners } from 'node:events';
import { newBadRequest, newExpired, newNotFound } from '@orrery/apimachinery';
import type { UserInfo } from '@orrery/registry';
import { StorageError } from '@orrery/storage';
import type { Forks, OpenFork } from '@orrery/storage';
import { assembleApi } from '../assemble-api.js';
import type { ApiAssembly, ApiAssemblyDeps } from '../assemble-api.js';
import type { OpenStorage } from '../config/open-storage.js';
import type { ApiServerOptions } from '../config/options.js';
import { DefinitionController } from '../custom-resources/definition-controller.js';
import { createExtensions } from '../extensions.js';
import type { ApiRequest } from '../filters/api-request.js';
import type { AuthenticationInput } from '../filters/authentication.js';
import { HealthChecks } from '@orrery/component';
import type { LogicalCluster, LogicalClusterSource } from '../logical-clusters/logical-cluster.js';
import { sendDocument } from '../rest/send.js';
import { ForkAccounts } from './fork-accounts.js';
import { FORKS, ForkCollection } from './fork-collection.js';
import { forkDiff } from './fork-diff.js';
import { forkOptions, issuerOf } from './fork-identity.js';
import { withoutProcesses } from './fork-processes.js';

export interface ForkDeps extends Omit<ApiAssemblyDeps, 'opened' | 'extend' | 'health'> {
  readonly opened: Pick<OpenStorage, 'etcd' | 'keyPrefix' | 'storage' | 'forks'>;
}

/** Assemblies kept open at once on a server. */
const LIMIT = 256;
/** What a fork answers besides the Kubernetes API. */
const DIFF_PATH = '/-/diff';

/** `/forks/<name>/…`: a whole API, writable, over a copy-on-write overlay of one revision. */
class ForkClusters implements LogicalClusterSource {
  readonly prefix = 'forks';
  readonly limit = LIMIT;
  private readonly collection: ForkCollection;
  private readonly forks: Forks;

  constructor(
    private readonly options: ApiServerOptions,
    private readonly deps: ForkDeps,
  ) {
    const { opened, clock, random } = deps;
    this.forks = opened.forks;
    this.collection = new ForkCollection({ forks: opened.forks, etcd: opened.etcd, clock, random });
  }

  async resolve(name: string): Promise<string> {
    const { fork } = await this.find(name);
    return `${name}@${fork.created}`;
  }

  root(name: string, request: ApiRequest): Promise<void> {
    return this.collection.serve(name, request);
  }

  async authenticate(name: string, input: AuthenticationInput): Promise<UserInfo | undefined> {
    const open = await this.forks.open(name).catch(() => undefined);
    if (!open) return undefined;
    const { clock, opened } = this.deps;
    const issuer = issuerOf(open.fork, this.options);
    const deps = { keyPrefix: opened.keyPrefix, clock };
    return new ForkAccounts(issuer, open.storage, deps).authenticate(input);
  }

  async open(key: string): Promise<LogicalCluster> {
    const found = await this.find(key.slice(0, key.indexOf('@')));
    const { fork, storage, gone } = found;
    const { deps } = this;
    const stopping = new AbortController();
    const signal = AbortSignal.any([deps.signal, stopping.signal, gone]);
    setMaxListeners(0, signal);
    const issuer = issuerOf(fork, this.options);
    const options = forkOptions(this.options, issuer);
    const api = await assembleApi(options, {
      ...deps,
      signal,
      cluster: fork.uid,
      opened: { storage, keyPrefix: deps.opened.keyPrefix },
      extend: async (services) => {
        const extensions = await createExtensions(services, issuer);
        const subresources = withoutProcesses(fork.name, extensions.subresources);
        return { ...extensions, subresources, postStartHooks: [] };
      },
      health: () => new HealthChecks({ healthz: [], livez: [], readyz: [] }),
    });
    const { stopped } = await serveDefinitionsOf(api, signal);
    return {
      handler: { handle: (request) => this.handle(request, found, api) },
      catalog: api.catalog,
      extensions: api.extensions,
      gone,
      close: async () => {
        stopping.abort(new Error('nobody uses this fork at the moment'));
        await stopped;
      },
    };
  }

  private async handle(request: ApiRequest, fork: OpenFork, api: ApiAssembly): Promise<void> {
    const { path, info, query, reply } = request;
    if (path === DIFF_PATH && info.verb === 'get') {
      const { keyPrefix, storage: live } = this.deps.opened;
      const deps = { forks: this.forks, live, keyPrefix, catalog: api.catalog };
      const document = await forkDiff(deps, fork, query.get('against') ?? 'base');
      await sendDocument(request, reply, document);
    } else if (/^\/(?:forks|at)(?:\/|$)/.test(path)) {
      const { name, base } = fork.fork;
      throw newBadRequest(
        `"${name}" is a fork already: a fork of a fork, or its past, is not possible; fork the live cluster at revision ${base}`,
      );
    } else await api.handler.handle(request);
  }

  private async find(name: string): Promise<OpenFork> {
    let found: OpenFork | undefined;
    try {
      found = await this.forks.open(name);
    } catch (error) {
      if (error instanceof StorageError && error.code === 'gone') throw newExpired(error.message);
      throw error;
    }
    if (!found) throw newNotFound(FORKS, name);
    return found;
  }
}

/** Serves the fork's own custom resources from its definitions; resolves when those that exist are served. */
async function serveDefinitionsOf(
  { services, catalog }: ApiAssembly,
  signal: AbortSignal,
): Promise<{ readonly stopped: Promise<void> }> {
  const controller = new DefinitionController(services, catalog);
  let stopped = Promise.resolve();
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
    stopped = controller.run(signal, resolve);
  });
  return { stopped };
}

export const forkClusters = (options: ApiServerOptions, deps: ForkDeps): LogicalClusterSource =>
  new ForkClusters(options, deps);
