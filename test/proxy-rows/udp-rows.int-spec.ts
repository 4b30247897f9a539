import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MODES, NODE, Scene, chiSquare, cpuMs, until } from './scene.js';

describe.each(MODES)('UDP rows of consistency.md 5, mode $mode', ({ mode, policy }) => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene('UDP', policy, '127.234.129.7');
  });
  afterEach(() => scene.end());

  it('row 10: without endpoints a datagram is dropped and counted', async () => {
    await scene.put({ backends: [] });
    scene.udpClient().send('x');
    await until(() => scene.plane.counters.udpDropped === 1, 'the datagram was counted');
  });

  it('row 11: the sessions of a removed endpoint are purged', async () => {
    await scene.put({ backends: [await scene.udpPod('1')] });
    const client = scene.udpClient();
    expect(await client.name()).toBe('1');
    await scene.change({ backends: [await scene.udpPod('2')] });
    expect(scene.plane.connections()).toEqual([]);
    expect(await client.name()).toBe('2');
  });

  it('row 13: a new endpoint is reached within 10 ms (of CPU time) of the event', async () => {
    const [one, two] = [await scene.udpPod('1'), await scene.udpPod('2')];
    await scene.put({ backends: [one] });
    const client = scene.udpClient();
    const times: number[] = [];
    for (let i = 0; i < 11; i++) {
      const started = cpuMs();
      await scene.change({ backends: i % 2 ? [one] : [two] });
      expect(await client.name()).toBe(i % 2 ? '1' : '2');
      times.push(cpuMs() - started);
    }
    expect(times.sort((a, b) => a - b)[5]).toBeLessThan(10);
  });

  it('row 14: a client stays on its endpoint for the affinity time, whatever its port', async () => {
    const backends = await Promise.all(Array.from('12345678').map((name) => scene.udpPod(name)));
    await scene.put({ backends, affinityMs: 60_000 });
    const first = await scene.udpClient().name();
    for (let i = 0; i < 5; i++) expect(await scene.udpClient().name()).toBe(first);
    const later = new Set<string>();
    for (let i = 0; i < 12; i++) {
      scene.clock.shiftMs += 61_000;
      later.add(await scene.udpClient().name());
    }
    expect(later.size).toBeGreaterThan(1);
  });

  it(`row 15: the distribution of ${mode}`, async () => {
    const backends = await Promise.all(Array.from('0123').map((name) => scene.udpPod(name)));
    await scene.put({ backends });
    const counts = [0, 0, 0, 0];
    let sequence = '';
    for (let i = 0; i < 200; i++) {
      const name = await scene.udpClient().name();
      counts[Number(name)] = (counts[Number(name)] as number) + 1;
      sequence += name;
    }
    const isRotation = sequence === sequence.slice(0, 4).repeat(50);
    // 3 degrees of freedom: above 21.1 with probability 0.0001.
    const isEven = chiSquare(counts) < 21.1;
    expect(policy === 'rr' ? isRotation : isEven).toBe(true);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('row 16: 1,000 endpoint changes under load lose no datagram to a live endpoint', async () => {
    const [stable, other] = [await scene.udpPod('stable'), await scene.udpPod('other')];
    await scene.put({ backends: [stable] });
    let isOver = false;
    let answers = 0;
    const load = Array.from({ length: 4 }, async () => {
      const client = scene.udpClient();
      while (!isOver) {
        expect(await client.name()).toBe('stable');
        answers += 1;
      }
    });
    await until(() => answers > 8, 'sessions with the live endpoint');
    for (let i = 0; i < 1_000; i++)
      await scene.change({ backends: i % 2 ? [stable] : [other, stable] });
    const before = answers;
    await until(() => answers > before, 'answers after the changes');
    isOver = true;
    await Promise.all(load);
    expect(scene.plane.counters).toMatchObject({ udpDropped: 0, udpSessions: 4 });
  });

  it('rows 19 and 20: a switch of mode, a resync and a new kube-proxy keep every session', async () => {
    const pod = await scene.udpPod('1');
    await scene.put({ backends: [pod] });
    const client = scene.udpClient();
    await client.ask('x');
    for (const next of ['rr', 'random', 'lc', 'mh', policy] as const) {
      await scene.put({ backends: [pod], policy: next });
      expect(await client.name()).toBe('1');
    }
    await scene.plane.replace({
      node: NODE,
      sources: ['127.234.65.0/24'],
      rules: [scene.rule({ backends: [pod] })],
    });
    expect(await client.name()).toBe('1');
    expect(new Set(pod.sources.map((from) => from.port)).size).toBe(1);
    expect(scene.plane.counters.udpSessions).toBe(1);
  });

  it('row 21: a datagram of 65,507 bytes arrives intact', async () => {
    await scene.put({ backends: [await scene.udpPod('1')] });
    const data = Buffer.from(Array.from({ length: 65_507 }, (_, i) => i & 255));
    expect((await scene.udpClient().ask(data)).equals(data)).toBe(true);
  });

  it('row 22: sessions expire, and a flood of sources keeps the table bounded', async () => {
    scene.end();
    scene = new Scene('UDP', policy, '127.234.129.7', { maxUdpSessions: 20, udpIdleMs: 60_000 });
    scene.clock.holdsTimers = true;
    await scene.put({ backends: [await scene.udpPod('1')] });
    for (let i = 0; i < 100; i++) expect(await scene.udpClient().name()).toBe('1');
    expect(scene.plane.connections().length).toBeLessThanOrEqual(20);
    expect(scene.plane.counters.udpSessions).toBe(100);
    scene.clock.shiftMs += 59_000;
    scene.clock.releaseTimers();
    expect(scene.plane.connections().length).toBeGreaterThan(0);
    scene.clock.shiftMs += 61_000;
    scene.clock.releaseTimers();
    expect(scene.plane.connections()).toEqual([]);
  });

  it('row 23: the source port lives as long as the session, and replies come from the VIP', async () => {
    const pod = await scene.udpPod('1');
    await scene.put({ backends: [pod] });
    const [a, b] = [scene.udpClient(), scene.udpClient()];
    for (let i = 0; i < 5; i++) {
      await a.ask('x');
      await b.ask('x');
    }
    const ports = pod.sources.map((from) => from.port);
    expect(new Set(ports).size).toBe(2);
    expect(ports).toEqual([0, 1, 2, 3, 4].flatMap(() => ports.slice(0, 2)));
  });

  it('row 24: an endpoint that refuses by ICMP loses the session, and the next one gets the datagram', async () => {
    const [gone, alive] = [await scene.udpPod('gone'), await scene.udpPod('alive')];
    gone.stop();
    await scene.put({ backends: [gone, alive] });
    for (let i = 0; i < 6; i++) expect(await scene.udpClient().name()).toBe('alive');
    expect(scene.plane.counters.dialFailures).toBeGreaterThan(0);
    expect(scene.plane.connections().every((one) => one.backend.endsWith(`${alive.port}`))).toBe(
      true,
    );
  });
});
