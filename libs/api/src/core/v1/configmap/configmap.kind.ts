import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, tooLong } from '@orrery/apimachinery';
import type { ConfigMap } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { entries, isDeepEqual } from '../../../meta/list.js';
import { check, configKey } from '../../../meta/names.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, count, nameColumn, table } from '../../../table/columns.js';

/** What all values of a ConfigMap or a Secret may take together. */
export const MAX_DATA_BYTES = 1024 * 1024;

const DATA = FieldPath.of('data');
const IMMUTABLE = 'field is immutable when `immutable` is set';

/** Once `immutable` is true neither it nor the named fields may change. */
export function immutableDataFindings<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const unset = object.immutable === true ? [] : [forbidden(FieldPath.of('immutable'), IMMUTABLE)];
  return [
    ...unset,
    ...fields
      .filter((field) => !isDeepEqual(object[field] ?? {}, old[field] ?? {}))
      .map((field) => forbidden(FieldPath.of(field), IMMUTABLE)),
  ];
}

function validate({ data, binaryData }: ConfigMap): FieldError[] {
  const binary = FieldPath.of('binaryData');
  const size =
    entries(data).reduce((sum, [, text]) => sum + Buffer.byteLength(String(text ?? '')), 0) +
    entries(binaryData).reduce((sum, [, text]) => sum + (String(text ?? '').length * 3) / 4, 0);
  return [
    ...entries(data).flatMap(([key]) => [
      ...check(configKey, key, DATA.key(key)),
      ...(binaryData && key in binaryData
        ? [invalid(DATA.key(key), key, 'duplicate of key present in binaryData')]
        : []),
    ]),
    ...entries(binaryData).flatMap(([key]) => check(configKey, key, binary.key(key))),
    ...(size > MAX_DATA_BYTES ? [tooLong(FieldPath.of(''), MAX_DATA_BYTES)] : []),
  ];
}

export const ConfigMapKind = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  scope: 'Namespaced',
  strategy: strategyOf<ConfigMap>({
    namespaced: true,
    check: validate,
    checkUpdate: (object, old) => immutableDataFindings(object, old, ['data', 'binaryData']),
  }),
  columns: table<ConfigMap>([
    nameColumn,
    count('Data', ({ data, binaryData }) => entries(data).length + entries(binaryData).length),
    ageColumn,
  ]),
  hasGeneration: false,
});
