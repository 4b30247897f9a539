import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** This file, as the build of each module system knows it. */
declare const ORRERY_TESTING_FILE: string;

/** A cluster or its test server could not do what was asked; the message is for the reader of the test's output. */
export class OrreryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OrreryError';
  }
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const START_MS = 60_000;
const POLL_MS = 10;
/** How long the last words of a server that has gone are waited for. */
const LAST_WORDS_MS = 2_000;

/** Every file of tests of one process finds the same server, though Jest gives each its own modules. */
const socketPath = (): string => join(tmpdir(), `orrery-${process.pid}.sock`);

/** The program `orrery`: ORRERY_BIN, else the package of that name beside this one. */
function orreryProgram(): string {
  const given = process.env['ORRERY_BIN'];
  if (given) {
    if (!existsSync(given)) throw new OrreryError(`ORRERY_BIN: there is no file ${given}`);
    return given;
  }
  try {
    const manifest = createRequire(ORRERY_TESTING_FILE).resolve('orrery/package.json');
    return join(dirname(manifest), 'dist', 'orrery.js');
  } catch (cause) {
    throw new OrreryError(
      'the package orrery is not installed: npm install --save-dev orrery (or name dist/orrery.js in ORRERY_BIN)',
      { cause },
    );
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      resolve(socket);
    });
    socket.once('error', () => {
      resolve(undefined);
    });
  });
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** What of the first cluster of a process runs besides its API. */
export type FirstCluster = 'api' | 'components';

interface ServerProcess {
  readonly child: ChildProcess;
  readonly log: () => string;
  /** Resolves when it has ended and all that it said is there. */
  readonly ended: Promise<void>;
}

/** Starts the server as a child that ends with this process: it holds the other end of its standard input. */
function startServer(path: string, first: FirstCluster): ServerProcess {
  rmSync(path, { force: true });
  const program = orreryProgram();
  const child = spawn(process.execPath, [program, 'test-server', '--socket', path], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      ...process.env,
      // What a test runner asks of Node is not for the server.
      NODE_OPTIONS: '',
      NODE_COMPILE_CACHE: join(dirname(program), '.compile-cache'),
      // Which compiled code it should begin with.
      ORRERY_FIRST: first,
    },
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4000);
  });
  child.unref();
  for (const stream of [child.stdin, child.stderr]) (stream as unknown as Socket).unref();
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  return { child, log: () => log, ended };
}

interface Connected {
  readonly socket: Socket;
  /** Why the server has ended, as it said itself; only who started it knows. */
  readonly lastWords?: () => Promise<string>;
}

async function startAndConnect(path: string, first: FirstCluster): Promise<Connected> {
  const { child, log, ended } = startServer(path, first);
  const lastWords = async (): Promise<string> => {
    await Promise.race([ended, pause(LAST_WORDS_MS)]);
    return log().trim();
  };
  const deadline = performance.now() + START_MS;
  for (;;) {
    const socket = await tryConnect(path);
    if (socket) return { socket, lastWords };
    if (child.exitCode !== null || child.signalCode !== null)
      throw new OrreryError(
        `the test server ended: ${log().trim() || `exit code ${child.exitCode}`}`,
      );
    if (performance.now() > deadline) {
      child.kill();
      throw new OrreryError(
        `the test server does not answer after ${START_MS / 1000} s:\n${log()}`,
      );
    }
    await pause(POLL_MS);
  }
}

/** The test server of this process, asked one JSON line at a time. */
export class TestServer {
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private rest = '';

  private readonly socket: Socket;

  private constructor({ socket, lastWords }: Connected) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      this.read(String(text));
    });
    socket.on('close', () => {
      void this.giveUp(lastWords);
    });
    socket.on('error', () => undefined);
    socket.unref();
  }

  static async connect(first: FirstCluster): Promise<TestServer> {
    const path = socketPath();
    const socket = await tryConnect(path);
    return new TestServer(socket ? { socket } : await startAndConnect(path, first));
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable;
  }

  ask<T>(method: string, params: object = {}): Promise<T> {
    this.asked += 1;
    const id = this.asked;
    // A process that waits for an answer must not end; one that has its answers may.
    this.socket.ref();
    return new Promise<unknown>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ id, method, params })}\n`);
    }).finally(() => {
      if (this.waiting.size === 0) this.socket.unref();
    }) as Promise<T>;
  }

  private async giveUp(lastWords: Connected['lastWords']): Promise<void> {
    const asked = [...this.waiting.values()];
    this.waiting.clear();
    if (asked.length === 0) return;
    const said = (await lastWords?.()) ?? '';
    const why = said === '' ? 'the test server has ended' : `the test server ended: ${said}`;
    for (const { reject } of asked) reject(new OrreryError(why));
  }

  private read(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const { id, result, error } = JSON.parse(line) as {
        id: number;
        result?: unknown;
        error?: string;
      };
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new OrreryError(error));
    }
  }
}

let server: Promise<TestServer | undefined> = Promise.resolve(undefined);

/** The server of this process, started when there is none; who asks meanwhile waits for the same one. */
export function testServer(first: FirstCluster = 'components'): Promise<TestServer> {
  const found = server
    .catch(() => undefined)
    .then((known) => (known?.isOpen ? known : TestServer.connect(first)));
  server = found;
  return found;
}
