import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { useEtcd } from '@orrery/testkit';
import { startReplica } from '../replica.js';

const etcd = useEtcd();

describe('clients that say nothing', () => {
  it('do not keep a server from its end', async () => {
    const flags: string[] = [];
    const api = await startReplica({ etcd: etcd.endpoints, keyspace: etcd.keyspace, flags });
    const { hostname: host, port } = new URL(api.address);
    const silent = connect(Number(port), host);
    const idle = connectTls({ host, port: Number(port), rejectUnauthorized: false });
    await Promise.all([once(silent, 'connect'), once(idle, 'secureConnect')]);
    expect((await api.ask('/readyz')).status).toBe(200);
    const gone = [silent, idle].map((socket) => once(socket.resume(), 'close'));
    await api.close();
    await Promise.all(gone);
  }, 60_000);
});
