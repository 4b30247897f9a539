import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../findings.fixture.js';
import { refusals } from '../../findings.fixture.js';
import { FlowSchemaKind } from './flowschema/flowschema.kind.js';
import { PriorityLevelConfigurationKind } from './prioritylevelconfiguration/prioritylevelconfiguration.kind.js';

const queuing = (fields: object): object => ({
  spec: { limited: { limitResponse: { type: 'Queue', queuing: fields } } },
});
const rule = (fields: object): object => ({ spec: { rules: [fields] } });
const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] };

describe('a flow schema', () => {
  it.each<Refused>([
    {
      name: 'a precedence out of range',
      change: { spec: { matchingPrecedence: 10001, distinguisherMethod: { type: 'ByMood' } } },
      want: [
        'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
        'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByMood"}: supported values: "ByNamespace", "ByUser"',
      ],
    },
    {
      name: 'a precedence kept for the exempt',
      change: { spec: { matchingPrecedence: 1, priorityLevelConfiguration: { name: '' } } },
      want: [
        "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
        'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
      ],
    },
    {
      name: 'rules for nobody and nothing',
      change: rule({ subjects: [] }),
      want: [
        'spec.rules[0].subjects: Required value: subjects must contain at least one value',
        'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      ],
    },
    {
      name: 'subjects that do not fit their kind',
      change: rule({
        subjects: [
          { kind: 'User', group: { name: 'x' } },
          { kind: 'Robot' },
          { kind: 'ServiceAccount', serviceAccount: { namespace: '', name: 'A' } },
        ],
        resourceRules: [everything],
      }),
      want: [
        "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
        'spec.rules[0].subjects[1].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
        "spec.rules[0].subjects[2].serviceAccount.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec.rules[0].subjects[2].serviceAccount.namespace: Required value: must specify namespace for service account',
      ],
    },
    {
      name: 'verbs, groups and resources beside all of them',
      change: rule({
        subjects: [{ kind: 'Group', group: { name: 'g' } }],
        resourceRules: [
          { verbs: ['*', 'get'], apiGroups: ['*', 'a'], resources: ['*', 'b'] },
          { ...everything, verbs: ['look'] },
        ],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['x', '/a/*/b', '/a//b'] }],
      }),
      want: [
        'spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
        'spec.rules[0].resourceRules[0].apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other api groups',
        'spec.rules[0].resourceRules[0].resources: Invalid value: ["*","b"]: if \'*\' is present, must not specify other resources',
        'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
        'spec.rules[0].resourceRules[1].verbs: Unsupported value: ["look"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a/*/b": wildcard can only do suffix matching',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a//b": must not contain double slash',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(FlowSchemaKind, change)).toEqual(want);
  });
});

describe('a priority level', () => {
  it.each<Refused>([
    {
      name: 'a hand of more than 60 bits',
      change: queuing({ queues: 128, handSize: 12 }),
      want: [
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 12: required entropy bits of deckSize 128 and handSize 12 should not be greater than 60',
      ],
    },
    {
      name: 'more cards than queues',
      change: queuing({ queues: 4, handSize: 8, queueLengthLimit: 50 }),
      want: [
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues (4)',
      ],
    },
    {
      name: 'queues of what rejects',
      change: {
        spec: {
          limited: {
            nominalConcurrencyShares: -1,
            lendablePercent: 101,
            borrowingLimitPercent: -1,
            limitResponse: { type: 'Reject' },
          },
        },
      },
      want: [
        'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
        'spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited',
        'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
        'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
      ],
    },
    {
      name: 'a type without its part',
      change: { spec: { type: 'Exempt' } },
      want: [
        "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'",
        'spec.limited: Forbidden: must be nil if the type is not Limited',
      ],
    },
    {
      name: 'a type that is none',
      change: { spec: { type: 'Some' } },
      want: ['spec.type: Unsupported value: "Some": supported values: "Exempt", "Limited"'],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(PriorityLevelConfigurationKind, change)).toEqual(want);
  });

  it('changes nothing of the mandatory ones', () => {
    const change = { metadata: { name: 'catch-all' } };
    const found = refusals(PriorityLevelConfigurationKind, change);
    expect(found.map((line) => line.replace(/\{.*\}/, '{…}'))).toEqual([
      "spec: Invalid value: {…}: spec of 'catch-all' must equal the fixed value",
    ]);
  });
});
