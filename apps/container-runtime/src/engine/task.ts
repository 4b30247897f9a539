import type { Readable, Writable } from 'node:stream';

/** How a container ended. */
export interface Exit {
  readonly exitCode: number;
  /** Empty: Completed or Error by the code. */
  readonly reason?: string;
  readonly message?: string;
}

export type StopSignal = `SIG${string}`;

/** What runs in a container now: a built-in program, a host process, or a process of the cluster's own. */
export interface Task {
  /** 0 for a built-in program. */
  readonly pid: number;
  readonly pidStart: string;
  /** Resolves once, after the last output; never rejects. */
  readonly exited: Promise<Exit>;
  signal(name: StopSignal): void;
  /** Somebody else started the process and will stop it. */
  readonly foreign?: true;
  /** Undefined where the task reads none. */
  readonly stdin: Writable | undefined;
  resize(columns: number, rows: number): void;
  /** CPU time used so far and memory in use. */
  usage(): Usage;
}

export interface Usage {
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
}

/** A host command that was started for `kubectl exec`: its output is the caller's, not the log's. */
export interface ExecSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a terminal. */
  readonly stderr: Readable | undefined;
  readonly exitCode: Promise<number>;
  kill(): void;
  resize(columns: number, rows: number): void;
}

const NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** 0 for one that is not known here. */
export const signalNumber = (name: string): number => NUMBERS[name] ?? 0;

/** As a shell and runc report it: the code, or 128 + the signal's number. */
export function exitCodeOf(code: number | null, signal: string | null): number {
  return code ?? 128 + signalNumber(signal ?? '');
}
