import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Propagation } from './propagation.js';

/**
 * How a host command is kept apart: `root` and `user` = a private mount and uts namespace with a root of its own;
 * `none` = in the container's folder, with paths rewritten.
 */
export type Isolation = 'root' | 'user' | 'none';

/** The options of unshare(1) for each. */
export const unshareFlags = (
  kind: 'root' | 'user',
  propagation: Propagation,
): readonly string[] => [
  ...(kind === 'user' ? ['--user', '--map-root-user'] : []),
  '--mount',
  '--uts',
  '--propagation',
  propagation,
];

/** Of namespaces that never pass mounts back to the host. */
export const UNSHARE_FLAGS: Readonly<Record<'root' | 'user', readonly string[]>> = {
  root: unshareFlags('root', 'private'),
  user: unshareFlags('user', 'private'),
};

/** The options of nsenter(1) that lead to the namespaces of a command that was kept apart so. */
export const joinFlags = (kind: 'root' | 'user', pid: number): readonly string[] => [
  `--target=${pid}`,
  ...(kind === 'user' ? ['--user', '--preserve-credentials'] : []),
  '--mount',
  '--uts',
];

const SEARCH = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Where the host has a tool; undefined when it has not. */
export function findTool(name: string): string | undefined {
  return SEARCH.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

const PROBE_MS = 5_000;
const runFile = promisify(execFile);

/** What is run to see whether this machine allows each kind, the strongest first; none where the tools are not there. */
function probes(): readonly { readonly kind: 'root' | 'user'; readonly command: string[] }[] {
  const unshare = findTool('unshare');
  const mount = findTool('mount');
  if (!unshare || !mount || !findTool('chroot')) return [];
  const tried = `${mount} --bind /usr /mnt && ${mount} --rbind /dev /mnt`;
  return (['root', 'user'] as const).map((kind) => ({
    kind,
    command: [unshare, ...UNSHARE_FLAGS[kind], '/bin/sh', '-c', tried],
  }));
}

/** Tries what this machine allows, the strongest first. */
export function probeIsolation(): Isolation {
  for (const { kind, command } of probes())
    try {
      const [file = '', ...args] = command;
      execFileSync(file, args, { stdio: 'ignore', timeout: PROBE_MS });
      return kind;
    } catch {
      // Not allowed here: the next weaker one.
    }
  return 'none';
}

async function probeBeside(): Promise<Isolation> {
  for (const { kind, command } of probes())
    try {
      const [file = '', ...args] = command;
      await runFile(file, args, { timeout: PROBE_MS });
      return kind;
    } catch {
      // Not allowed here: the next weaker one.
    }
  return 'none';
}

let known: Promise<Isolation> | undefined;

/** What `probeIsolation` finds, tried once for all runtimes of this process and while it does other things. */
export function isolationOfMachine(): Promise<Isolation> {
  known ??= probeBeside();
  return known;
}
