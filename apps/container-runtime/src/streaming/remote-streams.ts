import type { Readable, Writable } from 'node:stream';

/** Which streams the caller of exec or attach asked for. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The outcome of a command, as metav1.Status on the error channel from version 4 on. */
export type Outcome = { readonly exitCode: number } | { readonly error: string };

/** The caller's end of an exec or attach, whatever protocol carries it. */
export interface RemoteStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  onResize(listener: (columns: number, rows: number) => void): void;
  /** Aborts when the caller is gone. */
  readonly gone: AbortSignal;
  /** Ends the outputs, tells the outcome, and closes. */
  finish(outcome: Outcome): Promise<void>;
}

/** The message of version 4 and 5 (k8s apimachinery/pkg/util/remotecommand, kubelet's v4WriteStatusFunc). */
export function outcomeStatus(outcome: Outcome): string {
  if ('exitCode' in outcome && outcome.exitCode === 0)
    return JSON.stringify({ metadata: {}, status: 'Success' });
  if ('exitCode' in outcome)
    return JSON.stringify({
      metadata: {},
      status: 'Failure',
      message: `command terminated with non-zero exit code: exit status ${outcome.exitCode}`,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(outcome.exitCode) }] },
    });
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${outcome.error}`,
    reason: 'InternalError',
    details: { causes: [{ message: outcome.error }] },
    code: 500,
  });
}

/** What versions 1 to 3 write on the error channel: nothing on success. */
export function outcomeText(outcome: Outcome): string {
  if ('error' in outcome) return `error executing remote command: ${outcome.error}`;
  return outcome.exitCode === 0
    ? ''
    : `error executing remote command: command terminated with exit code ${outcome.exitCode}`;
}

/** `{"Width":80,"Height":24}` of the resize channel; undefined for anything else. */
export function parseResize(text: string): { columns: number; rows: number } | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    if (typeof Width !== 'number' || typeof Height !== 'number') return undefined;
    return { columns: Width, rows: Height };
  } catch {
    return undefined;
  }
}

/** Ends a stream and waits until its bytes are handed over. */
export function ended(stream: Writable | undefined, last = ''): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed || stream.writableEnded) {
      resolve();
      return;
    }
    stream.once('close', resolve);
    stream.end(last, () => {
      resolve();
    });
  });
}
