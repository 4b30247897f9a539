import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { startReplica } from './replica.js';
import type { Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

beforeAll(async () => {
  const flags = ['--disable-admission-plugins=ServiceAccount'];
  api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
}, 60_000);

afterAll(async () => {
  await api.close();
});

/** A request in HTTP/2 without Content-Type and Content-Length, as `kubectl create --raw` sends it. */
async function send(method: string, path: string, body: string): Promise<unknown> {
  const session = connect(api.address, { rejectUnauthorized: false });
  try {
    const stream = session.request({ ':method': method, ':path': path }, { endStream: false });
    stream.end(body);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } finally {
    session.close();
  }
}

describe('a body without a type, in HTTP/2', () => {
  it('is JSON where it is posted', async () => {
    const made = await send('POST', '/api/v1/namespaces', '{"metadata":{"name":"raw"}}');
    expect(made).toMatchObject({ kind: 'Namespace', metadata: { name: 'raw' } });
  });

  it('is not needed by a deletion', async () => {
    await api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'gone' } });
    const path = '/api/v1/namespaces/default/configmaps/gone';
    expect(await send('DELETE', path, '')).toMatchObject({ status: 'Success' });
  });
});
