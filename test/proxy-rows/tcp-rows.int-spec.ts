import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Backend } from '@orrery/dataplane';
import { MIB, MODES, NODE, Scene, chiSquare, cpuMs, endOf, readAll, until } from './scene.js';

/** Writes `total` bytes as fast as the socket takes them; answers how many it took so far. */
function pour(socket: Socket, total: number): () => number {
  const chunk = Buffer.alloc(64 * 1024, 7);
  let left = total;
  const go = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', go);
        return;
      }
    }
    socket.end();
  };
  go();
  return () => total - left - socket.writableLength;
}

/** A backend that neither accepts nor refuses: a stopped process whose queue of connections is full. */
async function blackHole(scene: Scene): Promise<Backend> {
  const address = '127.234.65.9';
  const program = `require('net').createServer().listen({host:'${address}',port:0,backlog:1},function(){console.log(this.address().port)})`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  scene.onEnd(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const state = (): string => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1] ?? '';
  await until(() => state().startsWith('T'), 'the process has stopped');
  let connected = 0;
  for (let i = 0; i < 4; i++) {
    const filler = connect(port, address, () => (connected += 1)).on('error', () => undefined);
    scene.onEnd(() => filler.destroy());
  }
  // The kernel completes one connection more than the backlog; from then on it is silent.
  await until(() => connected === 2, 'the queue is full');
  return { address, port, weight: 1 };
}

/** Whether something waits in the kernel to be read by whoever has connected to this port. */
function isUnread(port: number): boolean {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(([, , to = '', , queues = '']) => to.endsWith(remote) && !queues.endsWith(':00000000'));
}

/** Resolves when the relay has stopped to read what a pod sends, since its client does not take it. */
async function heldUp(scene: Scene, { port }: Backend): Promise<void> {
  let [before, looks] = [-1, 0];
  await until(() => {
    const now = scene.plane.connections()[0]?.bytesFromBackend ?? 0;
    looks = now > 0 && now === before && isUnread(port) ? looks + 1 : 0;
    before = now;
    return looks === 5;
  }, 'the relay waits for its client');
}

describe.each(MODES)('TCP rows of consistency.md 5, mode $mode', ({ mode, policy }) => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene('TCP', policy);
  });
  afterEach(() => scene.end());

  it('row 1: a client that half-closes still gets the whole reply', async () => {
    const pod = await scene.server((socket) => {
      socket.resume();
      socket.on('end', () => socket.end(Buffer.alloc(8 * MIB, 1)));
    });
    await scene.put({ backends: [pod] });
    const client = scene.client();
    client.end('request');
    expect((await readAll(client)).length).toBe(8 * MIB);
  });

  it('row 2: a server that half-closes still gets what the client sends', async () => {
    let got: Promise<Buffer> | undefined;
    const pod = await scene.server((socket) => {
      socket.end('bye');
      got = readAll(socket);
    });
    await scene.put({ backends: [pod] });
    const client = scene.client();
    client.resume();
    await once(client, 'end');
    client.end(Buffer.alloc(MIB, 3));
    await until(() => got !== undefined, 'the server has a client');
    expect((await got)?.length).toBe(MIB);
  });

  it('row 3: a reset by the server reaches the client as a reset', async () => {
    const pod = await scene.server((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    await scene.put({ backends: [pod] });
    const client = scene.client();
    client.write('x');
    expect(await endOf(client)).toBe('ECONNRESET');
  });

  it('row 4: a reset by the client reaches the server', async () => {
    let end: Promise<string | undefined> | undefined;
    const pod = await scene.server((socket) => {
      socket.write('hello');
      end = endOf(socket);
    });
    await scene.put({ backends: [pod] });
    const client = scene.client();
    await once(client, 'data');
    client.resetAndDestroy();
    expect(await end).toBe('ECONNRESET');
  });

  it('row 5: FIN behind 50 MiB that nobody reads yet: all of it arrives', async () => {
    const pod = await scene.server((socket) => socket.end(Buffer.alloc(50 * MIB, 7)));
    await scene.put({ backends: [pod] });
    const client = scene.client();
    client.pause();
    await heldUp(scene, pod);
    expect((await readAll(client)).length).toBe(50 * MIB);
  });

  it('row 6: a reader that stops holds up a reply of 200 MiB, without memory', async () => {
    const total = 200 * MIB;
    let pushed = (): number => 0;
    const pod = await scene.server((socket) => {
      pushed = pour(socket, total);
    });
    await scene.put({ backends: [pod] });
    const before = process.memoryUsage().arrayBuffers;
    const client = scene.client();
    client.pause();
    await heldUp(scene, pod);
    expect(pushed()).toBeGreaterThan(0);
    expect(pushed()).toBeLessThan(40 * MIB);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
    let got = 0;
    for await (const part of client) got += (part as Buffer).length;
    expect(got).toBe(total);
  });

  it('row 7: an endpoint that refuses is passed over before the client notices', async () => {
    const [gone, alive] = [await scene.greeter('gone'), await scene.greeter('alive')];
    gone.stop();
    await scene.put({ backends: [gone, alive] });
    const got = await Promise.all(Array.from({ length: 20 }, () => scene.greet()));
    expect(got).toEqual(Array(20).fill('alive'));
    expect(scene.plane.counters.dialFailures).toBeGreaterThan(0);
    expect(scene.plane.counters.tcpRefused).toBe(0);
  });

  it('row 8: a black-holed endpoint costs its client the dial timeout and others nothing', async () => {
    const hole = await blackHole(scene);
    const alive = await scene.greeter('alive');
    const elsewhere = '127.234.128.8';
    const other = [{ address: elsewhere, port: scene.port, kind: 'clusterIP' as const }];
    await scene.put(
      { backends: [hole] },
      { id: 'default/other', frontends: other, backends: [alive] },
    );
    scene.clock.holdsTimers = true;
    const stuck = scene.greet();
    await until(() => scene.plane.connections().length === 1, 'a dial into the hole');
    await scene.change({ backends: [hole, alive] });
    expect((await readAll(scene.client(elsewhere))).toString()).toBe('alive');
    expect(scene.plane.connections().map((one) => one.state)).toContain('connecting');
    scene.clock.releaseTimers();
    expect(await stuck).toBe('alive');
    expect(scene.plane.counters.dialFailures).toBe(1);
  });

  it('row 9: a slow endpoint delays nobody else', async () => {
    const order: string[] = [];
    let answer = (): void => undefined;
    const slow = await scene.server((socket) => {
      answer = () => socket.end('slow');
    });
    await scene.put({ backends: [slow] });
    const first = scene.greet().then((text) => order.push(text));
    await until(() => scene.plane.counters.tcpConnections === 1, 'the slow connection');
    await scene.change({ backends: [await scene.greeter('fast')] });
    for (let i = 0; i < 20; i++) order.push(await scene.greet());
    answer();
    await first;
    expect(order).toEqual([...Array(20).fill('fast'), 'slow']);
  });

  it('row 10: without endpoints a client is refused at once', async () => {
    await scene.put({ backends: [await scene.greeter('x')] });
    await scene.change({ backends: [] });
    expect(await endOf(scene.client())).toBe('ECONNREFUSED');
  });

  it('row 11: a removed endpoint keeps its connections to the drain time and gets no new one', async () => {
    scene.end();
    scene = new Scene('TCP', policy, undefined, { drainMs: 150 });
    await scene.put({ backends: [await scene.echo('first ')] });
    const old = scene.client();
    await once(old, 'data');
    scene.clock.holdsTimers = true;
    await scene.change({ backends: [await scene.greeter('second')] });
    old.write('still here');
    expect(String(await once(old, 'data'))).toBe('still here');
    const got = await Promise.all(Array.from({ length: 10 }, () => scene.greet()));
    expect(new Set(got)).toEqual(new Set(['second']));
    scene.clock.releaseTimers();
    expect(await endOf(old)).toBe('ECONNRESET');
  });

  it('row 13: a new endpoint is reached within 10 ms (of CPU time) of the event', async () => {
    const [one, two] = [await scene.greeter('1'), await scene.greeter('2')];
    await scene.put({ backends: [one] });
    const times: number[] = [];
    for (let i = 0; i < 11; i++) {
      const backends = i % 2 ? [one] : [two];
      const started = cpuMs();
      await scene.change({ backends });
      expect(await scene.greet()).toBe(i % 2 ? '1' : '2');
      times.push(cpuMs() - started);
    }
    expect(times.sort((a, b) => a - b)[5]).toBeLessThan(10);
  });

  it('row 14: a client stays on its endpoint for the affinity time', async () => {
    const names = ['1', '2', '3', '4', '5', '6', '7', '8'];
    const backends = await Promise.all(names.map((name) => scene.greeter(name)));
    await scene.put({ backends, affinityMs: 60_000 });
    const visit = async (): Promise<string> => {
      const got = new Set(await Promise.all(Array.from({ length: 5 }, () => scene.greet())));
      expect(got.size).toBe(1);
      return [...got][0] ?? '';
    };
    const first = await visit();
    scene.clock.shiftMs += 59_000;
    expect(await visit()).toBe(first);
    const later = new Set<string>();
    for (let i = 0; i < 12; i++) {
      scene.clock.shiftMs += 61_000;
      later.add(await visit());
    }
    expect(later.size).toBeGreaterThan(1);
  });

  it(`row 15: the distribution of ${mode}`, async () => {
    const names = ['0', '1', '2', '3'];
    const backends = await Promise.all(names.map((name) => scene.greeter(name)));
    await scene.put({ backends });
    const counts = [0, 0, 0, 0];
    let sequence = '';
    for (let i = 0; i < 400; i++) {
      const name = await scene.greet();
      counts[Number(name)] = (counts[Number(name)] as number) + 1;
      sequence += name;
    }
    const isRotation = sequence === sequence.slice(0, 4).repeat(100);
    // 3 degrees of freedom: above 21.1 with probability 0.0001.
    const isEven = chiSquare(counts) < 21.1;
    expect(policy === 'rr' ? isRotation : isEven).toBe(true);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('row 16: 1,000 endpoint changes under load fail no request to a live endpoint', async () => {
    const [stable, other] = [await scene.greeter('stable'), await scene.greeter('other')];
    await scene.put({ backends: [stable] });
    let isOver = false;
    const results: string[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) results.push(await scene.greet());
    });
    for (let i = 0; i < 1_000; i++)
      await scene.change({ backends: i % 2 ? [stable] : [other, stable] });
    await until(() => results.length > 100, 'requests were made');
    isOver = true;
    await Promise.all(load);
    expect(results.filter((text) => text !== 'stable' && text !== 'other')).toEqual([]);
    expect(scene.plane.counters.tcpRefused).toBe(0);
  });

  it('row 17: idle holders meet the limit of the service, counted, and others do not', async () => {
    await scene.put({ backends: [await scene.echo('hi')], maxConnections: 5 });
    const holders = Array.from({ length: 5 }, () => scene.client());
    await Promise.all(holders.map((holder) => once(holder, 'data')));
    expect(await endOf(scene.client())).toBe('ECONNRESET');
    expect(scene.plane.view()[0]?.limited).toBe(1);
    holders[0]?.destroy();
    await until(() => scene.plane.connections().length === 4, 'one has left');
    expect(String(await once(scene.client(), 'data'))).toBe('hi');
  });

  it('row 19: a switch of mode and a resync drop no established connection', async () => {
    const backends = [await scene.echo('1'), await scene.echo('2')];
    await scene.put({ backends });
    const client = scene.client();
    await once(client, 'data');
    for (const next of ['rr', 'random', 'lc', 'mh', policy] as const) {
      await scene.put({ backends, policy: next });
      client.write(next);
      expect(String(await once(client, 'data'))).toBe(next);
    }
  });

  it('row 20: a kube-proxy that is killed and comes back drops no established connection', async () => {
    const backends = [await scene.echo('1')];
    await scene.put({ backends });
    const client = scene.client();
    await once(client, 'data');
    // Its end changes nothing here; the new one first has no endpoints in its cache, then all of them.
    await scene.plane.replace({ node: NODE, sources: [], rules: [] });
    client.write('between');
    expect(String(await once(client, 'data'))).toBe('between');
    await scene.put({ backends });
    client.write('after');
    expect(String(await once(client, 'data'))).toBe('after');
    expect(String(await once(scene.client(), 'data'))).toBe('1');
  });
});
