import type { Answer, HistoryRecorder, OperationArgs, Request } from '@orrery/checker';
import { isWrite } from '@orrery/checker';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import { toPath, toVersion, toVersions } from './config-map.js';
import type { Call, HttpReply, HttpSession } from './http-session.js';
import { field, reasonOf } from './http-session.js';
import type { Workload } from './workload.js';

export interface RecordingClientOptions {
  readonly name: string;
  readonly session: HttpSession;
  readonly recorder: HistoryRecorder;
  readonly workload: Workload;
  readonly random: Random;
  /** URLs of the API servers; each operation goes to one of them by chance. */
  readonly servers: () => readonly string[];
  readonly timeoutMs: number;
}

type Sent = Omit<Call, 'server' | 'timeoutMs'>;

const AFTER_FAILURE_MS = 60;
const MERGE_PATCH = 'application/merge-patch+json';
const clock = new SystemClock();

const toSelector = (selector: Readonly<Record<string, string>>): string =>
  Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');

function toObject(key: string, { value, labels, rv, uid }: OperationArgs): unknown {
  const [, namespace, name] = key.split('/');
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name,
      ...(labels ? { labels } : {}),
      ...(rv === undefined ? {} : { resourceVersion: String(rv) }),
      ...(uid === undefined ? {} : { uid }),
    },
    data: { v: value },
  };
}

function readQuery({ rv, match, selector, limit }: OperationArgs): Record<string, string> {
  return {
    ...(rv === undefined ? {} : { resourceVersion: String(rv) }),
    ...(match === undefined ? {} : { resourceVersionMatch: match }),
    ...(selector ? { labelSelector: toSelector(selector) } : {}),
    ...(limit === undefined ? {} : { limit: String(limit) }),
  };
}

/** The HTTP request of an operation. */
export function toCall({ f, key, args = {} }: Request): Sent {
  const path = toPath(key);
  switch (f) {
    case 'create':
      return {
        method: 'POST',
        path: path.slice(0, path.lastIndexOf('/')),
        body: toObject(key, args),
      };
    case 'update':
      return { method: 'PUT', path, body: toObject(key, args) };
    case 'patch':
      return { method: 'PATCH', path, body: toObject(key, args), contentType: MERGE_PATCH };
    case 'delete': {
      const { rv, uid } = args;
      if (rv === undefined && uid === undefined) return { method: 'DELETE', path };
      const preconditions = {
        ...(rv === undefined ? {} : { resourceVersion: String(rv) }),
        ...(uid === undefined ? {} : { uid }),
      };
      return { method: 'DELETE', path, body: { preconditions } };
    }
    case 'get':
    case 'list':
      return { method: 'GET', path, query: readQuery(args) };
  }
}

/** What an operation was answered, for the recorder. */
export function toAnswer({ f }: Request, { code, json }: HttpReply): Answer {
  if (code === undefined) return {};
  if (code >= 300) {
    const reason = reasonOf(json);
    return { code, ...(reason === undefined ? {} : { reason }) };
  }
  if (f === 'list') {
    const more = field(json, 'metadata', 'continue') ? { more: true } : {};
    const rv = Number(field(json, 'metadata', 'resourceVersion'));
    return { code, rv, body: { items: toVersions(json), ...more } };
  }
  const object = toVersion(json);
  return object ? { code, rv: object.rv, body: { object } } : { code };
}

/** One client: one operation in flight, each recorded with all that it was answered. */
export class RecordingClient {
  /** Operations that were answered well. */
  answered = 0;
  private lists = 0;

  constructor(private readonly options: RecordingClientOptions) {}

  /** Goes on until the signal aborts; resolves when the last operation has ended. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wasAnswered = await this.step(this.options.workload.next());
      if (!wasAnswered) await clock.sleep(AFTER_FAILURE_MS);
    }
  }

  /** False when no useful answer came. */
  async step(request: Request): Promise<boolean> {
    if (request.f === 'list' && request.args?.limit !== undefined) return this.listPages(request);
    const answer = await this.perform(request, toCall(request));
    return answer?.code !== undefined && answer.code < 500;
  }

  private async listPages(request: Request): Promise<boolean> {
    const list = `${this.options.name}-${++this.lists}`;
    const call = toCall(request);
    let token = '';
    for (let index = 0; ; index++) {
      const page = { ...request, args: { ...request.args, page: { list, index } } };
      const query = { ...call.query, ...(token ? { continue: token } : {}) };
      const { reply, answer } = await this.ask(page, { ...call, query });
      if (answer?.code !== 200) return answer?.code !== undefined && answer.code < 500;
      const next = field(reply.json, 'metadata', 'continue');
      if (typeof next !== 'string' || next === '') return true;
      token = next;
    }
  }

  private async perform(request: Request, call: Sent): Promise<Answer | undefined> {
    return (await this.ask(request, call)).answer;
  }

  private async ask(
    request: Request,
    call: Sent,
  ): Promise<{ reply: HttpReply; answer: Answer | undefined }> {
    const { name, recorder, session, timeoutMs, random } = this.options;
    const servers = this.options.servers();
    const server = servers[Math.floor(random.next() * servers.length)] ?? '';
    const pending = recorder.begin(name, request);
    const reply = await session.send({ ...call, server, timeoutMs });
    if (!reply.wasSent) {
      pending.discard();
      return { reply, answer: undefined };
    }
    const answer = toAnswer(request, reply);
    if (answer.code !== undefined && answer.code < 300) this.answered++;
    pending.end(answer);
    this.learn(request, answer);
    return { reply, answer };
  }

  private learn({ f, key }: Request, { code, rv, body }: Answer): void {
    const { workload } = this.options;
    if (rv !== undefined) workload.seeRevision(rv);
    if (body?.object) workload.see(body.object);
    for (const item of body?.items ?? []) workload.see(item);
    if ((f === 'delete' && code === 200) || (code === 404 && (f === 'get' || isWrite(f))))
      workload.forget(key);
  }
}
