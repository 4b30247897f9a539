import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { defineFoos } from './foos.js';
import { startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

const MAPS = '/api/v1/namespaces/default/configmaps';
const FOOS = '/apis/yaml.test/v1/namespaces/default/foos';

const schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
};

beforeAll(async () => {
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace });
  await defineFoos(api, 'yaml.test', schema);
}, 60_000);

afterAll(async () => {
  await api.close();
});

const send = (method: string, path: string, body: string): Promise<Answer> =>
  api.ask(path, { method, body, headers: { 'content-type': 'application/yaml' } });

const MAP = `apiVersion: v1
kind: ConfigMap
metadata:
  name: one
unknown: 1
data:
  a: b
  a: c
unknown:
  d: 2
`;
const FOO = `apiVersion: yaml.test/v1
kind: Foo
metadata: {name: one}
spec:
  a: b
  a: c
  z: 1
`;
const REVIEW = `apiVersion: authorization.k8s.io/v1
kind: SelfSubjectAccessReview
spec:
  nonResourceAttributes: {path: /, verb: get}
  nonResourceAttributes: {path: /a, verb: get}
`;

// k8s apimachinery pkg/runtime/serializer/json/json.go:unmarshal: what YAML's own decoder found in one error, then what is unknown.
describe.each([
  {
    name: 'an object',
    path: MAPS,
    kind: 'ConfigMap',
    body: MAP,
    repeated: ['line 8: key "a" already set in map', 'line 10: key "unknown" already set in map'],
    unknown: ['unknown field "unknown"'],
  },
  {
    name: 'a custom object',
    path: FOOS,
    kind: 'Foo',
    body: FOO,
    repeated: ['line 6: key "a" already set in map'],
    unknown: ['unknown field "spec.z"'],
  },
  {
    name: 'a review',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    body: REVIEW,
    repeated: ['line 5: key "nonResourceAttributes" already set in map'],
    unknown: [],
  },
])('keys given again in the YAML of $name', ({ path, kind, body, repeated, unknown }) => {
  const words = [`yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`, ...unknown].join(', ');
  const refused = `${kind} in version "v1" cannot be handled as a ${kind}: strict decoding error: ${words}`;
  const warnings = [...repeated, ...unknown].map((text) => `299 - ${JSON.stringify(text)}`);

  it('are refused, told of, or passed over', async () => {
    const { status, json } = await send('POST', `${path}?dryRun=All&fieldValidation=Strict`, body);
    expect([status, json['reason'], json['message']]).toEqual([400, 'BadRequest', refused]);
    const warned = await send('POST', `${path}?dryRun=All`, body);
    expect([warned.status, warned.headers['warning']]).toEqual([201, warnings.join(', ')]);
    const ignored = await send('POST', `${path}?dryRun=All&fieldValidation=Ignore`, body);
    expect([ignored.status, ignored.headers['warning']]).toEqual([201, undefined]);
  });
});

describe('keys given again in the YAML of an update', () => {
  it('are told of, and the last one counts', async () => {
    const made = await send('POST', MAPS, 'metadata: {name: one}\n');
    expect(made.status).toBe(201);
    const answer = await send('PUT', `${MAPS}/one`, MAP);
    expect(answer.status).toBe(200);
    expect(answer.json['data']).toEqual({ a: 'c' });
    expect(answer.headers['warning']).toContain(String.raw`line 8: key \"a\" already set in map`);
    const strict = await send('PUT', `${MAPS}/one?fieldValidation=Strict`, MAP);
    expect(strict.status).toBe(400);
  });
});
