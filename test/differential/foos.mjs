// Two definitions of the scenarios: one with everything in it, and a plain one without a namespace.
import { GROUP, definition, integer, string } from './custom.mjs';

const keyed = {
  type: 'array',
  items: {
    type: 'object',
    required: ['k'],
    properties: { k: string, v: { ...integer, default: 7 }, w: string },
  },
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['k'],
};

const spec = {
  type: 'object',
  properties: {
    replicas: { ...integer, format: 'int32', minimum: 0, default: 1 },
    name: { ...string, maxLength: 10, pattern: '^[a-z]+$' },
    choice: { ...string, enum: ['a', 'b'] },
    date: { ...string, format: 'date-time' },
    short: { ...string, format: 'k8s-short-name' },
    long: { ...string, format: 'k8s-long-name' },
    uuid: { ...string, format: 'uuid' },
    ip: { ...string, format: 'ipv4' },
    duration: { ...string, format: 'duration' },
    bytes: { ...string, format: 'byte' },
    number: { type: 'number', minimum: 1.5, multipleOf: 0.5 },
    flag: { type: 'boolean', default: false },
    fixed: {
      ...string,
      maxLength: 9,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'is immutable' }],
    },
    once: {
      ...string,
      maxLength: 9,
      'x-kubernetes-validations': [
        {
          rule: '!oldSelf.hasValue() || oldSelf.value() == self',
          optionalOldSelf: true,
          messageExpression: 'oldSelf.hasValue() ? "was set" : "was not"',
          reason: 'FieldValueForbidden',
        },
      ],
    },
    both: {
      type: 'object',
      properties: { low: integer, high: integer },
      'x-kubernetes-validations': [
        {
          rule: 'self.low <= self.high',
          messageExpression: 'self.low > 5 ? "much too low" : "too low"',
          fieldPath: '.low',
          reason: 'FieldValueRequired',
        },
      ],
    },
    set: { type: 'array', items: string, 'x-kubernetes-list-type': 'set', maxItems: 4 },
    keyed,
    atomic: { type: 'array', items: integer },
    map: { type: 'object', additionalProperties: { ...string, maxLength: 5 } },
    atomicMap: { type: 'object', additionalProperties: string, 'x-kubernetes-map-type': 'atomic' },
    any: { 'x-kubernetes-preserve-unknown-fields': true },
    port: { 'x-kubernetes-int-or-string': true },
    nil: { ...string, nullable: true },
    nilDefault: { ...string, nullable: true, default: 'd' },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
    deep: {
      type: 'object',
      properties: {
        er: {
          type: 'object',
          default: { x: 'y' },
          properties: { x: string, z: { ...string, default: 'zz' } },
        },
      },
    },
    one: {
      type: 'object',
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
      properties: { a: string, b: string },
    },
    not: { ...string, not: { enum: ['never'] } },
    selector: string,
  },
};

const status = {
  type: 'object',
  properties: {
    replicas: integer,
    selector: string,
    phase: { ...string, enum: ['Up', 'Down'] },
    when: { ...string, format: 'date-time' },
    conditions: {
      ...keyed,
      items: { type: 'object', required: ['type'], properties: { type: string, status: string } },
      'x-kubernetes-list-map-keys': ['type'],
    },
  },
};

const schema = {
  type: 'object',
  description: 'Foo is.',
  required: ['spec'],
  properties: { spec, status },
};

const column = (name, type, jsonPath, more) => ({ name, type, jsonPath, ...more });

const columns = [
  column('Replicas', 'integer', '.spec.replicas', { description: 'How many.' }),
  column('Name', 'string', '.spec.name'),
  column('Number', 'number', '.spec.number', { priority: 1 }),
  column('Flag', 'boolean', '.spec.flag'),
  column('When', 'date', '.status.when'),
  column('Set', 'string', '.spec.set'),
  column('First', 'string', '.spec.set[0]'),
  column('All', 'string', '.spec.set[*]'),
  column('Map', 'string', '.spec.map'),
  column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status'),
  column('Port', 'string', '.spec.port'),
  column('PortAsInteger', 'integer', '.spec.port'),
  column('Bytes', 'string', '.spec.bytes', { format: 'byte' }),
  column('Label', 'string', '.metadata.labels.a\\.b/c'),
  column('Age', 'date', '.metadata.creationTimestamp'),
  column('Annotations', 'string', '.metadata.annotations'),
  column('Bad', 'integer', '.spec.name'),
];

const version = (name, more) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: schema },
  subresources: {
    status: {},
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  },
  ...more,
});

export const FOOS = definition(
  {},
  {
    metadata: { name: `foos.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        plural: 'foos',
        singular: 'foo',
        kind: 'Foo',
        listKind: 'FooList',
        shortNames: ['fo'],
        categories: ['every'],
      },
      versions: [
        version('v1', {
          additionalPrinterColumns: columns,
          selectableFields: [
            { jsonPath: '.spec.name' },
            { jsonPath: '.spec.replicas' },
            { jsonPath: '.spec.flag' },
          ],
        }),
        version('v1beta1', { deprecated: true }),
        version('v1alpha1', {
          deprecated: true,
          deprecationWarning: 'v1alpha1 is nearly gone',
          schema: {
            openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
          subresources: undefined,
        }),
        version('v0', { served: false }),
      ],
    },
  },
);

export const BARS = definition(
  { type: 'object', properties: { n: integer, replicas: integer } },
  {
    metadata: { name: `bars.${GROUP}` },
    spec: { group: GROUP, scope: 'Cluster', names: { plural: 'bars', kind: 'Bar' } },
  },
);
