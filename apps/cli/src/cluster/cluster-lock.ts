import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '@orrery/component';
import type { ClusterFiles } from './layout.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process, '' when it has gone. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The pid of the supervisor that holds this cluster, if one lives. */
export function holderOf(files: ClusterFiles): number | undefined {
  if (!existsSync(files.supervisorPid)) return undefined;
  const pid = Number(readFileSync(files.supervisorPid, 'utf8'));
  return Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
}

/** Takes the cluster for this process. Throws ConfigError when another supervisor has it. */
export function lockCluster(files: ClusterFiles, name: string): void {
  const holder = holderOf(files);
  if (holder !== undefined)
    throw new ConfigError(
      `cluster "${name}" is already running (process ${holder}); stop it with Ctrl-C in its terminal or \`kill ${holder}\`, or start a second one beside it: npm start -- --name other`,
    );
  mkdirSync(dirname(files.supervisorPid), { recursive: true, mode: 0o700 });
  rmSync(files.supervisorPid, { force: true });
  writeFileSync(files.supervisorPid, String(process.pid), { flag: 'wx' });
}

/**
 * Ends processes that a supervisor killed by SIGKILL left behind: those whose pid file is still there and whose command
 * line names this cluster's folder. Returns how many.
 */
export function endLeftovers(files: ClusterFiles): number {
  if (!existsSync(files.run())) return 0;
  const pidFiles = readdirSync(files.run()).filter(
    (name) => name.endsWith('.pid') && name !== 'orrery.pid',
  );
  const pids = new Set(pidFiles.map((name) => Number(readFileSync(files.run(name), 'utf8'))));
  const left = [...pids].filter((pid) => pid > 1 && commandLine(pid).includes(files.dir));
  for (const pid of left) process.kill(pid, 'SIGKILL');
  for (const name of pidFiles) rmSync(files.run(name), { force: true });
  return left.length;
}
