import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { PolicyName } from '@orrery/dataplane';
import { MODES, until } from './scene.js';

const VIP = '127.234.131.7';
const POD = '127.234.65.31';
const PORT = 18_080;
const DESCRIPTORS = 120;

/** A dataplane in a process of few descriptors; prints its counters whenever it reads a line. */
const program = (podPort: number, policy: PolicyName): string => `
import 'reflect-metadata';
import { SystemClock, SystemRandom } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
const plane = new Dataplane({ clock: new SystemClock(), random: new SystemRandom(), allowedBackends: ['127.234.64.0/18'] });
const frontends = [{ address: '${VIP}', port: ${PORT}, kind: 'clusterIP' as const }];
const backends = [{ address: '${POD}', port: ${podPort}, weight: 1 }];
const rule = { id: 'default/web', protocol: 'TCP' as const, frontends, backends, policy: '${policy}' as const, affinityMs: 0 };
await plane.replace({ node: 'k8s-01', sources: [], rules: [rule] });
const report = () => process.stdout.write(JSON.stringify({ ...plane.counters, open: plane.connections().length }) + '\\n');
process.stdin.on('data', report);
report();
`;

describe.each(MODES)('row 18: out of file descriptors, mode $mode', ({ mode, policy }) => {
  // In the checkout, so that its imports are found.
  const bundle = join(process.cwd(), '.cache', `descriptors-${mode}-${process.pid}.mjs`);
  const served = new Set<Socket>();
  const pod = createServer((socket) => {
    served.add(socket);
    socket.on('error', () => undefined);
    socket.write('hi');
  });
  let child: ChildProcess;
  let counters: Record<string, number> = {};

  beforeAll(async () => {
    pod.listen(0, POD);
    await once(pod, 'listening');
    await build({
      stdin: {
        contents: program((pod.address() as AddressInfo).port, policy),
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      conditions: ['development'],
      external: ['reflect-metadata', 'class-*', 'pino', 'prom-client', 'commander'],
      outfile: bundle,
    });
    child = spawn(
      'sh',
      ['-c', `ulimit -n ${DESCRIPTORS}; exec "$0" "$1"`, process.execPath, bundle],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    child.stdout?.on('data', (line: Buffer) => {
      counters = JSON.parse(line.toString().trim().split('\n').at(-1) ?? '{}') as typeof counters;
    });
    await until(() => counters['open'] === 0, 'the dataplane has started');
  });

  afterAll(() => {
    child.kill('SIGKILL');
    pod.close();
    for (const socket of served) socket.destroy();
    rmSync(bundle, { force: true });
  });

  const ask = async (
    what: (now: Record<string, number>) => boolean,
    text: string,
  ): Promise<void> => {
    await until(() => {
      child.stdin?.write('\n');
      return what(counters);
    }, text);
  };

  /** What a new client gets: the greeting, or how it ends. */
  const call = (): Promise<{ socket: Socket; got: string }> =>
    new Promise((resolve) => {
      const socket = connect(PORT, VIP);
      socket.on('data', (data: Buffer) => {
        resolve({ socket, got: String(data) });
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        resolve({ socket, got: error.code ?? '' });
      });
    });

  it('refuses cleanly, counts, and recovers', async () => {
    const calls = await Promise.all(Array.from({ length: 100 }, call));
    const served = calls.filter(({ got }) => got === 'hi');
    expect(served.length).toBeGreaterThan(20);
    expect(new Set(calls.map(({ got }) => got))).toEqual(new Set(['hi', 'ECONNRESET']));
    await ask((now) => (now['exhausted'] ?? 0) > 0, 'refusals are counted');
    expect(counters).toMatchObject({ exhausted: 100 - served.length, open: served.length });
    for (const { socket } of calls) socket.destroy();
    await ask((now) => now['open'] === 0, 'the connections have ended');
    const again = await Promise.all(Array.from({ length: 20 }, call));
    expect(again.map(({ got }) => got)).toEqual(Array(20).fill('hi'));
    for (const { socket } of again) socket.destroy();
  });
});
