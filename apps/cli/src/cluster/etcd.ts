import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@orrery/component';
import { ManagedEtcdError, explainExit, findEtcd, memberCommand } from '@orrery/storage';
import type { FoundEtcd } from '@orrery/storage';
import type { Progress } from '../progress.js';
import type { ProcessSpec } from '../supervisor/managed-process.js';
import { etcdEndpoints } from './plan.js';
import type { PlanInput } from './plan.js';

const PEER_PORT = 2380;

/** Where a downloaded etcd is kept for this user. */
const cacheDir = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'orrery');

/** An etcd that can be run; installed or downloaded when there is none. Throws ConfigError saying what to do. */
export async function locateEtcd(path: string | undefined, progress: Progress): Promise<FoundEtcd> {
  try {
    return await findEtcd({
      ...(path ? { path } : {}),
      cacheDir: cacheDir(),
      allowInstall: true,
      onProgress: (what) => {
        progress.note(what);
      },
    });
  } catch (error) {
    if (error instanceof ManagedEtcdError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

const foreignSettings = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('ETCD_'))
    .map((name) => [name, undefined]),
);

const memberName = (i: number): string => `etcd-${i + 1}`;
const processName = (i: number): string => (i === 0 ? 'etcd' : `etcd-${i + 1}`);
const dataDir = ({ files }: PlanInput, i: number): string => join(files.etcd(), memberName(i));
const peerUrl = ({ addresses }: PlanInput, i: number): string =>
  `http://${addresses.etcdMember(i + 1)}:${PEER_PORT}`;

/** One process an etcd member; the same again restarts it on its data. */
export function etcdProcesses(input: PlanInput, binary: string): ProcessSpec[] {
  const { files } = input;
  mkdirSync(files.etcd(), { recursive: true, mode: 0o700 });
  const clients = etcdEndpoints(input);
  const cluster = clients.map((_, i) => ({ name: memberName(i), peerUrl: peerUrl(input, i) }));
  return clients.map((clientUrl, i) => {
    mkdirSync(dataDir(input, i), { recursive: true, mode: 0o700 });
    const { command, args, env } = memberCommand({
      binary,
      name: memberName(i),
      dataDir: dataDir(input, i),
      clientUrl,
      peerUrl: peerUrl(input, i),
      ...(clients.length > 1 ? { cluster } : {}),
    });
    const name = processName(i);
    return {
      name,
      command,
      args,
      // The supervisor adds to its own environment: what is set for another etcd must be taken out.
      env: { ...foreignSettings, ...env },
      logFile: files.logs(`${name}.log`),
      pidFiles: [files.pidFile(name)],
    };
  });
}

/** Why a member ended, from its log: a cause that another try does not mend. undefined = not known. */
export function explainEtcd(
  input: PlanInput,
  name: string,
  log: string,
  how: string,
): string | undefined {
  const i = etcdEndpoints(input).findIndex((_, at) => processName(at) === name);
  if (i < 0) return undefined;
  const member = {
    name: memberName(i),
    dataDir: dataDir(input, i),
    clientUrl: etcdEndpoints(input)[i] ?? '',
    peerUrl: peerUrl(input, i),
  };
  const { code, message } = explainExit(member, log, how);
  return code === 'exited' ? undefined : message;
}
