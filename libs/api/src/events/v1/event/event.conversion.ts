import type { KubeObject } from '@orrery/apimachinery';
import type { Event as CoreEvent } from '../../../types.js';
import type { StorageConversion } from '../../../kind.js';
import type { Event } from '../../../gen/types/events.v1.js';

/** Fields under their name in events.k8s.io/v1 and their name in v1; all others are called the same. */
const RENAMED = [
  ['note', 'message'],
  ['regarding', 'involvedObject'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedCount', 'count'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
] as const;

function rename(object: KubeObject, pairs: readonly (readonly [string, string])[]): KubeObject {
  const names = new Map(pairs);
  return Object.fromEntries(
    Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value]),
  ) as unknown as KubeObject;
}

/** k8s pkg/apis/events/v1/conversion.go: events of both groups are one resource, stored as v1. */
export const eventConversion: StorageConversion<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  toStorage(event) {
    const stored = rename(event, RENAMED) as CoreEvent;
    stored.apiVersion = 'v1';
    stored.involvedObject ??= {};
    stored.source ??= {};
    return stored;
  },
  fromStorage(stored) {
    const reversed = RENAMED.map(([here, there]) => [there, here] as const);
    return { ...rename(stored, reversed), apiVersion: 'events.k8s.io/v1' } as Event;
  },
};
