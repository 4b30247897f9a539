import type { ApiRequest } from '../filters/api-request.js';

/** What is stored of one resource. */
export interface StoredSize {
  readonly objects: number;
  /** Bytes of one object, on average. */
  readonly objectBytes: number;
}

const BYTES_PER_SEAT = 100_000;
/** What a list from memory holds at once, as it is written piece by piece. */
const STREAMED_BYTES = 1_000_000;
const MOST_SEATS = 100;

type Asked = Pick<ApiRequest, 'info' | 'query'>;

const isFromStorage = ({ query }: Asked): boolean =>
  (query.get('continue') ?? '') !== '' || query.get('resourceVersionMatch') === 'Exact';

/** How many objects are in memory at once for the answer. */
function objectsAtOnce(asked: Asked, objects: number): number {
  const { info, query } = asked;
  if (info.name !== '') return 1;
  const limit = Number(query.get('limit') ?? 0);
  const page = limit > 0 ? Math.min(limit, objects) : objects;
  const selects = query.has('fieldSelector') || query.has('labelSelector');
  return selects && isFromStorage(asked) ? Math.max(page, Math.floor(objects / 2)) : page;
}

/** Whether a request reads many objects, and takes more than one seat for it. */
export const isWide = ({ info, query }: Asked): boolean =>
  info.verb === 'list' || (info.verb === 'watch' && query.get('sendInitialEvents') === 'true');

/**
 * Seats of a request: one, or for a list one per 100 kB that it holds at once, `most` of its level at the utmost (k8s
 * apiserver util/flowcontrol/request/list_work_estimator.go:seatsBasedOnObjectSize).
 */
export function estimateSeats(asked: Asked, size: StoredSize | undefined, most: number): number {
  if (!size) return 1;
  const held = objectsAtOnce(asked, size.objects) * size.objectBytes;
  const bytes = isFromStorage(asked) ? held : Math.min(held, STREAMED_BYTES);
  const seats = Math.ceil(bytes / BYTES_PER_SEAT);
  return Math.max(1, Math.min(seats, most > 0 ? most : MOST_SEATS, MOST_SEATS));
}
