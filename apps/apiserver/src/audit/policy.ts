import { readFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { RequestInfo } from '../filters/request-info.js';
import { isMapping, readDocument } from '../config/configuration-file.js';

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof LEVELS)[number];

export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Stage = (typeof STAGES)[number];

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface PolicyRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

/** How one request is audited. */
export interface AuditConfig {
  readonly level: Level;
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

export const isAtLeast = (level: Level, least: Level): boolean =>
  LEVELS.indexOf(level) >= LEVELS.indexOf(least);

const has = (items: readonly string[] | undefined, item: string): boolean =>
  (items ?? []).includes(item);

const isEmpty = (items: readonly unknown[] | undefined): boolean => (items ?? []).length === 0;

function coversResource(
  { resource, subresource }: RequestInfo,
  patterns: readonly string[],
): boolean {
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return patterns.some(
    (pattern) =>
      pattern === '*' ||
      pattern === combined ||
      (subresource !== '' && pattern === `*/${subresource}`) ||
      pattern === `${resource}/*`,
  );
}

function matchesResource(rule: PolicyRule, info: RequestInfo): boolean {
  if (!info.isResource) return false;
  if (!isEmpty(rule.namespaces) && !has(rule.namespaces, info.namespace)) return false;
  if (isEmpty(rule.resources)) return true;
  return (rule.resources ?? []).some(({ group = '', resources = [], resourceNames }) => {
    if (group !== info.group) return false;
    if (resources.length === 0) return true;
    if (!isEmpty(resourceNames) && !has(resourceNames, info.name)) return false;
    return coversResource(info, resources);
  });
}

const matchesPath = (patterns: readonly string[], path: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' ||
      pattern === path ||
      (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))),
  );

/** k8s apiserver pkg/audit/policy/checker.go:ruleMatches. */
export function ruleMatches(
  rule: PolicyRule,
  user: UserInfo | undefined,
  info: RequestInfo,
): boolean {
  if (!isEmpty(rule.users) && !(user && has(rule.users, user.name))) return false;
  if (!isEmpty(rule.userGroups) && !user?.groups.some((group) => has(rule.userGroups, group)))
    return false;
  if (!isEmpty(rule.verbs) && !has(rule.verbs, info.verb)) return false;
  if (!isEmpty(rule.namespaces) || !isEmpty(rule.resources)) return matchesResource(rule, info);
  if (!isEmpty(rule.nonResourceURLs))
    return !info.isResource && matchesPath(rule.nonResourceURLs ?? [], info.path);
  return true;
}

/** The first rule that matches decides; none is level None. */
export function evaluate(
  policy: AuditPolicy,
  user: UserInfo | undefined,
  info: RequestInfo,
): AuditConfig {
  const rule = policy.rules.find((one) => ruleMatches(one, user, info));
  return {
    level: rule?.level ?? 'None',
    omitStages: [...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])],
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

const RULE_FIELDS = [
  'level',
  'users',
  'userGroups',
  'verbs',
  'resources',
  'namespaces',
  'nonResourceURLs',
  'omitStages',
  'omitManagedFields',
];

/** Problems of one rule, by field (k8s apiserver pkg/apis/audit/validation). */
function problemsOf(rule: unknown, path: string): string[] {
  if (!isMapping(rule)) return [`${path}: must be a mapping`];
  const problems = Object.keys(rule)
    .filter((field) => !RULE_FIELDS.includes(field))
    .map((field) => `${path}.${field}: unknown field`);
  const { level, omitStages, nonResourceURLs: urls, resources, namespaces } = rule;
  if (level === undefined || level === '') problems.push(`${path}.level: Required value`);
  else if (!has(LEVELS, String(level as string)))
    problems.push(`${path}.level: Unsupported value: ${JSON.stringify(level)}`);
  for (const field of RULE_FIELDS.slice(1, 8))
    if (rule[field] !== undefined && rule[field] !== null && !Array.isArray(rule[field]))
      problems.push(`${path}.${field}: must be a list`);
  if (problems.length > 0) return problems;
  problems.push(...stageProblems(omitStages, `${path}.omitStages`));
  const paths = (urls ?? []) as string[];
  if (paths.length > 0 && (!isEmpty(resources as []) || !isEmpty(namespaces as [])))
    problems.push(
      `${path}.nonResourceURLs: Invalid value: rules cannot apply to both regular resources and non-resource URLs`,
    );
  paths.forEach((url, i) => {
    if (url !== '*' && !url.startsWith('/'))
      problems.push(
        `${path}.nonResourceURLs[${i}]: Invalid value: ${JSON.stringify(url)}: non-resource URL rules must begin with a '/' character`,
      );
    if (url !== '' && url.slice(0, -1).includes('*'))
      problems.push(
        `${path}.nonResourceURLs[${i}]: Invalid value: ${JSON.stringify(url)}: non-resource URL wildcards '*' must be the final character of the rule`,
      );
  });
  return problems;
}

const stageProblems = (stages: unknown, path: string): string[] =>
  ((stages ?? []) as unknown[]).flatMap((stage, i) =>
    has(STAGES, String(stage as string))
      ? []
      : [
          `${path}[${i}]: Invalid value: ${JSON.stringify(stage)}: allowed stages are ${STAGES.join(',')}`,
        ],
  );

/** Reads a policy; throws ConfigError naming every field that is wrong. */
export function parseAuditPolicy(text: string, source: string): AuditPolicy {
  const fail = (why: string): never => {
    throw new ConfigError(`--audit-policy-file: ${source}: ${why}`);
  };
  const place = `--audit-policy-file: ${source}`;
  const root = readDocument(text, 'Policy', ['audit.k8s.io/v1'], place);
  const { rules, omitStages } = root;
  if (!Array.isArray(rules) || rules.length === 0)
    return fail('loaded illegal policy with 0 rules');
  const unknown = Object.keys(root).filter(
    (field) =>
      !['kind', 'apiVersion', 'metadata', 'rules', 'omitStages', 'omitManagedFields'].includes(
        field,
      ),
  );
  const problems = [
    ...unknown.map((field) => `${field}: unknown field`),
    ...stageProblems(omitStages, 'omitStages'),
    ...rules.flatMap((rule: unknown, i) => problemsOf(rule, `rules[${i}]`)),
  ];
  if (problems.length > 0) return fail(problems.join(', '));
  return root as unknown as AuditPolicy;
}

export function readAuditPolicy(path: string): AuditPolicy {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--audit-policy-file: ${path}: ${why}`, { cause: error });
  }
  return parseAuditPolicy(text, path);
}
