import { describe, expect, it } from '@jest/globals';
import type { KindDescriptor, Namespace } from '@orrery/api';
import { findKind } from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';
import { staticReader } from '../../live-view/static-reader.js';
import type { MatchCriteria } from './request-matcher.js';
import { RequestMatcher, isExempt } from './request-matcher.js';

const kindOf = (group: string, version: string, plural: string): KindDescriptor => {
  const kind = findKind(group, version, plural);
  if (!kind) throw new Error(`no kind ${plural}`);
  return kind;
};
const pods = kindOf('', 'v1', 'pods');
const scalersV1 = kindOf('autoscaling', 'v1', 'horizontalpodautoscalers');
const scalersV2 = kindOf('autoscaling', 'v2', 'horizontalpodautoscalers');
const namespace = (name: string, labels: Record<string, string>): Namespace => ({
  metadata: { name, labels },
  spec: {},
});

const matcher = new RequestMatcher({
  namespaces: staticReader([namespace('prod', { tier: 'prod' }), namespace('dev', {})]),
  equivalents: (kind) => (kind.plural === scalersV1.plural ? [scalersV1, scalersV2] : [kind]),
});

const request = (changes: Partial<AdmissionAttributes> = {}): AdmissionAttributes =>
  ({
    operation: 'CREATE',
    kind: pods,
    subresource: '',
    namespace: 'prod',
    name: 'a',
    object: { metadata: { name: 'a', labels: { app: 'x' } } },
    dryRun: false,
    ...changes,
  }) as AdmissionAttributes;

const rule = (changes: object = {}): NonNullable<MatchCriteria['resourceRules']>[number] => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['pods'],
  operations: ['CREATE'],
  scope: '*',
  ...changes,
});

interface Case {
  readonly name: string;
  readonly criteria: MatchCriteria;
  readonly attributes?: Partial<AdmissionAttributes>;
  readonly want: KindDescriptor | undefined;
}

describe('RequestMatcher', () => {
  it.each<Case>([
    { name: 'no rules: everything', criteria: {}, want: pods },
    { name: 'a rule that names all of it', criteria: { resourceRules: [rule()] }, want: pods },
    {
      name: 'another operation',
      criteria: { resourceRules: [rule()] },
      attributes: { operation: 'UPDATE' },
      want: undefined,
    },
    {
      name: 'a subresource where the rule names none',
      criteria: { resourceRules: [rule({ resources: ['*'] })] },
      attributes: { subresource: 'status' },
      want: undefined,
    },
    {
      name: 'a subresource by */*',
      criteria: { resourceRules: [rule({ resources: ['*/*'] })] },
      attributes: { subresource: 'status' },
      want: pods,
    },
    {
      name: 'a resource name that is not listed',
      criteria: { resourceRules: [rule({ resourceNames: ['b'] })] },
      want: undefined,
    },
    {
      name: 'an excluded request',
      criteria: { resourceRules: [rule()], excludeResourceRules: [rule()] },
      want: undefined,
    },
    {
      name: 'cluster scope for a namespaced resource',
      criteria: { resourceRules: [rule({ scope: 'Cluster' })] },
      want: undefined,
    },
    {
      name: 'an equivalent version',
      criteria: {
        matchPolicy: 'Equivalent',
        resourceRules: [
          rule({ apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['*'] }),
        ],
      },
      attributes: { kind: scalersV1 },
      want: scalersV2,
    },
    {
      name: 'another version under Exact',
      criteria: {
        matchPolicy: 'Exact',
        resourceRules: [
          rule({ apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['*'] }),
        ],
      },
      attributes: { kind: scalersV1 },
      want: undefined,
    },
    {
      name: 'the labels of the namespace',
      criteria: { namespaceSelector: { matchLabels: { tier: 'prod' } } },
      want: pods,
    },
    {
      name: 'a namespace without the label',
      criteria: { namespaceSelector: { matchLabels: { tier: 'prod' } } },
      attributes: { namespace: 'dev' },
      want: undefined,
    },
    {
      name: 'the labels of the old object only',
      criteria: { objectSelector: { matchLabels: { app: 'y' } } },
      attributes: { oldObject: { metadata: { labels: { app: 'y' } } } as never },
      want: pods,
    },
    {
      name: 'labels of neither object',
      criteria: { objectSelector: { matchLabels: { app: 'z' } } },
      want: undefined,
    },
  ])('matches by $name', async ({ criteria, attributes, want }) => {
    expect(await matcher.match(request(attributes), criteria)).toBe(want);
  });

  it('answers 404 when the namespace that decides is not there', async () => {
    const criteria = { namespaceSelector: { matchLabels: { a: 'b' } } };
    await expect(matcher.match(request({ namespace: 'gone' }), criteria)).rejects.toMatchObject({
      message: 'namespaces "gone" not found',
    });
  });

  it('leaves the configuration of admission alone', () => {
    const kind = kindOf('admissionregistration.k8s.io', 'v1', 'mutatingwebhookconfigurations');
    expect(isExempt(request({ kind }))).toBe(true);
    expect(isExempt(request())).toBe(false);
  });
});
