/**
 * Whether revision `a` is at or after `b`. Resource versions are etcd revisions without leading zeros
 * (KEP-5504), so that length, then text, orders them at any size.
 */
export function isAtLeast(a: string, b: string): boolean {
  return a.length === b.length ? a >= b : a.length > b.length;
}
