import { canonicalJson } from '../equality.js';
import type { Steps } from '../steps.js';
import { isPlainObject, own } from './merge-patch.js';

/** Equal values have equal names; strings, which nearly all keys are, are their own. */
const identityOf = (value: unknown): string =>
  typeof value === 'string' ? `s${value}` : `=${canonicalJson(value)}`;

/** Where each element of a list stands, found by its key, or by value in lists of primitives. */
export class ElementIndex {
  private readonly places = new Map<string, number>();

  constructor(
    list: readonly unknown[],
    private readonly mergeKey: string,
  ) {
    list.forEach((item, i) => {
      this.note(item, i);
    });
  }

  /** The first place of an element that is the same; -1 = there is none. */
  of(item: unknown): number {
    const id = this.identity(item);
    return id === undefined ? -1 : (this.places.get(id) ?? -1);
  }

  /** Says that `item` stands at `place`, unless one that is the same stands before it. */
  note(item: unknown, place: number): void {
    const id = this.identity(item);
    if (id !== undefined && !this.places.has(id)) this.places.set(id, place);
  }

  private identity(item: unknown): string | undefined {
    if (this.mergeKey === '') return identityOf(item);
    if (!isPlainObject(item)) return undefined;
    const key = own(item, this.mergeKey);
    return key === undefined ? '' : identityOf(key);
  }
}

function sortedBy(items: readonly unknown[], order: ElementIndex): readonly unknown[] {
  if (items.length < 2) return items;
  return items
    .map((item, i) => ({ item, i, rank: order.of(item) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ item }) => item);
}

/** Elements of a list from which on the parts of the work are steps. */
const LONG = 1000;

/**
 * Elements the patch names come in its order, the others keep their place relative to them
 * (k8s apimachinery strategicpatch/patch.go:normalizeElementOrder, mergeSortedSlice).
 */
export function* orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
): Steps<unknown[]> {
  const isLong = merged.length > LONG || serverOrder.length > LONG;
  if (isLong) yield;
  const patched = new ElementIndex(patchOrder, mergeKey);
  if (isLong) yield;
  const served = new ElementIndex(serverOrder, mergeKey);
  if (isLong) yield;
  const named: unknown[] = [];
  const others: unknown[] = [];
  for (const item of merged) (patched.of(item) < 0 ? others : named).push(item);
  if (isLong) yield;
  const right = sortedBy(named, patched);
  if (isLong) yield;
  const left = sortedBy(others, served);
  if (isLong) yield;
  const result: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [li, ri] = [served.of(left[i]), served.of(right[j])];
    if (li >= 0 && ri >= 0 && li < ri) {
      result.push(left[i]);
      i += 1;
    } else {
      result.push(right[j]);
      j += 1;
    }
  }
  return [...result, ...left.slice(i), ...right.slice(j)];
}
