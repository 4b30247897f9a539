import { newNotFound } from '@orrery/apimachinery';
import { explainWrite, withoutStates } from '@orrery/history';
import type { ChainLink, Explanation, LoggedWrite } from '@orrery/history';
import { gone } from './write-reader.js';
import { momentOf, booleanOf, numberOf, onlyKnown, revisionOf } from './history-query.js';
import type { HistoryRequest, Subject } from './history-request.js';
import { readerOf, subjectOf } from './history-request.js';

const PARAMETERS = ['at', 'limit', 'related'];
/** Bounds of the search for what else came of the first cause. */
const RELATED_SPAN = 5000;
const MOST_RELATED = 300;

/** The newest write of the object up to a revision, its deletion included. */
async function stateOf(
  call: HistoryRequest,
  { key, object }: Subject,
  revision: number,
): Promise<LoggedWrite> {
  const { log, signal, history } = call;
  const reader = readerOf(call);
  const record = await log.newest(key, revision, signal);
  const [change] = record?.changes ?? [];
  if (record && change) return reader.toWrite(record, change);
  const { oldest } = await history.range();
  const after = Math.max(oldest - 1, revision - 10 * RELATED_SPAN);
  const last = await log.lastCauseOf(key, { after, to: revision }, signal);
  const write = last && (await reader.writeOf(key, last.revision));
  if (!write) throw newNotFound(object, object.name);
  return write;
}

/** What else the first cause of a chain led to, until the state that is explained. */
async function relatedOf(call: HistoryRequest, { chain }: Explanation): Promise<ChainLink[]> {
  const first = chain[0]?.revision ?? 0;
  const to = Math.min(chain.at(-1)?.revision ?? 0, first + RELATED_SPAN);
  const reader = readerOf(call);
  const inChain = new Set(chain.map(({ revision }) => revision));
  const reached = new Set(inChain);
  const related: ChainLink[] = [];
  for await (const record of call.log.between({ after: first, to }, call.signal)) {
    const { cause, revision, changes } = record;
    const [change] = changes;
    const { reactedTo } = cause ?? {};
    if (!change || inChain.has(revision) || reactedTo === undefined || !reached.has(reactedTo))
      continue;
    reached.add(revision);
    const write = withoutStates(reader.toWrite(record, change));
    related.push({ ...write, because: { revision: reactedTo, how: 'told' } });
    if (related.length >= MOST_RELATED) break;
  }
  return related;
}

/** Links about objects that the user may not get say only that there was one. */
async function redact(call: HistoryRequest, links: readonly ChainLink[]): Promise<ChainLink[]> {
  const shown: ChainLink[] = [];
  for (const link of links) {
    if (await call.access.mayGet(link.object)) shown.push(link);
    else {
      const { revision, type, because, time } = link;
      shown.push({
        revision,
        type,
        ...(time ? { time } : {}),
        ...(because ? { because: { revision: because.revision, how: because.how } } : {}),
        object: { ...link.object, name: '(not yours to see)' },
        summary: 'something that you may not read',
        changes: [],
      });
    }
  }
  return shown;
}

/** GET /history/explain/<path of an object> */
export async function explain(call: HistoryRequest): Promise<Explanation> {
  const { query } = call.request;
  onlyKnown(query, PARAMETERS);
  const limit = numberOf(query, 'limit', { fallback: 64, most: 256 });
  const subject = subjectOf(call);
  await call.access.require('get', subject.object);
  const moment = momentOf(query, 'at', call.now);
  const { current, oldest } = await call.history.range();
  const revision = moment ? await revisionOf(call.history, moment) : current;
  const write = await gone(() => stateOf(call, subject, revision));
  const found = await explainWrite(readerOf(call), write, { limit });
  const related = booleanOf(query, 'related') ? await gone(() => relatedOf(call, found)) : [];
  return {
    ...found,
    chain: await redact(call, found.chain),
    ...(found.root === 'compacted' ? { oldest } : {}),
    ...(related.length > 0 ? { related: await redact(call, related) } : {}),
  };
}
