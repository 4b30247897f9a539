import {
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
  chmod,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface VolumeFile {
  readonly content: Buffer;
  readonly mode: number;
  /** Whose it is, where the kubelet may say so; default its own. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Relative path -> file. */
export type VolumePayload = ReadonlyMap<string, VolumeFile>;

const DATA = '..data';

async function currentPayload(dir: string): Promise<Map<string, VolumeFile> | undefined> {
  const base = join(dir, DATA);
  const target = await readlink(base).catch(() => undefined);
  if (target === undefined) return undefined;
  const files = new Map<string, VolumeFile>();
  const entries = await readdir(base, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mode } = await lstat(path);
    files.set(path.slice(base.length + 1), { content: await readFile(path), mode: mode & 0o777 });
  }
  return files;
}

function equal(a: VolumePayload | undefined, b: VolumePayload): boolean {
  if (a?.size !== b.size) return false;
  return [...b].every(([path, file]) => {
    const other = a.get(path);
    return other !== undefined && other.mode === file.mode && other.content.equals(file.content);
  });
}

/** `2006_01_02_15_04_05`, in UTC. */
const stampOf = (nowMs: number): string =>
  new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_');

/**
 * Makes `dir` show exactly `payload`, all files at one instant: they are written to a fresh folder, `..data` is a
 * symlink to it that is replaced by rename, and each first path segment is a symlink through `..data`
 * (k8s pkg/volume/util/atomic_writer.go). The folder is named by the time, in ms since the epoch. Tells whether anything
 * changed.
 */
export async function writeAtomically(
  dir: string,
  payload: VolumePayload,
  nowMs: number,
): Promise<boolean> {
  await mkdir(dir, { recursive: true });
  if (equal(await currentPayload(dir), payload)) return false;
  const before = await readlink(join(dir, DATA)).catch(() => undefined);
  const fresh = await mkdtemp(join(dir, `..${stampOf(nowMs)}.`));
  await chmod(fresh, 0o755);
  for (const [path, file] of payload) {
    const target = join(fresh, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, file.content);
    await give(target, file);
    await chmod(target, file.mode);
  }
  const link = join(dir, '..data_tmp');
  await rm(link, { force: true });
  await symlink(fresh.slice(dir.length + 1), link);
  await rename(link, join(dir, DATA));
  await linkEntries(dir, new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path)));
  if (before !== undefined) await rm(join(dir, before), { recursive: true, force: true });
  return true;
}

async function give(path: string, { uid, gid }: VolumeFile): Promise<void> {
  if ((uid === undefined && gid === undefined) || process.geteuid?.() !== 0) return;
  await chown(path, uid ?? 0, gid ?? 0);
}

async function linkEntries(dir: string, names: ReadonlySet<string>): Promise<void> {
  const present = await readdir(dir);
  for (const name of names)
    if (!present.includes(name)) await symlink(join(DATA, name), join(dir, name));
  for (const name of present)
    if (!name.startsWith('..') && !names.has(name))
      await rm(join(dir, name), { recursive: true, force: true });
}
