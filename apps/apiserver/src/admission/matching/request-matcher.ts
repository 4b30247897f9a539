import type { KubeObject } from '@orrery/apimachinery';
import { newNotFound } from '@orrery/apimachinery';
import type { KindDescriptor, LabelSelector, MatchResources, Namespace } from '@orrery/api';
import { isEmptySelector, selectorMatches } from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import type { RuleSubject } from './rule-matcher.js';
import { ruleMatches } from './rule-matcher.js';

/** What a webhook or a policy asks of a request; a webhook's `rules` are its `resourceRules`. */
export type MatchCriteria = MatchResources;

export interface RequestMatcherDeps {
  readonly namespaces: LiveReader<Namespace>;
  /** Every served kind with the same storage as `kind`, itself included: other versions and groups of the resource. */
  equivalents(this: void, kind: KindDescriptor): readonly KindDescriptor[];
}

/** The configuration of admission is not admitted by itself, so that a bad one can always be taken away. */
const EXEMPT = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

/** True for requests that no webhook and no policy sees (predicates/rules:IsExemptAdmissionConfigurationResource). */
export const isExempt = ({ kind }: AdmissionAttributes): boolean =>
  kind.group === 'admissionregistration.k8s.io' && EXEMPT.has(kind.kind);

const isNamespaceKind = ({ group, plural }: KindDescriptor): boolean =>
  group === '' && plural === 'namespaces';

/** The namespace of a request as admission sees it: that of a Namespace is its own name. */
export const namespaceOf = ({ kind, namespace, name }: AdmissionAttributes): string =>
  isNamespaceKind(kind) ? name : (namespace ?? '');

/** Decides which webhooks and policies a request concerns (k8s apiserver pkg/admission/plugin/policy/matching). */
export class RequestMatcher {
  constructor(private readonly deps: RequestMatcherDeps) {}

  /**
   * The kind as which the request matches: its own, or an equivalent one under matchPolicy Equivalent.
   * Undefined when it does not match. Throws a StatusError 404 when its namespace is not there but decides.
   */
  async match(
    attributes: AdmissionAttributes,
    criteria: MatchCriteria,
  ): Promise<KindDescriptor | undefined> {
    const { excludeResourceRules: excluded = [], resourceRules: rules = [] } = criteria;
    if (!objectMatches(criteria.objectSelector, attributes)) return undefined;
    const { matchPolicy } = criteria;
    if (excluded.length > 0 && this.matchRules(attributes, excluded, matchPolicy)) return undefined;
    const kind =
      rules.length === 0 ? attributes.kind : this.matchRules(attributes, rules, matchPolicy);
    if (!kind) return undefined;
    return (await this.namespaceMatches(criteria.namespaceSelector, attributes)) ? kind : undefined;
  }

  /** The Namespace of a request; undefined for cluster-scoped resources. Throws a StatusError 404. */
  async namespace(attributes: AdmissionAttributes): Promise<Namespace | undefined> {
    const name = namespaceOf(attributes);
    if (name === '') return undefined;
    const found = await this.deps.namespaces.find(name);
    if (!found) throw newNotFound({ group: '', resource: 'namespaces' }, name);
    return found;
  }

  private matchRules(
    attributes: AdmissionAttributes,
    rules: NonNullable<MatchCriteria['resourceRules']>,
    matchPolicy: MatchCriteria['matchPolicy'],
  ): KindDescriptor | undefined {
    const { kind } = attributes;
    if (rules.some((rule) => ruleMatches(rule, subjectOf(attributes, kind)))) return kind;
    if (matchPolicy !== 'Equivalent') return undefined;
    const others = this.deps.equivalents(kind).filter((one) => one !== kind);
    for (const rule of rules) {
      const found = others.find((other) => ruleMatches(rule, subjectOf(attributes, other)));
      if (found) return found;
    }
    return undefined;
  }

  private async namespaceMatches(
    selector: LabelSelector | undefined,
    attributes: AdmissionAttributes,
  ): Promise<boolean> {
    if (namespaceOf(attributes) === '' && !isNamespaceKind(attributes.kind)) return true;
    if (isEmptySelector(selector)) return true;
    const { kind, subresource, operation, object } = attributes;
    const writesNamespace =
      isNamespaceKind(kind) &&
      subresource === '' &&
      (operation === 'CREATE' || operation === 'UPDATE');
    if (writesNamespace) return selectorMatches(selector, object?.metadata.labels);
    return selectorMatches(selector, (await this.namespace(attributes))?.metadata.labels);
  }
}

function subjectOf(attributes: AdmissionAttributes, kind: KindDescriptor): RuleSubject {
  return {
    operation: attributes.operation,
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
    subresource: attributes.subresource,
    namespace: namespaceOf(attributes),
    name: attributes.name,
  };
}

/** The selector must match the new or the old object. */
function objectMatches(
  selector: LabelSelector | undefined,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  if (isEmptySelector(selector)) return true;
  const matches = (one: KubeObject | undefined): boolean =>
    one !== undefined && selectorMatches(selector, one.metadata?.labels);
  return matches(object) || matches(oldObject);
}
