import { baselineChecks } from './baseline-checks.js';
import type { Check, CheckPod, CheckVersion, CheckedPod, Violation } from './check.js';
import type { LevelVersion } from './policy.js';
import { minorOf } from './policy.js';
import { restrictedChecks } from './restricted-checks.js';

const versionAt = ({ versions }: Check, minor: number): CheckVersion | undefined =>
  versions.findLast(({ since }) => since <= minor);

const made = new Map<string, readonly CheckPod[]>();

/** The checks of a level, in the order in which they report. */
function checksOf(level: LevelVersion): readonly CheckPod[] {
  const minor = minorOf(level);
  const id = `${level.level}/${minor}`;
  const known = made.get(id);
  if (known) return known;
  const restricted =
    level.level === 'restricted' ? restrictedChecks.map((one) => versionAt(one, minor)) : [];
  const overridden = new Set(restricted.flatMap((one) => one?.overrides ?? []));
  const baseline = baselineChecks
    .filter((one) => !overridden.has(one.id))
    .map((one) => versionAt(one, minor));
  const checks = [...baseline, ...restricted].flatMap((one) => (one ? [one.check] : []));
  made.set(id, checks);
  return checks;
}

/** What a pod does that a level forbids. */
export function violationsOf(pod: CheckedPod, level: LevelVersion): Violation[] {
  if (level.level === 'privileged') return [];
  return checksOf(level).flatMap((check) => check(pod) ?? []);
}

export const showReasons = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(', ');

export const showDetails = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ');
