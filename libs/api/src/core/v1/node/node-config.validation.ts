import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, required } from '@orrery/apimachinery';
import type {
  ConfigMapNodeConfigSource,
  NodeConfigSource,
  NodeConfigStatus,
} from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import type { NameRule } from '../../../meta/names.js';
import { check, configKey, dnsLabel, dnsSubdomain } from '../../../meta/names.js';

type Place = 'spec' | 'status';

/** Which version of a ConfigMap is meant is said by the status alone. */
function validateVersion(
  { uid, resourceVersion }: ConfigMapNodeConfigSource,
  path: FieldPath,
  place: Place,
): FieldError[] {
  const one = (value: string | undefined, field: string): FieldError[] =>
    place === 'spec'
      ? when(Boolean(value), forbidden(path.child(field), `${field} must not be set in spec`))
      : when(!value, required(path.child(field)));
  return [...one(uid, 'uid'), ...one(resourceVersion, 'resourceVersion')];
}

function validateConfigMap(
  source: ConfigMapNodeConfigSource,
  path: FieldPath,
  place: Place,
): FieldError[] {
  const named = (value: string | undefined, rule: NameRule, field: string): FieldError[] =>
    value ? check(rule, value, path.child(field)) : [required(path.child(field))];
  return [
    ...validateVersion(source, path, place),
    ...named(source.namespace, dnsLabel, 'namespace'),
    ...named(source.name, dnsSubdomain, 'name'),
    ...named(source.kubeletConfigKey, configKey, 'kubeletConfigKey'),
  ];
}

/** Where a kubelet once took its configuration from; nothing reads it (validateNodeConfigSourceSpec). */
export function validateConfigSource(
  source: NodeConfigSource,
  path: FieldPath,
  place: Place,
): FieldError[] {
  const none = 'exactly one reference subfield must be non-nil';
  return source.configMap
    ? validateConfigMap(source.configMap, path.child('configMap'), place)
    : [invalid(path, { ConfigMap: null }, none)];
}

export const validateConfigStatus = (status: NodeConfigStatus, path: FieldPath): FieldError[] =>
  (['assigned', 'active', 'lastKnownGood'] as const).flatMap((field) =>
    given(status[field], (source) => validateConfigSource(source, path.child(field), 'status')),
  );
