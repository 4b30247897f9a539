import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Answer, Replica } from './replica.js';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const ROOT = { authorization: 'Bearer root' };
const configMap = (name: string): object => ({ metadata: { name } });

describe('faults that a test asks for', () => {
  const etcd = useEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  let server: Replica;
  const get = (path: string): Promise<Answer> => server.ask(path, { headers: ROOT });
  const post = (path: string, body: unknown): Promise<Answer> =>
    server.ask(path, { method: 'POST', body, headers: ROOT });

  beforeAll(async () => {
    const tokens = join(folder, 'tokens.csv');
    writeFileSync(tokens, 'root,root,1,system:masters\njane,jane,2\n');
    server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      flags: [
        '--enable-faults=true',
        '--authorization-mode=RBAC',
        `--token-auth-file=${tokens}`,
        '--disable-admission-plugins=ServiceAccount',
      ],
    });
  }, 30_000);
  afterEach(async () => {
    await server.ask('/faults', { method: 'DELETE', headers: ROOT });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('fails matching requests as often as told, and nothing of them is done', async () => {
    const added = await post('/faults', {
      verbs: ['create'],
      resources: ['configmaps'],
      fail: { code: 503, retryAfterSeconds: 2 },
      times: 2,
    });
    expect(added.status).toBe(201);
    for (let i = 0; i < 2; i++) {
      const refused = await post(CONFIGMAPS, configMap('a'));
      expect(refused.status).toBe(503);
      expect(refused.json).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable' });
      expect(refused.headers['retry-after']).toBe('2');
    }
    expect((await get(`${CONFIGMAPS}/a`)).status).toBe(404);
    expect((await post(CONFIGMAPS, configMap('a'))).status).toBe(201);
    expect((await get('/faults')).json).toEqual({ rules: [] });
  });

  it.each([
    ['verbs', { verbs: ['delete'] }],
    ['resources', { resources: ['configmaps/status'] }],
    ['namespaces', { namespaces: ['kube-system'] }],
    ['names', { names: ['other'] }],
    ['users', { users: ['nobody'] }],
    ['userAgent', { userAgent: 'kubectl' }],
  ])('leaves a request alone that differs in its %s', async (_what, match) => {
    await post('/faults', { ...match, fail: { code: 500 } });
    expect((await get(CONFIGMAPS)).status).toBe(200);
  });

  it.each([
    ['an unknown field', { verb: ['get'] }, /verb should not exist/],
    ['a code that is no failure', { fail: { code: 200 } }, /code must not be less than 400/],
  ])('refuses %s by name', async (_what, rule, message) => {
    const answer = await post('/faults', rule);
    expect(answer.status).toBe(422);
    expect(answer.json['message']).toMatch(message);
  });

  it('cuts watches, or ends them as expired', async () => {
    const cut = await server.watch(`${CONFIGMAPS}?watch=true`, { headers: ROOT });
    const other = await server.watch('/api/v1/namespaces/default/secrets?watch=true', {
      headers: ROOT,
    });
    const strike = (fault: string): Promise<{ json: object }> =>
      post('/faults/watches', { resources: ['configmaps'], fault });
    await eventually(async () => {
      expect((await strike('drop')).json).toEqual({ watches: 1 });
    });
    expect(await cut.ended).toBe('cut');
    const expired = await server.watch(`${CONFIGMAPS}?watch=true`, { headers: ROOT });
    await eventually(async () => {
      expect((await strike('expire')).json).toEqual({ watches: 1 });
    });
    expect(await expired.ended).toBe('end');
    expect(expired.events().at(-1)).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
    expect(other.response.destroyed).toBe(false);
    other.response.destroy();
  });

  it('are for those alone who may: /faults is authorized as any other path', async () => {
    const refused = await server.ask('/faults', {
      headers: { authorization: 'Bearer jane' },
    });
    expect(refused.status).toBe(403);
  });
});
