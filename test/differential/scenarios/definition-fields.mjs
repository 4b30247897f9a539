// Versions, columns, conversions and names of definitions, each created as a dry run.
import {
  DRY_RUNS,
  define,
  definition,
  integer,
  list,
  map,
  object,
  spec,
  string,
} from '../custom.mjs';

const spare = object({
  spec: object({
    a: string,
    n: integer,
    o: object({ b: string }),
    l: list(string),
    m: map(string),
    t: { type: 'number' },
    b: { type: 'boolean' },
  }),
  status: object({
    replicas: integer,
    selector: string,
    conditions: list(object({ type: string })),
  }),
});

const withVersion = (version) => define(JSON.stringify(version), spare, {}, version);

const withSpec = (more) => define(JSON.stringify(more).slice(0, 200), spare, { spec: more });

const versionCases = [
  ...[
    '.spec.a',
    '.spec.n',
    '.spec.t',
    '.spec.b',
    '.spec.o',
    '.spec.l',
    '.spec.l[0]',
    '.spec.m',
    '.spec.zz',
    '.metadata.name',
    '.metadata.labels',
    '.spec.m.x',
    'spec.a',
    '',
    '.spec.o.b',
    '.status.selector',
    '.spec..a',
    ' .spec.a',
    '.spec.a ',
    '.kind',
    '.',
    '.spec',
  ].map((jsonPath) => ({ selectableFields: [{ jsonPath }] })),
  { selectableFields: [{ jsonPath: '.spec.a' }, { jsonPath: '.spec.a' }] },
  { selectableFields: Array.from({ length: 9 }, () => ({ jsonPath: '.spec.a' })) },
  { selectableFields: [{}] },
  { selectableFields: [] },
  ...['string', 'integer', 'number', 'boolean', 'date', 'object', ''].flatMap((type) =>
    ['', 'date', 'int32', 'int64', 'byte', 'password', 'double', 'date-time', 'other'].map(
      (format) => ({
        additionalPrinterColumns: [{ name: 'A', type, format, jsonPath: '.spec.a' }],
      }),
    ),
  ),
  ...[
    '.spec.a',
    'spec.a',
    '',
    '{.spec.a}',
    '.spec.l[*]',
    '.spec.l[?(@.a=="b")]',
    '.spec[',
    '.metadata.labels.a\\.b',
    '.spec.l[0:2]',
    "['a']",
    '..a',
    '.status.conditions[?(@.type=="Ready")].status',
  ].map((jsonPath) => ({ additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath }] })),
  { additionalPrinterColumns: [{ name: '', type: 'string', jsonPath: '.a' }] },
  {
    additionalPrinterColumns: [{ type: 'string', jsonPath: '.a', priority: -1, description: 'x' }],
  },
  { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a', priority: 1.5 }] },
  {
    additionalPrinterColumns: [
      { name: 'A', type: 'string', jsonPath: '.a' },
      { name: 'A', type: 'string', jsonPath: '.b' },
    ],
  },
  { additionalPrinterColumns: [] },
  { subresources: {} },
  { subresources: { status: {} } },
  { subresources: { status: { a: 1 } } },
  { subresources: { status: null } },
  { subresources: { scale: {} } },
  {
    subresources: {
      scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.replicas' },
    },
  },
  {
    subresources: {
      scale: {
        specReplicasPath: '.spec.n',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
    },
  },
  {
    subresources: {
      scale: {
        specReplicasPath: '.spec.n',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '',
      },
    },
  },
  {
    subresources: {
      scale: {
        specReplicasPath: 'spec.n',
        statusReplicasPath: '.spec.replicas',
        labelSelectorPath: '.metadata.selector',
      },
    },
  },
  {
    subresources: {
      scale: {
        specReplicasPath: '.spec.l[0]',
        statusReplicasPath: '.status..x',
        labelSelectorPath: '.spec.a[',
      },
    },
  },
  {
    subresources: {
      scale: {
        specReplicasPath: '.spec.',
        statusReplicasPath: '.status',
        labelSelectorPath: '.spec',
      },
    },
  },
  { name: '' },
  { name: 'V1' },
  { name: 'v1.1' },
  { name: 'a'.repeat(64) },
  { served: false },
  { storage: false },
  { schema: null },
  { schema: {} },
  { schema: { openAPIV3Schema: null } },
  { deprecated: true },
  { deprecated: true, deprecationWarning: 'gone soon' },
  { deprecationWarning: 'x' },
  { deprecated: true, deprecationWarning: '' },
  { deprecated: true, deprecationWarning: 'a\nb' },
  { deprecated: true, deprecationWarning: 'x'.repeat(257) },
  { deprecated: true, deprecationWarning: 'é\u0000' },
].map(withVersion);

const v = (name, more) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object' } },
  ...more,
});

const conversions = [
  {},
  { strategy: 'None' },
  { strategy: '' },
  { strategy: 'Other' },
  { strategy: 'Webhook' },
  { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } },
  { strategy: 'Webhook', webhook: {} },
  { strategy: 'Webhook', webhook: { conversionReviewVersions: [] } },
  { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'] } },
  { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: {} } },
  {
    strategy: 'Webhook',
    webhook: { conversionReviewVersions: ['v2'], clientConfig: { url: 'https://a.b' } },
  },
  {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['V_2', 'v1', 'v1'],
      clientConfig: { url: 'https://a.b' },
    },
  },
  ...['http://a.b', 'https://a.b?x=y', 'https://u:p@a.b', 'https://', 'a', 'https://a.b#x', ''].map(
    (url) => ({
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: { url } },
    }),
  ),
  ...[
    {},
    { name: 'a' },
    { namespace: 'a' },
    { name: 'a', namespace: 'b' },
    { name: 'a', namespace: 'b', port: 0 },
    { name: 'a', namespace: 'b', port: 70000 },
    { name: 'a', namespace: 'b', path: 'x' },
    { name: 'a', namespace: 'b', path: '//x/' },
    { name: 'a', namespace: 'b', path: '/x y/z' },
    { name: 'A!', namespace: 'B!' },
  ].map((service) => ({
    strategy: 'Webhook',
    webhook: { conversionReviewVersions: ['v1'], clientConfig: { service } },
  })),
  {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['v1'],
      clientConfig: { url: 'https://a.b', service: { name: 'a', namespace: 'b' } },
    },
  },
  {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['v1'],
      clientConfig: { url: 'https://a.b', caBundle: 'eA==' },
    },
  },
  {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['v1'],
      clientConfig: { url: 'https://a.b', caBundle: '???' },
    },
  },
].map((conversion) => withSpec({ conversion }));

const specCases = [
  { versions: [] },
  { versions: null },
  { versions: [v('v1'), v('v1')] },
  { versions: [v('v1'), v('v2')] },
  { versions: [v('v1'), v('v2', { storage: true })] },
  {
    versions: [
      v('v1'),
      v('v2', {
        schema: { openAPIV3Schema: { type: 'object', properties: { a: string } } },
        additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a' }],
      }),
    ],
  },
  { scope: 'Cluster' },
  { scope: '' },
  { scope: 'Other' },
  { group: '' },
  { group: 'a' },
  { group: 'A.b' },
  { group: 'x.k8s.io' },
  { group: 'other.example.com' },
  { preserveUnknownFields: true },
  { preserveUnknownFields: false },
  { names: {} },
  { names: { plural: 'foos', kind: 'Foo' } },
  {
    names: {
      plural: 'Foos',
      singular: 'FOO',
      kind: 'foo_',
      listKind: 'x!',
      shortNames: ['A', ''],
      categories: ['B!', ''],
    },
  },
  { names: { plural: 'foos', kind: 'Foo', listKind: 'Foo' } },
  {
    names: {
      plural: 'foos',
      kind: 'Foo',
      shortNames: ['foos', 'f', 'f'],
      categories: ['all', 'all'],
    },
  },
  { names: { plural: 'foos', kind: 'Foo', singular: 'foos' } },
].map(withSpec);

const metas = [
  { annotations: { 'api-approved.kubernetes.io': 'https://github.com/x' } },
  { annotations: { 'api-approved.kubernetes.io': 'unapproved, x' } },
  { annotations: { 'api-approved.kubernetes.io': 'bad' } },
  { annotations: { 'api-approved.kubernetes.io': '' } },
  undefined,
].map((annotations) => ({
  label: `approval ${JSON.stringify(annotations)}`,
  method: 'POST',
  path: DRY_RUNS,
  body: definition(spec({ a: string }), {
    metadata: { name: 'foos.x.k8s.io', ...annotations },
    spec: { group: 'x.k8s.io' },
  }),
}));

export const scenarios = {
  'definition-fields': [...versionCases, ...conversions, ...specCases, ...metas],
};
