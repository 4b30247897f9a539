import type { Clock, Random } from '@orrery/component';

/** What a sub-command sees of the container that it runs in. */
export interface Agnhost {
  /** With the program's own name and that of the sub-command. */
  readonly argv: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The address to listen on where a program asks for all of them: the pod's own, or the wildcard in a network of its own. */
  readonly listen: string;
  /** Folder of the image's own files: the container's root. */
  readonly root: string;
  readonly clock: Clock;
  readonly random: Random;
  /** To standard output, as it is. */
  print(text: string): void;
  /** A line of Go's log package on standard error. */
  log(text: string): void;
  /** A line of klog on standard error. */
  klog(severity: 'I' | 'W' | 'E' | 'F', text: string): void;
  exit(code: number): void;
  /** Called at SIGTERM; without a handler the program ends. */
  onTerminate(handler: () => void): void;
}

/** Runs until its work is done and gives its exit code, or for ever. */
export type SubCommand = (host: Agnhost) => Promise<number>;

/** Of a server: the program ends by a signal. */
export const forever = (): Promise<number> => new Promise(() => undefined);

/** The program cannot go on: the text is logged, the exit code is 1 (Go: log.Fatal). */
export class Fatal extends Error {}

export const textOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
