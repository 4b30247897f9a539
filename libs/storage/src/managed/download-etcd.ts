import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ManagedEtcdError } from './managed-etcd-error.js';

export interface DownloadOptions {
  /** The binary is kept here as `etcd`. */
  readonly cacheDir: string;
  /** Default: the releases of etcd-io/etcd on GitHub. */
  readonly fetchUrlBase?: string;
  /** Default {@link ETCD_VERSION}. */
  readonly etcdVersion?: string;
  readonly onProgress?: (what: string) => void;
}

/** What is downloaded unless another version is asked for. */
export const ETCD_VERSION = '3.5.21';
const RELEASES = 'https://github.com/etcd-io/etcd/releases/download';
const PLATFORMS: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-amd64.tar.gz',
  'linux-arm64': 'linux-arm64.tar.gz',
  'darwin-x64': 'darwin-amd64.zip',
  'darwin-arm64': 'darwin-arm64.zip',
  'win32-x64': 'windows-amd64.zip',
};
const DOWNLOAD_MS = 120_000;
const run = promisify(execFile);

/** Downloads the official release, checks it against the release's SHA256SUMS and answers the binary's path. */
export async function downloadEtcd(options: DownloadOptions): Promise<string> {
  const { cacheDir, fetchUrlBase = RELEASES, etcdVersion = ETCD_VERSION, onProgress } = options;
  const platform = `${process.platform}-${process.arch}`;
  const suffix = PLATFORMS[platform];
  if (!suffix) throw new ManagedEtcdError('download', `etcd is not released for ${platform}`);
  const folder = `${fetchUrlBase}/v${etcdVersion}`;
  const archive = `etcd-v${etcdVersion}-${suffix}`;
  onProgress?.(`downloading ${folder}/${archive}`);
  const [sums, bytes] = await Promise.all([
    fetchBytes(`${folder}/SHA256SUMS`),
    fetchBytes(`${folder}/${archive}`),
  ]);
  verify(archive, bytes, sums.toString('utf8'));
  return unpack(cacheDir, archive, bytes);
}

async function fetchBytes(url: string): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ManagedEtcdError('download', `${url} could not be downloaded: ${reason}`, { cause });
  }
}

function verify(archive: string, bytes: Buffer, sums: string): void {
  const line = sums.split('\n').find((each) => each.trim().endsWith(` ${archive}`));
  const expected = line?.trim().split(/\s+/)[0];
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (expected === actual) return;
  throw new ManagedEtcdError(
    'download',
    `${archive} has the checksum ${actual}, the release names ${expected ?? 'none'}: it is not used`,
  );
}

/** Unpacks beside the target and renames, so that an interrupted run leaves no half binary. */
async function unpack(cacheDir: string, archive: string, bytes: Buffer): Promise<string> {
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'download-'));
  try {
    const binary = process.platform === 'win32' ? 'etcd.exe' : 'etcd';
    await writeFile(join(work, archive), bytes);
    // tar of Linux, macOS and Windows alike; the latter two also take zip.
    await run('tar', ['-xf', archive], { cwd: work });
    const unpacked = join(work, archive.replace(/\.tar\.gz$|\.zip$/, ''), binary);
    await chmod(unpacked, 0o755);
    const target = join(cacheDir, binary);
    await rename(unpacked, target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
