import type { Event as CoreEvent } from '../../types.js';
import type { Event } from '../../gen/types/events.v1.js';
import { EventsEventKind } from '../../events/v1/event/event.kind.js';
import { eventConversion } from '../../events/v1/event/event.conversion.js';
import { validateLegacyEvent } from '../../core/v1/event/event.validation.js';
import { pathSegment } from '../../meta/names.js';
import { strategyOf } from '../../meta/strategy.js';
import { removedKind } from '../removed-kind.js';

/** Upstream asks of v1beta1 only what it asks of v1 Events (k8s pkg/apis/core/validation/events.go:ValidateEventCreate). */
const strategy = strategyOf<Event>({
  namespaced: true,
  name: pathSegment,
  allowCreateOnUpdate: true,
  check: (event) =>
    validateLegacyEvent(eventConversion.toStorage(event) as CoreEvent, 'reportingController'),
});

export const removedEvents = [
  removedKind(
    { ...EventsEventKind, strategy },
    {
      version: 'v1beta1',
      lifecycle: { deprecated: '1.22', removed: '1.25', replacement: false },
    },
  ),
];
