import { setOwn } from './schema/normalize.js';
import type { Steps } from './steps.js';

/** A copy that shares nothing with `value`, which is plain JSON: a fifth of what `structuredClone` costs, which knows more kinds of values. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => cloneJson(item)) as T;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value))
    setOwn(copy, key, cloneJson((value as Record<string, unknown>)[key]));
  return copy as T;
}

/** Values that are copied in one go. */
const SLICE = 2000;

type Container = Readonly<Record<string, unknown>> | readonly unknown[];

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null;

/** The same in steps, for values that may hold very many others. */
export function* cloneSteps<T>(value: T): Steps<T> {
  const small = new SmallCopier();
  const copy = small.copy(value);
  return (small.isDone ? copy : yield* new Copier().copy(value)) as T;
}

/** Copies a value that holds no more than {@link SLICE} others, as nearly all do, without steps. */
class SmallCopier {
  private left = SLICE;

  get isDone(): boolean {
    return this.left >= 0;
  }

  copy(value: unknown): unknown {
    if (!isContainer(value)) return value;
    if (Array.isArray(value)) return this.copyList(value);
    const copy: Record<string, unknown> = {};
    const keys = Object.keys(value);
    this.left -= keys.length;
    if (this.left < 0) return copy;
    for (const key of keys)
      setOwn(copy, key, this.copy((value as Readonly<Record<string, unknown>>)[key]));
    return copy;
  }

  private copyList(list: readonly unknown[]): unknown[] {
    this.left -= list.length;
    return this.left < 0 ? [] : list.map((item) => this.copy(item));
  }
}

class Copier {
  private left = SLICE;

  *copy(value: unknown): Steps<unknown> {
    if (!isContainer(value)) return value;
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      for (const item of value as readonly unknown[]) {
        if (this.isOver()) yield;
        list.push(isContainer(item) ? yield* this.copy(item) : item);
      }
      return list;
    }
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      if (this.isOver()) yield;
      const field = (value as Readonly<Record<string, unknown>>)[key];
      setOwn(copy, key, isContainer(field) ? yield* this.copy(field) : field);
    }
    return copy;
  }

  private isOver(): boolean {
    this.left -= 1;
    if (this.left > 0) return false;
    this.left = SLICE;
    return true;
  }
}
