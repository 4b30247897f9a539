import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@orrery/component';
import type { ClusterFiles } from './layout.js';

const POLL_MS = 25;
const KILL_MS = 5_000;

const attempt = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch {
    return otherwise;
  }
};

/** The command line of a process, '' when it has gone. */
export function commandLine(pid: number): string {
  if (existsSync('/proc/self/cmdline'))
    return attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '');
  return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout ?? '';
}

const isZombie = (pid: number): boolean =>
  attempt(() => /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')), false);

/** Programs of pods: their root or their output is in a node's folder, even when the runtime that knew them has gone. */
function podProcesses(files: ClusterFiles): number[] {
  const nodes = `${files.node('')}/`.replace(/\/+$/, '/');
  const pids = attempt(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) =>
      ['root', 'fd/1', 'fd/2'].some((link) =>
        attempt(() => readlinkSync(`/proc/${pid}/${link}`), '').startsWith(nodes),
      ),
    )
    .map(Number);
}

const pidFiles = (files: ClusterFiles): string[] =>
  attempt(() => readdirSync(files.run()), []).filter(
    (name) => name.endsWith('.pid') && name !== 'orrery.pid',
  );

/** The processes of this cluster that run; `etcd`, which goes last, apart from the others. */
export function leftovers(files: ClusterFiles): { etcd: number[]; others: number[] } {
  const known = pidFiles(files).map((name) => ({
    isEtcd: /^etcd(-\d+)?\.pid$/.test(name),
    pid: Number(attempt(() => readFileSync(files.run(name), 'utf8'), '0')),
  }));
  const living = known.filter(
    ({ pid }) => pid > 1 && commandLine(pid).includes(`${files.dir}/`) && !isZombie(pid),
  );
  const pick = (isEtcd: boolean): number[] =>
    living.filter((each) => each.isEtcd === isEtcd).map(({ pid }) => pid);
  const pods = podProcesses(files).filter((pid) => pid !== process.pid && !isZombie(pid));
  return { etcd: pick(true), others: [...new Set([...pick(false), ...pods])] };
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) attempt(() => process.kill(pid, signal), false);
}

/** Removes what the processes of a run that did not stop in order left in the run folder, but for the lock. */
export function removeTraces(files: ClusterFiles): void {
  for (const name of pidFiles(files)) rmSync(join(files.run(), name), { force: true });
}

/** Kills what an earlier run left behind and waits until it has gone. Returns how many processes. */
export async function endLeftovers(files: ClusterFiles, clock: Clock): Promise<number> {
  const ended = new Set<number>();
  const deadline = clock.monotonic() + KILL_MS;
  for (;;) {
    const { etcd, others } = leftovers(files);
    const left = [...others, ...etcd];
    if (left.length === 0 || clock.monotonic() > deadline) break;
    for (const pid of left) ended.add(pid);
    signalAll(left, 'SIGKILL');
    await clock.sleep(POLL_MS);
  }
  removeTraces(files);
  return ended.size;
}
