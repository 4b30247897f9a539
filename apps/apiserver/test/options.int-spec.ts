import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

const NS = '/api/v1/namespaces/default';
const TEMPLATES = `${NS}/podtemplates`;
const ACCOUNT = `${NS}/serviceaccounts/sa`;
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };

beforeAll(async () => {
  const flags = ['--disable-admission-plugins=ServiceAccount'];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
  await api.post(`${NS}/serviceaccounts`, { metadata: { name: 'sa' } });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const UNSUPPORTED_POLICY =
  'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "x": supported values: "Foreground", "Background", "Orphan", "nil"';
// Read from kube-apiserver 1.20.2; where 1.36's source says something else, from that.
describe('options that cannot be', () => {
  it.each<[string, string, number, string]>([
    [
      'GET',
      `${TEMPLATES}?limit=99999999999999999999`,
      400,
      'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    ['GET', `${TEMPLATES}?timeoutSeconds=x`, 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      'GET',
      `${TEMPLATES}?continue=x`,
      400,
      'invalid continue token: continue key is not valid: illegal base64 data at input byte 0',
    ],
    [
      'GET',
      `${TEMPLATES}?resourceVersion=-1`,
      400,
      'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
    ],
    [
      'GET',
      `${ACCOUNT}?resourceVersion=x`,
      500,
      'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      'GET',
      `${TEMPLATES}?watch=true&resourceVersion=99999999999999999999`,
      500,
      'resourceVersion: Invalid value: "99999999999999999999": strconv.ParseUint: parsing "99999999999999999999": value out of range',
    ],
    ['DELETE', `${TEMPLATES}?propagationPolicy=x`, 422, UNSUPPORTED_POLICY],
    ['DELETE', `${ACCOUNT}?propagationPolicy=x`, 422, UNSUPPORTED_POLICY],
    [
      'DELETE',
      `${ACCOUNT}?dryRun=All&resourceVersion=1`,
      409,
      'the ResourceVersion in the precondition (1) does not match',
    ],
    ['DELETE', `${ACCOUNT}?dryRun=All&uid=x`, 409, 'the UID in the precondition (x)'],
    ['DELETE', `${ACCOUNT}?dryRun=`, 422, 'dryRun: Unsupported value: [""]'],
    ['DELETE', `${TEMPLATES}?dryRun=`, 422, 'dryRun: Unsupported value: [""]'],
    ['PUT', `${ACCOUNT}?dryRun=`, 422, 'dryRun: Unsupported value: [""]'],
    [
      'PUT',
      `${ACCOUNT}?fieldManager=%01%0b%7f`,
      422,
      String.raw`fieldManager: Invalid value: "\x01\v\x7f": invalid character U+0001`,
    ],
  ])('%s %s', async (method, path, status, message) => {
    const body = method === 'PUT' ? { metadata: { name: 'sa' } } : undefined;
    const answer = await api.ask(path, { method, body });
    expect([answer.status, answer.json['message']]).toEqual([
      status,
      expect.stringContaining(message),
    ]);
  });

  it.each([ACCOUNT, `${NS}/serviceaccounts`])(
    'a Table that includes what it cannot: %s',
    async (path) => {
      const { status, json } = await api.ask(`${path}?includeObject=x`, { headers: TABLE });
      expect([status, json['message']]).toEqual([
        400,
        `Unable to convert to Table as requested: includeObject: Invalid value: "x": must be 'Metadata', 'Object', 'None', or empty`,
      ]);
    },
  );

  it.each([
    { propagationPolicy: null, orphanDependents: null, gracePeriodSeconds: null },
    { preconditions: { uid: null, resourceVersion: null } },
    { preconditions: null },
  ])('what is null in DeleteOptions is not there: %j', async (options) => {
    const body = { dryRun: ['All'], ...options };
    const answer = await api.ask(ACCOUNT, { method: 'DELETE', body });
    expect([answer.status, answer.json['kind']]).toEqual([200, 'ServiceAccount']);
  });
});

describe('an update on trial', () => {
  it('answers the version of what is there, also where none was named', async () => {
    const { json } = await api.ask(ACCOUNT);
    const body = { metadata: { name: 'sa', labels: { a: 'b' } } };
    const answer = await api.ask(`${ACCOUNT}?dryRun=All`, { method: 'PUT', body });
    expect(metadataOf(answer)).toMatchObject({
      labels: { a: 'b' },
      resourceVersion: metadataOf({ json })['resourceVersion'],
    });
  });
});

describe('media types', () => {
  it('of no quality are answered all the same', async () => {
    const { status } = await api.ask(ACCOUNT, { headers: { accept: 'application/json;q=0' } });
    expect(status).toBe(200);
  });
});

describe('DeleteOptions of other group versions', () => {
  it.each(['v1', 'meta.k8s.io/v1', 'apps/v1', 'policy/v1beta1', 'example.com/v7'])(
    'of %s are taken, for one and for many',
    async (apiVersion) => {
      const body = { kind: 'DeleteOptions', apiVersion, gracePeriodSeconds: 0 };
      for (const path of [`${NS}/configmaps/gone`, `${NS}/configmaps?labelSelector=a%3Db`]) {
        await api.post(`${NS}/configmaps`, { metadata: { name: 'gone', labels: { a: 'b' } } });
        expect((await api.ask(path, { method: 'DELETE', body })).status).toBe(200);
        expect((await api.ask(`${NS}/configmaps/gone`)).status).toBe(404);
      }
    },
  );
});
