import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { invalid, required } from '@orrery/apimachinery';
import type { Container, EnvFromSource, EnvVar, FileKeySelector } from '../../../types.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf } from '../../../meta/list.js';
import type { NameRule } from '../../../meta/names.js';
import { check, configKey, dnsLabel, dnsSubdomain, envName } from '../../../meta/names.js';
import {
  ENV_FIELDS,
  validateFieldRef,
  validateResourceFieldRef,
} from '../volume-source/downward-api.validation.js';
import { noBacksteps } from '../volume-source/file-path.js';

const NONE =
  'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
const SEVERAL = 'may not have more than one field specified at a time';

const validateKeyRef = (
  ref: { readonly key?: string; readonly name?: string },
  path: FieldPath,
): FieldError[] => [
  ...check(dnsSubdomain, ref.name, path.child('name')),
  ...(ref.key ? check(configKey, ref.key, path.child('key')) : [required(path.child('key'))]),
];

const validateFileRef = (ref: FileKeySelector, path: FieldPath): FieldError[] => [
  ...(ref.key ? check(envName, ref.key, path.child('key')) : [required(path.child('key'))]),
  ...(ref.volumeName
    ? check(dnsLabel, ref.volumeName, path.child('volumeName'))
    : [required(path.child('volumeName'))]),
  ...(ref.path ? noBacksteps(ref.path, path.child('path')) : [required(path.child('path'))]),
];

/** k8s pkg/apis/core/validation/validation.go:validateEnvVarValueFrom. */
function validateSource({ value, valueFrom }: EnvVar, path: FieldPath): FieldError[] {
  if (!valueFrom) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    Boolean,
  );
  const isBoth = Boolean(value) && sources.length > 0;
  return [
    ...given(fieldRef, (ref) => validateFieldRef(ref, ENV_FIELDS, path.child('fieldRef'))),
    ...given(resourceFieldRef, (ref) =>
      validateResourceFieldRef(ref, path.child('resourceFieldRef'), false),
    ),
    ...given(configMapKeyRef, (ref) => validateKeyRef(ref, path.child('configMapKeyRef'))),
    ...given(secretKeyRef, (ref) => validateKeyRef(ref, path.child('secretKeyRef'))),
    ...given(fileKeyRef, (ref) => validateFileRef(ref, path.child('fileKeyRef'))),
    ...when(sources.length === 0, invalid(path, '', NONE)),
    ...when(isBoth, invalid(path, '', 'may not be specified when `value` is not empty')),
    ...when(!isBoth && sources.length > 1, invalid(path, '', SEVERAL)),
  ];
}

/** Upstream takes these for the beginnings of names, which may end in a dash. */
const nameOrPrefix: NameRule = (name) => dnsSubdomain(name.replace(/(?<=.)-$/, 'a'));

const validateName = (name: string | undefined, path: FieldPath): FieldError[] =>
  name ? check(nameOrPrefix, name, path.child('name')) : [required(path.child('name'))];

/** Of the whole source upstream names the list, not the element. */
function validateEnvFrom(source: EnvFromSource, at: FieldPath, path: FieldPath): FieldError[] {
  const { configMapRef, secretRef, prefix } = source;
  const none = 'must specify one of: `configMapRef` or `secretRef`';
  return [
    ...(prefix ? check(envName, prefix, at.child('prefix')) : []),
    ...given(configMapRef, ({ name }) => validateName(name, at.child('configMapRef'))),
    ...given(secretRef, ({ name }) => validateName(name, at.child('secretRef'))),
    ...when(!configMapRef && !secretRef, invalid(path, '', none)),
    ...when(Boolean(configMapRef) && Boolean(secretRef), invalid(path, '', SEVERAL)),
  ];
}

/** `env` and `envFrom` of one container. */
export function validateEnvironment(container: Container, path: FieldPath): FieldError[] {
  const envFrom = path.child('envFrom');
  return [
    ...eachOf(container.env, (variable, i) => {
      const at = path.child('env').index(i);
      return [
        ...(variable.name
          ? check(envName, variable.name, at.child('name'))
          : [required(at.child('name'))]),
        ...validateSource(variable, at.child('valueFrom')),
      ];
    }),
    ...eachOf(container.envFrom, (source, i) => validateEnvFrom(source, envFrom.index(i), envFrom)),
  ];
}
