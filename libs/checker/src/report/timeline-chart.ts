import type { History } from '../history/history.js';
import type { Operation } from '../history/operation.js';
import { describeOperation, isWrite } from '../history/operation.js';
import type { WatchRecord, WatchResponse } from '../history/watch-record.js';
import { describeWatch } from '../history/watch-record.js';
import { element, escapeText, formatTime } from './markup.js';

const LEFT = 130;
const ROW = 22;
const BAR = 14;
const TOP = 30;

export interface ChartOptions {
  /** The first impossible operation. */
  readonly culprit: Operation | undefined;
  /** Pixels for the whole time. */
  readonly width: number;
}

interface Scale {
  readonly x: (time: number) => number;
  readonly end: number;
  readonly width: number;
}

/** A row for each client, watcher and the store's log; time goes to the right. */
export function drawTimeline(history: History, { culprit, width }: ChartOptions): string {
  const scale = createScale(history, width);
  const clients = groupBy(history.operations, ({ client }) => client);
  const watchers = groupBy(history.watches, ({ client }) => client);
  const rows = [
    drawRow('log', 0, drawLog(history, scale)),
    ...[...clients].map(([client, operations], i) =>
      drawRow(
        client,
        i + 1,
        operations.map((item) => drawOperation(item, scale, culprit)),
      ),
    ),
    ...[...watchers].map(([client, watches], i) =>
      drawRow(
        client,
        clients.size + i + 1,
        watches.flatMap((watch) => drawWatch(watch, scale)),
      ),
    ),
  ];
  const height = TOP + rows.length * ROW + 10;
  const size = { width: LEFT + width + 20, height, viewBox: `0 0 ${LEFT + width + 20} ${height}` };
  return element(
    'svg',
    size,
    ...drawFaults(history, scale, height),
    ...drawAxis(scale, height),
    ...rows,
  );
}

function createScale(history: History, width: number): Scale {
  let end = 1;
  for (const { call, ret } of history.operations) end = Math.max(end, ret ?? call);
  for (const { closed = 0 } of history.watches) end = Math.max(end, closed);
  for (const { at = 0 } of history.events) end = Math.max(end, at);
  return { x: (time) => LEFT + (Math.min(time, end) / end) * width, end, width };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return new Map([...groups].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

function drawRow(name: string, index: number, marks: readonly string[]): string {
  const label = element('text', { x: 4, y: 11, class: 'name' }, escapeText(name));
  return element('g', { transform: `translate(0 ${TOP + index * ROW})` }, label, ...marks);
}

function drawOperation(
  operation: Operation,
  { x, end }: Scale,
  culprit: Operation | undefined,
): string {
  const { call, ret, outcome, f, id, rv } = operation;
  const [from, to] = [x(call), x(ret ?? end)];
  const width = Math.max(2, to - from);
  const isCulprit = culprit?.id === id && culprit.client === operation.client;
  const kind = isCulprit
    ? 'impossible'
    : outcome === 'ok'
      ? isWrite(f)
        ? 'write'
        : 'read'
      : outcome;
  const bar = element('rect', { x: from, y: 0, width, height: BAR, rx: 2, class: kind });
  const text = rv === undefined ? f : `${f} ${rv}`;
  const label =
    width > text.length * 6 || isCulprit
      ? element('text', { x: from + 3, y: 11, class: 'label' }, escapeText(text))
      : '';
  return element('g', {}, element('title', {}, escapeText(describeCall(operation))), bar, label);
}

/** Everything known of an operation, for the pointer that rests on its bar. */
export function describeCall(operation: Operation): string {
  const { args, call, ret, outcome, reason, rv, body } = operation;
  const answer = body?.object ? ` ${body.object.value}@${body.object.rv}` : '';
  const items = body?.items
    ? ` ${body.items.map(({ key, rv: at }) => `${key}@${at}`).join(' ')}`
    : '';
  return [
    describeOperation(operation),
    JSON.stringify(args),
    `${formatTime(call)} to ${ret === null ? 'never' : formatTime(ret)}`,
    `${outcome}${reason ? ` ${reason}` : ''}${rv === undefined ? '' : ` revision ${rv}`}${answer}${items}`,
  ].join('\n');
}

function drawLog({ events }: History, { x }: Scale): string[] {
  return events.flatMap(({ at, rv, key, type, object }) => {
    if (at === undefined) return [];
    const title = `revision ${rv}: ${type} ${key} ${object?.value ?? ''}`;
    return [mark(x(at), `log-${type}`, title)];
  });
}

function mark(x: number, kind: string, title: string): string {
  const line = element('rect', { x: x - 1, y: 0, width: 2, height: BAR, class: kind });
  return element('g', {}, element('title', {}, escapeText(title)), line);
}

function drawWatch(watch: WatchRecord, { x, end }: Scale): string[] {
  const [from, to] = [x(watch.opened), x(watch.closed ?? end)];
  const open = element('rect', {
    x: from,
    y: 5,
    width: Math.max(1, to - from),
    height: 4,
    class: 'watch',
  });
  const marks = watch.responses.flatMap((response) =>
    response.at === undefined
      ? []
      : [mark(x(response.at), response.type, describeResponse(watch, response))],
  );
  return [element('g', {}, element('title', {}, escapeText(describeWatch(watch))), open), ...marks];
}

function describeResponse(watch: WatchRecord, response: WatchResponse): string {
  const name = `${describeWatch(watch)}\n${response.type}`;
  if (response.type === 'BOOKMARK') return `${name} ${response.rv}`;
  if (response.type === 'ERROR') return `${name} ${response.code} ${response.reason ?? ''}`;
  return `${name} ${response.object.key} ${response.object.value}@${response.object.rv}`;
}

function drawFaults({ faults }: History, { x }: Scale, height: number): string[] {
  return faults.map(({ name, from, to }) => {
    const width = Math.max(2, x(to) - x(from));
    const window = element('rect', { x: x(from), y: 0, width, height, class: 'fault' });
    const label = element('text', { x: x(from) + 2, y: 10, class: 'fault-name' }, escapeText(name));
    return element('g', {}, window, label);
  });
}

function drawAxis({ x, end }: Scale, height: number): string[] {
  return Array.from({ length: 11 }, (_, i) => {
    const time = (end * i) / 10;
    const line = element('line', { x1: x(time), x2: x(time), y1: 14, y2: height, class: 'axis' });
    return line + element('text', { x: x(time) + 2, y: 24, class: 'time' }, formatTime(time));
  });
}
