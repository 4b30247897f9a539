import { isDeepStrictEqual } from 'node:util';
import type { ChangeView, DiffView } from './fork-server.js';

/** What changes by itself in every cluster that runs. */
const BY_ITSELF = new Set(['Lease', 'Event']);
const MARKS = { added: '+', changed: '~', deleted: '-' } as const;
/** Fields that each write changes and that say nothing. */
const QUIET = new Set(['metadata.resourceVersion', 'metadata.generation']);
const LONGEST = 60;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function show(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

/** What names an item of a list among the others; undefined where items have no names. */
function nameOf(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined;
  const name = item['name'] ?? item['type'] ?? item['key'];
  return typeof name === 'string' ? name : undefined;
}

/** A list whose items have names as a record of them; undefined for any other. */
function named(list: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(list)) return undefined;
  const names = list.map(nameOf);
  const isRecordLike =
    names.every((name) => name !== undefined) && new Set(names).size === names.length;
  return isRecordLike
    ? Object.fromEntries(list.map((item: unknown, i) => [`[${names[i] ?? ''}]`, item]))
    : undefined;
}

const join = (path: string, key: string): string =>
  path === '' || key.startsWith('[') ? `${path}${key}` : `${path}.${key}`;

/** One line a field that differs, by its path. */
export function fieldLines(before: unknown, after: unknown, path = ''): string[] {
  if (isDeepStrictEqual(before, after) || QUIET.has(path)) return [];
  const left = isRecord(before) ? before : named(before);
  const right = isRecord(after) ? after : named(after);
  if (!left || !right) return [`    ${path}: ${show(before)} → ${show(after)}`];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return keys.flatMap((key) => fieldLines(left[key], right[key], join(path, key)));
}

function changeLines({ type, kind, namespace, name, before, after }: ChangeView): string[] {
  const head = `${MARKS[type]} ${kind} ${namespace ? `${namespace}/` : ''}${name}`;
  return type === 'changed' ? [head, ...fieldLines(before, after)] : [head];
}

/** The changes as text: + added, - deleted, ~ changed with its fields. */
export function formatDiff(
  { fork, baseRevision, against, changes }: DiffView,
  all: boolean,
): string {
  const shown = changes.filter(({ kind }) => all || !BY_ITSELF.has(kind));
  const with_ = against === 'live' ? 'the live cluster' : `revision ${baseRevision}, its base`;
  const hidden = changes.length - shown.length;
  const rest = hidden === 0 ? '' : ` (and ${hidden} of Leases and Events: --all)`;
  const head = `fork ${fork} against ${with_}: ${shown.length} objects differ${rest}`;
  return [head, ...shown.flatMap(changeLines)].join('\n');
}
