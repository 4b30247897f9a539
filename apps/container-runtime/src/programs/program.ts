import type { Clock } from '@orrery/component';
import type { LogStream } from '../logs/cri-log.js';

export interface DeclaredPort {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** What a built-in program knows of its container. */
export interface ProgramContext {
  readonly ip: string;
  /** Where to listen: the pod's address, or the wildcard in a network namespace of its own. */
  readonly listen: string;
  /** Further addresses: of the second stack, where the pod has no namespace of its own. */
  readonly moreListen?: readonly string[];
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  readonly container: string;
  /** As the user wrote it, e.g. `nginx:1.7.9`. */
  readonly image: string;
  /** `1.7.9`; `latest` when the image names none. */
  readonly tag: string;
  readonly ports: readonly DeclaredPort[];
  /** Of the container, as the pod gives it. */
  readonly env: Readonly<Record<string, string>>;
  /** From `orrery.dev/fail-every`: each Nth HTTP request is answered 500; 0 = none. */
  readonly failEvery: number;
  readonly clock: Clock;
  log(stream: LogStream, line: string): void;
  /** The host's path of a file below one of the container's volumes. */
  hostPathOf(path: string): string | undefined;
}

/** A program that runs inside the runtime's own process. */
export interface RunningProgram {
  /** Stops taking work after a moment, finishes what it has, resolves when done. */
  stop(): Promise<void>;
  /** Drops everything at once. */
  kill(): void;
  /** Time spent at work so far. */
  cpuNanoseconds(): number;
}

/** Starts; rejects with ProgramExit when the program would end at once with an error. */
export type Program = (context: ProgramContext) => Promise<RunningProgram>;

/** The program ended by itself; what it said is in the log. */
export class ProgramExit extends Error {
  constructor(readonly exitCode: number) {
    super(`exit code ${exitCode}`);
  }
}

/**
 * How long a program serves on after SIGTERM, so that the removal of its endpoint reaches every proxy; real servers
 * do the same with a preStop sleep.
 */
export const LAME_DUCK_MS = 1_000;
