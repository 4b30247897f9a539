// A dataplane of several processes, as it runs from its bundle: a process that dies, and processes that come by load.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataplaneClient } from '@orrery/dataplane';
import { dist, eventually } from './harness/index.js';

const NET = '127.244';
const POD = { address: `${NET}.65.1`, port: 18_081, weight: 1 };
const VIP = { address: `${NET}.128.1`, port: 18_080, kind: 'clusterIP' } as const;
const TEST_MS = 120_000;
const WAIT = { timeoutMs: 60_000 };

/** A dataplane process with the processes that it starts. */
class Subject {
  private readonly dir = mkdtempSync(join(tmpdir(), 'orrery-workers-'));
  private readonly child: ChildProcess;
  readonly client: DataplaneClient;

  constructor(workers: number) {
    const socket = join(this.dir, 'dataplane.sock');
    this.child = spawn(
      process.execPath,
      [
        join(dist, 'dataplane.js'),
        `--listen=unix://${socket}`,
        `--cluster-cidr=${NET}.64.0/18`,
        `--workers=${workers}`,
      ],
      { stdio: 'ignore' },
    );
    this.client = new DataplaneClient(socket);
  }

  async program(backends: readonly (typeof POD)[] = [POD]): Promise<void> {
    await eventually(async () => {
      await this.client.replace({
        node: 'k8s-01',
        sources: [],
        rules: [
          {
            id: 'default/web',
            protocol: 'TCP',
            frontends: [VIP],
            policy: 'random',
            affinityMs: 0,
            backends,
          },
        ],
      });
    }, WAIT);
  }

  /** The ids of its further processes. */
  async workers(): Promise<number[]> {
    const { stdout } = spawn('pgrep', ['-P', String(this.child.pid)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const text = (await stdout.toArray()).join('');
    return text.split('\n').filter(Boolean).map(Number);
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A process of its own that is a pod at the address it is given, and sends small messages over many connections. */
const LOAD = `
const net = require('node:net');
const quiet = (socket) => socket.on('error', () => undefined);
net.createServer((socket) => quiet(socket).on('data', (data) => socket.write(data)))
  .listen(${POD.port}, process.argv[1], () => {
    const open = () => {
      const socket = quiet(net.connect(${VIP.port}, '${VIP.address}'));
      socket.on('connect', () => socket.write('x'));
      socket.on('data', (data) => socket.write(data));
      socket.on('close', () => setTimeout(open, 50));
    };
    for (let i = 0; i < 64; i++) open();
  });`;

/** Says what it is sent. */
async function startPod(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(POD.port, POD.address, 4096);
  await once(server, 'listening');
  return server;
}

async function open(): Promise<Socket> {
  const socket = connect(VIP.port, VIP.address);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function echoes(socket: Socket, text: string): Promise<boolean> {
  const answer = Promise.race([
    once(socket, 'data').then(([data]) => String(data) === text),
    once(socket, 'close').then(() => false),
  ]);
  socket.write(text);
  return answer;
}

describe('a dataplane of several processes', () => {
  let pod: Server;
  const sockets = new Set<Socket>();
  const held = async (): Promise<Socket> => {
    const socket = await open();
    sockets.add(socket);
    return socket;
  };

  beforeAll(async () => {
    pod = await startPod();
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    pod.close();
  });

  it(
    'goes on when one of them dies: only its own connections end, and another takes its place',
    async () => {
      const subject = new Subject(2);
      try {
        await subject.program();
        await eventually(async () => expect(await subject.workers()).toHaveLength(1), WAIT);
        // The worker shares the port once it has been given the rules.
        await eventually(async () => {
          expect((await subject.client.view()).length).toBeGreaterThan(0);
        }, WAIT);
        const before = await Promise.all(Array.from({ length: 40 }, held));
        expect(await Promise.all(before.map((one) => echoes(one, 'a')))).not.toContain(false);
        const [worker = 0] = await subject.workers();
        process.kill(worker, 'SIGKILL');
        await eventually(() => Promise.resolve(expect(isAlive(worker)).toBe(false)), WAIT);
        // What the dead one had is gone, what the others have is not.
        const left = await Promise.all(before.map((one) => echoes(one, 'b').catch(() => false)));
        expect(left).toContain(true);
        for (let i = 0; i < 20; i++) expect(await echoes(await held(), 'c')).toBe(true);
        await eventually(async () => {
          const now = await subject.workers();
          expect(now).toHaveLength(1);
          expect(now).not.toContain(worker);
        }, WAIT);
        for (let i = 0; i < 20; i++) expect(await echoes(await held(), 'd')).toBe(true);
      } finally {
        await subject.end();
      }
    },
    TEST_MS,
  );

  it(
    'gets a further process when one is busy, and all end with the first',
    async () => {
      const subject = new Subject(0);
      const pods = ['11', '12', '13'].map((last) => ({ ...POD, address: `${NET}.65.${last}` }));
      const load: ChildProcess[] = [];
      try {
        await subject.program(pods);
        expect(await subject.workers()).toEqual([]);
        for (const { address } of pods)
          load.push(spawn(process.execPath, ['-e', LOAD, address], { stdio: 'ignore' }));
        const least = availableParallelism() > 1 ? 1 : 0;
        await eventually(
          async () => expect((await subject.workers()).length).toBeGreaterThanOrEqual(least),
          WAIT,
        );
        const workers = await subject.workers();
        await subject.end();
        await eventually(() => Promise.resolve(expect(workers.filter(isAlive)).toEqual([])), WAIT);
      } finally {
        for (const child of load) child.kill('SIGKILL');
        await subject.end();
      }
    },
    TEST_MS,
  );
});
