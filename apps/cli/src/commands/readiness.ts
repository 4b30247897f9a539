import { existsSync } from 'node:fs';
import type { Node } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { ConfigError } from '@orrery/component';
import type { ClusterFiles } from '../cluster/layout.js';
import { endOf, lastLines } from './log-tail.js';

/** Each look costs the starting server as much as its own work of some milliseconds. */
const POLL_MS = 50;
const LOG_LINES = 8;

/** How long a start may take. */
export interface StartLimit {
  /** In the clock's monotonic time. */
  readonly deadline: number;
  /** As the user gave it, e.g. 2m. */
  readonly wait: string;
}

export interface ReadyWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly files: ClusterFiles;
  readonly limit: StartLimit;
  /** What is waited for: its log is quoted when it does not come. */
  readonly what: string;
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** The log of a process of that name, or of that which all components share. */
function quote(files: ClusterFiles, what: string): string {
  const log = [what, 'components'].map((name) => files.logs(`${name}.log`)).find(existsSync);
  return log === undefined ? '' : `; the end of ${log}:\n${lastLines(endOf(log), LOG_LINES)}`;
}

/**
 * Looks until nothing is missing. Throws ConfigError that says what is, with the end of the log, when the time is over, and the
 * signal's reason when that aborts.
 */
export async function whenReady(
  { clock, signal, files, limit, what }: ReadyWait,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  let last: string | undefined;
  do {
    last = await missing().catch(messageOf);
    if (last === undefined) return;
    signal.throwIfAborted();
    await clock.sleep(POLL_MS, signal);
  } while (clock.monotonic() < limit.deadline);
  throw new ConfigError(
    `the cluster was not ready within ${limit.wait} (--wait gives it longer): ${what}: ${last}${quote(files, what)}`,
  );
}

const conditionOf = (node: Node): { status?: string; message?: string } =>
  node.status?.conditions?.find(({ type }) => type === 'Ready') ?? {};

/** Which of the wanted nodes are not there or not ready, and why; undefined when all are. */
export function missingNodes(
  wanted: readonly string[],
  nodes: readonly Node[],
  isReady: (node: Node) => boolean,
): string | undefined {
  const known = new Map(nodes.map((node) => [node.metadata.name, node]));
  const lacking = wanted.flatMap((name) => {
    const node = known.get(name);
    if (!node) return [`${name} is not registered`];
    if (isReady(node)) return [];
    const { status, message } = conditionOf(node);
    return [
      status === 'True'
        ? `${name} has not been heard of since the start`
        : `${name} is not ready${message ? ` (${message})` : ''}`,
    ];
  });
  return lacking.length === 0 ? undefined : lacking.join(', ');
}
