import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  duplicate,
  forbidden,
  invalid,
  isDns1035Label,
  isDns1123Subdomain,
  isPathSegmentName,
  notSupported,
  required,
} from '@orrery/apimachinery';
import type { PolicyCompiler } from '@orrery/cel';
import { isIdentifier } from '@orrery/cel';
import type {
  MatchResources,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  Variable,
} from '../../../gen/types/admissionregistration.v1.js';
import { requiredOf } from '../../../meta/fields.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { validateRule } from '../webhookconfiguration/rule.validation.js';
import { expressionFindings } from './match-conditions.validation.js';

export const SPEC = FieldPath.of('spec');

/** k8s pkg/apis/admissionregistration/v1/defaults.go:SetDefaults_MatchResources. */
export function setMatchResourcesDefaults(resources: MatchResources | undefined): void {
  if (!resources) return;
  resources.matchPolicy ??= 'Equivalent';
  resources.namespaceSelector ??= {};
  resources.objectSelector ??= {};
  for (const rule of [...list(resources.resourceRules), ...list(resources.excludeResourceRules)])
    rule.scope ??= '*';
}

export function validateFailurePolicy(value: string | undefined): FieldError[] {
  return requiredOf(value, ['Fail', 'Ignore'], SPEC.child('failurePolicy'));
}

export function validateParamKind(kind: ParamKind | undefined, path: Path): FieldError[] {
  if (!kind) return [];
  const apiVersion = String(kind.apiVersion ?? '');
  const name = String(kind.kind ?? '');
  const at = path.child('apiVersion');
  const parts = apiVersion.split('/');
  const [group = '', version = ''] = parts.length > 1 ? parts : ['', apiVersion];
  const joined = (found: readonly string[], value: string, where: Path, head = ''): FieldError[] =>
    found.length === 0 ? [] : [invalid(where, value, head + found.join(','))];
  const versionFindings =
    parts.length > 2
      ? [invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
      : [
          ...(group ? joined(isDns1123Subdomain(group), group, at) : []),
          ...(version
            ? joined(isDns1035Label(version), version, at)
            : [invalid(at, apiVersion, 'version must be specified')]),
        ];
  const mixed = 'may have mixed case, but should otherwise match: ';
  return [
    ...(apiVersion === '' ? [required(at)] : versionFindings),
    ...(name === ''
      ? [required(path.child('kind'))]
      : joined(isDns1035Label(name.toLowerCase()), name, path.child('kind'), mixed)),
  ];
}

function validateNamedRule(rule: NamedRuleWithOperations, path: Path): FieldError[] {
  const seen = new Set<string>();
  return [
    ...eachOf(rule.resourceNames, (name, i) => {
      const at = path.child('resourceNames').index(i);
      const repeated = seen.has(name);
      seen.add(name);
      return [
        ...isPathSegmentName(String(name)).map((message) => invalid(at, name, message)),
        ...(repeated ? [duplicate(at, name)] : []),
      ];
    }),
    ...validateRule(rule, path),
  ];
}

export function validateMatchResources(
  resources: MatchResources | undefined,
  path: Path,
): FieldError[] {
  if (!resources) return [];
  const { namespaceSelector, objectSelector } = resources;
  const selector = (name: string, value: typeof namespaceSelector): FieldError[] =>
    value ? validateLabelSelector(value, path.child(name)) : [required(path.child(name))];
  return [
    ...requiredOf(resources.matchPolicy, ['Equivalent', 'Exact'], path.child('matchPolicy')),
    ...selector('namespaceSelector', namespaceSelector),
    ...selector('objectSelector', objectSelector),
    ...eachOf(resources.resourceRules, (rule, i) =>
      validateNamedRule(rule, path.child('resourceRules').index(i)),
    ),
    ...eachOf(resources.excludeResourceRules, (rule, i) =>
      validateNamedRule(rule, path.child('excludeResourceRules').index(i)),
    ),
  ];
}

/** Rules say which kinds the policy's expressions are about. */
export function validateMatchConstraints(resources: MatchResources | undefined): FieldError[] {
  const path = SPEC.child('matchConstraints');
  if (!resources) return [required(path)];
  return [
    ...validateMatchResources(resources, path),
    ...(list(resources.resourceRules).length === 0 ? [required(path.child('resourceRules'))] : []),
  ];
}

export function validateVariables(
  variables: readonly Variable[] | undefined,
  compiler: PolicyCompiler,
): FieldError[] {
  return eachOf(variables, ({ name: given, expression }, i) => {
    const name = String(given ?? '');
    const at = SPEC.child('variables').index(i);
    const source = String(expression ?? '');
    return [
      ...(name.trim() === ''
        ? [required(at.child('name'), 'name is not specified')]
        : isIdentifier(name)
          ? []
          : [invalid(at.child('name'), name, 'must be a valid CEL identifier')]),
      ...(source.trim() === ''
        ? [required(at.child('expression'), 'expression is not specified')]
        : expressionFindings(compiler.addVariable(name, source), source, at.child('expression'))),
    ];
  });
}

function validateParamRef(ref: ParamRef | undefined, path: Path): FieldError[] {
  if (!ref) return [];
  const name = String(ref.name ?? '');
  const selector = ref.selector ?? undefined;
  const both = name !== '' && selector !== undefined;
  const exclusive = 'name and selector are mutually exclusive';
  const at = path.child('parameterNotFoundAction');
  const action = ref.parameterNotFoundAction ?? '';
  return [
    ...(name === ''
      ? []
      : isPathSegmentName(name).map((message) => invalid(path.child('name'), name, message))),
    ...(both ? [forbidden(path.child('name'), exclusive)] : []),
    ...validateLabelSelector(selector, path.child('selector')),
    ...(both ? [forbidden(path.child('selector'), exclusive)] : []),
    ...(name === '' && !selector
      ? [required(path, 'one of name or selector must be specified')]
      : []),
    ...(action === '' ? [required(at)] : []),
    ...(action !== '' && action !== 'Deny' && action !== 'Allow'
      ? [notSupported(at, action, ['Deny', 'Allow'], 'as given')]
      : []),
  ];
}

/** What the bindings of both kinds of policies share. */
export function validateBinding(spec: {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
}): FieldError[] {
  const at = SPEC.child('policyName');
  return [
    ...(spec.policyName ? check(dnsSubdomain, spec.policyName, at) : [required(at)]),
    ...validateParamRef(spec.paramRef, SPEC.child('paramRef')),
    ...validateMatchResources(spec.matchResources, SPEC.child('matchResources')),
  ];
}
