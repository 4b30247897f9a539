import type { LogCoverage } from '../history/log-event.js';
import type { LogIndex, Version } from '../history/log-index.js';
import type { ObjectVersion } from '../history/object-version.js';
import { isSameContent, isSameVersion } from '../history/object-version.js';
import type { Violation } from './verdict.js';

export interface LogRuleOptions {
  readonly coverage: LogCoverage;
  /** Keys that only the recorded clients write. */
  readonly isOwn: (key: string) => boolean;
}

/** What the log must satisfy by itself: no gaps, one event a key and revision, honest previous values, uids that never return. */
export function checkLog(log: LogIndex, { coverage, isOwn }: LogRuleOptions): Violation[] {
  const violations =
    coverage.contiguousFrom === undefined ? [] : findGaps(log, coverage.contiguousFrom);
  for (const key of log.keys()) {
    const uids = new Set<string>();
    for (const version of log.versions(key)) {
      const broken = checkVersion(version, { uids, isOwn: isOwn(key) });
      if (broken)
        violations.push({
          checker: 'revision-order',
          rule: broken[0],
          message: `${key} at revision ${version.rv}: ${broken[1]}`,
          key,
          rv: version.rv,
        });
      if (version.object) uids.add(version.object.uid);
    }
  }
  return violations;
}

function findGaps(log: LogIndex, from: number): Violation[] {
  const violations: Violation[] = [];
  let last = from - 1;
  for (const { rv, key } of log.events) {
    if (rv > last + 1 && rv > from)
      violations.push({
        checker: 'revision-order',
        rule: 'revision-gap',
        message: `no event for revisions ${last + 1} to ${rv - 1} of a log without gaps`,
        key,
        rv,
      });
    last = Math.max(last, rv);
  }
  return violations;
}

interface VersionContext {
  readonly uids: ReadonlySet<string>;
  readonly isOwn: boolean;
}

type Broken = readonly [rule: string, message: string];

function checkVersion(version: Version, context: VersionContext): Broken | undefined {
  const { rv, before, event } = version;
  const previous = before?.object;
  if (before?.rv === rv) return ['revision-repeated', 'two events of one key at one revision'];
  if (event.prev && !(previous && isSameVersion(event.prev, previous)))
    return ['wrong-prev', 'the previous object in the event is not the one that stood there'];
  if (version.object) return checkPut(version.object, version, context);
  return previous ? undefined : ['deleted-absent', 'deleted though nothing stood there'];
}

function checkPut(
  object: ObjectVersion,
  { rv, before }: Version,
  { uids, isOwn }: VersionContext,
): Broken | undefined {
  if (object.rv !== rv) return ['wrong-revision', `the object says it has revision ${object.rv}`];
  const previous = before?.object;
  if (!previous)
    return uids.has(object.uid)
      ? ['resurrected', `created with uid ${object.uid}, which was deleted before`]
      : undefined;
  if (previous.uid !== object.uid)
    return ['uid-changed', `uid ${previous.uid} became ${object.uid} without a delete`];
  return isOwn && isSameContent(previous, object)
    ? ['no-op-wrote', 'a write that changes nothing made a revision']
    : undefined;
}
