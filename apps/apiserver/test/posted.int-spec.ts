import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Answer, Json, Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;
let folder: string;

const NS = '/api/v1/namespaces/default';
const PODS = `${NS}/pods`;
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const AUTHZ = '/apis/authorization.k8s.io/v1';
const TOKENS = `${NS}/serviceaccounts/sa/token`;
const TOKEN_REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';
const containers = [{ name: 'c', image: 'i' }];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-posted-'));
  const key = join(folder, 'sa.key');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      '--disable-admission-plugins=ServiceAccount',
      `--service-account-signing-key-file=${key}`,
      `--service-account-key-file=${key}`,
    ],
  });
  await api.post(`${NS}/serviceaccounts`, { metadata: { name: 'sa' } });
  await api.post(PODS, {
    metadata: { name: 'bound' },
    spec: { serviceAccountName: 'sa', containers },
  });
  await api.post(DEPLOYMENTS, {
    metadata: { name: 'd' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
    },
  });
}, 60_000);

afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const told = ({ status, json }: Answer): unknown[] => [status, json['reason'], json['message']];

// Read from kube-apiserver 1.20.2, as far as the source of 1.36 says the same.
describe('what is posted and never stored', () => {
  it.each<[string, unknown, unknown[]]>([
    [
      `${AUTHZ}/subjectaccessreviews`,
      {},
      [
        422,
        'Invalid',
        '.authorization.k8s.io "" is invalid: [spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]',
      ],
    ],
    [
      `${AUTHZ}/subjectaccessreviews`,
      { spec: { user: 5 } },
      [
        400,
        'BadRequest',
        'SubjectAccessReview in version "v1" cannot be handled as a SubjectAccessReview: json: cannot unmarshal number into Go struct field SubjectAccessReviewSpec.spec.user of type string',
      ],
    ],
    [
      `${AUTHZ}/subjectaccessreviews`,
      { spec: { groups: {} } },
      [
        400,
        'BadRequest',
        'SubjectAccessReview in version "v1" cannot be handled as a SubjectAccessReview: json: cannot unmarshal object into Go struct field SubjectAccessReviewSpec.spec.groups of type []string',
      ],
    ],
    [
      `${AUTHZ}/selfsubjectrulesreviews`,
      { spec: null },
      [400, 'BadRequest', 'no namespace on request'],
    ],
    ...(
      [
        [{}, 400, 'BadRequest', 'cannot bind token to object of type /, Kind='],
        [{ kind: 'Role' }, 400, 'BadRequest', 'cannot bind token to object of type /, Kind=Role'],
        [
          { apiVersion: 'apps/v1', kind: 'Pod', name: 'p' },
          400,
          'BadRequest',
          'cannot bind token to object of type apps/v1, Kind=Pod',
        ],
        [{ kind: 'Secret' }, 400, 'BadRequest', 'Name parameter required.'],
        [
          { kind: 'Secret', name: 'a/b%' },
          400,
          'BadRequest',
          `Name parameter invalid: "a/b%": may not contain '/';may not contain '%'`,
        ],
        [
          { kind: 'Secret', name: '..' },
          400,
          'BadRequest',
          `Name parameter invalid: "..": may not be '..'`,
        ],
        [{ kind: 'Secret', name: 's' }, 404, 'NotFound', 'secrets "s" not found'],
        [
          { apiVersion: 'v1', kind: 'Pod', name: 'bound', uid: 'x' },
          409,
          'Conflict',
          'Operation cannot be fulfilled on Pod "bound": the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
        ],
      ] as const
    ).map(
      ([boundObjectRef, ...want]) =>
        [TOKENS, { spec: { boundObjectRef } }, [...want]] as [string, unknown, unknown[]],
    ),
    [
      TOKENS,
      { metadata: { name: 'other' } },
      [
        422,
        'Invalid',
        'TokenRequest.authentication.k8s.io "sa" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
      ],
    ],
    [
      TOKENS,
      { metadata: { uid: 'x' } },
      [
        409,
        'Conflict',
        expect.stringMatching(
          /^Operation cannot be fulfilled on TokenRequest\.authentication\.k8s\.io "sa": the UID in the token request \(x\) does not match the UID of the service account \(.+\)$/,
        ),
      ],
    ],
    [TOKEN_REVIEWS, {}, [400, 'BadRequest', 'token is required for TokenReview in authentication']],
    [
      `${AUTHZ}/namespaces/default/localsubjectaccessreviews`,
      { metadata: { namespace: 'other' } },
      [
        400,
        'BadRequest',
        'the namespace of the provided object does not match the namespace sent on the request',
      ],
    ],
    [
      `${PODS}/p/binding`,
      { target: { name: 'n' } },
      [400, 'BadRequest', 'name in URL does not match name in Binding object'],
    ],
    [
      `${PODS}/p/binding`,
      { metadata: { name: 'p' }, target: { kind: 'Pod' } },
      [
        500,
        undefined,
        '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]',
      ],
    ],
    [`${NS}/bindings`, {}, [500, undefined, 'target.name: Required value']],
    [
      `${PODS}/p/eviction`,
      {},
      [400, 'BadRequest', 'name in URL does not match name in Eviction object'],
    ],
    [
      `${PODS}/p/eviction?dryRun=All`,
      { metadata: { name: 'p' }, deleteOptions: { dryRun: ['None'] } },
      [500, undefined, 'Non-matching dry-run options in request and content: [All] and [None]'],
    ],
  ])('%s %j', async (path, body, want) => {
    expect(told(await api.post(path, body))).toEqual(want);
  });

  it('loses what the kind does not know, with a warning, and is refused when that is asked for', async () => {
    const body = {
      spec: { user: 'u', nope: 1, nonResourceAttributes: { path: '/', verb: 'get' } },
    };
    const answer = await api.post(`${AUTHZ}/subjectaccessreviews`, body);
    expect([answer.status, answer.headers.warning]).toEqual([
      201,
      '299 - "unknown field \\"spec.nope\\""',
    ]);
    expect((answer.json['spec'] as Json)['nope']).toBeUndefined();
    const strict = await api.post(`${AUTHZ}/subjectaccessreviews?fieldValidation=Strict`, body);
    expect(strict.status).toBe(400);
  });

  it.each([{}, { spec: null }, { spec: { expirationSeconds: null } }])(
    'a TokenRequest of %j is good for an hour',
    async (body) => {
      const { status, json } = await api.post(TOKENS, body);
      expect([status, (json['spec'] as Json)['expirationSeconds']]).toEqual([201, 3600]);
    },
  );

  it.each<[unknown, number, string]>([
    [{}, 400, 'the name of the object (d based on URL) was undeterminable: name must be provided'],
    [
      { metadata: { name: 'e' } },
      400,
      'the name of the object (e) does not match the name on the URL (d)',
    ],
    [
      { metadata: { name: 'd' }, spec: 'x' },
      400,
      'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field Scale.spec of type v1.ScaleSpec',
    ],
  ])('a Scale that is put: %j', async (body, status, message) => {
    const answer = await api.ask(`${DEPLOYMENTS}/d/scale?dryRun=All`, { method: 'PUT', body });
    expect([answer.status, answer.json['message']]).toEqual([status, message]);
  });
});

describe('the version of an object that is put', () => {
  it.each([
    ['other', 500, 'strconv.ParseUint: parsing "other": invalid syntax'],
    [' x ', 500, 'strconv.ParseUint: parsing " x ": invalid syntax'],
    ['-1', 500, 'strconv.ParseUint: parsing "-1": invalid syntax'],
    [
      '18446744073709551616',
      500,
      'strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ],
    ['0', 200, undefined],
    ['00', 200, undefined],
    ['', 200, undefined],
    ['1', 409, expect.stringContaining('the object has been modified')],
  ])('%j', async (resourceVersion, status, message) => {
    const { json } = await api.ask(`${NS}/serviceaccounts/sa`);
    const body = { ...json, metadata: { ...metadataOf({ json }), resourceVersion } };
    const answer = await api.ask(`${NS}/serviceaccounts/sa`, { method: 'PUT', body });
    expect([answer.status, answer.json['message']]).toEqual([status, message]);
  });

  it('is the same number however it is written', async () => {
    const { json } = await api.ask(`${NS}/serviceaccounts/sa`);
    const resourceVersion = `00${String(metadataOf({ json })['resourceVersion'])}`;
    const body = { ...json, metadata: { ...metadataOf({ json }), resourceVersion } };
    const answer = await api.ask(`${NS}/serviceaccounts/sa`, { method: 'PUT', body });
    expect(answer.status).toBe(200);
  });
});

describe('an eviction', () => {
  beforeEach(async () => {
    for (const path of [`${PODS}?`, `${BUDGETS}?`])
      await api.ask(`${path}gracePeriodSeconds=0`, { method: 'DELETE' });
  });

  const merge = (path: string, body: unknown): Promise<Answer> =>
    api.patch(path, 'merge-patch+json', body);

  async function run(name: string, phase = 'Running'): Promise<Answer> {
    await api.post(PODS, {
      metadata: { name, labels: { app: 'a' } },
      spec: { containers, nodeName: 'n' },
    });
    const status = { phase, conditions: [{ type: 'Ready', status: 'True' }] };
    return merge(`${PODS}/${name}/status`, { status });
  }

  async function budget(name: string, status: object): Promise<void> {
    await api.post(BUDGETS, {
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    });
    await merge(`${BUDGETS}/${name}/status`, { status: { observedGeneration: 1, ...status } });
  }

  const evict = (name: string, more: object = {}, query = ''): Promise<Answer> =>
    api.post(`${PODS}/${name}/eviction${query}`, { metadata: { name }, ...more });

  it.each([
    ['in the query', {}, '?dryRun=All'],
    ['in the body, as kubectl drain says it', { deleteOptions: { dryRun: ['All'] } }, ''],
  ])('on trial leaves the pod alone: %s', async (_, more, query) => {
    const { json } = await run('p');
    expect((await evict('p', more, query)).status).toBe(201);
    expect((await api.ask(`${PODS}/p`)).json).toEqual(json);
  });

  it('says on the pod why it goes', async () => {
    await run('p');
    expect((await evict('p')).status).toBe(201);
    const { json } = await api.ask(`${PODS}/p`);
    expect(metadataOf({ json })['deletionTimestamp']).toBeDefined();
    expect(json['status']).toMatchObject({
      conditions: expect.arrayContaining([
        expect.objectContaining({
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
        }),
      ]),
    });
  });

  it('is refused for another pod than the one that is meant', async () => {
    await run('p');
    const other = { deleteOptions: { preconditions: { uid: 'other' } } };
    expect(told(await evict('p', other)).slice(0, 2)).toEqual([409, 'Conflict']);
    const older = { deleteOptions: { preconditions: { resourceVersion: '1' } } };
    expect(told(await evict('p', older)).slice(0, 2)).toEqual([409, 'Conflict']);
    const { json } = await api.ask(`${PODS}/p`);
    const { uid, resourceVersion } = metadataOf({ json });
    const same = { deleteOptions: { preconditions: { uid, resourceVersion } } };
    expect((await evict('p', same)).status).toBe(201);
  });

  it('takes a disruption from the budget, which then has none left', async () => {
    await run('p');
    await run('q');
    await budget('b', {
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
    });
    expect((await evict('p')).status).toBe(201);
    const { json } = await api.ask(`${BUDGETS}/b`);
    expect(json['status']).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { p: expect.any(String) },
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    });
    const refused = await evict('q');
    expect(told(refused)).toEqual([
      429,
      'TooManyRequests',
      "Cannot evict pod as it would violate the pod's disruption budget.",
    ]);
    expect(refused.json['details']).toEqual({
      causes: [
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget b needs 1 healthy pods and has 2 currently',
        },
      ],
    });
  });

  it('waits for a budget that nobody has looked at', async () => {
    await run('p');
    await budget('b', {
      observedGeneration: 0,
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
    });
    expect((await evict('p')).json['details']).toMatchObject({ retryAfterSeconds: 10 });
  });

  it('is a failure that came about well where several budgets want the pod', async () => {
    await run('p');
    for (const name of ['b', 'c']) await budget(name, {});
    const { status, json } = await evict('p');
    expect([status, json['status'], json['code'], json['message']]).toEqual([
      201,
      'Failure',
      500,
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    ]);
  });
});

describe('the deletion of a pod that runs nowhere', () => {
  it.each(['?dryRun=All', ''])('answers it in deletion, without a grace%s', async (query) => {
    await api.post(PODS, { metadata: { name: 'u' }, spec: { containers } });
    const { json } = await api.ask(`${PODS}/u${query}`, { method: 'DELETE' });
    expect(metadataOf({ json })).toMatchObject({
      deletionGracePeriodSeconds: 0,
      deletionTimestamp: expect.any(String),
      generation: 2,
    });
  });
});
