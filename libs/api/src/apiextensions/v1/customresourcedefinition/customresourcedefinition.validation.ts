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
import { eachOf, isDeepEqual, list } from '../../../meta/list.js';
import { immutable } from '../../../meta/object-meta.js';
import { validateClientConfig } from '../../../admissionregistration/v1/webhookconfiguration/client-config.validation.js';
import { caBundleProblem } from './ca-bundle.js';
import { internalForm } from './internal-form.js';
import { MAX_DEPTH, isSchema } from './schema-keywords.validation.js';
import { validateVersionParts } from './version.validation.js';

const SPEC = FieldPath.of('spec');
const APPROVED = 'api-approved.kubernetes.io';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const MIXED = 'may have mixed case, but should otherwise match: ';

function label(value: string, path: Path): FieldError[] {
  const found = isDns1035Label(value);
  return found.length === 0 ? [] : [invalid(path, value, found.join(','))];
}

/** Where nothing is a finding of its own. */
const givenLabel = (value: string, path: Path): FieldError[] =>
  value === '' ? [] : label(value, path);

function mixedLabel(value: string, path: Path): FieldError[] {
  const found = value === '' ? [] : isDns1035Label(value.toLowerCase());
  return found.length === 0 ? [] : [invalid(path, value, MIXED + found.join(','))];
}

type Names = CustomResourceDefinitionNames | undefined;

/** Names that the spec must have and the status need not. */
const validateNames = (names: Names, path: Path): FieldError[] => [
  ...(['plural', 'singular', 'kind', 'listKind'] as const).flatMap((name) =>
    text(names?.[name]) === '' ? [required(path.child(name))] : [],
  ),
  ...checkNames(names, path),
];

function checkNames(names: Names, path: Path): FieldError[] {
  const value = (name: 'plural' | 'singular' | 'kind' | 'listKind'): string => text(names?.[name]);
  const [kind, listKind] = [value('kind'), value('listKind')];
  return [
    ...givenLabel(value('plural'), path.child('plural')),
    ...givenLabel(value('singular'), path.child('singular')),
    ...mixedLabel(kind, path.child('kind')),
    ...mixedLabel(listKind, path.child('listKind')),
    ...eachOf(names?.shortNames, (name, i) => label(text(name), path.child('shortNames').index(i))),
    ...(kind !== '' && kind === listKind
      ? [invalid(path.child('listKind'), listKind, 'kind and listKind may not be the same')]
      : []),
    ...eachOf(names?.categories, (name, i) => label(text(name), path.child('categories').index(i))),
  ];
}

/** Versions as messages print them: what all have in common stands above them. */
function printVersions(versions: readonly CustomResourceDefinitionVersion[]): unknown {
  const parts = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;
  const common = parts.filter((part) =>
    versions.every((one) => isDeepEqual(one[part], versions[0]?.[part])),
  );
  return versions.map((version) => {
    const own = common.map((part) => [part, undefined] as const);
    return internalForm.version({ ...version, ...Object.fromEntries(own) });
  });
}

function validateVersions(
  versions: readonly CustomResourceDefinitionVersion[],
  names: FieldError[],
  old: readonly CustomResourceDefinitionVersion[],
): FieldError[] {
  const path = SPEC.child('versions');
  const stored = versions.filter((version) => version.storage).length;
  const given = versions.map(({ name }) => text(name));
  const { absentSchemas, ofVersion, shared } = validateVersionParts(versions, SPEC, old);
  const refuse = (detail: string): FieldError => invalid(path, printVersions(versions), detail);
  return [
    ...absentSchemas,
    ...given.flatMap((name, i) => [...label(name, path.index(i).child('name')), ...ofVersion(i)]),
    ...(new Set(given).size < given.length ? [refuse('must contain unique version names')] : []),
    ...(stored === 1 ? [] : [refuse('must have exactly one version marked as storage version')]),
    // Upstream's internal form has the first version's name once more.
    ...givenLabel(given[0] ?? '', SPEC.child('version')),
    ...names,
    ...shared,
  ];
}

function validateIdentity({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const group = text(spec?.group);
  const path = SPEC.child('group');
  const name = FieldPath.of('metadata', 'name');
  const found = group === '' ? [] : isDns1123Subdomain(group);
  return [
    ...(!metadata?.name || metadata.name === `${spec?.names?.plural ?? ''}.${group}`
      ? []
      : [invalid(name, metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...(group === '' ? [required(path)] : []),
    ...(found.length > 0 ? [invalid(path, group, found.join(','))] : []),
    ...(group !== '' && found.length === 0 && !group.includes('.')
      ? [invalid(path, group, 'should be a domain with at least one dot')]
      : []),
  ];
}

function validateReviewVersions(
  versions: readonly string[],
  path: Path,
  mayBeUnknown: boolean,
): FieldError[] {
  if (versions.length === 0) return [required(path)];
  const isKnown = mayBeUnknown || versions.some(isKnownReview);
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

const isKnownReview = (version: string): boolean => version === 'v1' || version === 'v1beta1';

function validateConversion(
  conversion: CustomResourceConversion | undefined,
  old: CustomResourceConversion | undefined,
): FieldError[] {
  if (!conversion) return [];
  const path = SPEC.child('conversion');
  const { strategy, webhook } = conversion;
  // Upstream's internal form has no `webhook` around these.
  const client = path.child('webhookClientConfig');
  const versions = path.child('conversionReviewVersions');
  const reviewVersions = list(webhook?.conversionReviewVersions);
  if (strategy === 'Webhook') {
    const before = list(old?.webhook?.conversionReviewVersions);
    const mayBeUnknown = before.length > 0 && !before.some(isKnownReview);
    return [
      ...(webhook?.clientConfig
        ? validateClientConfig(webhook.clientConfig, client)
        : [required(client, 'required when strategy is set to Webhook')]),
      ...validateReviewVersions(reviewVersions, versions, mayBeUnknown),
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

type Approval = 'missing' | 'approved' | 'bypassed' | 'invalid';

/** apiextensions-apiserver pkg/apihelpers/helpers.go:GetAPIApprovalState. */
function approvalOf({ metadata }: CustomResourceDefinition): Approval {
  const value = metadata.annotations?.[APPROVED] ?? '';
  if (value === '') return 'missing';
  if (value.startsWith('unapproved')) return 'bypassed';
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]/i.test(value) && URL.canParse(value)
    ? 'approved'
    : 'invalid';
}

/** Groups of the Kubernetes community need a link to the change that approved them (…/validation.go:validateAPIApproval). */
function validateApproval(
  crd: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  if (!isProtected(text(crd.spec?.group))) return [];
  const approval = approvalOf(crd);
  if (old && approvalOf(old) === approval) return [];
  const path = FieldPath.of('metadata', 'annotations').key(APPROVED);
  const wanted = `protected groups must have approval annotation ${JSON.stringify(APPROVED)}`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (approval === 'missing') return [required(path, `${wanted}, ${see}`)];
  const detail = `${wanted} with either a URL or a reason starting with "unapproved", ${see}`;
  return approval === 'invalid'
    ? [invalid(path, crd.metadata.annotations?.[APPROVED], detail)]
    : [];
}

/** Only definitions that kept them before may keep unknown fields (…/validation.go:validatePreserveUnknownFields). */
function validatePreserving(
  crd: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  if (!crd.spec?.preserveUnknownFields || old?.spec?.preserveUnknownFields) return [];
  const detail =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [invalid(SPEC.child('preserveUnknownFields'), true, detail)];
}

/** True of a schema with a default in it, wherever. */
function hasDefault(schema: unknown, depth = 0): boolean {
  if (!isSchema(schema) || depth > MAX_DEPTH) return false;
  if (schema.default !== undefined) return true;
  const { items, additionalProperties, not, properties, allOf, anyOf, oneOf } = schema;
  const lists = [allOf, anyOf, oneOf].flatMap((one) => [...list(one)]);
  const nested = [items, additionalProperties, not, ...lists, ...Object.values(properties ?? {})];
  return nested.some((one) => hasDefault(one, depth + 1));
}

/** What definitions that keep unknown fields cannot have. */
function validateBesidePreserving({ spec }: CustomResourceDefinition): FieldError[] {
  if (!spec?.preserveUnknownFields) return [];
  return list(spec.versions).some(({ schema }) => hasDefault(schema?.openAPIV3Schema))
    ? [
        invalid(
          SPEC.child('preserveUnknownFields'),
          true,
          'must be false in order to use defaults in the schema',
        ),
      ]
    : [];
}

/** Unknown fields cannot be converted. */
function validateUnconverted({ spec }: CustomResourceDefinition): FieldError[] {
  const strategy = spec?.conversion?.strategy;
  if (!spec?.preserveUnknownFields || strategy === undefined || strategy === 'None') return [];
  const text = 'must be None if spec.preserveUnknownFields is true';
  return [invalid(SPEC.child('conversion', 'strategy'), strategy, text)];
}

/** k8s apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go:ValidateCustomResourceDefinition; `old` of an update. */
export function validateCustomResourceDefinition(
  crd: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  const { spec } = crd;
  return [
    ...validateIdentity(crd),
    ...oneOf(spec?.scope, ['Cluster', 'Namespaced'], SPEC.child('scope')),
    ...validateBesidePreserving(crd),
    ...validateVersions(
      list(spec?.versions),
      validateNames(spec?.names, SPEC.child('names')),
      list(old?.spec?.versions),
    ),
    ...validateUnconverted(crd),
    ...validateConversion(spec?.conversion ?? undefined, old?.spec?.conversion ?? undefined),
  ];
}

/** For creates; updates may leave an approval as it is. */
export const validateCustomResourceDefinitionCreate = (
  crd: CustomResourceDefinition,
): FieldError[] => [
  ...validateStoredVersions(crd),
  ...validateApproval(crd),
  ...validatePreserving(crd),
];

/** Group and plural name the storage; scope and kind are fixed once the resource is established. */
export function validateCustomResourceDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  return [
    ...validateFixedNames(crd, old),
    ...validateCertificates(crd, old),
    ...validateStoredVersions(crd),
    ...validateApproval(crd, old),
    ...validatePreserving(crd, old),
  ];
}

const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  list(status?.conditions).some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  );

function validateFixedNames(
  { spec }: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const before = old.spec;
  const names = SPEC.child('names');
  return [
    ...(isEstablished(old)
      ? [
          ...immutable(spec?.scope, before?.scope, SPEC.child('scope')),
          ...immutable(spec?.names?.kind, before?.names?.kind, names.child('kind')),
        ]
      : []),
    ...immutable(spec?.group, before?.group, SPEC.child('group')),
    ...immutable(spec?.names?.plural, before?.names?.plural, names.child('plural')),
  ];
}

/** Of a definition that is served, whose certificates were good before (…/validation.go:allowInvalidCABundle). */
function validateCertificates(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const bundleOf = ({ spec }: CustomResourceDefinition): string =>
    spec?.conversion?.strategy === 'Webhook'
      ? text(spec.conversion.webhook?.clientConfig?.caBundle)
      : '';
  const before = text(old.spec?.conversion?.webhook?.clientConfig?.caBundle);
  const bundle = bundleOf(crd);
  const wasBad = before !== '' && caBundleProblem(before) !== undefined;
  if (bundle === '' || !isEstablished(old) || wasBad) return [];
  const problem = caBundleProblem(bundle);
  const path = SPEC.child('conversion', 'webhookClientConfig', 'caBundle');
  return problem === undefined ? [] : [invalid(path, bundle, problem)];
}

/** Versions that objects in etcd may have must stay (same file:ValidateCustomResourceDefinitionStoredVersions). */
function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const versions = list(spec?.versions);
  const kept = new Set(versions.map(({ name }) => name));
  const stored = list(status?.storedVersions);
  const path = FieldPath.of('status', 'storedVersions');
  if (stored.length === 0) return [invalid(path, null, 'must have at least one stored version')];
  return [
    ...versions
      // Of versions with the same name the first counts.
      .filter(
        ({ name, storage }, i) =>
          storage && (!stored.includes(name) || versions.findIndex((one) => one.name === name) < i),
      )
      .map(({ name }) => invalid(path, stored, `must have the storage version ${name}`)),
    ...stored.flatMap((version, i) =>
      kept.has(version)
        ? []
        : [
            invalid(
              path.index(i),
              version,
              `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
            ),
          ],
    ),
  ];
}

/** The names that are accepted must be names, too. */
export const validateCustomResourceDefinitionStatus = ({
  status,
}: CustomResourceDefinition): FieldError[] =>
  checkNames(status?.acceptedNames, FieldPath.of('status', 'acceptedNames'));
