import { newNotFound } from '@orrery/apimachinery';
import { HistoryGone, causeOf, withoutStates } from '@orrery/history';
import type { LoggedWrite, ObjectHistory, ObjectWrite } from '@orrery/history';
import type { RevisionRecord } from '@orrery/storage';
import type { HistoryRequest, Subject } from './history-request.js';
import { readerOf, subjectOf } from './history-request.js';
import { booleanOf, numberOf, onlyKnown } from './history-query.js';
import type { WriteReader } from './write-reader.js';

const PARAMETERS = ['limit', 'before', 'why', 'all'];

/** GET /history/revisions/<path of an object> */
export async function objectRevisions(call: HistoryRequest): Promise<ObjectHistory> {
  const { query } = call.request;
  onlyKnown(query, PARAMETERS);
  const limit = numberOf(query, 'limit', { fallback: 50, most: 500 });
  const before = numberOf(query, 'before', { fallback: 0, most: Number.MAX_SAFE_INTEGER });
  const subject = subjectOf(call);
  await call.access.require('get', subject.object);
  const { oldest, current } = await call.history.range();
  const from = before === 0 ? current : Math.min(current, before - 1);
  const walk = new Walk(call, subject, { oldest, limit, isAll: booleanOf(query, 'all') });
  await walk.from(from);
  if (walk.writes.length === 0 && before === 0)
    throw newNotFound(subject.object, subject.object.name);
  const reader = readerOf(call);
  const isWhyWanted = !query.has('why') || booleanOf(query, 'why');
  const writes = isWhyWanted
    ? await Promise.all(walk.writes.map((write) => withReason(reader, write)))
    : walk.writes.map(withoutStates);
  const { more, isCut } = walk;
  return {
    kind: 'ObjectHistory',
    object: subject.object,
    writes,
    ...(more === undefined ? {} : { before: more }),
    ...(isCut ? { oldest } : {}),
  };
}

async function withReason(reader: WriteReader, write: LoggedWrite): Promise<ObjectWrite> {
  const found = await causeOf(reader, write).catch((error: unknown) => {
    if (error instanceof HistoryGone) return {};
    throw error;
  });
  const { because, next } = found as Awaited<ReturnType<typeof causeOf>>;
  const plain = withoutStates(write);
  if (!because || !next) return plain;
  return { ...plain, because: { ...because, object: next.object, summary: next.summary } };
}

/** Collects the writes of one key, newest first: by its own chain of states, and across deletions by the causes. */
class Walk {
  readonly writes: LoggedWrite[] = [];
  /** Where to go on; undefined = everything is there. */
  more: number | undefined;
  /** The start is compacted away. */
  isCut = false;
  private readonly reader: WriteReader;

  constructor(
    private readonly call: HistoryRequest,
    private readonly subject: Subject,
    private readonly options: {
      readonly oldest: number;
      readonly limit: number;
      readonly isAll: boolean;
    },
  ) {
    this.reader = readerOf(call);
  }

  async from(revision: number): Promise<void> {
    let at: number | undefined = revision;
    while (at !== undefined && at >= this.options.oldest && this.more === undefined) {
      const isThere = await this.life(at);
      const isDone = isThere && !this.options.isAll;
      if (this.more !== undefined || isDone || this.isCut) return;
      at = await this.deletion(isThere ? (this.writes.at(-1)?.revision ?? at) - 1 : at);
    }
    this.isCut = this.options.oldest > 1 && this.isCut;
  }

  /** The writes of the object that is there at a revision, back to its creation. */
  private async life(revision: number): Promise<boolean> {
    const { log, signal } = this.call;
    let isThere = false;
    let last: RevisionRecord | undefined;
    for await (const record of log.back(this.subject.key, revision, signal)) {
      isThere = true;
      if (this.isFull(record.revision)) return true;
      this.add(record);
      last = record;
    }
    const [change] = last?.changes ?? [];
    if (change && change.type !== 'ADDED' && change.previous === undefined) this.isCut = true;
    return isThere;
  }

  /** Finds the last deletion at or before a revision; answers the revision before it. */
  private async deletion(revision: number): Promise<number | undefined> {
    const { log, signal } = this.call;
    const { oldest } = this.options;
    const span = { after: oldest - 1, to: revision };
    const last = await log.lastCauseOf(this.subject.key, span, signal);
    const write = last && (await this.reader.writeOf(this.subject.key, last.revision));
    if (!write) return undefined;
    if (write.type !== 'DELETED') return write.revision;
    if (this.isFull(write.revision)) return undefined;
    this.writes.push(write);
    return write.revision - 1;
  }

  private add(record: RevisionRecord): void {
    const [change] = record.changes;
    if (change) this.writes.push(this.reader.toWrite(record, change));
  }

  private isFull(revision: number): boolean {
    if (this.writes.length < this.options.limit) return false;
    this.more = revision + 1;
    return true;
  }
}
