import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@orrery/component';
import { ManagedEtcdError, findEtcd, memberCommand } from '@orrery/storage';
import type { Progress } from '../progress.js';
import type { ProcessSpec } from '../supervisor/managed-process.js';
import { etcdEndpoints } from './plan.js';
import type { PlanInput } from './plan.js';

const PEER_PORT = 2380;

/** Where a downloaded etcd is kept for this user. */
const cacheDir = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'orrery');

/** The path of an etcd that can be run; installed or downloaded when there is none. Throws ConfigError saying what to do. */
export async function locateEtcd(path: string | undefined, progress: Progress): Promise<string> {
  try {
    const found = await findEtcd({
      ...(path ? { path } : {}),
      cacheDir: cacheDir(),
      allowInstall: true,
      onProgress: (what) => {
        progress.note(what);
      },
    });
    return found.path;
  } catch (error) {
    if (error instanceof ManagedEtcdError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/** One process an etcd member; the same again restarts it on its data. */
export function etcdProcesses(input: PlanInput, binary: string): ProcessSpec[] {
  const { files, addresses, etcdMembers } = input;
  mkdirSync(files.etcd(), { recursive: true, mode: 0o700 });
  const peers = etcdEndpoints(input).map((_, i) => ({
    name: `etcd-${i + 1}`,
    peerUrl: `http://${addresses.etcdMember(i + 1)}:${PEER_PORT}`,
  }));
  return etcdEndpoints(input).map((clientUrl, i) => {
    const processName = i === 0 ? 'etcd' : `etcd-${i + 1}`;
    const { command, args, env } = memberCommand({
      binary,
      name: `etcd-${i + 1}`,
      dataDir: join(files.etcd(), `etcd-${i + 1}`),
      clientUrl,
      peerUrl: peers[i]?.peerUrl ?? '',
      ...(etcdMembers > 1 ? { cluster: peers } : {}),
    });
    return {
      name: processName,
      command,
      args,
      env,
      logFile: files.logs(`${processName}.log`),
      pidFiles: [files.pidFile(processName)],
    };
  });
}
