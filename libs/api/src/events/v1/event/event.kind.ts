import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { Event as CoreEvent } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import type { Event } from '../../../gen/types/events.v1.js';
import { oneOf } from '../../../meta/fields.js';
import { check, pathSegment, qualifiedName } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { EventKind as CoreEventKind } from '../../../core/v1/event/event.kind.js';
import { eventConversion } from './event.conversion.js';

const MAX_TEXT = 128;
const MAX_NOTE = 1024;

/** A required text of limited length. */
function text(field: 'action' | 'reason' | 'reportingInstance', event: Event): FieldError[] {
  const path = FieldPath.of(field);
  const value = event[field];
  if (!value) return [required(path)];
  return value.length > MAX_TEXT
    ? [invalid(path, '', `can have at most ${MAX_TEXT} characters`)]
    : [];
}

/** k8s pkg/apis/core/validation/events.go:ValidateEventCreate. */
function validateCreate(event: Event): FieldError[] {
  const namespace = FieldPath.of('regarding', 'namespace');
  const involved = event.regarding?.namespace ?? '';
  const own = event.metadata?.namespace ?? '';
  const fits = involved === '' ? own === 'default' || own === 'kube-system' : involved === own;
  const controller = FieldPath.of('reportingController');
  return [
    ...(fits ? [] : [invalid(namespace, involved, 'does not match event.namespace')]),
    ...(event.eventTime ? [] : [required(FieldPath.of('eventTime'))]),
    ...oneOf(event.type, ['Normal', 'Warning'], FieldPath.of('type')),
    ...(event.reportingController
      ? check(qualifiedName, event.reportingController, controller)
      : [required(controller)]),
    ...text('reportingInstance', event),
    ...text('action', event),
    ...text('reason', event),
    ...(String(event.note ?? '').length > MAX_NOTE
      ? [invalid(FieldPath.of('note'), '', `can have at most ${MAX_NOTE} characters`)]
      : []),
  ];
}

const stored = (event: Event): CoreEvent => eventConversion.toStorage(event) as CoreEvent;

const base = strategyOf<Event>({ namespaced: true, name: pathSegment, allowCreateOnUpdate: true });

export const EventsEventKind = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  storageConversion: eventConversion,
  strategy: {
    ...base,
    validate: (event, context) => [
      ...(base.validate?.(event, context) ?? []),
      ...validateCreate(event),
    ],
  },
  selectableFields: (event) => {
    const fields = CoreEventKind.selectableFields?.(stored(event)) ?? {};
    return Object.fromEntries(
      Object.entries(fields).flatMap(([field, value]): [string, string][] => {
        if (field === 'source') return [];
        if (field === 'reportingComponent') return [['reportingController', value]];
        return [[field.replace('involvedObject.', 'regarding.'), value]];
      }),
    );
  },
  columns: {
    columns: CoreEventKind.columns.columns,
    row: (event, now) => CoreEventKind.columns.row(stored(event), now),
  },
  hasGeneration: false,
});
