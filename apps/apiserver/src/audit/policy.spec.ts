import { describe, expect, it } from '@jest/globals';
import { parseRequestInfo } from '../filters/request-info.js';
import type { PolicyRule } from './policy.js';
import { evaluate, parseAuditPolicy, ruleMatches } from './policy.js';

const user = { name: 'jane', groups: ['dev', 'system:authenticated'] };

function infoOf(text: string): ReturnType<typeof parseRequestInfo> {
  const [method = 'GET', url = '/'] = text.split(' ');
  const { pathname, searchParams } = new URL(url, 'https://x');
  return parseRequestInfo(method, pathname, searchParams);
}

interface Case {
  readonly name: string;
  readonly rule: Partial<PolicyRule>;
  readonly request?: string;
  readonly want: boolean;
}

const POD = 'GET /api/v1/namespaces/default/pods/a';

describe('ruleMatches()', () => {
  it.each<Case>([
    { name: 'everything by nothing', rule: {}, want: true },
    { name: 'a user', rule: { users: ['jane'] }, want: true },
    { name: 'another user', rule: { users: ['joe'] }, want: false },
    { name: 'a group', rule: { userGroups: ['ops', 'dev'] }, want: true },
    { name: 'another group', rule: { userGroups: ['ops'] }, want: false },
    { name: 'a verb', rule: { verbs: ['get'] }, want: true },
    { name: 'another verb', rule: { verbs: ['watch'] }, want: false },
    { name: 'a namespace', rule: { namespaces: ['default'] }, want: true },
    { name: 'no namespace', rule: { namespaces: [''] }, request: 'GET /api/v1/nodes', want: true },
    { name: 'a group alone', rule: { resources: [{ group: '' }] }, want: true },
    { name: 'another group of the API', rule: { resources: [{ group: 'apps' }] }, want: false },
    { name: 'a resource', rule: { resources: [{ resources: ['pods'] }] }, want: true },
    {
      name: 'no subresource by its resource',
      rule: { resources: [{ resources: ['pods'] }] },
      request: 'GET /api/v1/namespaces/default/pods/a/log',
      want: false,
    },
    {
      name: 'a subresource',
      rule: { resources: [{ resources: ['pods/log'] }] },
      request: 'GET /api/v1/namespaces/default/pods/a/log',
      want: true,
    },
    {
      name: 'all subresources of a resource, itself too',
      rule: { resources: [{ resources: ['pods/*'] }] },
      want: true,
    },
    {
      name: 'a subresource of any resource',
      rule: { resources: [{ resources: ['*/log'] }] },
      request: 'GET /api/v1/namespaces/default/pods/a/log',
      want: true,
    },
    {
      name: 'a name',
      rule: { resources: [{ resources: ['pods'], resourceNames: ['a'] }] },
      want: true,
    },
    {
      name: 'another name',
      rule: { resources: [{ resources: ['pods'], resourceNames: ['b'] }] },
      want: false,
    },
    {
      name: 'a path',
      rule: { nonResourceURLs: ['/healthz*'] },
      request: 'GET /healthz/etcd',
      want: true,
    },
    { name: 'no resource by a path', rule: { nonResourceURLs: ['*'] }, want: false },
    {
      name: 'no path by a resource',
      rule: { namespaces: [''] },
      request: 'GET /healthz',
      want: false,
    },
  ])('matches $name', ({ rule, request = POD, want }) => {
    expect(ruleMatches({ level: 'Metadata', ...rule }, user, infoOf(request))).toBe(want);
  });
});

describe('evaluate()', () => {
  it('takes the first rule that matches, and what the policy omits too', () => {
    const policy = parseAuditPolicy(
      `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: [joe]
- level: Request
  omitStages: [ResponseStarted]
- level: RequestResponse
`,
      'policy.yaml',
    );
    expect(evaluate(policy, user, infoOf(POD))).toEqual({
      level: 'Request',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      omitManagedFields: true,
    });
    expect(evaluate(policy, { name: 'joe', groups: [] }, infoOf(POD)).level).toBe('None');
  });
});

describe('parseAuditPolicy()', () => {
  it.each([
    { name: 'another kind', text: 'kind: Pod', want: 'kind must be Policy' },
    {
      name: 'no rules',
      text: 'kind: Policy\napiVersion: audit.k8s.io/v1\nrules: []',
      want: 'loaded illegal policy with 0 rules',
    },
    {
      name: 'an old version',
      text: 'kind: Policy\napiVersion: audit.k8s.io/v1beta1',
      want: 'apiVersion must be audit.k8s.io/v1',
    },
    {
      name: 'an unknown level and field',
      text: 'kind: Policy\napiVersion: audit.k8s.io/v1\nrules: [{ level: All, who: me }]',
      want: 'rules[0].who: unknown field, rules[0].level: Unsupported value: "All"',
    },
    {
      name: 'paths and resources in one rule',
      text: 'kind: Policy\napiVersion: audit.k8s.io/v1\nrules: [{ level: None, namespaces: [a], nonResourceURLs: [x] }]',
      want: 'rules cannot apply to both regular resources and non-resource URLs',
    },
  ])('refuses $name', ({ text, want }) => {
    expect(() => parseAuditPolicy(text, 'p')).toThrow(want);
  });
});
