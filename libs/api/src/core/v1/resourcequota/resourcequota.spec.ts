import { describe, expect, it } from '@jest/globals';
import type { Refused } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { ResourceQuotaKind } from './resourcequota.kind.js';

const selects = (...matchExpressions: object[]): object => ({
  spec: { hard: { pods: '1' }, scopeSelector: { matchExpressions } },
});

describe('a resource quota', () => {
  it.each<Refused>([
    {
      name: 'names and amounts that are none',
      change: { spec: { hard: { 'no good': '1', bar: '1', pods: '-1', services: '1500m' } } },
      want: [
        'spec.hard[bar]: Invalid value: "bar": must be a standard resource type or fully qualified',
        'spec.hard[bar]: Invalid value: "bar": must be a standard resource for quota',
        "spec.hard[no good]: Invalid value: \"no good\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        'spec.hard[no good]: Invalid value: "no good": must be a standard resource for quota',
        'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.hard[services]: Invalid value: "1500m": must be an integer',
      ],
    },
    {
      name: 'scopes of pods with resources that scopes do not know',
      change: {
        spec: {
          hard: { 'requests.ephemeral-storage': '1', 'hugepages-2Mi': '2Mi' },
          scopes: ['NotBestEffort'],
        },
      },
      want: ['hugepages-2Mi', 'requests.ephemeral-storage'].map(
        () =>
          'spec.scopes: Invalid value: ["NotBestEffort"]: unsupported scope applied to resource',
      ),
    },
    {
      name: 'scopes that exclude each other',
      change: { spec: { scopes: ['BestEffort', 'NotBestEffort', 'Some'] } },
      want: [
        'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Some"]: unsupported scope',
        'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","Some"]: conflicting scopes',
      ],
    },
    {
      name: 'a scope over what it has not',
      change: { spec: { hard: { services: '1' }, scopes: ['Terminating'] } },
      want: ['spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource'],
    },
    {
      name: 'operators without their values',
      change: selects(
        { scopeName: 'PriorityClass', operator: 'In' },
        { scopeName: 'Terminating', operator: 'DoesNotExist' },
        { scopeName: 'PriorityClass', operator: 'Near', values: ['a'] },
      ),
      want: [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        'spec.scopeSelector.matchExpressions.operator: Invalid value: "DoesNotExist": must be \'Exists\' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity',
        'spec.scopeSelector.matchExpressions.operator: Invalid value: "Near": not a valid selector operator',
      ],
    },
  ])('refuses $name', ({ change, want }) => {
    expect(refusals(ResourceQuotaKind, change)).toEqual(want);
  });

  it('keeps its scopes', () => {
    const change = { spec: { scopes: ['BestEffort'] } };
    expect(updateRefusals(ResourceQuotaKind, {}, change)).toEqual([
      'spec.scopes: Invalid value: ["BestEffort"]: field is immutable',
    ]);
  });
});
