import { CriError } from '@orrery/cri';
import type { ExecSession } from '../../engine/task.js';
import { execPlain } from '../../process/exec.js';
import { execOnTerminal } from '../../process/terminal.js';
import type { Runtime } from '../../runtime.js';

export interface ExecOptions {
  readonly containerId: string;
  readonly cmd: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
}

/** Throws as upstream's streaming server (k8s pkg/kubelet/cri/streaming/server.go:validateExecRequest). */
export function checkStreams(
  want: Readonly<Record<'stdin' | 'stdout' | 'stderr' | 'tty', boolean>>,
): void {
  if (want.tty && want.stderr)
    throw new CriError('INVALID_ARGUMENT', 'tty and stderr cannot both be true');
  if (!want.stdin && !want.stdout && !want.stderr)
    throw new CriError('INVALID_ARGUMENT', 'one of stdin, stdout, or stderr must be set');
}

/** Starts a command beside what runs in the container, with its files, environment and user. */
export async function startExec(runtime: Runtime, options: ExecOptions): Promise<ExecSession> {
  const container = runtime.containers.get(options.containerId);
  if (container.lifecycle.state !== 'running')
    throw new CriError('UNKNOWN', `container is in ${container.lifecycle.state} state`);
  const environment = runtime.engine.environmentOf(container);
  try {
    environment.check(options.cmd);
  } catch (error) {
    throw new CriError(
      'UNKNOWN',
      `failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: ${error instanceof Error ? error.message : ''}: unknown`,
      { cause: error },
    );
  }
  environment.prepare();
  const launch = environment.launch(options.cmd, container.lifecycle.pid);
  return options.tty ? execOnTerminal(launch) : execPlain(launch, options.stdin);
}
