import type { NamedRuleWithOperations, RuleWithOperations } from '@orrery/api';

/** What a rule of a webhook or policy is compared with. */
export interface RuleSubject {
  readonly operation: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty for cluster-scoped resources; a Namespace's own name for requests on that Namespace. */
  readonly namespace: string;
  readonly name: string;
}

type Rule = RuleWithOperations & Pick<NamedRuleWithOperations, 'resourceNames'>;

const covers = (items: readonly string[] | undefined, asked: string): boolean =>
  (items ?? []).some((item) => item === '*' || item === asked);

const isNamespaceObject = ({ group, resource }: RuleSubject): boolean =>
  group === '' && resource === 'namespaces';

function coversScope(scope: Rule['scope'], subject: RuleSubject): boolean {
  // Namespace objects count as cluster-scoped though their requests name a namespace.
  const isNamespaced = subject.namespace !== '' && !isNamespaceObject(subject);
  if (scope === 'Namespaced') return isNamespaced;
  if (scope === 'Cluster') return !isNamespaced;
  return true;
}

function coversResource(patterns: readonly string[] | undefined, subject: RuleSubject): boolean {
  return (patterns ?? []).some((pattern) => {
    const [resource = '', ...rest] = pattern.split('/');
    const subresource = rest.join('/');
    return (
      (resource === '*' || resource === subject.resource) &&
      (subresource === '*' || subresource === subject.subresource)
    );
  });
}

/** True when a rule covers the request (k8s apiserver pkg/admission/plugin/webhook/predicates/rules:Matcher). */
export function ruleMatches(rule: Rule, subject: RuleSubject): boolean {
  const { resourceNames = [] } = rule;
  return (
    coversScope(rule.scope, subject) &&
    covers(rule.operations, subject.operation) &&
    covers(rule.apiGroups, subject.group) &&
    covers(rule.apiVersions, subject.version) &&
    coversResource(rule.resources, subject) &&
    (resourceNames.length === 0 || resourceNames.includes(subject.name))
  );
}
