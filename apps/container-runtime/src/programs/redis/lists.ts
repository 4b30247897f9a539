import type { Reply } from './resp.js';

export const WRONG_TYPE: Reply = {
  error: 'WRONGTYPE Operation against a key holding the wrong kind of value',
};
export const NOT_INTEGER: Reply = { error: 'ERR value is not an integer or out of range' };
const OUT_OF_RANGE: Reply = { error: 'ERR index out of range' };
const NO_KEY: Reply = { error: 'ERR no such key' };

/** The list of a key; undefined = there is none. */
export type ListAccess = (key: Buffer | undefined, create: boolean) => Buffer[] | undefined;
type ListCommand = (args: readonly Buffer[], list: ListAccess) => Reply;

/** Positions count from the end when negative. */
const at = (index: number, length: number): number => (index < 0 ? length + index : index);

function range(list: readonly Buffer[], start: number, stop: number): Buffer[] {
  return list.slice(Math.max(0, at(start, list.length)), at(stop, list.length) + 1);
}

function pop(list: Buffer[] | undefined, count: Buffer | undefined, left: boolean): Reply {
  if (!list) return null;
  const take = (): Buffer | undefined => (left ? list.shift() : list.pop());
  if (count === undefined) return take() ?? null;
  const wanted = Number(count);
  if (!Number.isInteger(wanted) || wanted < 0) return NOT_INTEGER;
  const taken: Buffer[] = [];
  for (let value; taken.length < wanted && (value = take());) taken.push(value);
  return taken;
}

function set([key, index, value]: readonly Buffer[], access: ListAccess): Reply {
  const list = access(key, false);
  if (!list) return NO_KEY;
  const position = at(Number(index), list.length);
  if (!value || list[position] === undefined) return OUT_OF_RANGE;
  list[position] = value;
  return { ok: 'OK' };
}

function remove([key, count, value]: readonly Buffer[], access: ListAccess): Reply {
  const list = access(key, false);
  if (!list || !value) return 0;
  const wanted = Number(count);
  const most = wanted === 0 ? Infinity : Math.abs(wanted);
  const found = list.flatMap((one, i) => (one.equals(value) ? [i] : []));
  const chosen = (wanted < 0 ? found.toReversed() : found).slice(0, most);
  for (const i of chosen.toSorted((a, b) => b - a)) list.splice(i, 1);
  return chosen.length;
}

function trim([key, start, stop]: readonly Buffer[], access: ListAccess): Reply {
  const list = access(key, false);
  list?.splice(0, list.length, ...range(list, Number(start), Number(stop)));
  return { ok: 'OK' };
}

function move([from, to]: readonly Buffer[], access: ListAccess): Reply {
  const value = access(from, false)?.pop();
  if (!value) return null;
  access(to, true)?.unshift(value);
  return value;
}

const push =
  (left: boolean, create: boolean): ListCommand =>
  ([key, ...values], access) => {
    const list = access(key, create);
    if (!list) return 0;
    if (left) list.unshift(...values.toReversed());
    else list.push(...values);
    return list.length;
  };

/** Commands of lists with the least number of their arguments. */
export const LIST_COMMANDS: Readonly<Record<string, readonly [number, ListCommand]>> = {
  LPUSH: [2, push(true, true)],
  RPUSH: [2, push(false, true)],
  LPUSHX: [2, push(true, false)],
  RPUSHX: [2, push(false, false)],
  LPOP: [1, ([key, count], access) => pop(access(key, false), count, true)],
  RPOP: [1, ([key, count], access) => pop(access(key, false), count, false)],
  LLEN: [1, ([key], access) => access(key, false)?.length ?? 0],
  LRANGE: [
    3,
    ([key, start, stop], access) => range(access(key, false) ?? [], Number(start), Number(stop)),
  ],
  LINDEX: [
    2,
    ([key, index], access) => {
      const list = access(key, false) ?? [];
      return list[at(Number(index), list.length)] ?? null;
    },
  ],
  LSET: [3, set],
  LREM: [3, remove],
  LTRIM: [3, trim],
  RPOPLPUSH: [2, move],
};
