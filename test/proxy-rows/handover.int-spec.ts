import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { app } from '@orrery/dataplane-app';
import { DataplaneClient } from '@orrery/dataplane';
import type { Backend } from '@orrery/dataplane';
import { Scene, readAll, until } from './scene.js';

const VIP = '127.234.133.7';

/** Two dataplanes one after the other on the same control socket, as a restart has them. */
describe('a dataplane that starts while another one serves', () => {
  const dir = mkdtempSync(join(tmpdir(), 'orrery-handover-'));
  const socket = join(dir, 'dataplane.sock');
  const client = new DataplaneClient(socket);
  const pods = new Scene('TCP', 'rr', VIP);
  const stops: AbortController[] = [];

  const start = (): { ended: Promise<void>; state: { hasEnded: boolean } } => {
    const stop = new AbortController();
    stops.push(stop);
    const state = { hasEnded: false };
    const args = [`--listen=unix://${socket}`, '--cluster-cidr=127.234.64.0/18', '--workers=1'];
    const ended = app.run(args, { signal: stop.signal }).then(() => {
      state.hasEnded = true;
    });
    return { ended, state };
  };
  const answers = (): Promise<boolean> =>
    client.sets().then(
      (sets) => sets.length > 0,
      () => false,
    );
  let first: ReturnType<typeof start>;

  beforeAll(async () => {
    first = start();
    await until(() => readdirSync(dir).includes('dataplane.sock'), 'the first one listens');
  });
  afterAll(async () => {
    for (const stop of stops) stop.abort();
    await first.ended;
    pods.end();
    rmSync(dir, { recursive: true, force: true });
  });

  it('takes over the listeners; established connections stay where they are to their end', async () => {
    const plain = ({ address, port, weight }: Backend): Backend => ({ address, port, weight });
    const tcp = pods.rule({ backends: [plain(await pods.echo('hi'))] });
    const udpPod = plain(await pods.udpPod('u'));
    const udp = pods.rule({ id: 'default/dns', protocol: 'UDP', backends: [udpPod] });
    await client.replace({ node: 'k8s-01', sources: [], rules: [tcp, udp] });
    const held = connect(pods.port, VIP);
    pods.onEnd(() => held.destroy());
    await once(held, 'data');

    let failed = 0;
    let served = 0;
    let isOver = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const socketToVip = connect(pods.port, VIP);
        const reply = readAll(socketToVip).then(String, () => 'failed');
        socketToVip.end();
        if ((await reply) === 'hi') served += 1;
        else failed += 1;
      }
    });
    await until(() => served > 20, 'load');
    const gone = client.untilGone(() => undefined, new AbortController().signal);
    const second = start();
    await gone;
    const before = served;
    await until(() => served > before + 20, 'load on the second one');
    isOver = true;
    await Promise.all(load);
    expect(failed).toBe(0);
    expect(await answers()).toBe(true);
    expect(await pods.udpClient().name()).toBe('u');

    expect(first.state.hasEnded).toBe(false);
    held.write('still here');
    expect(String(await once(held, 'data'))).toBe('still here');
    held.end();
    await first.ended;
    expect(await answers()).toBe(true);
    stops[1]?.abort();
    await second.ended;
    expect(readdirSync(dir)).toEqual([]);
  });
});
