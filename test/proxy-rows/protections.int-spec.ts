import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Backend } from '@orrery/dataplane';
import { Scene, endOf, readAll, until } from './scene.js';

describe('what protects a host from its services', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene('TCP', 'rr', '127.234.130.7', {
      allowedBackends: ['127.234.64.0/18', '127.0.0.0/8', '169.254.0.0/16'],
    });
  });
  afterEach(() => scene.end());

  it.each([
    ['this host itself', '127.0.0.1'],
    ['any address of this host', '0.0.0.0'],
    ['the metadata service', '169.254.169.254'],
    ['a group of hosts', '224.0.0.1'],
    ['an address outside of the pod range', '10.1.2.3'],
  ])('CVE-2021-25740: endpoints that name %s are not dialled', async (_, address) => {
    await scene.put({ backends: [{ address, port: 2379, weight: 1 }] });
    expect(await endOf(scene.client())).toBe('ECONNRESET');
    expect(scene.plane.counters).toMatchObject({ guarded: 1, dialFailures: 0, tcpRefused: 1 });
  });

  it.each([2379, 2380, 6443, 10_249, 10_250, 10_256, 10_257, 10_259])(
    'CVE-2021-25740: port %i of a node is not dialled, whatever endpoints say',
    async (port) => {
      scene.end();
      const node = '127.234.0.9';
      scene = new Scene('TCP', 'rr', '127.234.130.7', {
        allowedBackends: ['127.234.64.0/18'],
        allowedNodes: ['127.234.0.0/24'],
      });
      const server = createServer((socket) => socket.end('control plane')).listen(port, node);
      await once(server, 'listening');
      try {
        const at = { address: node, port, weight: 1 };
        await scene.put({ backends: [at] });
        expect(await endOf(scene.client())).toBe('ECONNRESET');
        await scene.put({ backends: [{ ...at, host: 'pod' }] });
        expect(await endOf(scene.client())).toBe('ECONNRESET');
        expect(scene.plane.counters).toMatchObject({ guarded: 2, dialFailures: 0 });
      } finally {
        server.close();
      }
    },
  );

  it('reaches pods of the host network, and nothing else, at the address of their node', async () => {
    scene.end();
    scene = new Scene('TCP', 'rr', '127.234.130.7', {
      allowedBackends: ['127.234.64.0/18'],
      allowedNodes: ['127.234.0.0/24'],
    });
    const server = createServer((socket) => {
      socket.on('error', () => undefined).end('host');
    }).listen(8080, '127.234.0.9');
    await once(server, 'listening');
    try {
      const at = { address: '127.234.0.9', port: 8080, weight: 1 };
      await scene.put({ backends: [{ ...at, host: 'pod' }] });
      expect(await scene.greet()).toBe('host');
      await scene.put({ backends: [at] });
      expect(await endOf(scene.client())).toBe('ECONNRESET');
    } finally {
      server.close();
    }
  });

  it('CVE-2021-25740: UDP sessions obey the same', async () => {
    scene.end();
    scene = new Scene('UDP', 'rr', '127.234.130.7');
    await scene.put({ backends: [{ address: '127.0.0.1', port: 53, weight: 1 }] });
    scene.udpClient().send('x');
    await until(() => scene.plane.counters.guarded === 1, 'the endpoint was refused');
    expect(scene.plane.counters).toMatchObject({ udpDropped: 1, udpSessions: 0 });
  });

  it('CVE-2020-8554: an external address takes no cluster address away from its service', async () => {
    const [own, thief] = [await scene.greeter('own'), await scene.greeter('thief')];
    const stolen = { address: scene.vip, port: scene.port };
    await scene.put(
      { id: 'evil/a', frontends: [{ ...stolen, kind: 'loadBalancer' }], backends: [thief] },
      { backends: [own] },
      { id: 'evil/b', frontends: [{ ...stolen, kind: 'externalIP' }], backends: [thief] },
    );
    expect(await Promise.all([scene.greet(), scene.greet()])).toEqual(['own', 'own']);
  });

  it('CVE-2020-8554: an address that this host does not own is not bound, and said so', async () => {
    const frontends = [{ address: '192.0.2.1', port: 80, kind: 'externalIP' as const }];
    const problems = await scene.put({ frontends, backends: [await scene.greeter('x')] });
    expect(problems).toEqual([
      {
        rule: 'default/web:http',
        address: '192.0.2.1',
        port: 80,
        message: 'listen EADDRNOTAVAIL 192.0.2.1:80',
      },
    ]);
  });

  it('CVE-2020-8558: a node port answers on the address of its node alone', async () => {
    const node = { address: '127.234.0.2', port: 30_080, kind: 'nodePort' as const };
    await scene.put({ frontends: [node], backends: [await scene.greeter('x')] });
    const call = (host: string): Promise<string> => {
      const socket = connect(node.port, host);
      return readAll(socket).then(String, (error: NodeJS.ErrnoException) => error.code ?? '');
    };
    expect(await call(node.address)).toBe('x');
    expect(await call('127.0.0.1')).toBe('ECONNREFUSED');
  });

  it('lets in only the sources that a load balancer allows', async () => {
    const backends = [await scene.greeter('x')];
    await scene.put({ backends, allowedSources: ['10.0.0.0/8'] });
    expect(await endOf(scene.client())).toBe('ECONNRESET');
    await scene.put({ backends, allowedSources: ['10.0.0.0/8', '127.0.0.0/8'] });
    expect(await scene.greet()).toBe('x');
  });

  it('gives clients from inside the backends of their own (externalTrafficPolicy Local)', async () => {
    const [here, there] = [await scene.greeter('here'), await scene.greeter('there')];
    const inside = { sources: ['127.0.0.0/8'], backends: [there] };
    await scene.put({ backends: [here], inside });
    expect(await scene.greet()).toBe('there');
    await scene.put({ backends: [here], inside: { ...inside, sources: ['10.0.0.0/8'] } });
    expect(await scene.greet()).toBe('here');
    // On a local route the kernel gives the node itself the address that it calls.
    const own = connect({ host: scene.vip, port: scene.port, localAddress: scene.vip });
    expect(String(await readAll(own))).toBe('there');
    await scene.put({ backends: [], inside });
    expect(await scene.greet()).toBe('there');
    await scene.put({ backends: [], inside: { ...inside, sources: ['10.0.0.0/8'] } });
    expect(await endOf(scene.client())).toBe('ECONNRESET');
  });

  it('spreads clients of a load balancer over the nodes that have endpoints of their own', async () => {
    const frontends = [{ address: scene.vip, port: scene.port, kind: 'loadBalancer' as const }];
    const inside = { sources: ['10.0.0.0/8'], backends: [] };
    const put = (node: string, backends: Backend[], affinityMs = 0): Promise<unknown> =>
      scene.plane.replace({
        node,
        sources: [],
        rules: [scene.rule({ frontends, backends, inside, affinityMs })],
      });
    await put('k8s-01', [await scene.greeter('1')]);
    await put('k8s-02', [await scene.greeter('2')]);
    await put('k8s-03', []);
    const visit = async (): Promise<Set<string>> =>
      new Set(await Promise.all(Array.from({ length: 40 }, () => scene.greet())));
    expect(await visit()).toEqual(new Set(['1', '2']));
    await put('k8s-01', [await scene.greeter('1')], 60_000);
    await put('k8s-02', [await scene.greeter('2')], 60_000);
    expect((await visit()).size).toBe(1);
  });

  it('fails a connection that a NetworkPolicy forbids, and counts it', async () => {
    const pod = await scene.greeter('x');
    await scene.put({ backends: [pod] });
    scene.plane.setPolicy({ permits: ({ source, port }) => !(source !== '' && port === pod.port) });
    expect(await endOf(scene.client())).toBe('ECONNRESET');
    expect(scene.plane.counters.forbidden).toBe(1);
  });

  it('lets this host in, which has the called address on a local route', async () => {
    await scene.put({ backends: [await scene.greeter('x')] });
    scene.plane.setPolicy({ permits: () => false });
    const own = connect({ host: scene.vip, port: scene.port, localAddress: scene.vip });
    expect(String(await readAll(own))).toBe('x');
  });

  it('reports a frontend that another program holds', async () => {
    const taken = createServer().listen(scene.port, scene.vip);
    scene.onEnd(() => taken.close());
    await once(taken, 'listening');
    const problems = await scene.put({ backends: [await scene.greeter('x')] });
    expect(problems).toMatchObject([{ rule: 'default/web:http', port: scene.port }]);
  });

  it('tells who talks to whom, and what went through', async () => {
    const pod = await scene.echo('hi');
    await scene.put({ backends: [pod] });
    const client = scene.client();
    await once(client, 'data');
    client.write('abc');
    await once(client, 'data');
    expect(scene.plane.connections()).toMatchObject([
      {
        rule: 'default/web:http',
        node: 'k8s-01',
        protocol: 'TCP',
        client: `${client.localAddress}:${client.localPort}`,
        frontend: `${scene.vip}:${scene.port}`,
        backend: `${pod.address}:${pod.port}`,
        state: 'established',
        bytesToBackend: 3,
        bytesFromBackend: 5,
      },
    ]);
    expect(scene.plane.view()[0]?.endpoints).toMatchObject([
      { open: 1, connections: 1, errors: 0 },
    ]);
  });

  // The one address of IPv6 that every host has is loopback, which only a trusted rule may dial.
  it('relays TCP over IPv6', async () => {
    scene.end();
    scene = new Scene('TCP', 'rr', '::1');
    const pod = await scene.server((socket) => socket.end('six'), '::1');
    expect(await scene.put({ trusted: true, backends: [pod] })).toEqual([]);
    expect(await scene.greet()).toBe('six');
  });

  it('relays UDP over IPv6', async () => {
    scene.end();
    scene = new Scene('UDP', 'rr', '::1');
    const pod = createSocket('udp6');
    scene.onEnd(() => pod.close());
    pod.on('message', (_, from) => pod.send('six', from.port, from.address));
    pod.bind(0, '::1');
    await once(pod, 'listening');
    const backends = [{ address: '::1', port: pod.address().port, weight: 1 }];
    expect(await scene.put({ trusted: true, backends })).toEqual([]);
    const client = createSocket('udp6');
    scene.onEnd(() => client.close());
    client.send('x', scene.port, '::1');
    expect(String((await once(client, 'message'))[0])).toBe('six');
  });
});
