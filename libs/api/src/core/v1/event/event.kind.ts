import type { Event, EventSource } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { pathSegment } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { column, count, table, wide } from '../../../table/columns.js';
import { ageOf } from '../../../table/human-duration.js';
import { validateLegacyEvent } from './event.validation.js';

const sourceText = (source: EventSource | undefined): string =>
  [source?.component ?? '', source?.host ?? ''].filter(Boolean).join(', ');

function lastSeen(event: Event, now: number): string {
  const time = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime;
  return ageOf(time ?? event.firstTimestamp, now);
}

const objectText = ({ involvedObject }: Event): string => {
  const kind = String(involvedObject?.kind ?? '').toLowerCase();
  return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind;
};

export const EventKind = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  garbage: { byDefault: 'Unsupported' },
  setDefaults(event) {
    event.involvedObject ??= {};
    event.source ??= {};
  },
  strategy: strategyOf<Event>({
    namespaced: true,
    name: pathSegment,
    allowCreateOnUpdate: true,
    check: (event) => validateLegacyEvent(event, 'reportingComponent'),
  }),
  selectableFields: (event) => {
    const of = event.involvedObject ?? {};
    return {
      'involvedObject.kind': of.kind ?? '',
      'involvedObject.namespace': of.namespace ?? '',
      'involvedObject.name': of.name ?? '',
      'involvedObject.uid': of.uid ?? '',
      'involvedObject.apiVersion': of.apiVersion ?? '',
      'involvedObject.resourceVersion': of.resourceVersion ?? '',
      'involvedObject.fieldPath': of.fieldPath ?? '',
      reason: event.reason ?? '',
      reportingComponent: event.reportingComponent ?? '',
      source: event.source?.component || event.reportingComponent || '',
      type: event.type ?? '',
    };
  },
  columns: table<Event>([
    column('Last Seen', lastSeen),
    column('Type', ({ type }) => type ?? ''),
    column('Reason', ({ reason }) => reason ?? ''),
    column('Object', objectText),
    wide('Subobject', ({ involvedObject }) => involvedObject?.fieldPath ?? ''),
    wide(
      'Source',
      (event) =>
        sourceText(event.source) ||
        [event.reportingComponent ?? '', event.reportingInstance ?? ''].filter(Boolean).join(', '),
    ),
    column('Message', ({ message }) => String(message ?? '').trim()),
    wide('First Seen', (event, now) => ageOf(event.firstTimestamp ?? event.eventTime, now)),
    { ...count<Event>('Count', (event) => event.series?.count ?? event.count ?? 1), priority: 1 },
    wide('Name', ({ metadata }) => metadata.name ?? ''),
  ]),
  hasGeneration: false,
});
