import { realpathSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { DataplaneClient } from '@orrery/dataplane';
import { ClusterFiles } from '../cluster/layout.js';
import { clusterDir } from '../commands/up-flags.js';
import { askControl } from '../supervisor/control.js';
import type { ProcessView } from '../supervisor/supervisor.js';
import type { ProxyHandoverFlags } from './proxy-flags.js';

const PROCESS = /^dataplane(?:-(.+))?$/;
const TIMEOUT_MS = 30_000;

const pidOf = ({ state }: ProcessView): string =>
  state.phase === 'running' ? String(state.pid) : state.phase;

/** Resolves when the process behind this socket takes no new connections any more. */
function released(socket: string): {
  readonly watching: Promise<void>;
  readonly done: Promise<void>;
} {
  const client = new DataplaneClient(realpathSync(socket));
  let connected = (): void => undefined;
  const watching = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const done = client.untilGone(() => {
    connected();
  }, AbortSignal.timeout(TIMEOUT_MS));
  return { watching: Promise.race([watching, done]), done };
}

async function succeed(files: ClusterFiles, { name, ...before }: ProcessView): Promise<string> {
  const socket = files.dataplaneSocket(PROCESS.exec(name)?.[1]);
  const old = new DataplaneClient(realpathSync(socket));
  const { watching, done } = released(socket);
  await watching;
  const views = await askControl(
    files.controlSocket,
    `/processes/${encodeURIComponent(name)}/succeed`,
    'POST',
  );
  try {
    await done;
  } catch (error) {
    throw new ConfigError(`${name}: no successor has taken over, see ${before.logFile}`, {
      cause: error,
    });
  }
  const after = views.find((view) => view.name === name);
  // It has ended already when it had no connection.
  const left = await old.connections().then(
    (connections) => connections.length,
    () => 0,
  );
  return `${name}: process ${pidOf({ name, ...before })} has handed over to ${after ? pidOf(after) : '?'}; ${left} established connections stay with the old process to their end`;
}

/** `orrery proxy handover`: a new dataplane process takes over the listeners of the one that runs. */
export async function handover({ name, node }: ProxyHandoverFlags): Promise<string> {
  const files = new ClusterFiles(clusterDir(name));
  const views = await askControl(files.controlSocket, '/processes', 'GET');
  const all = views.filter((view) => PROCESS.test(view.name));
  if (all.length === 0)
    throw new ConfigError(
      'the dataplane shares its process with other components (--single-process): it cannot be replaced alone',
    );
  const wanted = node === '' ? all : all.filter((view) => PROCESS.exec(view.name)?.[1] === node);
  if (wanted.length === 0)
    throw new ConfigError(
      `no dataplane of its own for node ${node}; one of ${all.map((view) => view.name).join(', ')}`,
    );
  const lines: string[] = [];
  for (const view of wanted) lines.push(await succeed(files, view));
  return lines.join('\n');
}
