import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  forbidden,
  invalid,
  isDns1035Label,
  isDns1123Subdomain,
  required,
} from '@orrery/apimachinery';
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from '../../../types.js';
import { oneOf } from '../../../meta/fields.js';
import { eachOf, list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateClientConfig } from '../../../admissionregistration/v1/webhookconfiguration/client-config.validation.js';
import { validateVersionParts } from './version.validation.js';

const SPEC = FieldPath.of('spec');
const APPROVED = 'api-approved.kubernetes.io';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function label(value: string, path: Path, head = ''): FieldError[] {
  const found = value === '' ? [] : isDns1035Label(value.toLowerCase());
  const own = head === '' ? (value === '' ? [] : isDns1035Label(value)) : found;
  return own.length === 0 ? [] : [invalid(path, value, head + own.join(','))];
}

const MIXED = 'may have mixed case, but should otherwise match: ';

function validateNames(names: CustomResourceDefinitionNames | undefined, path: Path): FieldError[] {
  const value = (name: 'plural' | 'singular' | 'kind' | 'listKind'): string => text(names?.[name]);
  const [kind, listKind] = [value('kind'), value('listKind')];
  return [
    ...(['plural', 'singular', 'kind', 'listKind'] as const).flatMap((name) =>
      value(name) === '' ? [required(path.child(name))] : [],
    ),
    ...label(value('plural'), path.child('plural')),
    ...label(value('singular'), path.child('singular')),
    ...label(kind, path.child('kind'), MIXED),
    ...label(listKind, path.child('listKind'), MIXED),
    ...eachOf(names?.shortNames, (name, i) => label(text(name), path.child('shortNames').index(i))),
    ...(kind !== '' && kind === listKind
      ? [invalid(path.child('listKind'), listKind, 'kind and listKind may not be the same')]
      : []),
    ...eachOf(names?.categories, (name, i) => label(text(name), path.child('categories').index(i))),
  ];
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[]): FieldError[] {
  const path = SPEC.child('versions');
  const stored = versions.filter((version) => version.storage).length;
  const names = versions.map(({ name }) => text(name));
  return [
    ...names.flatMap((name, i) => {
      const found = isDns1035Label(name);
      const at = path.index(i).child('name');
      return found.length === 0 ? [] : [invalid(at, name, found.join(','))];
    }),
    ...validateVersionParts(versions, SPEC),
    ...(new Set(names).size < names.length
      ? [invalid(path, versions, 'must contain unique version names')]
      : []),
    ...(stored === 1
      ? []
      : [invalid(path, versions, 'must have exactly one version marked as storage version')]),
  ];
}

function validateIdentity({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const group = text(spec?.group);
  const path = SPEC.child('group');
  const name = FieldPath.of('metadata', 'name');
  const found = group === '' ? [] : isDns1123Subdomain(group);
  return [
    ...(metadata?.name === `${spec?.names?.plural ?? ''}.${group}`
      ? []
      : [invalid(name, metadata?.name ?? '', 'must be spec.names.plural+"."+spec.group')]),
    ...(group === '' ? [required(path)] : []),
    ...(found.length > 0 ? [invalid(path, group, found.join(','))] : []),
    ...(group !== '' && found.length === 0 && !group.includes('.')
      ? [invalid(path, group, 'should be a domain with at least one dot')]
      : []),
  ];
}

function validateReviewVersions(versions: readonly string[], path: Path): FieldError[] {
  if (versions.length === 0) return [required(path)];
  const isKnown = versions.some((version) => version === 'v1' || version === 'v1beta1');
  return [
    ...versions.flatMap((version, i) => {
      if (versions.indexOf(version) < i)
        return [invalid(path.index(i), version, 'duplicate version')];
      return isDns1035Label(text(version)).map((message) =>
        invalid(path.index(i), version, message),
      );
    }),
    ...(isKnown ? [] : [invalid(path, versions, 'must include at least one of v1, v1beta1')]),
  ];
}

function validateConversion(conversion: CustomResourceConversion | undefined): FieldError[] {
  if (!conversion) return [];
  const path = SPEC.child('conversion');
  const { strategy, webhook } = conversion;
  // Upstream's internal form has no `webhook` around these.
  const client = path.child('webhookClientConfig');
  const versions = path.child('conversionReviewVersions');
  const reviewVersions = list(webhook?.conversionReviewVersions);
  if (strategy === 'Webhook') {
    return [
      ...(webhook?.clientConfig
        ? validateClientConfig(webhook.clientConfig, client)
        : [required(client, 'required when strategy is set to Webhook')]),
      ...validateReviewVersions(reviewVersions, versions),
    ];
  }
  const detail = 'should not be set when strategy is not set to Webhook';
  return [
    ...oneOf(strategy, ['None', 'Webhook'], path.child('strategy')),
    ...(webhook?.clientConfig ? [forbidden(client, detail)] : []),
    ...(reviewVersions.length > 0 ? [forbidden(versions, detail)] : []),
  ];
}

const isProtected = (group: string): boolean => /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group);

/** Groups of the Kubernetes community need a link to the change that approved them (…/validation.go:validateAPIApproval). */
function validateApproval(
  { metadata, spec }: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  if (!isProtected(text(spec?.group))) return [];
  const value = metadata.annotations?.[APPROVED];
  if (old && old.metadata.annotations?.[APPROVED] === value) return [];
  const path = FieldPath.of('metadata', 'annotations').key(APPROVED);
  if (value === undefined || value === '') {
    return [
      required(
        path,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    ];
  }
  const isGood = value.startsWith('unapproved') || URL.canParse(value);
  return isGood
    ? []
    : [
        invalid(
          path,
          value,
          `protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
        ),
      ];
}

function findings(crd: CustomResourceDefinition): FieldError[] {
  const { spec } = crd;
  return [
    ...validateIdentity(crd),
    ...oneOf(spec?.scope, ['Cluster', 'Namespaced'], SPEC.child('scope')),
    ...validateVersions(list(spec?.versions)),
    ...validateNames(spec?.names, SPEC.child('names')),
    ...validateConversion(spec?.conversion ?? undefined),
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

/** k8s apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go:ValidateCustomResourceDefinition. */
export function validateCustomResourceDefinition(crd: CustomResourceDefinition): FieldError[] {
  return findings(crd);
}

/** For creates; updates may leave an approval as it is. */
export const validateCustomResourceDefinitionCreate = (
  crd: CustomResourceDefinition,
): FieldError[] => validateApproval(crd);

/** Group and plural name the storage; scope and kind are fixed once the resource is established. */
export function validateCustomResourceDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  return [
    ...validateApproval(crd, old),
    ...validateFixedNames(crd, old),
    ...validateStoredVersions(crd, old),
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

/** Versions that objects in etcd may have must stay (same file:ValidateCustomResourceDefinitionStoredVersions). */
function validateStoredVersions(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const kept = new Set(list(crd.spec?.versions).map(({ name }) => name));
  const path = FieldPath.of('status', 'storedVersions');
  return list(old.status?.storedVersions).flatMap((version, i) =>
    kept.has(version)
      ? []
      : [
          invalid(
            path.index(i),
            version,
            `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
          ),
        ],
  );
}
