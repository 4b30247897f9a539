import { setOwn } from '../schema/normalize.js';

/** A document that may be replaced as a whole. */
export interface Document {
  root: unknown;
}

/** The list or object that holds what a pointer leads to, and under which key. */
export interface Cursor {
  readonly container: unknown[] | Record<string, unknown>;
  readonly key: string;
}

/** These name what every object has; no document of ours has fields of these names. */
const UNSAFE = ['__proto__', 'constructor', 'prototype'];

/** Nothing can lie where a pointer leads. */
export class NoSuchPlace extends RangeError {}

function fail(reason: string): never {
  throw new RangeError(reason);
}

const unescape = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');

const INDEX = /^[+-]?\d+$/;

/** Where a list's element lies: a negative index counts from the end. Throws a RangeError outside of `length`. */
function indexOf(key: string, length: number): number {
  if (!INDEX.test(key)) fail(`value was not a proper array index: '${key}'`);
  const index = Number(key);
  if (index >= length || index < -length)
    fail(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

/** Walks to the holder of what `pointer` names (evanphx/json-patch.v4 patch.go:findObject). Throws NoSuchPlace where there is none. */
export function cursorAt({ root }: Document, pointer: string): Cursor {
  const [, ...tokens] = pointer.split('/').map(unescape);
  const key = tokens.pop();
  if (key === undefined || [...tokens, key].some((token) => UNSAFE.includes(token)))
    throw new NoSuchPlace();
  let value: unknown = root;
  for (const token of tokens) {
    const { container } = cursorOf(value, token);
    value = Array.isArray(container)
      ? elementOf(container, token)
      : valueIn({ container, key: token });
  }
  return cursorOf(value, key);
}

const elementOf = (list: readonly unknown[], token: string): unknown =>
  INDEX.test(token) ? list.at(Number(token)) : undefined;

function cursorOf(value: unknown, key: string): Cursor {
  if (typeof value !== 'object' || value === null) throw new NoSuchPlace();
  return { container: value as Cursor['container'], key };
}

/** What lies there; undefined where an object has no such field. */
export function valueIn({ container, key }: Cursor): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

/** Puts a value between a list's elements (`-`: behind them), or under a name. */
export function addTo({ container, key }: Cursor, value: unknown): void {
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === '-') container.push(value);
  else container.splice(indexOf(key, container.length + 1), 0, value);
}

export function replaceIn({ container, key }: Cursor, value: unknown): void {
  if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
  else setOwn(container, key, value);
}

export function removeFrom({ container, key }: Cursor): void {
  if (Array.isArray(container)) container.splice(indexOf(key, container.length), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else fail(`Unable to remove nonexistent key: ${key}: missing value`);
}
