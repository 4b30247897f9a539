import type { Metrics } from '@orrery/component';
import { createMetrics } from '@orrery/component';
import type { RequestInfo } from '../filters/request-info.js';
import { registeredMetrics } from './registered-metrics.js';

const LABELS = [
  'verb',
  'group',
  'version',
  'resource',
  'subresource',
  'scope',
  'component',
] as const;

/** Upper bounds of apiserver_request_duration_seconds (k8s apiserver pkg/endpoints/metrics/metrics.go). */
const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

/** Those of apiserver_watch_list_duration_seconds. */
const WATCH_LIST_BUCKETS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];

/** Those of apiserver_request_sli_duration_seconds. */
const SLI_BUCKETS = DURATION_BUCKETS.filter((bound) => bound >= 0.05);

/** Paths that have a label of their own, and those whose parts below share one. */
const PATHS = [
  '/api',
  '/apis',
  '/version',
  '/metrics',
  '/healthz',
  '/livez',
  '/readyz',
  '/openapi/v2',
  '/openapi/v3',
  '/at',
  '/forks',
  '/history',
];

/** Subresources whose requests last as long as the client likes. */
const CONNECTIONS: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

const pathLabel = (path: string): string =>
  PATHS.find((known) => path === known || path.startsWith(`${known}/`)) ?? '';

type Served = Pick<RequestInfo, 'group' | 'version' | 'resource' | 'subresource'>;

const NOTHING: Served = { group: '', version: '', resource: '', subresource: '' };

/** What is known of a request at its end, besides its time. */
export interface RequestEnd {
  /** Bytes of the answer. */
  readonly bytes: number | undefined;
  /** How long it waited for webhooks and in queues. */
  readonly waitedMs: number;
}

/** Requests that have their labels in common. */
interface Sort {
  readonly labels: Readonly<Record<(typeof LABELS)[number], string>>;
  readonly observe: (seconds: number) => void;
  readonly observeSli: (seconds: number) => void;
  /** Of reads. */
  readonly observeSize?: (bytes: number) => void;
  readonly dryRun: string;
  /** By status code. */
  readonly counts: Map<number, () => void>;
}

/** k8s apiserver pkg/endpoints/metrics/metrics.go:CleanScope. */
const scopeOf = ({ name, namespace, verb, isResource }: RequestInfo): string => {
  if (name || verb === 'create') return 'resource';
  if (namespace) return 'namespace';
  return isResource ? 'cluster' : '';
};

/** What verbs are called in metrics (same file:cleanVerb); those of other methods are `other`. */
const VERBS: Readonly<Record<string, string>> = {
  create: 'POST',
  post: 'POST',
  update: 'PUT',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
};
/** Verbs whose bodies are measured (k8s apiserver pkg/endpoints/handlers/metrics/metrics.go:RequestBodyVerb). */
const BODY_VERBS: Readonly<Record<string, string | undefined>> = {
  create: 'create',
  update: 'update',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete_collection',
};
const CONNECTED: ReadonlySet<string> = new Set(['attach', 'exec', 'portforward', 'proxy']);
const APPLY = /^application\/apply-patch\+/;

/** What of a request besides its info its labels tell. */
export interface RequestForm {
  readonly contentType?: string | undefined;
  readonly query?: URLSearchParams;
}

interface Form {
  readonly verb: string;
  readonly dryRun: string;
}

function formOf({ verb, subresource }: RequestInfo, { contentType, query }: RequestForm): Form {
  const isApply = verb === 'patch' && APPLY.test(contentType ?? '');
  const plain = CONNECTED.has(subresource) ? 'CONNECT' : (VERBS[verb] ?? 'other');
  // Every other value is refused.
  const dryRun = query?.get('dryRun') === 'All' ? 'All' : '';
  return { verb: isApply ? 'APPLY' : plain, dryRun };
}

const keyOf = (
  info: RequestInfo,
  { verb, dryRun }: Form,
  { group, version, resource, subresource }: Served,
): string => `${verb}/${dryRun}/${group}/${version}/${resource}/${subresource}/${scopeOf(info)}`;

/** Upstream's request metrics by upstream's names. Labels are names that the server knows (CVE-2020-8552). */
export class RequestMetrics {
  readonly metrics: Metrics = createMetrics({ process: true });
  private readonly total = this.metrics.tally({
    name: 'apiserver_request_total',
    help: 'Requests by verb, resource, component and code.',
  });
  private readonly duration = this.metrics.talliedHistogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Latency of requests in seconds.',
    buckets: DURATION_BUCKETS,
  });
  private readonly sizes = this.metrics.talliedHistogram({
    name: 'apiserver_response_sizes',
    help: 'Bytes of the answers to reads.',
    buckets: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
  });
  private readonly bodies = this.metrics.talliedHistogram({
    name: 'apiserver_request_body_size_bytes',
    help: 'Apiserver request body size in bytes broken out by resource and verb.',
    buckets: Array.from({ length: 31 }, (_, i) => 50_000 + 100_000 * i),
  });
  private readonly bodiesOf = new Map<string, (bytes: number) => void>();
  private readonly sli = this.metrics.talliedHistogram({
    name: 'apiserver_request_sli_duration_seconds',
    help: 'Latency of requests in seconds, without what webhooks and queues took.',
    buckets: SLI_BUCKETS,
  });
  private readonly terminations = this.metrics.tally({
    name: 'apiserver_request_terminations_total',
    help: 'Requests that the server ended to protect itself.',
  });
  private readonly running = this.metrics.gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches and connections that are open.',
    labels: LABELS,
  });

  private readonly sentEvents = this.metrics.tally({
    name: 'apiserver_watch_events_total',
    help: 'Events that watches were sent.',
  });

  private readonly watchLists = this.metrics.talliedHistogram({
    name: 'apiserver_watch_list_duration_seconds',
    help: 'Seconds until watches that begin with a list had sent it.',
    buckets: WATCH_LIST_BUCKETS,
  });

  private readonly deprecated = this.metrics.gauge({
    name: 'apiserver_requested_deprecated_apis',
    help: 'Deprecated APIs that were asked for, and the release that removes them.',
    labels: ['group', 'version', 'resource', 'subresource', 'removed_release'],
  });

  private reading = 0;
  private writing = 0;
  /** Those of names that the server knows, and one a verb of all others. */
  private readonly sorts = new Map<string, Sort>();
  private serves: (asked: Served) => boolean = () => false;

  constructor() {
    this.metrics.gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests that are being served, watches and connections apart.',
      labels: ['request_kind'],
      collect: (gauge) => {
        gauge.set({ request_kind: 'readOnly' }, this.reading);
        gauge.set({ request_kind: 'mutating' }, this.writing);
      },
    });
  }

  private refresh: () => Promise<void> = () => Promise.resolve();

  /** What is to be done each time before somebody reads the metrics. */
  beforeText(refresh: () => Promise<void>): void {
    this.refresh = refresh;
  }

  /** Prometheus' text of all metrics, or of those that are served. */
  async text(isServed?: (name: string) => boolean): Promise<string> {
    await this.refresh();
    const all = await this.metrics.text();
    const text = `${all}\n${registeredMetrics(all)}`;
    if (!isServed) return text;
    return text
      .split(/(?=^# HELP )/m)
      .filter((part) => isServed(/^# HELP (\S+)/.exec(part)?.[1] ?? ''))
      .join('');
  }

  /** Tells which resources and subresources there are. */
  know(serves: (asked: Served) => boolean): void {
    this.serves = serves;
  }

  /** Takes the length of what a write of a resource that is served sent (k8s …/handlers/rest.go:limitedReadBodyWithRecordMetric). */
  tookBody({ group, resource, verb }: RequestInfo, bytes: number): void {
    const named = BODY_VERBS[verb];
    if (named === undefined) return;
    const key = `${group}/${resource}/${named}`;
    let observe = this.bodiesOf.get(key);
    if (!observe) {
      observe = this.bodies.of({ group, resource, verb: named });
      this.bodiesOf.set(key, observe);
    }
    observe(bytes);
  }

  /** Notes that a deprecated API was asked for. */
  askedDeprecated({ group, version, resource, subresource }: Served, removedRelease: string): void {
    const labels = { group, version, resource, subresource, removed_release: removedRelease };
    this.deprecated.set(labels, 1);
  }

  /** Begins one request; the answer is called when it ends. */
  begin(
    info: RequestInfo,
    startedAt: number,
    form: RequestForm = {},
  ): (code: number, endedAt: number, end?: RequestEnd) => void {
    const sort = this.sortOf(info, form);
    const isLong = info.verb === 'watch';
    if (isLong) this.running.inc(sort.labels);
    else this.serve(info, 1);
    return (code, endedAt, end) => {
      this.count(sort, code);
      if (code === 504) this.terminated(sort, code);
      if (isLong) this.running.dec(sort.labels);
      else {
        this.serve(info, -1);
        sort.observe((endedAt - startedAt) / 1000);
        sort.observeSli((endedAt - startedAt - (end?.waitedMs ?? 0)) / 1000);
        if (end?.bytes !== undefined) sort.observeSize?.(end.bytes);
      }
    };
  }

  /** Counts a request that was answered 429 before anything was done. */
  turnedAway(info: RequestInfo, form: RequestForm): void {
    const sort = this.sortOf(info, form);
    this.count(sort, 429);
    this.terminated(sort, 429);
  }

  /** What counts the events that a watch of this resource is sent. */
  eventsOf({
    group,
    version,
    resource,
  }: Pick<Served, 'group' | 'version' | 'resource'>): (events: number) => void {
    return this.sentEvents.of({ group, version, resource });
  }

  /** Takes the seconds that a watch needed for the list it begins with. */
  watchListed(info: RequestInfo, seconds: number): void {
    const { group, version, resource } = info;
    this.watchLists.of({ group, version, resource, scope: scopeOf(info) })(seconds);
  }

  private serve({ verb, subresource }: RequestInfo, by: 1 | -1): void {
    if (CONNECTIONS.has(subresource)) return;
    if (verb === 'get' || verb === 'list') this.reading += by;
    else this.writing += by;
  }

  private sortOf(info: RequestInfo, how: RequestForm): Sort {
    const form = formOf(info, how);
    if (!info.isResource)
      return this.sort(info, form, { ...NOTHING, subresource: pathLabel(info.path) });
    const known = this.sorts.get(keyOf(info, form, info));
    if (known) return known;
    return this.sort(info, form, this.serves(info) ? info : NOTHING);
  }

  private sort(info: RequestInfo, form: Form, served: Served): Sort {
    const { group, version, resource, subresource } = served;
    const key = keyOf(info, form, served);
    const known = this.sorts.get(key);
    if (known) return known;
    const labels = {
      verb: form.verb,
      group,
      version,
      resource,
      subresource,
      scope: scopeOf(info),
      component: 'apiserver',
    };
    const { dryRun } = form;
    const observe = this.duration.of({ ...labels, dry_run: dryRun });
    const isRead = info.verb === 'get' || info.verb === 'list';
    const made: Sort = {
      labels,
      observe,
      observeSli: this.sli.of(labels),
      ...(isRead ? { observeSize: this.sizes.of(labels) } : {}),
      dryRun,
      counts: new Map(),
    };
    this.sorts.set(key, made);
    return made;
  }

  private terminated({ labels }: Sort, code: number): void {
    this.terminations.of({ ...labels, code: String(code) })();
  }

  private count({ labels, dryRun, counts }: Sort, code: number): void {
    let count = counts.get(code);
    if (!count) {
      count = this.total.of({ ...labels, code: String(code), dry_run: dryRun });
      counts.set(code, count);
    }
    count();
  }
}
