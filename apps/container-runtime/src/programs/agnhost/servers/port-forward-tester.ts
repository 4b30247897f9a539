import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { reachablePort } from '@orrery/component';
import { Fatal } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { listenAddress } from '../http.js';

/** How long it waits between the end of its data and the end of the connection. */
const LINGER_MS = 500;

function numberIn(host: Agnhost, name: string): number {
  const value = host.env[name] ?? '';
  if (!/^\d+$/.test(value)) {
    host.print(`Error parsing ${name} "${value}": strconv.Atoi: invalid syntax\n`);
    throw new Fatal(name);
  }
  return Number(value);
}

function firstClient(host: Agnhost): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true });
  const address = listenAddress(host, host.env['BIND_ADDRESS'] || 'localhost');
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Fatal(`Error listening: ${error.message}`));
    });
    server.once('connection', (socket: Socket) => {
      server.close();
      resolve(socket);
    });
    server.listen(reachablePort(numberIn(host, 'BIND_PORT')), address);
  });
}

/** As many bytes as were asked for, or what came before the end. */
function read(socket: Socket, length: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => {
      socket.off('data', take).off('end', done);
      resolve(text);
    };
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (text.length >= length) done();
    };
    socket.on('data', take).once('end', done);
  });
}

/** k8s test/images/agnhost/port-forward-tester: one connection, checked and answered with chunks. */
export const portForwardTester: SubCommand = async (host) => {
  const socket = await firstClient(host);
  socket.on('error', () => undefined);
  host.print('Accepted client connection\n');
  const expected = host.env['EXPECTED_CLIENT_DATA'] ?? '';
  if (expected !== '') {
    const got = await read(socket, expected.length);
    if (got.length < expected.length) {
      host.print(
        `Expected to read ${expected.length} bytes from client, but got ${got.length} instead. err=EOF\n`,
      );
      return 2;
    }
    if (got !== expected) {
      host.print(`Expect to read "${expected}", but got "${got}". err=<nil>\n`);
      return 3;
    }
    host.print('Received expected client data\n');
  }
  const [chunks, size, interval] = ['CHUNKS', 'CHUNK_SIZE', 'CHUNK_INTERVAL'].map((name) =>
    numberIn(host, name),
  );
  for (let i = 0; i < (chunks ?? 0); i++) {
    if (i > 0) await host.clock.sleep(interval ?? 0);
    socket.write('x'.repeat(size ?? 0));
  }
  host.print('Shutting down connection\n');
  socket.end();
  await host.clock.sleep(LINGER_MS);
  socket.destroy();
  host.print('Done\n');
  return 0;
};
