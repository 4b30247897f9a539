import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Clock, Logger } from '@orrery/component';
import { DataplaneClient } from '@orrery/dataplane';

const POLL_MS = 10;
/** Of a machine that is very busy. */
const START_TIMEOUT_MS = 60_000;

export interface WorkerOptions {
  /** The dataplane's bundle. */
  readonly script: string;
  /** Its control socket. */
  readonly socket: string;
  /** Flags that every process of this dataplane has. */
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A further process that listens on the same ports; ends when this one does, however it ends. */
export class Worker {
  readonly client: DataplaneClient;
  readonly gone: Promise<void>;
  private readonly child: ChildProcess;

  private constructor({ script, socket, args }: WorkerOptions) {
    this.child = spawn(
      process.execPath,
      [script, `--listen=unix://${socket}`, '--role=further', '--workers=1', ...args],
      // fd 3 closes with this process: the worker then stops.
      {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
        env: { ...process.env, ORRERY_PARENT_FD: '3' },
      },
    );
    this.client = new DataplaneClient(socket);
    this.gone = once(this.child, 'exit').then(() => undefined);
  }

  /** Resolves when it can be programmed. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options);
    const { clock } = options;
    const deadline = clock.monotonic() + START_TIMEOUT_MS;
    for (;;) {
      const answered = await worker.client.counters().then(
        () => true,
        () => false,
      );
      if (answered) return worker;
      if (worker.hasEnded || clock.monotonic() > deadline) {
        worker.child.kill('SIGKILL');
        throw new Error(`a dataplane worker did not start on ${options.socket}`);
      }
      await clock.sleep(POLL_MS);
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** By itself or by a signal. */
  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.child.kill('SIGTERM');
    await this.gone;
  }
}
