import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, notSupported, required } from '@orrery/apimachinery';
import type {
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../../../types.js';
import { present, supported } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsLabel, dnsSubdomain } from '../../../meta/names.js';
import { canonicalAmount, compareAmounts, validateQuantity } from '../../../meta/quantity.js';

export const ACCESS_MODES: readonly string[] = [
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOnce',
  'ReadWriteOncePod',
];

/** Modes of a volume or claim: known ones, and ReadWriteOncePod by itself. */
export function validateAccessModes(
  modes: readonly string[] | undefined,
  path: FieldPath,
): FieldError[] {
  const known = list(modes).filter((mode) => ACCESS_MODES.includes(mode));
  const isMixed =
    known.includes('ReadWriteOncePod') && known.some((mode) => mode !== 'ReadWriteOncePod');
  return [
    ...eachOf(modes, (mode) =>
      when(!ACCESS_MODES.includes(mode), notSupported(path, mode, ACCESS_MODES)),
    ),
    ...when(isMixed, forbidden(path, 'may not use ReadWriteOncePod with other access modes')),
  ];
}

/** What the stored claim has though it is illegal today, which then stays legal. */
export interface KeptFaults {
  readonly group?: boolean;
  readonly selector?: boolean;
}

function validateSource(
  source: TypedLocalObjectReference & { readonly namespace?: string },
  path: FieldPath,
  keptGroup: boolean,
): FieldError[] {
  const { apiGroup, kind, name, namespace } = source;
  return [
    ...present(name, path.child('name')),
    ...present(kind, path.child('kind')),
    ...when(
      !apiGroup && kind !== 'PersistentVolumeClaim',
      invalid(
        path,
        kind ?? '',
        "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
      ),
    ),
    ...(apiGroup && !keptGroup ? check(dnsSubdomain, apiGroup, path.child('apiGroup')) : []),
    ...(namespace ? check(dnsLabel, namespace, path.child('namespace')) : []),
  ];
}

/** dataSource and dataSourceRef say the same, unless the latter reaches into another namespace. */
function validateSources(
  spec: PersistentVolumeClaimSpec,
  path: FieldPath,
  keptGroup: boolean,
): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  const differs = (a: TypedLocalObjectReference, b: TypedObjectReference): boolean =>
    a.apiGroup !== b.apiGroup || a.kind !== b.kind || a.name !== b.name;
  // Upstream prints the path object as the value.
  const clash = (text: string): FieldError => invalid(path, {}, text);
  const bothGiven = Boolean(dataSource) && Boolean(dataSourceRef);
  return [
    ...given(dataSource, (each) => validateSource(each, path.child('dataSource'), keptGroup)),
    ...given(dataSourceRef, (each) => validateSource(each, path.child('dataSourceRef'), keptGroup)),
    ...when(
      bothGiven && Boolean(dataSourceRef?.namespace),
      clash('may not be specified when dataSourceRef.namespace is specified'),
    ),
    ...(dataSource && dataSourceRef && !dataSourceRef.namespace
      ? when(differs(dataSource, dataSourceRef), clash('must match dataSourceRef'))
      : []),
  ];
}

function validateSize(spec: PersistentVolumeClaimSpec, path: FieldPath): FieldError[] {
  const at = path.child('resources').key('storage');
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined || storage === null) return [required(at)];
  return compareAmounts(storage, '0') <= 0
    ? [invalid(at, canonicalAmount(storage), 'must be greater than zero')]
    : validateQuantity(storage, at);
}

/** k8s pkg/apis/core/validation/validation.go:ValidatePersistentVolumeClaimSpec. */
export function validateClaimSpec(
  spec: PersistentVolumeClaimSpec | undefined,
  path: FieldPath,
  kept: KeptFaults = {},
): FieldError[] {
  const claim = spec ?? {};
  const modes = path.child('accessModes');
  const className = (name: string | undefined, field: string): FieldError[] =>
    name ? check(dnsSubdomain, name, path.child(field)) : [];
  return [
    ...when(
      list(claim.accessModes).length === 0,
      required(modes, 'at least 1 access mode is required'),
    ),
    ...validateLabelSelector(claim.selector, path.child('selector'), kept.selector),
    ...validateAccessModes(claim.accessModes, modes),
    ...validateSize(claim, path),
    ...className(claim.storageClassName, 'storageClassName'),
    ...supported(claim.volumeMode, ['Block', 'Filesystem'], path.child('volumeMode')),
    ...validateSources(claim, path, kept.group === true),
    ...className(claim.volumeAttributesClassName, 'volumeAttributesClassName'),
  ];
}
