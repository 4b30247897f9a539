import { describe, expect, it } from '@jest/globals';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { context, objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import {
  MutatingAdmissionPolicyBindingKind,
  MutatingAdmissionPolicyKind,
} from '../mutatingadmissionpolicy/mutatingadmissionpolicy.kind.js';
import {
  ValidatingAdmissionPolicyBindingKind,
  ValidatingAdmissionPolicyKind,
} from '../validatingadmissionpolicy/validatingadmissionpolicy.kind.js';
import { ValidatingWebhookConfigurationKind } from '../webhookconfiguration/webhookconfiguration.kind.js';

const valid = { expression: 'true' };
const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const deleting = { resourceRules: [{ ...rule, operations: ['CREATE', 'DELETE'] }] };

const validating: Refused[] = [
  {
    name: 'a reason that is not one of the three',
    change: { spec: { validations: [{ ...valid, reason: 'Unauthorized' }] } },
    want: [
      'spec.validations[0].reason: Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
  },
  {
    name: 'messages that are empty or have lines',
    change: {
      spec: {
        validations: [
          { ...valid, message: ' ', messageExpression: ' ' },
          { ...valid, message: 'a\nb' },
        ],
      },
    },
    want: [
      'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
      'spec.validations[0].message: Invalid value: " ": must be non-empty if specified',
      'spec.validations[1].message: Invalid value: "a\\nb": must not contain line breaks',
    ],
  },
  {
    name: 'variables that cannot be named in an expression',
    change: {
      spec: {
        variables: [
          { name: 'a-b', expression: '1' },
          { name: 'namespace', expression: '1' },
        ],
      },
    },
    want: [
      'spec.variables[0].name: Invalid value: "a-b": must be a valid CEL identifier',
      'spec.variables[1].name: Invalid value: "namespace": must be a valid CEL identifier',
    ],
  },
  {
    name: 'no variable for two underscores in its name',
    change: { spec: { variables: [{ name: 'a__b', expression: '1' }] } },
    want: [],
  },
];

const PATCH = '[JSONPatch{op: "remove", path: "/spec"}]';

const mutating: Refused[] = [
  {
    name: 'no word on reinvocation',
    change: { spec: { reinvocationPolicy: undefined } },
    want: ['spec.reinvocationPolicy: Required value'],
  },
  {
    name: 'requests that have nothing to mutate',
    change: { spec: { matchConstraints: deleting } },
    want: [
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ],
  },
  {
    name: 'a patch of the other kind',
    change: {
      spec: {
        mutations: [
          {
            patchType: 'JSONPatch',
            applyConfiguration: { expression: 'Object{}' },
            jsonPatch: { expression: PATCH },
          },
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: { expression: 'Object{}' },
            jsonPatch: { expression: PATCH },
          },
        ],
      },
    },
    want: [
      'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      'spec.mutations[1].jsonPatch: Invalid value: "{jsonPatch}": must not be specified when patchType is ApplyConfiguration',
    ],
  },
  {
    name: 'empty patches',
    change: {
      spec: {
        mutations: [
          { patchType: 'JSONPatch', jsonPatch: { expression: ' ' } },
          { patchType: 'ApplyConfiguration', applyConfiguration: {} },
        ],
      },
    },
    want: [
      'spec.mutations[0].jsonPatch.expression: Required value',
      'spec.mutations[1].applyConfiguration.expression: Required value',
    ],
  },
];

const binding: Refused[] = [
  {
    name: 'an action on missing parameters that there is not',
    change: { spec: { paramRef: { name: 'x', parameterNotFoundAction: 'Ignore' } } },
    want: [
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "Ignore": supported values: "Deny", "Allow"',
    ],
  },
  {
    name: 'match resources that are wrong',
    change: { spec: { matchResources: { matchPolicy: 'X' } } },
    want: [
      'spec.matchResources.matchPolicy: Unsupported value: "X": supported values: "Equivalent", "Exact"',
    ],
  },
];

const wrong = { matchConditions: [{ name: 'a', expression: 'params.x' }] };

const updates: RefusedUpdate[] = [
  {
    name: 'nothing for match conditions that were wrong and did not change',
    before: { spec: wrong },
    after: { spec: { ...wrong, failurePolicy: 'Ignore' } },
    want: [],
  },
  {
    name: 'match conditions that lose their parameters',
    before: { spec: { ...wrong, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } } },
    after: { spec: wrong },
    want: [
      expect.stringContaining(
        'spec.matchConditions[0].expression: Invalid value: "params.x"',
      ) as unknown as string,
    ],
  },
];

const condition = { type: 'A', status: 'Maybe', reason: 'R', lastTransitionTime: context.now };

describe('ValidatingAdmissionPolicies', () => {
  it.each(validating)('refuse $name', ({ change, want }) => {
    expect(refusals(ValidatingAdmissionPolicyKind, change)).toEqual(want);
  });

  it.each(updates)('refuse in updates $name', ({ before, after, want }) => {
    expect(updateRefusals(ValidatingAdmissionPolicyKind, before, after)).toEqual(want);
  });

  it('refuse statuses that say nothing', () => {
    const status = {
      typeChecking: {
        expressionWarnings: [
          { fieldRef: ' ', warning: '' },
          { fieldRef: 'spec[', warning: 'w' },
        ],
      },
      conditions: [condition],
    };
    expect(updateRefusals(ValidatingAdmissionPolicyKind, {}, { status }, 'status')).toEqual([
      'status.typeChecking.expressionWarnings[0].warning: Required value',
      'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
      expect.stringContaining(
        'status.typeChecking.expressionWarnings[1].fieldRef: Invalid value: "spec[": invalid JSONPath: ',
      ),
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
    ]);
  });
});

describe('MutatingAdmissionPolicies', () => {
  it.each(mutating)('refuse $name', ({ change, want }) => {
    expect(refusals(MutatingAdmissionPolicyKind, change)).toEqual(want);
  });

  it('keep wrong match conditions in updates', () => {
    const after = { spec: { ...wrong, failurePolicy: 'Ignore' } };
    expect(updateRefusals(MutatingAdmissionPolicyKind, { spec: wrong }, after)).toEqual([]);
  });
});

describe('bindings of policies', () => {
  it.each(binding)('refuse $name', ({ change, want }) => {
    expect(refusals(ValidatingAdmissionPolicyBindingKind, change)).toEqual(want);
    expect(refusals(MutatingAdmissionPolicyBindingKind, change)).toEqual(want);
  });

  it('refuse deletes for mutations', () => {
    const change = { spec: { matchResources: deleting } };
    expect(refusals(MutatingAdmissionPolicyBindingKind, change)).toEqual([
      'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ]);
    expect(refusals(ValidatingAdmissionPolicyBindingKind, change)).toEqual([]);
  });
});

it.each([
  ValidatingAdmissionPolicyKind,
  ValidatingAdmissionPolicyBindingKind,
  MutatingAdmissionPolicyKind,
  MutatingAdmissionPolicyBindingKind,
  ValidatingWebhookConfigurationKind,
])('$kind: names for files on the server’s disk are warned of', (kind) => {
  const told: string[] = [];
  const object = objectOf(kind as typeof ValidatingAdmissionPolicyKind, {
    metadata: { name: 'a.static.k8s.io' },
  });
  const strategy = kind.strategy as typeof ValidatingAdmissionPolicyKind.strategy;
  const listening = { ...context, warn: (text: string) => void told.push(text) };
  strategy.validate?.(object, listening);
  strategy.validateUpdate?.(object, object, listening);
  const text =
    'metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API';
  expect(told).toEqual([text, text]);
});
