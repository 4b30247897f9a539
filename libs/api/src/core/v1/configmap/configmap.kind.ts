import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, forbidden, invalid, tooLong } from '@orrery/apimachinery';
import type { ConfigMap } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { isDeepEqual } from '../../../meta/list.js';
import { configKey } from '../../../meta/names.js';
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

/** Bytes that a text in base64 stands for. */
export function decodedBytes(base64: string | undefined): number {
  const text = String(base64 ?? '').replace(/[\r\n]/g, '');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length * 3) / 4 - padding;
}

/** Findings of keys; paths are made for those alone, since there may be thousands of keys. */
function validateKeys(keys: readonly string[], path: FieldPath): FieldError[] {
  const bad = keys.filter((key) => configKey(key).length > 0).sort();
  return bad.flatMap((key) =>
    configKey(key).map((message) => invalid(path.key(key), key, message)),
  );
}

/** Goes over the fields of each map once: of tens of thousands each walk takes long. */
function validate(map: ConfigMap): FieldError[] {
  const [data, binaryData] = [map.data ?? {}, map.binaryData ?? {}];
  const [texts, binary] = [Object.keys(data), Object.keys(binaryData)];
  const twice = binary.length === 0 ? [] : texts.filter((key) => Object.hasOwn(binaryData, key));
  let size = 0;
  for (const key of texts) size += Buffer.byteLength(String(data[key] ?? ''));
  for (const key of binary) size += decodedBytes(binaryData[key]);
  return [
    ...validateKeys(texts, DATA),
    ...twice.map((key) => invalid(DATA.key(key), key, 'duplicate of key present in binaryData')),
    ...validateKeys(binary, FieldPath.of('binaryData')),
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
    count(
      'Data',
      ({ data, binaryData }) =>
        Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    ),
    ageColumn,
  ]),
  hasGeneration: false,
});
