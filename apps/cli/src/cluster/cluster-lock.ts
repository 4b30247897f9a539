import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '@orrery/component';
import type { ClusterFiles } from './layout.js';
import { commandLine } from './leftovers.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The pid in the lock file, if it holds one. */
export function lockedBy(files: ClusterFiles): number | undefined {
  try {
    const pid = Number(readFileSync(files.supervisorPid, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The pid of the supervisor that holds this cluster, if one lives. A pid that another program has by now is nobody. */
export function holderOf(files: ClusterFiles): number | undefined {
  const pid = lockedBy(files);
  return pid !== undefined && isAlive(pid) && commandLine(pid).includes('orrery') ? pid : undefined;
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes the cluster for this process. Throws ConfigError when another supervisor has it. */
export function lockCluster(files: ClusterFiles, name: string): void {
  mkdirSync(dirname(files.supervisorPid), { recursive: true, mode: 0o700 });
  if (tryLock(files.supervisorPid)) return;
  const holder = holderOf(files);
  if (holder === undefined) rmSync(files.supervisorPid, { force: true });
  if (holder === undefined && tryLock(files.supervisorPid)) return;
  const pid = holder ?? lockedBy(files);
  throw new ConfigError(
    `cluster "${name}" is already running (process ${pid}); stop it with Ctrl-C in its terminal or \`kill ${pid}\`, or start a second one beside it: npm start -- --name other`,
  );
}
