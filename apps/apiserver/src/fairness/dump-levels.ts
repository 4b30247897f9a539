import type { ApiRequest } from '../filters/api-request.js';
import type { PathHandler } from '../subresources.js';
import type { FlowControl, Asker } from './flow-control.js';
import type { LevelState } from './level-state.js';
import { ESTIMATE_MS, queuedSeats } from './priority-level.js';
import type { Queue, Visitor } from './priority-level.js';

const PATH = '/debug/api_priority_and_fairness/';
const NONE = '<none>';
/** Go's zero time: it has not started yet. */
const NEVER = '0001-01-01T00:00:00Z';

type Row = readonly string[];

/** Columns as wide as they need to be, each cell but the last with a comma (Go's text/tabwriter). */
function written(rows: readonly Row[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length + 1)));
  const line = (row: Row): string =>
    row
      .map((cell, i) =>
        i === row.length - 1 ? cell : `${cell},`.padEnd(Math.max((widths[i] ?? 0) + 1, 8)),
      )
      .join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

const seatSeconds = (seatMs: number): string => `${(seatMs / 1000).toFixed(8)}ss`;

function levelRow({ name, level, isQuiescing }: LevelState): Row {
  const { counts, waiting, usedQueues } = level;
  const active = [...usedQueues.values()].filter((queue) => queue.waiting.length > 0).length;
  const executing = [...usedQueues.values()].reduce((sum, one) => sum + one.executing.size, 0);
  return [
    name,
    active,
    level.isIdle,
    isQuiescing,
    waiting,
    executing + level.executing.size,
    counts.dispatched,
    counts.rejected,
    counts.timedOut,
    counts.cancelled,
  ].map(String);
}

function queueRows({ name, level, limits }: LevelState): Row[] {
  if (limits.isExempt) return [[name, ...Array.from({ length: 8 }, () => NONE)]];
  return [...level.usedQueues].map(([index, queue]) => {
    const seats = queuedSeats(queue);
    const inUse = [...queue.executing].reduce((sum, one) => sum + one.seats, 0);
    return [
      name,
      String(index),
      String(queue.waiting.length),
      String(queue.executing.size),
      String(inUse),
      seatSeconds(queue.virtualStart),
      String(seats),
      String(seats),
      seatSeconds(seats * ESTIMATE_MS),
    ];
  });
}

const timeOf = (ms: number | undefined): string =>
  ms === undefined ? NEVER : new Date(ms).toISOString();

function detailsOf({ user, info }: Asker): Row {
  const { verb, path, namespace, name, group, version, resource, subresource } = info;
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return [user, verb, path, namespace, name, groupVersion, resource, subresource];
}

function requestRows({ name, level }: LevelState, hasDetails: boolean): Row[] {
  const row = (visitor: Visitor, queue: number, place: number): Row => {
    const asker = visitor.about as Asker;
    return [
      name,
      asker.schema,
      String(queue),
      String(place),
      asker.distinguisher,
      timeOf(visitor.arrivedAt),
      String(visitor.seats),
      '0',
      '0s',
      timeOf(visitor.startedAt),
      ...(hasDetails ? detailsOf(asker) : []),
    ];
  };
  const inQueue = (index: number, { executing, waiting }: Queue): Row[] => [
    ...[...executing].map((one) => row(one, index, -1)),
    ...waiting.map(({ visitor }, place) => row(visitor, index, place)),
  ];
  return [
    ...[...level.executing].map((one) => row(one, -1, -1)),
    ...[...level.usedQueues].flatMap(([index, queue]) => inQueue(index, queue)),
  ];
}

const LEVEL_COLUMNS: Row = [
  'PriorityLevelName',
  'ActiveQueues',
  'IsIdle',
  'IsQuiescing',
  'WaitingRequests',
  'ExecutingRequests',
  'DispatchedRequests',
  'RejectedRequests',
  'TimedoutRequests',
  'CancelledRequests',
];
const QUEUE_COLUMNS: Row = [
  'PriorityLevelName',
  'Index',
  'PendingRequests',
  'ExecutingRequests',
  'SeatsInUse',
  'NextDispatchR',
  'InitialSeatsSum',
  'MaxSeatsSum',
  'TotalWorkSum',
];
const REQUEST_COLUMNS: Row = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
];
const DETAIL_COLUMNS: Row = [
  'UserName',
  'Verb',
  'APIPath',
  'Namespace',
  'Name',
  'APIVersion',
  'Resource',
  'SubResource',
];

type Dump = (levels: readonly LevelState[], request: ApiRequest) => Row[];

const DUMPS: Readonly<Record<string, Dump>> = {
  dump_priority_levels: (levels) => [LEVEL_COLUMNS, ...levels.map(levelRow)],
  dump_queues: (levels) => [QUEUE_COLUMNS, ...levels.flatMap(queueRows)],
  dump_requests: (levels, { query }) => {
    const hasDetails = (query.get('includeRequestDetails') ?? '') !== '';
    return [
      hasDetails ? [...REQUEST_COLUMNS, ...DETAIL_COLUMNS] : REQUEST_COLUMNS,
      ...levels.flatMap((one) => requestRows(one, hasDetails)),
    ];
  },
};

/** Who is where in priority and fairness (k8s apiserver util/flowcontrol/apf_controller_debug.go). */
export const fairnessDumps = (control: Pick<FlowControl, 'states'>): PathHandler[] =>
  Object.entries(DUMPS).map(([name, dump]) => ({
    path: `${PATH}${name}`,
    handle: (request) =>
      Promise.resolve({
        status: 200,
        contentType: 'text/plain; charset=utf-8',
        body: Buffer.from(written(dump(control.states(), request))),
      }),
  }));
