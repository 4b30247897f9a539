import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, byteLength, forbidden, invalid, required, tooLong } from '@orrery/apimachinery';
import type {
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeError,
} from '../../../gen/types/storage.v1.js';
import { defineKind } from '../../../kind.js';
import { present } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { entries } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { keepMetadata, statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { validateCsiDriverName } from '../volumeattributesclass/csi-driver-name.js';
import { validateInlineVolumeSpec } from '../../../core/v1/persistentvolume/volume-spec.validation.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

const SOURCE = SPEC.child('source');
const EXACTLY_ONE = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
const MAX_METADATA = 256 * 1024;
const MAX_MESSAGE = 1024;

function validateSource(source: VolumeAttachmentSource): FieldError[] {
  const { persistentVolumeName: name, inlineVolumeSpec } = source;
  const isNamed = name !== undefined && name !== null;
  if (isNamed && inlineVolumeSpec) return [forbidden(SOURCE, EXACTLY_ONE)];
  if (!isNamed) {
    return inlineVolumeSpec
      ? validateInlineVolumeSpec(inlineVolumeSpec, SOURCE.child('inlineVolumeSpec'))
      : [required(SOURCE, EXACTLY_ONE)];
  }
  const at = SOURCE.child('persistentVolumeName');
  return when(name === '', required(at, 'must specify non empty persistentVolumeName'));
}

function validateError(error: VolumeError | undefined, path: FieldPath): FieldError[] {
  if (!error) return [];
  const { message, errorCode } = error;
  return [
    // Upstream names the limit of the metadata here.
    ...when(
      byteLength(String(message ?? '')) > MAX_MESSAGE,
      tooLong(path.child('message'), MAX_METADATA),
    ),
    ...given(errorCode, (code) =>
      when(
        code < 0,
        invalid(path.child('errorCode'), code, 'must be between 0 and 2147483647, inclusive'),
      ),
    ),
  ];
}

/** k8s pkg/apis/storage/validation/validation.go:validateVolumeAttachmentStatus. */
function validateStatus({ status }: VolumeAttachment): FieldError[] {
  const path = FieldPath.of('status');
  const size = entries(status?.attachmentMetadata).reduce(
    (sum, [key, value]) => sum + byteLength(key) + byteLength(String(value ?? '')),
    0,
  );
  return [
    ...when(size > MAX_METADATA, tooLong(path.child('attachmentMetadata'), MAX_METADATA)),
    ...validateError(status?.attachError, path.child('attachError')),
    ...validateError(status?.detachError, path.child('detachError')),
  ];
}

/** k8s pkg/apis/storage/validation/validation.go:ValidateVolumeAttachment. */
const validate = ({ spec }: VolumeAttachment): FieldError[] => [
  ...present(spec?.attacher, SPEC.child('attacher')),
  ...validateSource(spec?.source ?? {}),
  ...check(dnsSubdomain, spec?.nodeName, SPEC.child('nodeName')),
];

/** What v1 adds for new objects. */
const validateCreate = ({ spec }: VolumeAttachment): FieldError[] => [
  ...validateCsiDriverName(spec?.attacher, SPEC.child('attacher')),
  ...given(spec?.source?.persistentVolumeName, (name) =>
    check(dnsSubdomain, name, SOURCE.child('persistentVolumeName')),
  ),
];

export const VolumeAttachmentKind = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  scope: 'Cluster',
  strategy: strategyOf<VolumeAttachment>({
    namespaced: false,
    allowUnconditionalUpdate: false,
    ownsStatus: true,
    initialStatus: () => ({ attached: false }),
    check: validate,
    checkCreate: validateCreate,
    checkUpdate: (object, old) =>
      immutable(object.spec, old.spec, SPEC, 'storage/v1.VolumeAttachmentSpec'),
  }),
  status: statusStrategyOf<VolumeAttachment>(validateStatus, keepMetadata),
  columns: table<VolumeAttachment>([
    nameColumn,
    column('Attacher', ({ spec }) => spec?.attacher ?? ''),
    column('PV', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
    column('Node', ({ spec }) => spec?.nodeName ?? ''),
    column('Attached', ({ status }) => status?.attached === true, 'boolean'),
    ageColumn,
  ]),
  hasGeneration: false,
});
