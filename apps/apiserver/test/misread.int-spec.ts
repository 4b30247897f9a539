import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

const MAPS = '/api/v1/namespaces/default/configmaps';
const FOOS = '/apis/misread.test/v1/namespaces/default/foos';
const PODS = '/api/v1/namespaces/default/pods';

const anything = {
  served: true,
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
};

beforeAll(async () => {
  const flags = ['--disable-admission-plugins=ServiceAccount'];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
  await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'foos.misread.test' },
    spec: {
      group: 'misread.test',
      names: { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', storage: true, ...anything }],
    },
  });
  await api.post(MAPS, { metadata: { name: 'map' }, data: { a: 'b' } });
  await eventually(async () => {
    const { status } = await ask('GET', FOOS);
    if (status !== 200) throw new Error(`the definition is not served yet: ${status}`);
  });
}, 60_000);

afterAll(async () => {
  await api.close();
});

interface Asked {
  readonly body?: string;
  readonly type?: string;
  readonly accept?: string;
}

function ask(
  method: string,
  path: string,
  { body, type = 'application/json', accept = 'application/json' }: Asked = {},
): Promise<Answer> {
  return api.ask(path, {
    method,
    headers: { accept, ...(body === undefined ? {} : { 'content-type': type }) },
    body,
  });
}

const SCHEME = 'pkg/api/legacyscheme/scheme.go:30';
const STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

// Read from kube-apiserver 1.20.2; the names of schemes and of JSON errors are those of 1.36.
describe('a body that is not what is expected', () => {
  it.each([
    [
      '{"apiVersion":"X","kind":"Pod"}',
      `Pod in version "X" cannot be handled as a Pod: no kind "Pod" is registered for version "X" in scheme "${SCHEME}"`,
    ],
    [
      '{"apiVersion":"v1","kind":"pod"}',
      `pod in version "v1" cannot be handled as a Pod: no kind "pod" is registered for version "v1" in scheme "${SCHEME}"`,
    ],
    [
      '{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition"}',
      `CustomResourceDefinition in version "v1" cannot be handled as a Pod: no kind "CustomResourceDefinition" is registered for version "apiextensions.k8s.io/v1" in scheme "${SCHEME}"`,
    ],
    [
      '{"apiVersion":"v1","kind":"Service"}',
      'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
    ],
    [
      '{"apiVersion":"rbac.authorization.k8s.io/v1beta1","kind":"RoleList"}',
      'RoleList in version "v1beta1" cannot be handled as a Pod: converting (v1beta1.RoleList) to (core.Pod): unknown conversion',
    ],
    [
      '{"apiVersion":"a/b/c","kind":"Pod"}',
      'the object provided is unrecognized (must be of type Pod): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c","kind":" ...)',
    ],
    [
      '{"apiVersion":1}',
      `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .apiVersion of type string ({"apiVersion":1})`,
    ],
    [
      '[]',
      `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type ${STRUCT} (5b5d)`,
    ],
    [
      '{"a":',
      `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({"a":)`,
    ],
    [
      '',
      `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`,
    ],
    [
      '{"apiVersion":"v1/","kind":"Pod"}',
      `Pod in version "" cannot be handled as a Pod: Object 'apiVersion' is missing in '{"apiVersion":"v1/","kind":"Pod"}'`,
    ],
  ])('%s is told', async (body, message) => {
    const { json } = await ask('POST', PODS, { body });
    expect(json).toMatchObject({ code: 400, reason: 'BadRequest', message });
  });

  it.each([
    [
      'nonsense',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6e6f6e73656e7365)',
    ],
    ['', 'empty data (<empty>)'],
    ['k8s\0', 'empty body (6b387300)'],
  ])('protobuf %j is told', async (body, problem) => {
    const { json } = await ask('POST', PODS, { body, type: 'application/vnd.kubernetes.protobuf' });
    const message = `the object provided is unrecognized (must be of type Pod): ${problem}`;
    expect(json).toMatchObject({ code: 400, message });
  });

  it.each(['null', '{"apiVersion":"/v1","kind":"Pod"}', '{"apiVersion":"","kind":"Pod"}', '{}'])(
    '%s is a Pod without anything',
    async (body) => {
      const { json } = await ask('POST', PODS, { body });
      expect(json).toMatchObject({ code: 422, details: { kind: 'Pod' } });
    },
  );

  it.each([
    [
      '{"metadata":{"name":"a"}}',
      400,
      `the object provided is unrecognized (must be of type Foo): Object 'Kind' is missing in '{"metadata":{"name":"a"}}' ({"metadata":{"name":"a"}})`,
    ],
    [
      '{"apiVersion":"X","kind":"Foo"}',
      400,
      'the API version in the data (X) does not match the expected API version (misread.test/v1)',
    ],
    [
      '{"apiVersion":"v1","kind":"Pod"}',
      400,
      'the API version in the data (v1) does not match the expected API version (misread.test/v1)',
    ],
    [
      '{"apiVersion":"misread.test/v1","kind":"Bar","metadata":{"name":"a"}}',
      422,
      'Bar.misread.test "a" is invalid: kind: Invalid value: "Bar": must be Foo',
    ],
    [
      '{"apiVersion":"misread.test/v1","kind":"Foo","metadata":[]}',
      400,
      'Foo in version "v1" cannot be handled as a Foo: json: cannot unmarshal array into Go value of type v1.ObjectMeta',
    ],
    [
      '{"apiVersion":"misread.test/v1","kind":"Foo","metadata":{"name":3}}',
      400,
      'Foo in version "v1" cannot be handled as a Foo: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
    ],
    [
      '{"apiVersion":"misread.test/v1","kind":"Foo","metadata":{"name":"a","labels":{"b":1}}}',
      400,
      'Foo in version "v1" cannot be handled as a Foo: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    ],
  ])('custom %s is told', async (body, code, message) => {
    const { json } = await ask('POST', FOOS, { body });
    expect(json).toMatchObject({ code, message });
  });

  it('drops unknown fields of custom metadata, with a warning', async () => {
    const body =
      '{"apiVersion":"misread.test/v1","kind":"Foo","metadata":{"name":"odd","nope":1},"nope":1}';
    const strict = await ask('POST', `${FOOS}?fieldValidation=Strict`, { body });
    expect(strict.json).toMatchObject({
      message: expect.stringContaining('strict decoding error: unknown field "metadata.nope"'),
    });
    const made = await ask('POST', FOOS, { body });
    expect(made.json).toMatchObject({ nope: 1, metadata: { name: 'odd' } });
    expect(made.json['metadata']).not.toHaveProperty('nope');
  });

  it.each([
    [
      '{"apiVersion":"v1","kind":"Pod"}',
      'no kind "Pod" is registered for version "v1" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"',
    ],
    [
      '{"gracePeriodSeconds":"x"}',
      'json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
    ],
    ['{', "couldn't get version/kind; json parse error: unexpected end of JSON input"],
  ])('options of a deletion, %s, are told', async (body, message) => {
    const { json } = await ask('DELETE', `${MAPS}/map`, { body });
    expect(json).toMatchObject({ code: 400, reason: 'BadRequest', message });
  });
});

describe('a patch that leaves another kind', () => {
  it.each([
    ['{"kind":"Pod"}', /converting \(v1\.Pod\) to \(core\.ConfigMap\): unknown conversion$/],
    ['{"apiVersion":"X"}', /no kind "ConfigMap" is registered for version "X" in scheme/],
    ['{"apiVersion":"a/b/c"}', /unexpected GroupVersion string: a\/b\/c$/],
  ])('%s is refused', async (body, message) => {
    const { json } = await ask('PATCH', `${MAPS}/map`, {
      body,
      type: 'application/merge-patch+json',
    });
    expect(json).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: expect.stringMatching(message),
    });
    expect(json['message']).toMatch(/^ "" is invalid: patch: Invalid value: "\{\\"apiVersion/);
  });

  it.each([
    [
      '[]',
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    ['null', 'Invalid JSON Patch'],
  ])('%s is refused', async (body, message) => {
    const { json } = await ask('PATCH', `${MAPS}/map`, {
      body,
      type: 'application/merge-patch+json',
    });
    expect(json).toMatchObject({ code: 400, message });
  });
});

describe('media types', () => {
  const WORDS =
    '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const TAKEN =
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf';
  it.each([
    {
      name: 'Accept of a built-in object',
      method: 'GET',
      path: `${MAPS}/nope`,
      accept: 'application/cbor',
      code: 406,
      message: WORDS,
    },
    {
      name: 'Accept of a list',
      method: 'GET',
      path: MAPS,
      accept: 'text/plain',
      code: 406,
      message: `${WORDS}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch`,
    },
    {
      name: 'Accept of a custom object',
      method: 'GET',
      path: `${FOOS}/nope`,
      accept: 'application/cbor',
      code: 406,
      message: TAKEN,
    },
    {
      name: 'the type of a patch',
      method: 'PATCH',
      path: `${MAPS}/nope`,
      body: '{}',
      type: 'text/plain',
      code: 415,
      message: '415: Unsupported Media Type',
    },
    {
      name: 'the type of a custom patch',
      method: 'PATCH',
      path: `${FOOS}/nope`,
      body: '{}',
      type: 'application/strategic-merge-patch+json',
      code: 415,
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    },
  ])(
    '$name is refused before the object is looked for',
    async ({ method, path, code, message, ...how }) => {
      expect((await ask(method, path, how)).json).toMatchObject({ code, message });
    },
  );
});

describe('what has no route', () => {
  const NO_RESOURCE = 'the server could not find the requested resource';
  it.each([
    {
      name: 'PUT of a collection',
      method: 'PUT',
      path: MAPS,
      body: '{}',
      code: 405,
      message: 'the server does not allow this method on the requested resource',
    },
    {
      name: 'PATCH of a custom collection',
      method: 'PATCH',
      path: FOOS,
      body: '{}',
      code: 400,
      message: 'name must be provided',
    },
    {
      name: 'an unknown resource',
      method: 'GET',
      path: '/api/v1/nopes',
      code: 404,
      message: NO_RESOURCE,
    },
    {
      name: 'an unknown version',
      method: 'GET',
      path: '/apis/apps/v9',
      code: 404,
      message: NO_RESOURCE,
    },
    {
      name: 'an unknown subresource',
      method: 'GET',
      path: `${MAPS}/map/status`,
      code: 404,
      message: NO_RESOURCE,
    },
    {
      name: 'a custom subresource',
      method: 'GET',
      path: `${FOOS}/a/nope`,
      code: 404,
      message: 'foos.misread.test "a" not found',
    },
    {
      name: 'another name than that of the URL',
      method: 'PUT',
      path: `${MAPS}/nope`,
      body: '{"metadata":{"name":"x"}}',
      code: 400,
      message: 'the name of the object (x) does not match the name on the URL (nope)',
    },
  ])('$name is told', async ({ method, path, code, message, ...how }) => {
    expect((await ask(method, path, how)).json).toMatchObject({ kind: 'Status', code, message });
  });

  it.each(['/nope', '/apis/nope.test', '/apis/nope.test/v1/foos', '/apis/misread.test/v9/foos'])(
    '%s is no page',
    async (path) => {
      expect(await ask('GET', path)).toMatchObject({ status: 404, text: '404 page not found\n' });
    },
  );
});

describe('names that the server gives', () => {
  it('are the UUID of a LimitRange without one', async () => {
    const { json } = await ask('POST', '/api/v1/namespaces/default/limitranges', { body: '{}' });
    expect(json).toMatchObject({ metadata: { name: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
  });

  it('leave the subsets of Endpoints as they were written', async () => {
    const subsets = [
      { addresses: [{ ip: '10.0.0.2' }], ports: [{ port: 80, protocol: 'TCP' }] },
      { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80, protocol: 'TCP' }] },
    ];
    const body = JSON.stringify({ metadata: { name: 'apart' }, subsets });
    const { json } = await ask('POST', '/api/v1/namespaces/default/endpoints', { body });
    expect(json).toMatchObject({ subsets });
  });
});
