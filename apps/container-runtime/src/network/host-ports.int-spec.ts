import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { SystemClock, SystemRandom, silentLogger } from '@orrery/component';
import type { SandboxRecord } from '../store/sandbox.js';
import { HostPorts } from './host-ports.js';

const NODE4 = '127.236.9.9';
/** The one address of IPv6 that every machine with IPv6 has. */
const NODE6 = '::1';
const POD_PORT = 18_096;
const HOST_PORT = 18_097;
const hasIpv6 = existsSync('/proc/net/if_inet6');

/** A pod of both families. */
const sandbox = (hostIp: string): SandboxRecord =>
  ({
    id: 'pod',
    ip: '127.236.9.10',
    moreIps: [NODE6],
    hostNetwork: false,
    config: {
      portMappings: [{ protocol: 'TCP', containerPort: POD_PORT, hostPort: HOST_PORT, hostIp }],
    },
  }) as unknown as SandboxRecord;

describe(HostPorts.name, () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  const pod = async (): Promise<void> => {
    for (const address of hasIpv6 ? ['127.236.9.10', NODE6] : ['127.236.9.10']) {
      const server = createServer((socket) => {
        // The end of the relay resets it.
        socket.on('error', () => undefined);
        socket.end(address);
      });
      servers.push(server);
      server.listen(POD_PORT, address);
      await once(server, 'listening');
    }
  };
  const ask = async (host: string): Promise<string> => {
    const socket = connect(HOST_PORT, host);
    try {
      const [data] = (await once(socket, 'data')) as [Buffer];
      return String(data);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    } finally {
      socket.destroy();
    }
  };

  it.each([
    { hostIp: '', ipv4: '127.236.9.10', ipv6: NODE6 },
    { hostIp: '0.0.0.0', ipv4: '127.236.9.10', ipv6: 'ECONNREFUSED' },
    { hostIp: '::', ipv4: 'ECONNREFUSED', ipv6: NODE6 },
    { hostIp: NODE4, ipv4: '127.236.9.10', ipv6: 'ECONNREFUSED' },
  ])('serves the families of hostIP "$hostIp"', async ({ hostIp, ipv4, ipv6 }) => {
    const ports = new HostPorts({
      nodeIps: hasIpv6 ? [NODE4, NODE6] : [NODE4],
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: silentLogger,
    });
    await pod();
    await ports.open(sandbox(hostIp));
    try {
      const answers = [await ask(NODE4), hasIpv6 ? await ask(NODE6) : ipv6];
      expect(answers).toEqual([ipv4, ipv6]);
    } finally {
      ports.destroy();
    }
  });
});
