import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
} from './webhookconfiguration.kind.js';

const hook = {
  name: 'hook.example.com',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://hook.example.com/admit' },
};
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };

const of = (change: object): object => ({ webhooks: [{ ...hook, ...change }] });
const service = (change: object): object =>
  of({ clientConfig: { service: { name: 's', namespace: 'n', ...change } } });
const ruled = (change: object): object => of({ rules: [{ ...rule, ...change }] });

const FORM = '; desired format: https://host[/path]';
const DNS_LABEL =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

const refused: readonly Refused[] = [
  {
    name: 'a webhook without a name',
    change: of({ name: undefined }),
    want: ['webhooks[0].name: Required value'],
  },
  {
    name: 'a name of two segments',
    change: of({ name: 'a.b' }),
    want: [
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    ],
  },
  {
    name: 'empty words where one of a set is expected',
    change: of({ failurePolicy: '', matchPolicy: '', sideEffects: '' }),
    want: [
      'webhooks[0].failurePolicy: Unsupported value: "": supported values: "Fail", "Ignore"',
      'webhooks[0].matchPolicy: Unsupported value: "": supported values: "Equivalent", "Exact"',
      'webhooks[0].sideEffects: Unsupported value: "": supported values: "None", "NoneOnDryRun"',
    ],
  },
  {
    name: 'no word about side effects',
    change: of({ sideEffects: undefined }),
    want: ['webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun'],
  },
  {
    name: 'versions of reviews that nobody knows, one of them twice',
    change: of({ admissionReviewVersions: ['v9', 'v9', 'V'] }),
    want: [
      'webhooks[0].admissionReviewVersions[1]: Invalid value: "v9": duplicate version',
      `webhooks[0].admissionReviewVersions[2]: Invalid value: "V": ${DNS_LABEL}`,
      'webhooks[0].admissionReviewVersions: Invalid value: ["v9","v9","V"]: must include at least one of v1, v1beta1',
    ],
  },
  {
    name: 'a URL without scheme and host',
    change: of({ clientConfig: { url: 'ok' } }),
    want: [
      `webhooks[0].clientConfig.url: Invalid value: "": 'https' is the only allowed URL scheme${FORM}`,
      `webhooks[0].clientConfig.url: Invalid value: "": host must be specified${FORM}`,
    ],
  },
  {
    name: 'a URL with all that it must not have',
    change: of({ clientConfig: { url: 'http://a:b@host/x?q=1#f' } }),
    want: [
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme${FORM}`,
      'webhooks[0].clientConfig.url: Invalid value: "a:b": user information is not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "q=1": query parameters are not permitted in the URL',
    ],
  },
  {
    name: 'no URL at all',
    change: of({ clientConfig: { url: '://x' } }),
    want: [
      `webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse "://x": missing protocol scheme${FORM}`,
    ],
  },
  {
    name: 'a port of a service that is none',
    change: service({ port: 70_000 }),
    want: [
      'webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
    ],
  },
  {
    name: 'a path of a service with an empty segment',
    change: service({ path: '/a//b' }),
    want: [
      'webhooks[0].clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty',
    ],
  },
  {
    name: 'a path of a service without a slash',
    change: service({ path: 'xa' }),
    want: ['webhooks[0].clientConfig.service.path: Invalid value: "xa": must start with a \'/\''],
  },
  {
    name: 'a star beside others',
    change: ruled({
      operations: ['*', 'CREATE'],
      apiGroups: ['*', 'apps'],
      apiVersions: ['*', 'v1'],
      resources: ['*', 'pods'],
    }),
    want: [
      'webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations',
      'webhooks[0].rules[0].apiGroups: Invalid value: ["*","apps"]: if \'*\' is present, must not specify other API groups',
      'webhooks[0].rules[0].apiVersions: Invalid value: ["*","v1"]: if \'*\' is present, must not specify other API versions',
      'webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
    ],
  },
  {
    name: 'empty words in a rule',
    change: ruled({ operations: [''], apiVersions: [''], resources: [''], scope: '' }),
    want: [
      'webhooks[0].rules[0].operations[0]: Unsupported value: "": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      'webhooks[0].rules[0].apiVersions[0]: Required value',
      'webhooks[0].rules[0].resources[0]: Required value',
      'webhooks[0].rules[0].scope: Unsupported value: "": supported values: "*", "Cluster", "Namespaced"',
    ],
  },
  {
    name: 'resources that another one of the rule covers',
    change: ruled({ resources: ['pods/*', 'pods/log', '*/scale', 'deployments/scale', '*/*'] }),
    want: [
      'webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
      'webhooks[0].rules[0].resources[3]: Invalid value: "deployments/scale": if \'*/scale\' is present, must not specify deployments/scale',
      'webhooks[0].rules[0].resources: Invalid value: ["pods/*","pods/log","*/scale","deployments/scale","*/*"]: if \'*/*\' is present, must not specify other resources',
    ],
  },
  {
    name: 'match conditions without name or expression',
    change: of({ matchConditions: [{ name: '', expression: '' }] }),
    want: [
      'webhooks[0].matchConditions[0].expression: Required value',
      'webhooks[0].matchConditions[0].name: Required value',
    ],
  },
];

const twice = (change: object): object => ({
  webhooks: [1, 2].map(() => ({ ...hook, ...change })),
});
const odd = { matchExpressions: [{ key: 'a', operator: 'In', values: ['!'] }] };

const updates: RefusedUpdate[] = [
  {
    name: 'side effects, while there were none',
    before: of({}),
    after: of({ sideEffects: 'Some' }),
    want: [
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
  },
  {
    name: 'no side effects where there were some, but words that are none',
    before: of({ sideEffects: 'Unknown' }),
    after: {
      webhooks: [
        { ...hook, sideEffects: 'Some' },
        { ...hook, name: 'b.c.d', sideEffects: 'X' },
      ],
    },
    want: [
      'webhooks[1].sideEffects: Unsupported value: "X": supported values: "None", "NoneOnDryRun", "Some", "Unknown"',
    ],
  },
  {
    name: 'no unknown review version where all were',
    before: of({ admissionReviewVersions: ['v9'] }),
    after: of({ admissionReviewVersions: ['v10'] }),
    want: [],
  },
  {
    name: 'no names that repeat where they did',
    before: twice({}),
    after: twice({ timeoutSeconds: 5 }),
    want: [],
  },
  {
    name: 'no values of selectors where they were wrong',
    before: of({ objectSelector: odd }),
    after: of({ namespaceSelector: odd }),
    want: [],
  },
  {
    name: 'no match conditions that were wrong and stay',
    before: of({ matchConditions: [{ name: '', expression: '1 +' }] }),
    after: of({ matchConditions: [{ name: '', expression: '1 +' }], timeoutSeconds: 5 }),
    want: [],
  },
];

describe('webhook configurations', () => {
  it.each(updates)('refuse in updates $name', ({ before, after, want }) => {
    expect(updateRefusals(ValidatingWebhookConfigurationKind, before, after)).toEqual(want);
    expect(updateRefusals(MutatingWebhookConfigurationKind, before, after)).toEqual(want);
  });

  it.each(refused)('refuse $name', ({ change, want }) => {
    expect(refusals(ValidatingWebhookConfigurationKind, change)).toEqual(want);
  });

  it.each([
    { name: 'a service with a path', change: service({ path: '/a/b/', port: 8443 }) },
    { name: 'a root path', change: service({ path: '/' }) },
    { name: 'a subresource of everything', change: ruled({ resources: ['*', 'pods/log'] }) },
    { name: 'all resources of all groups', change: ruled({ resources: ['*/*'] }) },
    {
      name: 'a match condition',
      change: of({ matchConditions: [{ name: 'x', expression: 'request.name != "a"' }] }),
    },
  ])('accept $name', ({ change }) => {
    expect(refusals(ValidatingWebhookConfigurationKind, change)).toEqual([]);
  });

  it('refuse an expression that is not CEL', () => {
    const [finding] = refusals(
      ValidatingWebhookConfigurationKind,
      of({ matchConditions: [{ name: 'x', expression: '1 +' }] }),
    );
    expect(finding).toContain('webhooks[0].matchConditions[0].expression: Invalid value: "1 +"');
  });
});
