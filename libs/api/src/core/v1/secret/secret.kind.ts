import type { FieldError } from '@orrery/apimachinery';
import { FieldPath, goJsonError, invalid, required, tooLong } from '@orrery/apimachinery';
import type { Secret } from '../../../types.js';
import { defineKind } from '../../../kind.js';
import { entries, own } from '../../../meta/list.js';
import { check, configKey } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { strategyOf } from '../../../meta/strategy.js';
import { ageColumn, column, count, nameColumn, table } from '../../../table/columns.js';
import {
  MAX_DATA_BYTES,
  decodedBytes,
  immutableDataFindings,
} from '../configmap/configmap.kind.js';

const DATA = FieldPath.of('data');
const SERVICE_ACCOUNT = 'kubernetes.io/service-account.name';

const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

/** Moves stringData into data, where it wins, as upstream's conversion does; then the default type. */
export function setSecretDefaults(secret: Secret): void {
  const texts = entries(secret.stringData).map(([key, text]): [string, string] => [
    key,
    Buffer.from(String(text ?? '')).toString('base64'),
  ]);
  // As entries, since a key may be `__proto__`.
  if (texts.length > 0)
    secret.data = Object.fromEntries([...Object.entries(secret.data ?? {}), ...texts]);
  delete secret.stringData;
  secret.type ||= 'Opaque';
}

/** What Go's encoding/json says of a text that is no JSON object; undefined = nothing. */
function jsonFault(base64: string | undefined): string | undefined {
  const text = Buffer.from(String(base64 ?? ''), 'base64').toString();
  try {
    const value: unknown = JSON.parse(text);
    const type = Array.isArray(value)
      ? 'array'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
    return type === 'object'
      ? undefined
      : `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
  } catch (error) {
    return goJsonError(error, text);
  }
}

/** k8s pkg/apis/core/validation/validation.go:ValidateSecret, the part that depends on the type. */
function validateType({ type: given, data, metadata }: Secret): FieldError[] {
  const type = String(given ?? '');
  const wanted = own(REQUIRED_KEYS, type);
  const isMissing = (key: string): boolean =>
    data?.[key] === undefined || (type === 'kubernetes.io/ssh-auth' && data[key] === '');
  const missing = (wanted ?? []).filter(isMissing);
  if (missing.length > 0) return missing.map((key) => required(DATA.key(key)));
  if (type === 'kubernetes.io/service-account-token') {
    return metadata.annotations?.[SERVICE_ACCOUNT]
      ? []
      : [required(FieldPath.of('metadata', 'annotations').key(SERVICE_ACCOUNT))];
  }
  if (type === 'kubernetes.io/basic-auth') {
    const keys = ['username', 'password'];
    return keys.some((key) => data?.[key] !== undefined)
      ? []
      : keys.map((key) => required(DATA.key(key)));
  }
  return validateDockerConfig(type, data);
}

function validateDockerConfig(type: string, data: Secret['data']): FieldError[] {
  const json = type.startsWith('kubernetes.io/docker') ? own(REQUIRED_KEYS, type)?.[0] : undefined;
  const fault = json === undefined ? undefined : jsonFault(data?.[json]);
  return json === undefined || fault === undefined
    ? []
    : [invalid(DATA.key(json), '<secret contents redacted>', fault)];
}

function validate(secret: Secret): FieldError[] {
  const size = entries(secret.data).reduce((sum, [, text]) => sum + decodedBytes(text), 0);
  return [
    ...entries(secret.data).flatMap(([key]) => check(configKey, key, DATA.key(key))),
    ...(size > MAX_DATA_BYTES ? [tooLong(DATA, MAX_DATA_BYTES)] : []),
    ...validateType(secret),
  ];
}

export const SecretKind = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  setDefaults: setSecretDefaults,
  strategy: strategyOf<Secret>({
    namespaced: true,
    prepareForUpdate(secret, old) {
      // The type may be left out of an update.
      if (!secret.type && old.type) secret.type = old.type;
    },
    check: validate,
    checkUpdate: (secret, old) => [
      ...immutable(secret.type, old.type, FieldPath.of('type')),
      ...immutableDataFindings(secret, old, ['data']),
    ],
  }),
  selectableFields: ({ type }) => ({ type: type ?? '' }),
  columns: table<Secret>([
    nameColumn,
    column('Type', ({ type }) => type ?? ''),
    count('Data', ({ data }) => entries(data).length),
    ageColumn,
  ]),
  hasGeneration: false,
});
