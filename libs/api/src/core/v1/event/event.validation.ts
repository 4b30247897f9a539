import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, invalid, required } from '@orrery/apimachinery';
import type { Event } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { check, dnsSubdomain, qualifiedName } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';

const MAX_TEXT = 128;
const MAX_MESSAGE = 1024;
const MIN_SERIES = 2;
const NAMESPACE = FieldPath.of('involvedObject', 'namespace');
const MISMATCH = 'does not match event.namespace';

/** Which API the request came by: both store the same event, and name one field differently. */
export type ReportingField = 'reportingComponent' | 'reportingController';

const bytes = (text: string | undefined): number => Buffer.byteLength(String(text ?? ''));

const atMost = (text: string | undefined, most: number, path: FieldPath): FieldError[] =>
  when(bytes(text) > most, invalid(path, '', `can have at most ${most} characters`));

const text = (value: string | undefined, field: string): FieldError[] => [
  ...when(!value, required(FieldPath.of(field))),
  ...atMost(value, MAX_TEXT, FieldPath.of(field)),
];

/** What an event with eventTime has to say about itself. */
function validateReport(event: Event, reporting: ReportingField): FieldError[] {
  const controller = FieldPath.of(reporting);
  return [
    ...when(!event.reportingComponent, required(controller)),
    ...check(qualifiedName, event.reportingComponent ?? '', controller),
    ...text(event.reportingInstance, 'reportingInstance'),
    ...text(event.action, 'action'),
    ...text(event.reason, 'reason'),
    ...atMost(event.message, MAX_MESSAGE, FieldPath.of('message')),
  ];
}

/** Events of cluster objects live in `default`, those of others beside them. */
function validateNamespace({ metadata, involvedObject, eventTime }: Event): FieldError[] {
  const involved = involvedObject?.namespace ?? '';
  const own = metadata?.namespace ?? '';
  const mismatch = invalid(NAMESPACE, involved, MISMATCH);
  if (eventTime)
    return when(involved === '' && !['default', 'kube-system'].includes(own), mismatch);
  const isFit = involved === '' ? ['', 'default'].includes(own) : involved === own;
  return when(!isFit, mismatch);
}

/** k8s pkg/apis/core/validation/events.go:legacyValidateEvent, all that v1 asks for. */
export const validateLegacyEvent = (event: Event, reporting: ReportingField): FieldError[] => [
  ...validateNamespace(event),
  ...(event.eventTime ? validateReport(event, reporting) : []),
  ...check(dnsSubdomain, event.metadata?.namespace ?? '', FieldPath.of('namespace')),
];

const validateSeries = ({ series }: Event): FieldError[] =>
  given(series, ({ count, lastObservedTime }) => [
    ...when(
      !(Number(count ?? 0) >= MIN_SERIES),
      invalid(FieldPath.of('series.count'), '', `should be at least ${MIN_SERIES}`),
    ),
    ...when(!lastObservedTime, required(FieldPath.of('series.lastObservedTime'))),
  ]);

/** k8s pkg/apis/core/validation/events.go:ValidateEventCreate beyond the legacy rules. */
export function validateNewEvent(event: Event): FieldError[] {
  const unset = (field: string, isSet: boolean): FieldError[] =>
    when(isSet, invalid(FieldPath.of(field), '', 'needs to be unset'));
  const { source, type } = event;
  return [
    ...validateSeries(event),
    ...when(!event.eventTime, required(FieldPath.of('eventTime'))),
    ...when(
      type !== 'Normal' && type !== 'Warning',
      invalid(FieldPath.of('type'), '', `has invalid value: ${type ?? ''}`),
    ),
    ...unset('firstTimestamp', Boolean(event.firstTimestamp)),
    ...unset('lastTimestamp', Boolean(event.lastTimestamp)),
    ...unset('count', Boolean(event.count)),
    ...unset('source', Boolean(source?.component) || Boolean(source?.host)),
  ];
}

const FIXED = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
] as const;

/** k8s pkg/apis/core/validation/events.go:ValidateEventUpdate beyond the legacy rules. */
export function validateChangedEvent(event: Event, old: Event): FieldError[] {
  const path = (field: string): FieldPath => FieldPath.of(field);
  const isSame = immutable(event.series, old.series, path('series')).length === 0;
  return [
    ...(isSame ? [] : validateSeries(event)),
    ...FIXED.flatMap((field) => immutable(event[field], old[field], path(field))),
    ...immutable(event.reportingComponent, old.reportingComponent, path('reportingController')),
    ...immutable(event.reportingInstance, old.reportingInstance, path('reportingInstance')),
  ];
}
