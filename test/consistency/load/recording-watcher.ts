import type { IncomingMessage } from 'node:http';
import type { HistoryRecorder, Labels, OpenWatch, WatchResponse } from '@orrery/checker';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import type { StateCoverage } from '../report/state-coverage.js';
import { toPath, toVersion } from './config-map.js';
import { HttpSession, field } from './http-session.js';

/** What a watcher asks for, again and again. */
export interface WatchSpec {
  readonly name: string;
  readonly scope: string;
  readonly selector?: Labels;
  /** Where a stream begins that cannot resume. `now` = without resourceVersion, `any` = 0. */
  readonly start: 'revision' | 'initialEvents' | 'now' | 'any';
  readonly bookmarks?: boolean;
  /** Ends the stream itself after so many events and resumes. */
  readonly reopenAfter?: number;
}

/** Every shape of watch, on both namespaces and on all. */
export const WATCHES: readonly WatchSpec[] = [
  { name: 'w1', scope: 'configmaps', start: 'revision' },
  { name: 'w2', scope: 'configmaps/ns1', start: 'revision', bookmarks: true },
  { name: 'w3', scope: 'configmaps/ns10', selector: { tier: 'a' }, start: 'revision' },
  { name: 'w4', scope: 'configmaps', selector: { tier: 'b' }, start: 'initialEvents' },
  { name: 'w5', scope: 'configmaps', start: 'initialEvents', bookmarks: true, reopenAfter: 60 },
  { name: 'w6', scope: 'configmaps/ns1', start: 'any', bookmarks: true },
  { name: 'w7', scope: 'configmaps/ns10', start: 'now', reopenAfter: 40 },
  { name: 'w8', scope: 'configmaps', start: 'revision', bookmarks: true, reopenAfter: 80 },
];

export interface RecordingWatcherOptions {
  readonly spec: WatchSpec;
  readonly recorder: HistoryRecorder;
  readonly coverage: StateCoverage;
  readonly random: Random;
  readonly servers: () => readonly string[];
}

const RETRY_MS = 40;
const clock = new SystemClock();

function toResponse(event: unknown): WatchResponse | undefined {
  const object = field(event, 'object');
  const type = field(event, 'type');
  if (type === 'BOOKMARK') {
    const rv = Number(field(object, 'metadata', 'resourceVersion'));
    const isEnd = field(object, 'metadata', 'annotations', 'k8s.io/initial-events-end') === 'true';
    return { type, rv, ...(isEnd ? { initialEventsEnd: true } : {}) };
  }
  if (type === 'ERROR') {
    const [code, reason] = [field(object, 'code'), field(object, 'reason')];
    return {
      type,
      ...(typeof code === 'number' ? { code } : {}),
      ...(typeof reason === 'string' ? { reason } : {}),
    };
  }
  const version = toVersion(object);
  if (!version || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')) return undefined;
  return { type, object: version };
}

/** Splits a stream of JSON lines; a line that was cut off is dropped. */
async function* readLines(response: IncomingMessage): AsyncGenerator<unknown> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const text of response) {
    const lines = (rest + String(text)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}

/** Where one stream begins. */
interface Start {
  readonly rv?: number;
  readonly initialEvents?: true;
}

function toQuery({ bookmarks, selector }: WatchSpec, start: Start): Record<string, string> {
  return {
    watch: 'true',
    ...(start.rv === undefined ? {} : { resourceVersion: String(start.rv) }),
    ...(start.initialEvents
      ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
      : {}),
    ...(bookmarks || start.initialEvents ? { allowWatchBookmarks: 'true' } : {}),
    ...(selector ? { labelSelector: `tier=${selector['tier']}` } : {}),
  };
}

function toRequest(
  { name, scope, selector }: WatchSpec,
  start: Start,
): Parameters<HistoryRecorder['openWatch']>[0] {
  return {
    client: name,
    scope,
    ...(selector ? { selector } : {}),
    ...(start.rv === undefined ? {} : { rv: start.rv }),
    ...(start.initialEvents ? { sendInitialEvents: true } : {}),
  };
}

/** One watcher: opens its watch, records what comes, and resumes at the last revision it saw. */
export class RecordingWatcher {
  private readonly session: HttpSession;
  private stream: IncomingMessage | undefined;
  /** Resume after this revision; 0 = start anew. */
  private last = 0;
  private drainTo: number | undefined;
  private isExpired = false;

  constructor(private readonly options: RecordingWatcherOptions) {
    this.session = new HttpSession(options.spec.name);
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.stream?.destroy(), { once: true });
    while (!signal.aborted) {
      const wasOpened = await this.follow(signal);
      if (!wasOpened && !signal.aborted) await clock.sleep(RETRY_MS);
    }
    this.session.close();
  }

  /** Resolves with whether everything up to the revision has come within the time: call it when nobody writes any more. */
  async drain(revision: number, timeoutMs: number): Promise<boolean> {
    this.drainTo = revision;
    return eventually(() => this.last >= revision, { timeoutMs }).catch(() => false);
  }

  private server(): string {
    const servers = this.options.servers();
    return servers[Math.floor(this.options.random.next() * servers.length)] ?? '';
  }

  /** One stream, until it ends. */
  private async follow(signal: AbortSignal): Promise<boolean> {
    const server = this.server();
    const start = await this.findStart(server);
    if (!start) return false;
    const { spec, recorder } = this.options;
    const watch = recorder.openWatch(toRequest(spec, start));
    const call = {
      server,
      method: 'GET',
      path: toPath(spec.scope),
      query: toQuery(spec, start),
    };
    const response = await this.session.open(call);
    if (response) this.options.coverage.watch(call, response.statusCode ?? 0);
    if (response?.statusCode !== 200 || signal.aborted) {
      if (response?.statusCode === 410) this.last = 0;
      response?.destroy();
      return false;
    }
    this.stream = response;
    await this.read(response, watch).catch(() => undefined);
    this.stream = undefined;
    watch.close(
      this.drainTo !== undefined && signal.aborted && !this.isExpired ? this.drainTo : undefined,
    );
    return true;
  }

  private async findStart(server: string): Promise<Start | undefined> {
    const { start, scope } = this.options.spec;
    if (this.last > 0) return { rv: this.last };
    if (start === 'initialEvents') return { initialEvents: true };
    if (start === 'now') return {};
    if (start === 'any') return { rv: 0 };
    const path = toPath(scope);
    const { code, json } = await this.session.send({
      server,
      method: 'GET',
      path,
      query: { limit: '1' },
    });
    return code === 200 ? { rv: Number(field(json, 'metadata', 'resourceVersion')) } : undefined;
  }

  private async read(response: IncomingMessage, watch: OpenWatch): Promise<void> {
    const { reopenAfter } = this.options.spec;
    this.isExpired = false;
    let events = 0;
    for await (const line of readLines(response)) {
      const answer = toResponse(line);
      if (!answer) continue;
      watch.push(answer);
      this.options.coverage.watchEvent(answer);
      if (answer.type === 'ERROR') {
        this.isExpired = true;
        this.last = 0;
      } else
        this.last = Math.max(this.last, answer.type === 'BOOKMARK' ? answer.rv : answer.object.rv);
      events++;
      if (this.drainTo === undefined && reopenAfter !== undefined && events >= reopenAfter) break;
    }
    response.destroy();
  }
}
