import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, required } from '@orrery/apimachinery';
import type { VolumeAttachment } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { immutable } from '../../../meta/object-meta.js';
import { statusStrategyOf, strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, nameColumn, table } from '../../../table/columns.js';

const SPEC = FieldPath.of('spec');

const validate = ({ spec }: VolumeAttachment): FieldError[] => [
  ...(spec?.attacher ? [] : [required(SPEC.child('attacher'))]),
  ...(spec?.nodeName ? [] : [required(SPEC.child('nodeName'))]),
  ...(spec?.source?.persistentVolumeName || spec?.source?.inlineVolumeSpec
    ? []
    : [
        required(
          SPEC.child('source'),
          'must specify one of inlineVolumeSpec and persistentVolumeName',
        ),
      ]),
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
    checkUpdate: (object, old) => immutable(object.spec, old.spec, SPEC),
  }),
  status: statusStrategyOf<VolumeAttachment>(),
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
