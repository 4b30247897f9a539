import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { SystemClock, SystemRandom } from '@orrery/component';
import type { Agnhost } from '../agnhost.js';
import { netcat } from './netcat.js';

const SERVER = '127.163.9.3';
const POD = '127.163.9.4';

const host = (args: readonly string[]): Agnhost => ({
  argv: ['nc', 'nc', ...args],
  args,
  env: {},
  listen: POD,
  root: '/',
  clock: new SystemClock(),
  random: new SystemRandom(),
  print: () => undefined,
  log: () => undefined,
  klog: () => undefined,
  exit: () => undefined,
  onTerminate: () => undefined,
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, POD);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

describe('nc -p: the source port', () => {
  it('is that of datagrams, at the address of the pod', async () => {
    const server = createSocket('udp4').bind(0, SERVER);
    await once(server, 'listening');
    const port = await freePort();
    const heard = once(server, 'message') as Promise<[Buffer, AddressInfo]>;
    const args = ['-u', '-z', '-p', String(port), SERVER, String(server.address().port)];
    const [[, from], code] = await Promise.all([heard, netcat(host(args))]);
    server.close();
    expect([from.address, from.port, code]).toEqual([POD, port, 0]);
  });

  it('is that of a connection, at the address of the pod', async () => {
    const server = createServer().listen(0, SERVER);
    await once(server, 'listening');
    const port = await freePort();
    const came = once(server, 'connection') as Promise<[Socket]>;
    const args = ['-zp', String(port), SERVER, String((server.address() as AddressInfo).port)];
    const [[socket], code] = await Promise.all([came, netcat(host(args))]);
    const { remoteAddress, remotePort } = socket;
    socket.destroy();
    server.close();
    expect([remoteAddress, remotePort, code]).toEqual([POD, port, 0]);
  });
});
