import type { FieldError } from '@orrery/apimachinery';
import type { Event as CoreEvent } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import type { Event } from '../../../gen/types/events.v1.js';
import { pathSegment } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { EventKind as CoreEventKind } from '../../../core/v1/event/event.kind.js';
import {
  validateChangedEvent,
  validateLegacyEvent,
  validateNewEvent,
} from '../../../core/v1/event/event.validation.js';
import { eventConversion } from './event.conversion.js';

const stored = (event: Event): CoreEvent => eventConversion.toStorage(event) as CoreEvent;

const legacy = (event: CoreEvent): FieldError[] =>
  validateLegacyEvent(event, 'reportingController');

export const EventsEventKind = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  garbage: { byDefault: 'Unsupported' },
  storageConversion: eventConversion,
  strategy: strategyOf<Event>({
    namespaced: true,
    name: pathSegment,
    allowCreateOnUpdate: true,
    check: (event) => legacy(stored(event)),
    checkCreate: (event) => validateNewEvent(stored(event)),
    checkUpdate: (event, old) => validateChangedEvent(stored(event), stored(old)),
  }),
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
