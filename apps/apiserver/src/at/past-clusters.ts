import { StatusError, newBadRequest, newExpired } from '@orrery/apimachinery';
import type { CustomResourceDefinition } from '@orrery/api';
import { HealthChecks, toTime } from '@orrery/component';
import { History, Pins } from '@orrery/storage';
import { assembleApi } from '../assemble-api.js';
import type { ApiAssemblyDeps } from '../assemble-api.js';
import type { OpenStorage } from '../config/open-storage.js';
import type { ApiServerOptions } from '../config/options.js';
import { serveDefinitions } from '../custom-resources/served-definitions.js';
import type { ServerExtensions } from '../extensions.js';
import type { RequestInfo } from '../filters/request-info.js';
import type { ApiRequest } from '../filters/api-request.js';
import type {
  ClusterRequest,
  LogicalCluster,
  LogicalClusterSource,
} from '../logical-clusters/logical-cluster.js';
import { AtRoot } from './at-root.js';
import { parseMoment } from './moment.js';
import type { Moment } from './moment.js';
import { ReadOnlyHandler, unrecorded } from './read-only-handler.js';

export interface PastDeps extends Omit<ApiAssemblyDeps, 'opened' | 'extend' | 'health'> {
  readonly opened: Pick<OpenStorage, 'etcd' | 'keyPrefix'>;
  /** The live ones: who may read what is decided by the rules of today. */
  readonly extensions: ServerExtensions;
}

/** Answers that are kept: a past time means the same revision for ever. */
const MOST_TIMES = 1000;
/** A revision that was there is asked for again after this time: it may have been compacted. */
const TRUST_MS = 1000;
const FASTEST = 1_000_000;

/** A view of the past: `41`, `41@10x`, `41@0x-90`. */
interface View {
  readonly revision: number;
  readonly speed: number;
  readonly until?: number;
}

const keyOf = ({ revision, speed, until }: View): string =>
  `${revision}@${speed}x${until === undefined ? '' : `-${until}`}`;

function viewOf(key: string): View {
  const [, revision, speed, until] = /^(\d+)@([\d.]+)x(?:-(\d+))?$/.exec(key) ?? [];
  return {
    revision: Number(revision),
    speed: Number(speed),
    ...(until === undefined ? {} : { until: Number(until) }),
  };
}

function speedOf(text: string): number {
  const speed = Number(text === '' ? 0 : text);
  if (Number.isFinite(speed) && speed >= 0 && speed <= FASTEST && !/e/i.test(String(speed)))
    return speed;
  throw newBadRequest(
    `speed ${JSON.stringify(text)} is none: 1 = as it was, 10 = ten times as fast, 0 = as fast as it goes`,
  );
}

/** `/at/<revision or time>/…`: the whole API, read-only, as it was then. */
class PastClusters implements LogicalClusterSource {
  readonly prefix = 'at';
  readonly limit = 64;
  private readonly history: History;
  private readonly atRoot: AtRoot;
  private readonly revisions = new Map<number, number>();
  /** Revisions that were there, and when. */
  private readonly seen = new Map<number, number>();

  constructor(
    private readonly options: ApiServerOptions,
    private readonly deps: PastDeps,
  ) {
    this.history = new History(deps.opened.etcd);
    this.atRoot = new AtRoot({
      history: this.history,
      pins: new Pins(deps.opened.etcd.client),
      clock: deps.clock,
      random: deps.random,
      retention: options.historyRetention,
    });
  }

  async resolve(name: string, { query }: ClusterRequest): Promise<string> {
    const [, moment = name, factor = ''] = /^(.*)@([^@]*)x$/.exec(name) ?? [];
    const revision = await this.find(moment);
    const until = query.get('until');
    return keyOf({
      revision,
      speed: speedOf(query.get('speed') ?? factor),
      ...(until ? { until: await this.lastOf(until) } : {}),
    });
  }

  async root(name: string, request: ApiRequest): Promise<void> {
    if (name === '') await this.atRoot.range(request);
    else await this.atRoot.at(request, await this.find(name.replace(/@[^@]*x$/, '')));
  }

  async open(key: string): Promise<LogicalCluster> {
    const { revision, speed, until } = viewOf(key);
    const { deps } = this;
    const stopping = new AbortController();
    const signal = AbortSignal.any([deps.signal, stopping.signal]);
    const storage = this.history.at(revision, { speed, ...(until ? { until } : {}) });
    const api = await assembleApi(this.options, {
      ...deps,
      signal,
      isReadOnly: true,
      opened: { storage, keyPrefix: deps.opened.keyPrefix },
      extend: () => Promise.resolve(this.extensionsAt(revision)),
      health: () => new HealthChecks({ healthz: [], livez: [], readyz: [] }),
    });
    const { catalog, extensions, services } = api;
    const definitions = await services
      .store('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
      .list({ resourceVersion: '', resourceVersionMatch: '', limit: 0, continueToken: '' });
    serveDefinitions(
      catalog,
      definitions.items.map(({ object }) => object as CustomResourceDefinition),
    );
    const isQuestion = ({ group, resource }: RequestInfo): boolean =>
      extensions.requestKinds.some(({ kind }) => kind.group === group && kind.plural === resource);
    const known = await this.history.timeOf(revision);
    return {
      ...(known ? { shows: { time: known.time, speed } } : {}),
      handler: new ReadOnlyHandler(api.handler, {
        revision,
        isQuestion,
        explain: async (error) =>
          (await this.history.has(revision)) ? error : this.expired(`revision ${revision}`),
      }),
      catalog,
      extensions,
      close: () => {
        stopping.abort(new Error('nobody uses this view of the past any more'));
      },
    };
  }

  private extensionsAt(revision: number): ServerExtensions {
    const { authenticator, authorizer, subresources, requestKinds } = this.deps.extensions;
    return {
      authenticator,
      authorizer,
      admission: [],
      subresources: unrecorded(subresources, revision),
      // A Binding is a write by another name.
      requestKinds: requestKinds.filter(({ kind }) => kind.kind !== 'Binding'),
      paths: [],
      postStartHooks: [],
    };
  }

  /** The revision that a moment means. Throws 400 for what is none, 410 when it is no longer there. */
  private async find(text: string): Promise<number> {
    const revision = await this.revisionOf(parseMoment(text, this.deps.clock.now()));
    const now = this.deps.clock.monotonic();
    const seenAt = this.seen.get(revision);
    if (seenAt !== undefined && now - seenAt < TRUST_MS) return revision;
    if (!(await this.history.has(revision))) throw await this.expired(`revision ${revision}`);
    if (this.seen.size > MOST_TIMES) this.seen.clear();
    this.seen.set(revision, now);
    return revision;
  }

  /** The revision at which a replay ends. */
  private async lastOf(text: string): Promise<number> {
    if (text === 'now') return this.history.current();
    return this.revisionOf(parseMoment(text, this.deps.clock.now()));
  }

  private async revisionOf(moment: Moment): Promise<number> {
    if (moment.kind === 'time') return this.revisionAt(moment.time);
    if (this.seen.has(moment.revision)) return moment.revision;
    const current = await this.history.current();
    if (moment.revision > current)
      throw newBadRequest(
        `revision ${moment.revision} lies in the future: the cluster is at revision ${current}`,
      );
    return moment.revision;
  }

  private async revisionAt(time: number): Promise<number> {
    const known = this.revisions.get(time);
    if (known !== undefined) return known;
    if (time > this.deps.clock.now()) throw newBadRequest(`${toTime(time)} lies in the future`);
    const revision = await this.history.revisionAt(time);
    if (revision === undefined) throw await this.expired(toTime(time));
    this.revisions.set(time, revision);
    const [oldest] = this.revisions.keys();
    if (this.revisions.size > MOST_TIMES && oldest !== undefined) this.revisions.delete(oldest);
    return revision;
  }

  private async expired(what: string): Promise<StatusError> {
    const { oldest, current } = await this.history.range();
    const time = await this.history.timeOf(oldest);
    const since = time ? ` (of ${toTime(time.time)})` : '';
    return newExpired(
      `${what} is not in the history any more: the oldest revision left is ${oldest}${since}, the newest is ${current}`,
    );
  }
}

export const pastClusters = (options: ApiServerOptions, deps: PastDeps): LogicalClusterSource =>
  new PastClusters(options, deps);
