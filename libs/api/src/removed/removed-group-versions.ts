import { groupVersions } from '../kinds.js';
import { removedKinds } from './removed-kinds.js';
import { removedRequestKinds } from './removed-request-kinds.js';

interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly string[];
}

/** Betas before alphas, and of each the newest first. */
function newestFirst(a: string, b: string): number {
  const rank = (version: string): readonly number[] => {
    const [, major = '0', stage = '', minor = '0'] =
      /^v(\d+)(alpha|beta)(\d+)$/.exec(version) ?? [];
    return [stage === 'beta' ? 1 : 0, Number(major), Number(minor)];
  };
  const [x, y] = [rank(a), rank(b)];
  return (y[0] ?? 0) - (x[0] ?? 0) || (y[1] ?? 0) - (x[1] ?? 0) || (y[2] ?? 0) - (x[2] ?? 0);
}

/** The groups of discovery with the removed versions behind the current ones, and `extensions` behind all groups. */
export const allGroupVersions: readonly GroupVersions[] = (() => {
  const removed = new Map<string, Set<string>>();
  for (const { group, version } of [...removedKinds, ...removedRequestKinds])
    removed.set(group, (removed.get(group) ?? new Set()).add(version));
  const known = groupVersions.map(({ group, versions }) => {
    const more = [...(removed.get(group) ?? [])].filter((version) => !versions.includes(version));
    removed.delete(group);
    return { group, versions: [...versions, ...more.sort(newestFirst)] };
  });
  const added = [...removed].map(([group, versions]) => ({ group, versions: [...versions] }));
  return [...known, ...added];
})();
