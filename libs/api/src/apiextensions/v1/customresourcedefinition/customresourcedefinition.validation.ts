import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, duplicate, invalid, required } from '@orrery/apimachinery';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from '../../../types.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dns1035Label, dnsSubdomain } from '../../../meta/names.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateClientConfig } from '../../../admissionregistration/v1/webhookconfiguration/webhookconfiguration.validation.js';
import { validateStructuralSchema } from './structural-schema.validation.js';

const SPEC = FieldPath.of('spec');

function validateNames(names: CustomResourceDefinitionNames | undefined, path: Path): FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '' } = names ?? {};
  return [
    ...(plural
      ? check(dns1035Label, plural, path.child('plural'))
      : [required(path.child('plural'))]),
    ...(singular
      ? check(dns1035Label, singular, path.child('singular'))
      : [required(path.child('singular'))]),
    ...(kind
      ? check(dns1035Label, kind.toLowerCase(), path.child('kind'))
      : [required(path.child('kind'))]),
    ...(listKind
      ? check(dns1035Label, listKind.toLowerCase(), path.child('listKind'))
      : [required(path.child('listKind'))]),
    ...eachOf(names?.shortNames, (name, i) =>
      check(dns1035Label, name, path.child('shortNames').index(i)),
    ),
    ...eachOf(names?.categories, (name, i) =>
      check(dns1035Label, name, path.child('categories').index(i)),
    ),
    ...(kind && kind === listKind
      ? [invalid(path.child('listKind'), listKind, 'kind and listKind may not be the same')]
      : []),
  ];
}

const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date'];

function validateVersion(version: CustomResourceDefinitionVersion, path: Path): FieldError[] {
  const schema = version.schema?.openAPIV3Schema;
  const scale = version.subresources?.scale;
  const at = path.child('schema', 'openAPIV3Schema');
  return [
    ...check(dns1035Label, version.name, path.child('name')),
    ...(schema ? validateStructuralSchema(schema, at) : [required(at, 'schemas are required')]),
    ...eachOf(version.additionalPrinterColumns, (column, i) => {
      const col = path.child('additionalPrinterColumns').index(i);
      return [
        ...(column.name ? [] : [required(col.child('name'))]),
        ...oneOf(column.type, COLUMN_TYPES, col.child('type')),
        ...(column.jsonPath ? [] : [required(col.child('jsonPath'))]),
      ];
    }),
    ...(scale && !String(scale.specReplicasPath ?? '').startsWith('.spec.')
      ? [
          invalid(
            path.child('subresources', 'scale', 'specReplicasPath'),
            scale.specReplicasPath ?? '',
            'should be a json path under .spec',
          ),
        ]
      : []),
    ...(scale && !String(scale.statusReplicasPath ?? '').startsWith('.status.')
      ? [
          invalid(
            path.child('subresources', 'scale', 'statusReplicasPath'),
            scale.statusReplicasPath ?? '',
            'should be a json path under .status',
          ),
        ]
      : []),
  ];
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[]): FieldError[] {
  const path = SPEC.child('versions');
  const names = new Set<string>();
  const stored = versions.filter((version) => version.storage).length;
  return [
    ...(stored === 1
      ? []
      : [invalid(path, versions, 'must have exactly one version marked as storage version')]),
    ...versions.flatMap((version, i) => {
      const repeated = names.has(version.name);
      names.add(version.name);
      return [
        ...(repeated ? [duplicate(path.index(i).child('name'), version.name)] : []),
        ...validateVersion(version, path.index(i)),
      ];
    }),
  ];
}

function validateIdentity({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const group = String(spec?.group ?? '');
  const path = SPEC.child('group');
  const name = FieldPath.of('metadata', 'name');
  return [
    ...(metadata?.name === `${spec?.names?.plural ?? ''}.${group}`
      ? []
      : [invalid(name, metadata?.name ?? '', 'must be spec.names.plural+"."+spec.group')]),
    ...(group ? check(dnsSubdomain, group, path) : [required(path)]),
    ...(group && !group.includes('.')
      ? [invalid(path, group, 'should be a domain with at least one dot')]
      : []),
  ];
}

function validateConversion({ spec }: CustomResourceDefinition): FieldError[] {
  const path = SPEC.child('conversion');
  const conversion = spec?.conversion;
  return [
    ...oneOf(conversion?.strategy, ['None', 'Webhook'], path.child('strategy'), false),
    ...(conversion?.strategy === 'Webhook'
      ? validateClientConfig(
          conversion.webhook?.clientConfig,
          path.child('webhook', 'clientConfig'),
        )
      : []),
  ];
}

/** k8s apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go:ValidateCustomResourceDefinition. */
export function validateCustomResourceDefinition(crd: CustomResourceDefinition): FieldError[] {
  const { spec } = crd;
  return [
    ...validateIdentity(crd),
    ...oneOf(spec?.scope, ['Cluster', 'Namespaced'], SPEC.child('scope')),
    ...validateVersions(list(spec?.versions)),
    ...validateNames(spec?.names, SPEC.child('names')),
    ...validateConversion(crd),
    ...(spec?.preserveUnknownFields
      ? [
          invalid(
            SPEC.child('preserveUnknownFields'),
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : []),
  ];
}

/** Group and plural name the storage; scope and kind are fixed once the resource is established. */
export function validateCustomResourceDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  return [
    ...validateFixedNames(crd, old),
    ...lostVersions(crd, old).map((version) =>
      invalid(
        FieldPath.of('status', 'storedVersions').index(0),
        version,
        'must appear in spec.versions',
      ),
    ),
  ];
}

function validateFixedNames(
  { spec }: CustomResourceDefinition,
  { spec: before, status }: CustomResourceDefinition,
): FieldError[] {
  const names = SPEC.child('names');
  const established = list(status?.conditions).some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );
  return [
    ...immutable(spec?.group, before?.group, SPEC.child('group')),
    ...immutable(spec?.names?.plural, before?.names?.plural, names.child('plural')),
    ...(established
      ? [
          ...immutable(spec?.scope, before?.scope, SPEC.child('scope')),
          ...immutable(spec?.names?.kind, before?.names?.kind, names.child('kind')),
        ]
      : []),
  ];
}

/** Versions that objects in etcd may have and that the new spec no longer names. */
function lostVersions(crd: CustomResourceDefinition, old: CustomResourceDefinition): string[] {
  const kept = new Set(list(crd.spec?.versions).map(({ name }) => name));
  return list(old.status?.storedVersions).filter((version) => !kept.has(version));
}
