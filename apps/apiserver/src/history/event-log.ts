import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { newBadRequest } from '@orrery/apimachinery';
import { withoutStates } from '@orrery/history';
import type { LogMark, Write } from '@orrery/history';
import type { RevisionRecord } from '@orrery/storage';
import { toApiError } from '../filters/to-api-error.js';
import type { Access } from './access.js';
import { booleanOf, momentOf, numberOf, onlyKnown, revisionOf } from './history-query.js';
import type { HistoryRequest, Scope } from './history-request.js';
import { collectionOf, isInScope, scopeOf } from './history-request.js';
import type { KeyCatalog } from './key-catalog.js';
import { WriteReader } from './write-reader.js';

const PARAMETERS = ['since', 'to', 'limit', 'follow', 'namespace', 'resource', 'leases', 'events'];
const MOST_LINES = 100_000;
/** Permissions and kinds are looked up anew this often while a log is followed. */
const REFRESH_MS = 10_000;

interface Asked {
  readonly after: number;
  readonly to: number;
  readonly limit: number;
  readonly isFollowed: boolean;
  readonly scope: Scope;
  readonly withLeases: boolean;
  readonly withEvents: boolean;
  /** Set when the log begins later than was asked for. */
  readonly oldest?: number;
}

async function startOf(call: HistoryRequest): Promise<{ after: number; oldest?: number }> {
  const { request, now, history } = call;
  const moment = momentOf(request.query, 'since', now);
  const { oldest, current } = await history.range();
  if (!moment) return { after: current };
  // The revision that compaction kept is a state, not a write that can be told.
  const first = oldest === 1 ? 0 : oldest;
  if (moment.kind === 'revision') {
    if (moment.revision > current + 1) await revisionOf(history, moment);
    const after = moment.revision - 1;
    return after >= first ? { after } : { after: first, oldest: first + 1 };
  }
  const found = await history.times.at(moment.time, { oldest, current });
  return found === undefined
    ? { after: first, ...(first === 0 ? {} : { oldest: first + 1 }) }
    : { after: Math.max(first, found) };
}

async function askedOf(call: HistoryRequest): Promise<Asked> {
  const { query } = call.request;
  onlyKnown(query, PARAMETERS);
  const isFollowed = booleanOf(query, 'follow');
  const until = momentOf(query, 'to', call.now);
  if (isFollowed && until) throw newBadRequest('to: a log that is followed has no end');
  if (!isFollowed && !query.get('since')) throw newBadRequest('since: name where the log begins');
  const scope = scopeOf(call);
  if (scope.kind) await call.access.require('list', collectionOf(scope.kind, scope.namespace));
  const to = until ? await revisionOf(call.history, until) : await call.history.current();
  return {
    ...(await startOf(call)),
    to,
    limit: numberOf(query, 'limit', { fallback: MOST_LINES, most: MOST_LINES }),
    isFollowed,
    scope,
    withLeases: booleanOf(query, 'leases') || scope.kind?.group === 'coordination.k8s.io',
    withEvents: query.get('events') !== 'false',
  };
}

/** Tells a client of writes, one line of JSON each, as fast as it reads. */
class LogWriter {
  private told = 0;

  constructor(
    private readonly raw: ServerResponse,
    private readonly call: HistoryRequest,
    private readonly asked: Asked,
    private access: Access = call.access,
    private catalog: KeyCatalog = call.catalog,
  ) {}

  get isFull(): boolean {
    return this.told >= this.asked.limit;
  }

  refresh(): void {
    this.access = this.call.freshAccess();
    this.catalog = this.call.freshCatalog();
  }

  async tell(record: RevisionRecord): Promise<void> {
    const { log, causes, signal } = this.call;
    const reader = new WriteReader({ log, causes, catalog: this.catalog, signal });
    for (const change of record.changes) {
      if (this.isFull) return;
      if (!(await this.isWanted(record, change.key))) continue;
      this.told++;
      await this.line(withoutStates(reader.toWrite(record, change)));
    }
  }

  async mark(revision: number): Promise<void> {
    const { oldest } = this.asked;
    const { omitted } = this.access;
    await this.line({
      kind: 'LogMark',
      revision,
      ...(oldest === undefined ? {} : { oldest }),
      ...(omitted.length === 0 ? {} : { omitted }),
    });
  }

  private async isWanted({ cause }: RevisionRecord, key: string): Promise<boolean> {
    const { scope, withLeases, withEvents } = this.asked;
    const object = this.catalog.nameOf(key);
    if (!isInScope(object, scope)) return false;
    // The API servers' own leases are renewed as well.
    const isLease = object.group === 'coordination.k8s.io' || object.kind === '';
    const isRenewal = isLease && !cause;
    if ((isRenewal && !withLeases) || (object.kind === 'Event' && !withEvents)) return false;
    return this.access.mayList(object);
  }

  private async line(value: Write | LogMark): Promise<void> {
    if (this.raw.write(`${JSON.stringify(value)}\n`)) return;
    await once(this.raw, 'drain', { signal: this.call.signal });
  }
}

async function tellPast(call: HistoryRequest, asked: Asked, writer: LogWriter): Promise<void> {
  let revision = asked.to;
  for await (const record of call.log.between(asked, call.signal)) {
    await writer.tell(record);
    if (!writer.isFull) continue;
    revision = record.revision;
    break;
  }
  await writer.mark(revision);
}

async function tellOn(call: HistoryRequest, asked: Asked, writer: LogWriter): Promise<void> {
  const { signal, log, clock } = call;
  let fresh = clock.monotonic();
  // So that a client that is cut knows where to go on.
  await writer.mark(asked.after);
  for await (const { records, revision } of log.since(asked.after, signal)) {
    if (clock.monotonic() - fresh > REFRESH_MS) {
      writer.refresh();
      fresh = clock.monotonic();
    }
    for (const record of records) await writer.tell(record);
    if (records.length > 0) await writer.mark(revision);
    if (writer.isFull) return;
  }
}

/** GET /history/log?since=…: one line of JSON for each write, with `follow=true` for as long as the client listens. */
export async function eventLog(call: HistoryRequest): Promise<void> {
  const asked = await askedOf(call);
  const { reply } = call.request;
  const { raw } = reply;
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
  raw.flushHeaders();
  const writer = new LogWriter(raw, call, asked);
  try {
    await (asked.isFollowed ? tellOn : tellPast)(call, asked, writer);
  } catch (error) {
    if (!call.signal.aborted) raw.write(`${JSON.stringify(toApiError(error).status)}\n`);
  } finally {
    raw.end();
  }
}
