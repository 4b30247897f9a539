import { ConfigError, Flag } from '@orrery/component';
import { IsIn, IsString } from 'class-validator';
import { ClusterFiles } from '../cluster/layout.js';
import { askControl } from '../supervisor/control.js';
import type { ProcessView } from '../supervisor/supervisor.js';
import { clusterDir } from './up-flags.js';

/** Flags of the commands that speak to a running cluster. */
export class ProcessFlags {
  @Flag('name of the cluster')
  @IsString()
  name = 'orrery';

  @Flag('signal to send')
  @IsIn(['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGCONT', 'SIGINT'])
  signal = 'SIGKILL';
}

function row(view: ProcessView): string {
  const { state } = view;
  const pid = state.phase === 'running' ? String(state.pid) : '-';
  const note = state.phase === 'backing off' ? `${state.phase} (${state.lastExit})` : state.phase;
  return [view.name.padEnd(34), pid.padEnd(8), String(view.restarts).padEnd(9), note].join(' ');
}

/** The table of `orrery ps`. */
export function formatProcesses(views: readonly ProcessView[]): string {
  const head = ['NAME'.padEnd(34), 'PID'.padEnd(8), 'RESTARTS'.padEnd(9), 'STATE'].join(' ');
  return [head, ...views.map(row)].join('\n');
}

/** `orrery ps|kill|stop|start [PROCESS]` on the running cluster; the table afterwards. */
export async function controlProcess(
  verb: 'ps' | 'kill' | 'stop' | 'start',
  target: string | undefined,
  flags: ProcessFlags,
): Promise<string> {
  const socket = new ClusterFiles(clusterDir(flags.name)).controlSocket;
  if (verb === 'ps') return formatProcesses(await askControl(socket, '/processes', 'GET'));
  if (target === undefined)
    throw new ConfigError(`orrery ${verb} needs the name of a process; see orrery ps`);
  const action = verb === 'kill' ? `signal-${flags.signal}` : verb;
  const path = `/processes/${encodeURIComponent(target)}/${action}`;
  return formatProcesses(await askControl(socket, path, 'POST'));
}
