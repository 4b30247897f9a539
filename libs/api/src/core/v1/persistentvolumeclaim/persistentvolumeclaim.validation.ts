import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, notSupported } from '@orrery/apimachinery';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../../types.js';
import { when } from '../../../meta/findings.js';
import { internalForm } from '../../../meta/internal-form.js';
import { jsonDiff } from '../../../meta/json-diff.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { entries, isDeepEqual } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { FIELD_IMMUTABLE, immutable } from '../../../meta/object-meta.js';
import { compareAmounts, quantityValue, validateQuantity } from '../../../meta/quantity.js';
import { isNativeResource } from '../../../meta/resource-names.js';
import { validateClaimSpec } from './claim-spec.validation.js';
import { alignDataSources } from './data-sources.js';

const SPEC = FieldPath.of('spec');
const STATUS = FieldPath.of('status');
const STORAGE = SPEC.child('resources', 'requests', 'storage');
const CLASS = SPEC.child('volumeAttributesClassName');
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];

/** A claim; of a stored one what was legal then stays so (ValidationOptionsForPersistentVolumeClaim). */
export function validateClaim(
  { spec }: PersistentVolumeClaim,
  old?: PersistentVolumeClaim,
): FieldError[] {
  const before = old?.spec;
  const hasGroup = [before?.dataSource, before?.dataSourceRef].some(
    (source) => (source?.apiGroup ?? null) !== null,
  );
  return validateClaimSpec(spec, SPEC, {
    group: hasGroup,
    selector: validateLabelSelector(before?.selector, SPEC).length > 0,
  });
}

const copyField = (
  to: PersistentVolumeClaimSpec,
  from: PersistentVolumeClaimSpec,
  field: 'volumeName' | 'storageClassName' | 'volumeAttributesClassName',
): void => {
  const value = from[field];
  if (value === undefined) delete to[field];
  else to[field] = value;
};

/** Takes over the class that an annotation of old named; or fills in a class where there was none. */
function mayNameClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const now = claim.spec?.storageClassName;
  const before = old.metadata.annotations?.[BETA_CLASS];
  if (now === undefined || old.spec?.storageClassName !== undefined) return false;
  return before === undefined || before === now;
}

/** Both specs with what may differ made alike. */
function fixedParts(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): [PersistentVolumeClaimSpec, PersistentVolumeClaimSpec] {
  const now = structuredClone(claim.spec ?? {});
  const before = structuredClone(old.spec ?? {});
  // Those that were stored by older servers name their source in one field alone.
  alignDataSources(before);
  if (!before.volumeName) copyField(before, now, 'volumeName');
  if (mayNameClass(claim, old)) copyField(now, before, 'storageClassName');
  if (claim.status?.phase !== 'Bound') return [now, before];
  const size = before.resources?.requests?.['storage'];
  if (now.resources?.requests && size !== undefined) now.resources.requests['storage'] = size;
  copyField(now, before, 'volumeAttributesClassName');
  return [now, before];
}

function validateAttributesClass(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const now = claim.spec?.volumeAttributesClassName;
  const current = old.status?.currentVolumeAttributesClassName;
  if (now === old.spec?.volumeAttributesClassName || current === undefined) return [];
  const held = 'is forbidden when status.currentVolumeAttributesClassName is not nil';
  if (now === undefined || now === null) return [forbidden(CLASS, `update to nil ${held}`)];
  return when(now === '', forbidden(CLASS, `update to empty string ${held}`));
}

/** The annotation stays as it is; where the class takes its place it may go. */
function validateBetaClass(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const now = claim.metadata.annotations?.[BETA_CLASS] ?? '';
  const before = old.metadata.annotations?.[BETA_CLASS];
  const isMoved = before !== undefined && now === '' && mayNameClass(claim, old);
  return when(
    now !== (before ?? '') && !isMoved,
    invalid(FieldPath.of('metadata', 'annotations', BETA_CLASS), now, FIELD_IMMUTABLE),
  );
}

const requestOf = ({ spec }: PersistentVolumeClaim): string | undefined =>
  spec?.resources?.requests?.['storage'];

/** A request may become smaller again while nothing of that size is there. */
function validateShrink(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const size = requestOf(claim);
  const shrinks = compareAmounts(size, requestOf(old)) < 0;
  const held = old.status?.capacity?.['storage'] ?? '0';
  return when(
    shrinks && compareAmounts(size, held) <= 0,
    forbidden(STORAGE, 'field can not be less than status.capacity'),
  );
}

const shownSpec = (spec: PersistentVolumeClaimSpec): unknown =>
  internalForm(spec, 'core/v1.PersistentVolumeClaimSpec');

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeClaimUpdate. */
export function validateClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const [now, before] = fixedParts(claim, old);
  const text = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${jsonDiff(before, now, shownSpec)}`;
  return [
    ...validateClaim(claim, old),
    ...validateBetaClass(claim, old),
    ...when(!isDeepEqual(now, before), forbidden(SPEC, text)),
    ...validateShrink(claim, old),
    ...immutable(claim.spec?.volumeMode, old.spec?.volumeMode, FieldPath.of('volumeMode')),
    ...validateAttributesClass(claim, old),
  ];
}

function validateStatusKey(name: string, path: FieldPath): FieldError[] {
  const findings = check(qualifiedName, name, path);
  return findings.length > 0
    ? findings
    : when(isNativeResource(name) && name !== 'storage', notSupported(path, name, ['storage']));
}

const notNegative = (amount: string, path: FieldPath): FieldError[] =>
  when(
    quantityValue(amount) < 0,
    invalid(path, quantityValue(amount), 'must be a valid resource quantity'),
  );

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeClaimStatusUpdate. */
export function validateClaimStatus({ status }: PersistentVolumeClaim): FieldError[] {
  const states = STATUS.child('allocatedResourceStatuses');
  const allocated = STATUS.child('allocatedResources');
  return [
    ...entries(status?.capacity).flatMap(([name, amount]) =>
      notNegative(amount, STATUS.child('capacity').key(name)),
    ),
    ...entries(status?.allocatedResourceStatuses).flatMap(([name, state]) => [
      ...validateStatusKey(name, states),
      ...when(!RESIZE_STATES.includes(state), notSupported(states, name, RESIZE_STATES)),
    ]),
    ...entries(status?.allocatedResources).flatMap(([name, amount]) => {
      const findings = validateStatusKey(name, allocated);
      return findings.length > 0 ? findings : validateQuantity(amount, allocated.key(name));
    }),
  ];
}
