import type { FieldError } from '@orrery/apimachinery';
import {
  FieldPath,
  MAX_FINDINGS,
  duplicate,
  forbidden,
  invalid,
  required,
} from '@orrery/apimachinery';
import type { StorageClass } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { oneOf, requiredOf } from '../../../meta/fields.js';
import { duplicates, when } from '../../../meta/findings.js';
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { check, qualifiedName } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, table } from '../../../table/columns.js';
import { validateClassParameters } from './class-parameters.js';

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';

/** k8s pkg/apis/core/validation/validation.go:ValidateTopologySelectorTerm. */
function validateTopologies({ allowedTopologies }: StorageClass): FieldError[] {
  const path = FieldPath.of('allowedTopologies');
  // Upstream compares with as many empty terms as there are terms, and then with those before.
  const seen = new Map([['[]', list(allowedTopologies).length]]);
  // Terms that are all alike are as many findings as pairs of them: told are the first thousand.
  let left = MAX_FINDINGS;
  return eachOf(allowedTopologies, (term, i) => {
    const at = path.index(i).child('matchLabelExpressions');
    const key = JSON.stringify(
      list(term.matchLabelExpressions)
        .map((rule) => [rule.key, [...list(rule.values)].sort()])
        .sort(),
    );
    const before = seen.get(key) ?? 0;
    const same = Math.min(before, Math.max(left, 1));
    seen.set(key, before + 1);
    left -= before;
    return [
      ...eachOf(term.matchLabelExpressions, (rule, r) => [
        ...when(list(rule.values).length === 0, required(at.index(r).child('values'))),
        ...duplicates(
          rule.values,
          (value) => value,
          (v) => at.index(r).child('values').index(v),
        ),
        ...check(qualifiedName, rule.key, at.index(r).child('key')),
      ]),
      ...duplicates(
        term.matchLabelExpressions,
        (rule) => rule.key,
        (r) => at.index(r).child('key'),
      ),
      ...Array.from({ length: before > 0 ? same : 0 }, () => duplicate(at, '')),
    ];
  });
}

const validate = (object: StorageClass): FieldError[] => [
  ...(object.provisioner
    ? qualifiedName(object.provisioner.toLowerCase()).map((text) =>
        invalid(FieldPath.of('provisioner'), object.provisioner, text),
      )
    : [required(FieldPath.of('provisioner'))]),
  ...validateClassParameters(object.parameters, FieldPath.of('parameters')),
  ...oneOf(object.reclaimPolicy, ['Delete', 'Retain'], FieldPath.of('reclaimPolicy'), false),
  ...requiredOf(
    object.volumeBindingMode,
    ['Immediate', 'WaitForFirstConsumer'],
    FieldPath.of('volumeBindingMode'),
  ),
  ...validateTopologies(object),
];

/** k8s pkg/apis/storage/validation/validation.go:ValidateStorageClassUpdate. */
const validateUpdate = (object: StorageClass, old: StorageClass): FieldError[] => [
  ...(isDeepEqual(object.parameters ?? {}, old.parameters ?? {})
    ? []
    : [forbidden(FieldPath.of('parameters'), 'updates to parameters are forbidden.')]),
  ...(object.provisioner === old.provisioner
    ? []
    : [forbidden(FieldPath.of('provisioner'), 'updates to provisioner are forbidden.')]),
  ...(object.reclaimPolicy === old.reclaimPolicy
    ? []
    : [forbidden(FieldPath.of('reclaimPolicy'), 'updates to reclaimPolicy are forbidden.')]),
  ...immutable(object.volumeBindingMode, old.volumeBindingMode, FieldPath.of('volumeBindingMode')),
];

export const StorageClassKind = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  scope: 'Cluster',
  setDefaults(object) {
    object.reclaimPolicy ??= 'Delete';
    object.volumeBindingMode ??= 'Immediate';
  },
  strategy: strategyOf<StorageClass>({
    namespaced: false,
    check: validate,
    checkUpdate: validateUpdate,
  }),
  columns: table<StorageClass>([
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      priority: 0,
      cell: ({ metadata }) =>
        metadata.annotations?.[IS_DEFAULT] === 'true'
          ? `${metadata.name ?? ''} (default)`
          : (metadata.name ?? ''),
    },
    column('Provisioner', ({ provisioner }) => provisioner ?? ''),
    column('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    column('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? '<unset>'),
    column('AllowVolumeExpansion', (object) => object.allowVolumeExpansion === true, 'boolean'),
    ageColumn,
  ]),
  hasGeneration: false,
});
