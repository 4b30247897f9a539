import { afterEach, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SystemClock, SystemRandom } from '@orrery/component';
import { Dataplane } from './dataplane.js';
import type { Backend, PolicyName, ServiceRule } from './rule-set.js';

const VIP = '127.209.128.7';
const POD = '127.209.65.1';
const PORT = 18_080;
const MIB = 1024 * 1024;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function dataplane(): Dataplane {
  const plane = new Dataplane({
    clock: new SystemClock(),
    random: new SystemRandom(),
    allowedBackends: ['127.209.64.0/18'],
    dialTimeoutMs: 300,
  });
  cleanups.push(() => plane.destroy());
  return plane;
}

interface RuleOptions {
  readonly backends: readonly Backend[];
  readonly policy?: PolicyName;
  readonly protocol?: 'TCP' | 'UDP';
  readonly affinityMs?: number;
}

const rule = (options: RuleOptions): ServiceRule => ({
  id: 'default/web:http',
  protocol: options.protocol ?? 'TCP',
  frontends: [{ address: VIP, port: PORT, kind: 'clusterIP' }],
  policy: options.policy ?? 'rr',
  affinityMs: options.affinityMs ?? 0,
  backends: options.backends,
});

const put = (plane: Dataplane, options: RuleOptions): Promise<unknown> =>
  plane.replace({ node: 'k8s-01', sources: [], rules: [rule(options)] });

/** A TCP server on the pod's address. */
async function backend(
  onClient: (socket: Socket) => void,
  host = POD,
): Promise<Backend & { server: Server }> {
  const server = createServer({ allowHalfOpen: true }, onClient);
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, host);
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { address: host, port: (server.address() as AddressInfo).port, weight: 1, server };
}

const greeter = (text: string, host?: string): Promise<Backend & { server: Server }> =>
  backend((socket) => socket.end(text), host);

function call(): Socket {
  const socket = connect({ host: VIP, port: PORT, allowHalfOpen: true });
  cleanups.push(() => socket.destroy());
  return socket;
}

async function readAll(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const greet = async (): Promise<string> => (await readAll(call())).toString();

const errorCode = (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
    socket.on('close', () => {
      resolve(undefined);
    });
    socket.resume();
  });

describe('Dataplane, TCP', () => {
  it('row 1: a client that half-closes still gets the whole reply', async () => {
    const plane = dataplane();
    const pod = await backend((socket) => {
      socket.resume();
      socket.on('end', () => socket.end(Buffer.alloc(8 * MIB, 1)));
    });
    await put(plane, { backends: [pod] });
    const client = call();
    client.end('request');
    expect((await readAll(client)).length).toBe(8 * MIB);
  });

  it('row 2: a server that half-closes still gets what the client sends', async () => {
    const plane = dataplane();
    const got = new Promise<string>((resolve) => {
      void backend((socket) => {
        socket.end('bye');
        void readAll(socket).then((all) => {
          resolve(all.toString());
        });
      }).then((pod) => put(plane, { backends: [pod] }));
    });
    await new Promise((resolve) => setImmediate(resolve));
    while (plane.view().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const client = call();
    client.once('end', () => client.end('still here'));
    client.resume();
    expect(await got).toBe('still here');
  });

  it('row 3: a reset by the server reaches the client as a reset', async () => {
    const plane = dataplane();
    const pod = await backend((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await put(plane, { backends: [pod] });
    const client = call();
    client.write('x');
    expect(await errorCode(client)).toBe('ECONNRESET');
  });

  it('row 4: a reset by the client reaches the server', async () => {
    const plane = dataplane();
    const code = new Promise<string | undefined>((resolve) => {
      void backend((socket) => {
        socket.write('hello');
        void errorCode(socket).then(resolve);
      }).then((pod) => put(plane, { backends: [pod] }));
    });
    while (plane.view().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const client = call();
    client.once('data', () => client.resetAndDestroy());
    expect(await code).toBe('ECONNRESET');
  });

  it('row 5 and 6: a slow reader gets everything and memory stays bounded', async () => {
    const plane = dataplane();
    const size = 50 * MIB;
    const pod = await backend((socket) => socket.end(Buffer.alloc(size, 7)));
    await put(plane, { backends: [pod] });
    const client = call();
    await once(client, 'connect');
    client.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await readAll(client)).length).toBe(size);
  });

  it('row 7: a backend that refuses is passed over before the client notices', async () => {
    const plane = dataplane();
    const gone = await greeter('gone');
    gone.server.close();
    const alive = await greeter('alive');
    await put(plane, { backends: [gone, alive] });
    expect(await Promise.all([greet(), greet(), greet(), greet()])).toEqual(Array(4).fill('alive'));
    expect(plane.counters.dialFailures).toBeGreaterThan(0);
  });

  it('row 10: without backends a client is refused at once', async () => {
    const plane = dataplane();
    await put(plane, { backends: [] });
    expect(await errorCode(call())).toBe('ECONNREFUSED');
  });

  it('row 11: a removed backend keeps its connection and gets no new one', async () => {
    const plane = dataplane();
    const first = await backend((socket) => {
      socket.on('data', (data) => socket.write(data));
    });
    await put(plane, { backends: [first] });
    const old = call();
    old.write('a');
    expect(String(await once(old, 'data'))).toBe('a');
    const second = await greeter('second');
    await put(plane, { backends: [second] });
    old.write('b');
    expect(String(await once(old, 'data'))).toBe('b');
    expect(await greet()).toBe('second');
  });

  it('row 13 and 15: rr reaches every backend in exact rotation, a new one at once', async () => {
    const plane = dataplane();
    const one = await greeter('1');
    const two = await greeter('2');
    await put(plane, { backends: [one] });
    expect(await greet()).toBe('1');
    await put(plane, { backends: [one, two] });
    const got: string[] = [];
    for (let i = 0; i < 6; i++) got.push(await greet());
    expect(got.join('')).toBe('212121');
  });

  it('row 14: affinity keeps a client on its backend', async () => {
    const plane = dataplane();
    await put(plane, { backends: [await greeter('1'), await greeter('2')], affinityMs: 60_000 });
    const got = await Promise.all(Array.from({ length: 6 }, greet));
    expect(new Set(got).size).toBe(1);
  });

  it('row 16: no request fails while backends come and go', async () => {
    const plane = dataplane();
    const stable = await greeter('stable');
    const other = await greeter('other');
    await put(plane, { backends: [stable] });
    let stop = false;
    const results: string[] = [];
    const load = (async () => {
      while (!stop) results.push(await greet());
    })();
    for (let i = 0; i < 200; i++)
      await plane.change('k8s-01', {
        set: [rule({ backends: i % 2 ? [stable] : [stable, other] })],
        remove: [],
      });
    stop = true;
    await load;
    expect(results.every((text) => text === 'stable' || text === 'other')).toBe(true);
  });

  it('row 19 and 20: a switch of mode and a new kube-proxy drop no established connection', async () => {
    const plane = dataplane();
    const pod = await backend((socket) => {
      socket.on('data', (data) => socket.write(data));
    });
    await put(plane, { backends: [pod], policy: 'random' });
    const client = call();
    client.write('a');
    await once(client, 'data');
    await put(plane, { backends: [pod], policy: 'rr' });
    client.write('b');
    expect(String(await once(client, 'data'))).toBe('b');
  });

  it('does not dial outside the allowed ranges (CVE-2021-25740)', async () => {
    const plane = dataplane();
    const secret = await greeter('secret', '127.0.0.1');
    await put(plane, { backends: [secret] });
    expect(await errorCode(call())).toBe('ECONNRESET');
    expect(plane.counters.guarded).toBe(1);
  });

  it('fails a connection that a policy forbids, and counts it', async () => {
    const plane = dataplane();
    await put(plane, { backends: [await greeter('x')] });
    plane.setPolicy({ permits: ({ source, address }) => !(source && address === POD) });
    expect(await errorCode(call())).toBe('ECONNRESET');
    expect(plane.counters.forbidden).toBe(1);
  });

  it('reports a frontend that cannot be bound', async () => {
    const plane = dataplane();
    const taken = createServer().listen(PORT, VIP);
    await once(taken, 'listening');
    cleanups.push(() => taken.close());
    const problems = await put(plane, { backends: [await greeter('x')] });
    expect(problems).toMatchObject([{ rule: 'default/web:http', address: VIP, port: PORT }]);
  });
});

describe('Dataplane, UDP', () => {
  const echo = async (
    name: string,
  ): Promise<Backend & { socket: UdpSocket; sources: Set<number> }> => {
    const socket = createSocket('udp4');
    const sources = new Set<number>();
    socket.on('message', (data, from) => {
      sources.add(from.port);
      socket.send(
        data.length > 1_000 ? data : `${name}:${data.toString()}`,
        from.port,
        from.address,
      );
    });
    socket.bind(0, POD);
    await once(socket, 'listening');
    cleanups.push(() => socket.close());
    return { address: POD, port: socket.address().port, weight: 1, socket, sources };
  };

  const client = (): { ask: (text: string | Buffer) => Promise<Buffer> } => {
    const socket = createSocket('udp4');
    cleanups.push(() => socket.close());
    return {
      ask: async (text) => {
        socket.send(text, PORT, VIP);
        const [data, from] = (await once(socket, 'message')) as [Buffer, { address: string }];
        expect(from.address).toBe(VIP);
        return data;
      },
    };
  };

  it('rows 15 and 23: sessions rotate by client and keep their source port', async () => {
    const plane = dataplane();
    const one = await echo('1');
    await put(plane, { protocol: 'UDP', backends: [one, await echo('2')] });
    const a = client();
    const b = client();
    expect(String(await a.ask('x'))).toBe('1:x');
    expect(String(await b.ask('x'))).toBe('2:x');
    expect(String(await a.ask('y'))).toBe('1:y');
    expect(one.sources.size).toBe(1);
  });

  it('row 11: the session of a removed backend is purged', async () => {
    const plane = dataplane();
    await put(plane, { protocol: 'UDP', backends: [await echo('1')] });
    const a = client();
    expect(String(await a.ask('x'))).toBe('1:x');
    await put(plane, { protocol: 'UDP', backends: [await echo('2')] });
    expect(String(await a.ask('x'))).toBe('2:x');
  });

  it('row 21: a datagram of 65,507 bytes arrives intact', async () => {
    const plane = dataplane();
    await put(plane, { protocol: 'UDP', backends: [await echo('1')] });
    const data = Buffer.alloc(65_507, 5);
    expect((await client().ask(data)).equals(data)).toBe(true);
  });

  it('row 10: a datagram without a backend is dropped and counted', async () => {
    const plane = dataplane();
    await put(plane, { protocol: 'UDP', backends: [] });
    const socket = createSocket('udp4');
    cleanups.push(() => socket.close());
    socket.send('x', PORT, VIP);
    while (plane.counters.udpDropped === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(plane.counters.udpDropped).toBe(1);
  });
});
