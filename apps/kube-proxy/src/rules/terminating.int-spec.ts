import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { SystemClock, SystemRandom } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { Endpoint, EndpointSlice, Service } from '@orrery/api';
import { serviceRules } from './service-rules.js';

const VIP = '127.234.128.66';
const PORT = 18_086;
const PODS = { old: '127.234.65.61', new: '127.234.65.62' };
const SERVING = { ready: false, serving: true, terminating: true };
const MUTE = { ready: false, serving: false, terminating: true };

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Pods that tell their name; the port that both have. */
async function startPods(protocol: 'TCP' | 'UDP'): Promise<number> {
  let port = 0;
  for (const [name, address] of Object.entries(PODS)) {
    if (protocol === 'TCP') {
      const server = createServer((socket) => {
        socket.on('error', () => undefined).end(name);
      }).listen(port, address);
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
      cleanups.push(() => server.close());
      continue;
    }
    const socket = createSocket('udp4');
    socket.on('message', (_, from) => {
      socket.send(name, from.port, from.address);
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    port = socket.address().port;
    cleanups.push(() => socket.close());
  }
  return port;
}

async function ask(protocol: 'TCP' | 'UDP'): Promise<string> {
  if (protocol === 'TCP') {
    const client = connect(PORT, VIP);
    const [data] = (await once(client, 'data')) as [Buffer];
    client.destroy();
    return String(data);
  }
  const socket = createSocket('udp4');
  socket.send('?', PORT, VIP);
  const [data] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return String(data);
}

describe.each([
  { protocol: 'TCP', mode: 'iptables', policy: 'random' },
  { protocol: 'TCP', mode: 'ipvs', policy: 'rr' },
  { protocol: 'UDP', mode: 'iptables', policy: 'random' },
  { protocol: 'UDP', mode: 'ipvs', policy: 'rr' },
] as const)('row 12, $protocol, mode $mode', ({ protocol, policy }) => {
  it('serving terminating endpoints are the last resort, ready ones come first', async () => {
    const port = await startPods(protocol);
    const plane = new Dataplane({
      clock: new SystemClock(),
      random: new SystemRandom(),
      allowedBackends: ['127.234.64.0/18'],
    });
    cleanups.push(() => {
      plane.destroy();
    });
    const service: Service = {
      metadata: { namespace: 'default', name: 'web' },
      spec: { clusterIP: VIP, clusterIPs: [VIP], ports: [{ port: PORT, protocol }] },
    };
    const put = (old: Endpoint['conditions'], fresh: Endpoint['conditions']): Promise<unknown> => {
      const slice: EndpointSlice = {
        metadata: { namespace: 'default', name: 'web-1' },
        addressType: 'IPv4',
        ports: [{ name: '', port, protocol }],
        endpoints: [
          { addresses: [PODS.old], conditions: old ?? {} },
          { addresses: [PODS.new], conditions: fresh ?? {} },
        ],
      };
      const context = {
        nodeName: 'k8s-01',
        zone: '',
        nodePortAddresses: [],
        ownedAddresses: new Set<string>(),
        localSources: [],
        policy,
      };
      return plane.replace({
        node: 'k8s-01',
        sources: [],
        rules: serviceRules(service, [slice], context),
      });
    };
    const visits = async (): Promise<string> =>
      [...new Set(await Promise.all(Array.from({ length: 12 }, () => ask(protocol))))].join();

    await put(SERVING, { ready: false });
    expect(await visits()).toBe('old');
    await put(SERVING, { ready: true });
    expect(await visits()).toBe('new');
    await put(SERVING, MUTE);
    expect(await visits()).toBe('old');
  });
});
