import { deepEqual } from '../equality.js';
import { isPlainObject, own } from './merge-patch.js';

/** Same element of a merge list: by its key, or by value for lists of primitives. */
export function sameElement(a: unknown, b: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return deepEqual(a, b);
  return isPlainObject(a) && isPlainObject(b) && deepEqual(own(a, mergeKey), own(b, mergeKey));
}

const indexIn = (list: readonly unknown[], item: unknown, mergeKey: string): number =>
  list.findIndex((other) => sameElement(other, item, mergeKey));

function sortedBy(items: readonly unknown[], order: readonly unknown[], key: string): unknown[] {
  return items
    .map((item, i) => ({ item, i, rank: indexIn(order, item, key) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ item }) => item);
}

/**
 * Elements the patch names come in its order, the others keep their place relative to them
 * (k8s apimachinery strategicpatch/patch.go:normalizeElementOrder, mergeSortedSlice).
 */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const named = merged.filter((item) => indexIn(patchOrder, item, mergeKey) >= 0);
  const others = merged.filter((item) => indexIn(patchOrder, item, mergeKey) < 0);
  const right = sortedBy(named, patchOrder, mergeKey);
  const left = sortedBy(others, serverOrder, mergeKey);
  const result: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [li, ri] = [
      indexIn(serverOrder, left[i], mergeKey),
      indexIn(serverOrder, right[j], mergeKey),
    ];
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
