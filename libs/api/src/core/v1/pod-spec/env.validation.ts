import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, notSupported, required } from '@orrery/apimachinery';
import type { Container, EnvFromSource, EnvVarSource } from '../../../types.js';
import { present } from '../../../meta/fields.js';
import { eachOf } from '../../../meta/list.js';
import { check, configKey, dnsSubdomain, envName } from '../../../meta/names.js';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
] as const;

const ENV_RESOURCES = [
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
] as const;

/** The fields that the downward API gives; labels and annotations only by key. */
export function validateFieldRef(
  fieldPath: string | undefined,
  allowed: readonly string[],
  path: FieldPath,
): FieldError[] {
  const at = path.child('fieldPath');
  if (!fieldPath) return [required(at)];
  if (/^metadata\.(labels|annotations)\['.+'\]$/.test(fieldPath)) return [];
  return allowed.includes(fieldPath) ? [] : [notSupported(at, fieldPath, allowed)];
}

export function validateResourceFieldRef(
  resource: string | undefined,
  path: FieldPath,
): FieldError[] {
  const at = path.child('resource');
  if (!resource) return [required(at)];
  const legal =
    (ENV_RESOURCES as readonly string[]).includes(resource) ||
    /^(limits|requests)\.hugepages-/.test(resource);
  return legal ? [] : [notSupported(at, resource, ENV_RESOURCES)];
}

const keyRef = (ref: { key?: string; name?: string }, path: FieldPath): FieldError[] => [
  ...present(ref.name, path.child('name')),
  ...(ref.key ? check(configKey, ref.key, path.child('key')) : [required(path.child('key'))]),
];

function validateSource(
  source: EnvVarSource,
  value: string | undefined,
  path: FieldPath,
): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const given = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    Boolean,
  );
  const findings: FieldError[] = [];
  if (fieldRef) {
    findings.push(...validateFieldRef(fieldRef.fieldPath, ENV_FIELDS, path.child('fieldRef')));
  }
  if (resourceFieldRef) {
    findings.push(
      ...validateResourceFieldRef(resourceFieldRef.resource, path.child('resourceFieldRef')),
    );
  }
  if (configMapKeyRef) findings.push(...keyRef(configMapKeyRef, path.child('configMapKeyRef')));
  if (secretKeyRef) findings.push(...keyRef(secretKeyRef, path.child('secretKeyRef')));
  if (given.length === 0) {
    findings.push(
      invalid(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  }
  if (value) findings.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  if (given.length > 1) {
    findings.push(invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return findings;
}

function validateEnvFrom(source: EnvFromSource, path: FieldPath): FieldError[] {
  const { configMapRef, secretRef, prefix } = source;
  const findings = prefix ? check(envName, prefix, path.child('prefix')) : [];
  if (!configMapRef && !secretRef) {
    findings.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
  }
  if (configMapRef && secretRef) {
    findings.push(invalid(path, '', 'may not have more than one field specified at a time'));
  }
  if (configMapRef) {
    const at = path.child('configMapRef', 'name');
    findings.push(
      ...(configMapRef.name ? check(dnsSubdomain, configMapRef.name, at) : [required(at)]),
    );
  }
  if (secretRef) {
    const at = path.child('secretRef', 'name');
    findings.push(...(secretRef.name ? check(dnsSubdomain, secretRef.name, at) : [required(at)]));
  }
  return findings;
}

/** `env` and `envFrom` of one container. */
export function validateEnvironment(container: Container, path: FieldPath): FieldError[] {
  return [
    ...eachOf(container.env, (variable, i) => {
      const at = path.child('env').index(i);
      return [
        ...(variable.name
          ? check(envName, variable.name, at.child('name'))
          : [required(at.child('name'))]),
        ...(variable.valueFrom
          ? validateSource(variable.valueFrom, variable.value, at.child('valueFrom'))
          : []),
      ];
    }),
    ...eachOf(container.envFrom, (source, i) =>
      validateEnvFrom(source, path.child('envFrom').index(i)),
    ),
  ];
}
