import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@orrery/component';
import { ManagedEtcdError, explainExit, findEtcd, memberCommand } from '@orrery/storage';
import type { FoundEtcd } from '@orrery/storage';
import type { Progress } from '../progress.js';
import type { ProcessSpec } from '../supervisor/managed-process.js';
import { etcdClientUrl, etcdNumbers, etcdProcessName } from './plan.js';
import type { PlanInput } from './plan.js';
import { nodeName } from './layout.js';
import { withinNode } from './node-namespaces.js';

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

export const memberName = (n: number): string => `etcd-${n}`;
export const etcdDataDir = ({ files }: PlanInput, n: number): string =>
  join(files.etcd(), memberName(n));
export const etcdPeerUrl = ({ addresses }: PlanInput, n: number): string =>
  `http://${addresses.etcdMember(n)}:${PEER_PORT}`;

/** The process of etcd's member `n`; the same again restarts it on its data. 'existing': it joins a running cluster. */
export function etcdProcess(
  input: PlanInput,
  binary: string,
  n: number,
  clusterState: 'new' | 'existing' = 'new',
): ProcessSpec {
  const { files } = input;
  const all = etcdNumbers(input);
  const cluster = all.map((each) => ({
    name: memberName(each),
    peerUrl: etcdPeerUrl(input, each),
  }));
  mkdirSync(etcdDataDir(input, n), { recursive: true, mode: 0o700 });
  const { command, args, env } = memberCommand({
    binary,
    name: memberName(n),
    dataDir: etcdDataDir(input, n),
    clientUrl: etcdClientUrl(input, n),
    peerUrl: etcdPeerUrl(input, n),
    clusterState,
    ...(all.length > 1 ? { cluster } : {}),
  });
  const name = etcdProcessName(n);
  return withinNode(input, nodeName(1), {
    name,
    command,
    args,
    // The supervisor adds to its own environment: what is set for another etcd must be taken out.
    env: { ...foreignSettings, ...env },
    logFile: files.logs(`${name}.log`),
    pidFiles: [files.pidFile(name)],
  });
}

/** One process an etcd member. */
export function etcdProcesses(input: PlanInput, binary: string): ProcessSpec[] {
  mkdirSync(input.files.etcd(), { recursive: true, mode: 0o700 });
  return etcdNumbers(input).map((n) => etcdProcess(input, binary, n));
}

/** Why a member ended, from its log: a cause that another try does not mend. undefined = not known. */
export function explainEtcd(
  input: PlanInput,
  name: string,
  log: string,
  how: string,
): string | undefined {
  const n = etcdNumbers(input).find((each) => etcdProcessName(each) === name);
  if (n === undefined) return undefined;
  const member = {
    name: memberName(n),
    dataDir: etcdDataDir(input, n),
    clientUrl: etcdClientUrl(input, n),
    peerUrl: etcdPeerUrl(input, n),
  };
  const { code, message } = explainExit(member, log, how);
  return code === 'exited' ? undefined : message;
}
