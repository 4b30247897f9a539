import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionsAt, controlSockets } from './control-sockets.js';

describe('connections over a handover', () => {
  let dir: string;
  let servers: Server[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'control-sockets-'));
    servers = [];
  });
  afterEach(() => {
    for (const server of servers) server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const dataplane = async (file: string, client: string): Promise<void> => {
    const server = createServer((_, res) => {
      res.setHeader('connection', 'close').end(JSON.stringify([{ client }]));
    });
    servers.push(server.listen(join(dir, file)));
    await once(server, 'listening');
  };

  it('lists those of the process before as well, once each', async () => {
    await dataplane('dataplane.sock.abc12', 'old:1');
    await dataplane('dataplane.sock.def34', 'new:1');
    // What other nodes and killed processes have left.
    await dataplane('dataplane-k8s-02.sock.abc12', 'other:1');
    writeFileSync(join(dir, 'dataplane.sock.gone5'), '');
    writeFileSync(join(dir, 'dataplane.sock.def34.fd'), '');
    symlinkSync(join(dir, 'dataplane.sock.def34'), join(dir, 'dataplane.sock'));
    const found = await connectionsAt(join(dir, 'dataplane.sock'));
    expect(found.map(({ client }) => client)).toEqual(['new:1', 'old:1']);
    expect(controlSockets(dir, 'orrery')).toEqual([join(dir, 'dataplane.sock')]);
  });

  it('says that a cluster does not run', () => {
    expect(() => controlSockets(join(dir, 'none'), 'mine')).toThrow(
      'the cluster mine is not running here',
    );
  });

  it('fails where no dataplane answers', async () => {
    await expect(connectionsAt(join(dir, 'dataplane.sock'))).rejects.toThrow('dataplane.sock');
  });
});
