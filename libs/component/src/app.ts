import { getMaxListeners, setMaxListeners } from 'node:events';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Clock } from './clock.js';
import { ConfigError, HelpRequested } from './flags.js';
import type { LocalServers } from './local-servers.js';
import { mapStacks } from './stacks/map-stacks.js';

/** What a component runs in. */
export interface ComponentContext {
  /** Aborts when the component is to stop. */
  readonly signal: AbortSignal;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Called once, when the component serves. */
  readonly onReady?: () => void;
  /** Servers that run in the same process. */
  readonly local?: LocalServers;
}

/** A component that can run as a process of its own or beside others in one process. */
export interface ComponentApp {
  /** Upstream's binary name, e.g. kube-apiserver. */
  readonly name: string;
  /** Runs until `signal` aborts; resolves when everything it opened is closed. Rejects with ConfigError for bad flags. */
  run(argv: readonly string[], context: ComponentContext): Promise<void>;
}

/** Of a program that refuses its flags; upstream's components end with 1 (component-base/cli/run.go:Run). */
const REFUSED_EXIT_CODE = 2;
const UPSTREAM_REFUSED_EXIT_CODE = 1;

/** What a program that upstream has, too, says and ends with as upstream's, and others as they always did. */
export function refusalOf(
  name: string,
  { message }: ConfigError,
  isSupervised: boolean,
): { readonly text: string; readonly exitCode: number } {
  const isUpstreams = name.startsWith('kube');
  return {
    text: isUpstreams ? `Error: ${message}\n` : `${name}: ${message}\n`,
    // Who supervises it need not try the same again.
    exitCode: isUpstreams && !isSupervised ? UPSTREAM_REFUSED_EXIT_CODE : REFUSED_EXIT_CODE,
  };
}

/** Aborts on SIGINT, SIGTERM and SIGHUP (a closed terminal), and when the supervisor that holds ORRERY_PARENT_FD open has died. */
export function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  // Not once: a signal that comes twice must not cut short what the first one began.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      controller.abort(new Error(name));
    });
  const parent = process.env['ORRERY_PARENT_FD'];
  if (parent) {
    delete process.env['ORRERY_PARENT_FD'];
    const gone = (): void => {
      controller.abort(new Error('the supervisor has gone'));
    };
    new Socket({ fd: Number(parent), readable: true, writable: false })
      .on('end', gone)
      .on('error', gone)
      .resume()
      .unref();
  }
  return controller.signal;
}

/** As a shell has it (128 + number) when what failed is that a signal came before the work was done; undefined otherwise. */
export function interruptedBy(error: unknown, { reason }: AbortSignal): number | undefined {
  if (!(reason instanceof Error)) return undefined;
  const number = (constants.signals as Record<string, number | undefined>)[reason.message];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause === reason && number !== undefined) return 128 + number;
  return undefined;
}

/**
 * Has many wait for one AbortSignal without a warning of a leak, as Node does itself since version 22. Before, it counts them
 * as listeners of any event; the number of those is then not looked at either.
 */
export function letManyWait(): void {
  if (getMaxListeners(new AbortController().signal) > 0) setMaxListeners(0);
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/**
 * The body of every main.ts: runs `app` with this process's arguments; exit code 0 stopped, 1 failed, 2 refused (of
 * upstream's components 1), 128 + number for work that a signal interrupted.
 */
export async function runMain(app: ComponentApp, argv = process.argv.slice(2)): Promise<void> {
  mapStacks();
  letManyWait();
  const isSupervised = process.env['ORRERY_PARENT_FD'] !== undefined;
  const signal = stopOnSignals();
  try {
    await app.run(argv, { signal });
  } catch (error) {
    const interrupted = interruptedBy(error, signal);
    if (interrupted !== undefined) process.exit(interrupted);
    if (error instanceof HelpRequested) {
      process.stdout.write(error.message);
      return;
    }
    const { text, exitCode } =
      error instanceof ConfigError
        ? refusalOf(app.name, error, isSupervised)
        : { text: `${app.name}: ${textOf(error)}\n`, exitCode: 1 };
    process.stderr.write(text);
    process.exitCode = exitCode;
  }
  // A component that has stopped leaves nothing behind; a stray handle must not keep the process alive.
  process.exit();
}
