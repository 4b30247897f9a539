import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '@orrery/component';

/** One process that the supervisor keeps running. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly logFile: string;
  /** Each is written with the process id when it starts and removed when it ends. */
  readonly pidFiles: readonly string[];
  /** Time between SIGTERM and SIGKILL. Default 10 s. */
  readonly graceMs?: number;
}

/**
 *            start()            exit, wanted                back-off over
 *  stopped ----------> running -------------> backing off ---------------> running
 *     ^                   | stop()                 | stop()
 *     +-------------------+------------------------+
 */
export type ProcessState =
  | { readonly phase: 'stopped' }
  | { readonly phase: 'running'; readonly pid: number; readonly since: number }
  | { readonly phase: 'backing off'; readonly untilMs: number; readonly lastExit: string };

const BACKOFF_MS = [100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/** A process that ran this long starts again without delay history. */
const STABLE_MS = 10_000;
const DEFAULT_GRACE_MS = 10_000;

/** An exit that nobody asked for. */
export interface ProcessExit {
  readonly name: string;
  readonly why: string;
  readonly logFile: string;
  /** Where the log of this run begins in the file. */
  readonly logOffset: number;
  /** The process refused its flags or configuration (exit code 2): the same again cannot help. */
  readonly refused: boolean;
}

/** What the owner of a process is told. */
export interface ProcessEvents {
  readonly exited: (exit: ProcessExit) => void;
  /** A process was started or has ended. */
  readonly changed: () => void;
}

const REFUSED_EXIT_CODE = 2;

/** One life of the process. */
interface Run {
  readonly startedAt: number;
  readonly logOffset: number;
}

/** Keeps one process alive: restarts it with back-off until it is stopped. */
export class ManagedProcess {
  private child: ChildProcess | undefined;
  /** Replaced by a successor; they end by themselves, or with the process. */
  private readonly predecessors = new Set<ChildProcess>();
  private current: ProcessState = { phase: 'stopped' };
  private wanted = false;
  private failures = 0;
  private restartCount = 0;
  private cancelRestart: (() => void) | undefined;

  constructor(
    readonly spec: ProcessSpec,
    private readonly clock: Clock,
    private readonly events: ProcessEvents,
  ) {}

  get state(): ProcessState {
    return this.current;
  }

  get restarts(): number {
    return this.restartCount;
  }

  start(): void {
    this.wanted = true;
    if (this.current.phase === 'running') return;
    this.cancelRestart?.();
    this.launch();
  }

  /** Sends a signal to the running process; true when there was one. */
  kill(signal: NodeJS.Signals): boolean {
    return this.child?.kill(signal) ?? false;
  }

  /**
   * Starts another one beside the process that runs, which ends by itself when its work is done: for programs that take
   * over from each other. False when none runs.
   */
  succeed(): boolean {
    const before = this.child;
    if (!before || this.current.phase !== 'running') return false;
    this.predecessors.add(before);
    before.once('exit', () => {
      this.predecessors.delete(before);
      this.events.changed();
    });
    this.launch();
    return true;
  }

  /** Every process of it that runs. */
  get pids(): readonly number[] {
    const current = this.current.phase === 'running' ? [this.current.pid] : [];
    return [...current, ...[...this.predecessors].flatMap(({ pid }) => pid ?? [])];
  }

  /** SIGTERM, then SIGKILL after the grace time; resolves when the process has gone. */
  async stop(): Promise<void> {
    this.wanted = false;
    this.cancelRestart?.();
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null)
      this.current = { phase: 'stopped' };
    await Promise.all(
      [...this.predecessors, ...(child ? [child] : [])].map((one) => this.end(one)),
    );
  }

  private async end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
    });
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const cancel = this.clock.after(this.spec.graceMs ?? DEFAULT_GRACE_MS, () => {
      child.kill('SIGKILL');
    });
    await gone;
    cancel();
  }

  private launch(): void {
    const run = { startedAt: this.clock.monotonic(), logOffset: 0 };
    try {
      this.spawn(run);
    } catch (error) {
      // A full disk, say: the next try comes after the back-off.
      const child = this.child;
      this.ended(run, error instanceof Error ? error.message : String(error), null);
      child?.kill('SIGKILL');
    }
  }

  private spawn(run: { startedAt: number; logOffset: number }): void {
    mkdirSync(dirname(this.spec.logFile), { recursive: true });
    const log = openSync(this.spec.logFile, 'a', 0o600);
    run.logOffset = fstatSync(log).size;
    const child = spawn(this.spec.command, [...this.spec.args], {
      // A session of its own, so that Ctrl-C reaches the supervisor alone, which then stops in order.
      detached: true,
      env: { ...process.env, ...this.spec.env, ORRERY_PARENT_FD: '3' },
      // fd 3 closes when the supervisor dies, however it dies: our programs then stop.
      stdio: ['ignore', log, log, 'pipe'],
    });
    closeSync(log);
    this.child = child;
    child.once('error', (error) => {
      if (this.child === child) this.ended(run, error.message, null);
    });
    child.once('exit', (code, signal) => {
      const why = signal ? `killed by ${signal}` : `exit code ${code}`;
      if (this.child === child) this.ended(run, why, code);
    });
    if (child.pid === undefined) return;
    this.current = { phase: 'running', pid: child.pid, since: this.clock.now() };
    for (const file of this.spec.pidFiles) writeFileSync(file, String(child.pid));
    this.events.changed();
  }

  private ended(run: Run, why: string, code: number | null): void {
    for (const file of this.spec.pidFiles) rmSync(file, { force: true });
    this.child = undefined;
    if (!this.wanted) {
      this.current = { phase: 'stopped' };
      this.events.changed();
      return;
    }
    if (this.clock.monotonic() - run.startedAt > STABLE_MS) this.failures = 0;
    const wait = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)] ?? 0;
    this.failures += 1;
    this.current = { phase: 'backing off', untilMs: this.clock.now() + wait, lastExit: why };
    this.events.changed();
    this.cancelRestart = this.clock.after(wait, () => {
      this.restartCount += 1;
      this.launch();
    });
    this.events.exited({
      name: this.spec.name,
      why,
      logFile: this.spec.logFile,
      logOffset: run.logOffset,
      refused: code === REFUSED_EXIT_CODE,
    });
  }
}
