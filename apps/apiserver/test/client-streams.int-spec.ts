import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resources } from '@orrery/api';
import { connect } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { eventually, useEtcd } from '@orrery/testkit';
import { hostPort } from './attack/raw-http1.js';
import { startReplica } from './replica.js';
import type { Replica } from './replica.js';

/** Counts the connections to a server, and cuts them. */
class Relay {
  accepted = 0;
  private readonly open = new Set<Socket>();
  private readonly server: Server;

  constructor(to: string) {
    this.server = createServer((socket) => {
      this.accepted += 1;
      const further = connectTcp(hostPort(to));
      for (const one of [socket, further]) {
        this.open.add(one);
        one.on('error', () => undefined).on('close', () => this.open.delete(one));
      }
      socket.pipe(further).pipe(socket);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.240.0.1', resolve));
    return `https://127.240.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}

interface Watch {
  readonly names: string[];
  readonly end: AbortController;
  /** How it ended. */
  readonly ended: Promise<string>;
}

function watchMaps(client: KubeClient): Watch {
  const end = new AbortController();
  const names: string[] = [];
  const query = { namespace: 'default', resourceVersion: '0' };
  const follow = async (): Promise<string> => {
    try {
      for await (const event of client.resource(resources.configmaps).watch(query, end.signal))
        if (event.type !== 'BOOKMARK') names.push(event.object.metadata.name ?? '');
      return 'ended';
    } catch (error) {
      return end.signal.aborted ? 'aborted' : (error as Error).name;
    }
  };
  return { names, end, ended: follow() };
}

describe.each([
  ['HTTP/2', [], 3],
  ['HTTP/1.1 alone', ['--disable-http2-serving=true'], 31],
])('watches of a client at a server of %s', (_, serving, connections) => {
  const etcd = useEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'streams-'));
  let server: Replica;
  let relay: Relay;
  let client: KubeClient;
  const watches: Watch[] = [];
  const maps = (): ReturnType<typeof client.resource<{ metadata: { name: string } }>> =>
    client.resource(resources.configmaps) as never;
  const make = (name: string): Promise<unknown> =>
    maps().create({ metadata: { name, namespace: 'default' } } as never);

  beforeAll(async () => {
    writeFileSync(join(folder, 'tokens.csv'), 'root,root,1,system:masters\n');
    server = await startReplica({
      etcd: etcd.endpoints,
      keyspace: etcd.keyspace,
      headers: { authorization: 'Bearer root' },
      flags: [
        '--http2-max-streams-per-connection=20',
        `--token-auth-file=${join(folder, 'tokens.csv')}`,
        '--enable-faults=true',
        '--disable-admission-plugins=ServiceAccount',
        ...serving,
      ],
    });
    relay = new Relay(server.address);
    client = connect({
      server: await relay.listen(),
      token: 'root',
      insecureSkipTlsVerify: true,
    });
  }, 60_000);
  afterAll(async () => {
    await client.close();
    relay.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('share connections as far as the server allows', async () => {
    // The first one alone: by then the server has said how many it allows.
    watches.push(watchMaps(client));
    await make('one');
    await eventually(() => {
      expect(watches.map(({ names }) => names)).toEqual([['one']]);
    });
    watches.push(...Array.from({ length: 29 }, () => watchMaps(client)));
    await make('two');
    await eventually(() => {
      expect(watches.map(({ names }) => names.at(-1))).toEqual(watches.map(() => 'two'));
    });
    // Requests have connections of their own.
    expect(relay.accepted).toBeLessThanOrEqual(connections + 2);
    expect(relay.accepted).toBeGreaterThanOrEqual(connections);
  });

  it('end one by one', async () => {
    const [first, second] = watches.splice(0, 2);
    first?.end.abort(new Error('enough'));
    expect(await first?.ended).toBe('aborted');
    await make('three');
    await eventually(() => {
      expect(second?.names.at(-1)).toBe('three');
    });
    second?.end.abort(new Error('enough'));
    await second?.ended;
  });

  it('break when the server drops them, and requests go on', async () => {
    const body = JSON.stringify({ resources: ['configmaps'], fault: 'drop' });
    expect(await client.raw('/faults/watches', undefined, { method: 'POST', body })).toMatchObject({
      code: 200,
    });
    const ends = await Promise.all(watches.splice(0).map(({ ended }) => ended));
    expect(new Set(ends)).toEqual(new Set(['ConnectionError']));
    expect((await maps().get({ namespace: 'default', name: 'one' })).metadata.name).toBe('one');
  });

  it('break with their connection, and begin anew on another', async () => {
    const before = watchMaps(client);
    await eventually(() => {
      expect(before.names).toContain('one');
    });
    relay.cut();
    expect(await before.ended).toBe('ConnectionError');
    const after = watchMaps(client);
    await eventually(() => {
      expect(after.names).toContain('one');
    });
    after.end.abort(new Error('enough'));
    expect(await after.ended).toBe('aborted');
  });
});
