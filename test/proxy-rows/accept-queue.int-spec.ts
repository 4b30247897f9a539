import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, SystemRandom } from '@orrery/component';
import { Dataplane, offerHandles, takeHandles } from '@orrery/dataplane';
import { Scene } from './scene.js';

const VIP = '127.234.134.7';
const CLIENTS = 40;

/** Connects when it is told to, says so by a file, then prints what each connection got. */
const CLIENT = `
const { connect } = require('node:net'); const { writeFileSync } = require('node:fs');
const [vip, port, file, count] = process.argv.slice(1);
process.stdin.once('data', () => {
  let connected = 0; let left = Number(count);
  for (let i = 0; i < Number(count); i++) {
    let got = '';
    const socket = connect(Number(port), vip, () => { if (++connected === Number(count)) writeFileSync(file, ''); });
    socket.on('data', (data) => { got += data; });
    socket.on('error', (error) => { got = error.code; });
    socket.on('close', () => { process.stdout.write(got + '\\n'); if (--left === 0) process.exit(0); });
  }
});
process.stdout.write('ready\\n');
`;

/** The kernel completes connections before anybody accepts them: they wait in the listener's queue. */
describe('connections that nobody has accepted yet', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'orrery-queue-'));
  });
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
    rmSync(dir, { recursive: true, force: true });
  });

  const scene = async (): Promise<Scene> => {
    const pods = new Scene('TCP', 'rr', VIP, { role: 'first' });
    cleanups.push(() => {
      pods.end();
    });
    const { address, port, weight } = await pods.greeter('hi');
    await pods.put({ backends: [{ address, port, weight }] });
    return pods;
  };

  /** Holds this process until all clients are connected; answers how to get what they got. */
  const queued = async ({ port }: Scene): Promise<() => Promise<string[]>> => {
    const file = join(dir, 'connected');
    const args = ['-e', CLIENT, VIP, String(port), file, String(CLIENTS)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    cleanups.push(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (data) => (text += String(data)));
    await once(child.stdout, 'data');
    child.stdin.write('go\n');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(file)) Atomics.wait(pause, 0, 0, 5);
    return async () => {
      await once(child, 'close');
      return text.trim().split('\n').slice(1);
    };
  };

  it('are served by a dataplane that takes no new ones', async () => {
    const pods = await scene();
    const results = await queued(pods);
    await pods.plane.closeListeners();
    expect(await results()).toEqual(Array.from({ length: CLIENTS }, () => 'hi'));
  });

  it('are served by the process that has taken over the listener, when the one before breaks off', async () => {
    const pods = await scene();
    const successor = new Dataplane({
      clock: new SystemClock(),
      random: new SystemRandom(),
      allowedBackends: ['127.234.64.0/18'],
      role: 'first',
    });
    cleanups.push(() => {
      successor.destroy();
    });
    const path = join(dir, 'handles');
    cleanups.push(offerHandles(path, pods.plane.handles()));
    successor.inherit(await takeHandles(path));
    const [set] = pods.plane.sets();
    const results = await queued(pods);
    pods.plane.destroy();
    if (set) await successor.replace(set);
    expect(await results()).toEqual(Array.from({ length: CLIENTS }, () => 'hi'));
    expect(successor.counters.snapshot().tcpConnections).toBe(CLIENTS);
  });
});
