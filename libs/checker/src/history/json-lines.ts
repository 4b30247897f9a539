import type { FaultWindow, History } from './history.js';
import type { InformerRecord } from './informer-record.js';
import type { LogCoverage, LogEvent } from './log-event.js';
import type { Operation } from './operation.js';
import { OUTCOMES, VERBS } from './operation.js';
import type { WatchRecord } from './watch-record.js';

/** One line of a history file. */
export type HistoryLine =
  | ({ readonly record: 'operation' } & Operation)
  | ({ readonly record: 'event' } & LogEvent)
  | ({ readonly record: 'watch' } & WatchRecord)
  | ({ readonly record: 'informer' } & InformerRecord)
  | ({ readonly record: 'fault' } & FaultWindow)
  | ({ readonly record: 'coverage' } & LogCoverage)
  | { readonly record: 'labels'; readonly labels: Readonly<Record<string, string>> };

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isList: Check = (value) => Array.isArray(value);
const isObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOneOf =
  (words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value);

/** Fields a line must have; what they hold further down is the writer's promise. */
const REQUIRED: Readonly<Record<HistoryLine['record'], Readonly<Record<string, Check>>>> = {
  operation: {
    client: isText,
    id: isNumber,
    f: isOneOf(VERBS),
    key: isText,
    args: isObject,
    call: isNumber,
    ret: (value) => value === null || isNumber(value),
    outcome: isOneOf(OUTCOMES),
  },
  event: { rv: isNumber, key: isText, type: isOneOf(['put', 'delete']) },
  watch: { client: isText, id: isNumber, scope: isText, opened: isNumber, responses: isList },
  informer: { client: isText, scope: isText, steps: isList, store: isList },
  fault: { name: isText, from: isNumber, to: isNumber },
  coverage: { complete: isFlag },
  labels: { labels: isObject },
};

function isHistoryLine(value: unknown): value is HistoryLine {
  if (!isObject(value)) return false;
  const line = value as Readonly<Record<string, unknown>>;
  const required = Object.entries(REQUIRED).find(([record]) => record === line['record'])?.[1];
  if (!required) return false;
  return Object.entries(required).every(([field, check]) => check(line[field]));
}

/** One line of JSON, without the line break. */
export function encodeLine(line: HistoryLine): string {
  return JSON.stringify(line);
}

/** Reads one line; throws a SyntaxError that shows the line when it is not one of a history. */
export function decodeLine(text: string): HistoryLine {
  const value: unknown = JSON.parse(text);
  if (!isHistoryLine(value))
    throw new SyntaxError(`not a line of a history: ${text.slice(0, 200)}`);
  return value;
}

/** The lines of a whole history, without line breaks. */
export function* encodeHistory(history: History): Generator<string> {
  yield encodeLine({ record: 'labels', labels: history.labels });
  yield encodeLine({ record: 'coverage', ...history.coverage });
  for (const fault of history.faults) yield encodeLine({ record: 'fault', ...fault });
  for (const event of history.events) yield encodeLine({ record: 'event', ...event });
  for (const operation of history.operations)
    yield encodeLine({ record: 'operation', ...operation });
  for (const watch of history.watches) yield encodeLine({ record: 'watch', ...watch });
  for (const informer of history.informers) yield encodeLine({ record: 'informer', ...informer });
}

/** Reads a history from its lines; empty lines are skipped. */
export function decodeHistory(lines: Iterable<string>): History {
  const decoded: HistoryLine[] = [];
  for (const text of lines) if (text.trim() !== '') decoded.push(decodeLine(text));
  return collectLines(decoded);
}

/** Puts lines together to the history they describe, whatever their order. */
export function collectLines(lines: Iterable<HistoryLine>): History {
  const operations: Operation[] = [];
  const events: LogEvent[] = [];
  const watches: WatchRecord[] = [];
  const informers: InformerRecord[] = [];
  const faults: FaultWindow[] = [];
  let labels: Readonly<Record<string, string>> = {};
  let coverage: LogCoverage = { complete: false };
  for (const line of lines)
    switch (line.record) {
      case 'operation':
        operations.push(line);
        break;
      case 'event':
        events.push(line);
        break;
      case 'watch':
        watches.push(line);
        break;
      case 'informer':
        informers.push(line);
        break;
      case 'fault':
        faults.push(line);
        break;
      case 'coverage':
        coverage = line;
        break;
      case 'labels':
        labels = line.labels;
        break;
    }
  return { labels, operations, events, coverage, watches, informers, faults };
}
