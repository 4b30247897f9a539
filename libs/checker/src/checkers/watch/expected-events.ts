import type { LogEvent } from '../../history/log-event.js';
import type { LogIndex } from '../../history/log-index.js';
import type { Labels, ObjectVersion } from '../../history/object-version.js';
import { inScope, isSelected } from '../../history/object-version.js';
import type { ChangeType } from '../../history/watch-record.js';

/** What a watch must deliver for one event of the log. */
export interface ExpectedEvent {
  readonly type: ChangeType;
  readonly rv: number;
  readonly key: string;
  /** The new state; of a DELETED the last one that matched. */
  readonly object: ObjectVersion;
  /** The object lives on, or lived before: only its match with the selector changed. */
  readonly byTransition: boolean;
}

export interface WatchRange {
  readonly scope: string;
  readonly selector?: Labels | undefined;
  readonly from: number;
  readonly to: number;
}

/** The events of `(from, to]` in order, as a watch with this scope and selector shows them. */
export function expectEvents(log: LogIndex, range: WatchRange): ExpectedEvent[] {
  const expected: ExpectedEvent[] = [];
  for (const event of log.between(range.from, range.to)) {
    if (!inScope(range.scope, event.key)) continue;
    const shown = expectEvent(log, event, range.selector);
    if (shown) expected.push(shown);
  }
  return expected;
}

/** What one event of the log looks like through a selector; undefined when nothing of it shows. */
export function expectEvent(
  log: LogIndex,
  { key, rv }: LogEvent,
  selector: Labels | undefined,
): ExpectedEvent | undefined {
  const version = log.versionOf(key, rv);
  const now = version?.object;
  const before = version?.before?.object;
  const matches = now !== undefined && isSelected(selector, now.labels);
  const matched = before !== undefined && isSelected(selector, before.labels);
  if (matches)
    return {
      type: matched ? 'MODIFIED' : 'ADDED',
      rv,
      key,
      object: now,
      byTransition: !matched && before !== undefined,
    };
  if (!matched) return undefined;
  return { type: 'DELETED', rv, key, object: before, byTransition: now !== undefined };
}
