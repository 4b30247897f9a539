import { chmod, link, lstat, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { safeJoin } from '../containers/paths.js';

const lies = (base: string, path: string): boolean =>
  path === base || path.startsWith(`${base}${sep}`);

/** Whether a path leads to something in a folder, by whatever links. Rejects when it leads to nothing. */
export const isInside = async (base: string, path: string): Promise<boolean> =>
  lies(await realpath(base), await realpath(path));

/** The folder to which the `..data` of a volume of objects leads now; undefined where there is none. */
async function versionOf(top: string): Promise<string | undefined> {
  const version = await realpath(join(top, '..data')).catch(() => undefined);
  return version !== undefined && dirname(version) === top ? version : undefined;
}

/**
 * Where `sub` of the volume at `base` is; folders that are not there are made. Undefined when that is not inside the
 * volume: a container may have put a link there that leads out of it (CVE-2017-1002101). Files of a ConfigMap, Secret or
 * the like stay at `kept` as they are now, for a subPath does not follow changes
 * (k8s pkg/volume/util/subpath/subpath_linux.go:doBindSubPath, which needs mounts for it).
 */
export async function subPathOf(
  base: string,
  sub: string,
  kept: string,
): Promise<string | undefined> {
  if (safeJoin(base, sub) === undefined) return undefined;
  const top = await realpath(base);
  const path = await walk(top, sub);
  if (path === undefined) return undefined;
  const version = await versionOf(top);
  if (version === undefined || path === version || !lies(version, path)) return path;
  await rm(kept, { recursive: true, force: true });
  await linkTree(path, kept);
  return kept;
}

/**
 * One name after the other, so that nothing is made behind a link that leads out. What is made has the mode of the
 * volume, whatever the umask says (subpath_linux.go:doSafeMakeDir).
 */
async function walk(top: string, sub: string): Promise<string | undefined> {
  let path = top;
  for (const name of sub.split('/').filter((part) => part !== '' && part !== '.')) {
    const next = await step(join(path, name), top);
    if (next === undefined || !lies(top, next)) return undefined;
    path = next;
  }
  return path;
}

async function step(path: string, top: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    // Not there, or behind a file, or a link to what is not there: only the first may be made.
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    return isThere ? undefined : make(path, top);
  }
}

async function make(path: string, top: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(top);
    await mkdir(path);
    await chmod(path, mode & 0o7777);
    return path;
  } catch {
    return undefined;
  }
}

/** The same files under other names: what replaces the old ones later does not change them. */
async function linkTree(from: string, to: string): Promise<void> {
  if (!(await stat(from)).isDirectory()) {
    await mkdir(dirname(to), { recursive: true });
    await link(from, to);
    return;
  }
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await linkTree(join(from, name), join(to, name));
}
