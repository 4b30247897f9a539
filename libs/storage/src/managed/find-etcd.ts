import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { downloadEtcd } from './download-etcd.js';
import type { DownloadOptions } from './download-etcd.js';
import { ManagedEtcdError } from './managed-etcd-error.js';

export interface FindEtcdOptions extends DownloadOptions {
  /** A path given on the command line; wins over everything. */
  readonly path?: string;
  /** Default process.env: ORRERY_ETCD_BIN and PATH are read. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether a missing etcd may be installed or downloaded. */
  readonly allowInstall: boolean;
  /** Whether this user may install packages. Default: root. */
  readonly isRoot?: boolean;
  /** Told what is about to be done, before it is. */
  readonly onProgress?: (what: string) => void;
}

export interface FoundEtcd {
  readonly path: string;
  /** e.g. '3.5.21' */
  readonly version: string;
  readonly source: 'given' | 'path' | 'cache' | 'package' | 'download';
}

const run = promisify(execFile);
const SUPPORTED = ['3.4', '3.5', '3.6'];
const WHAT_TO_DO =
  'install etcd 3.4, 3.5 or 3.6 (Debian, Ubuntu: apt-get install etcd-server; macOS: brew install etcd), ' +
  'or name an etcd binary with --etcd-bin or ORRERY_ETCD_BIN';

/** Finds an etcd binary of a supported version, and gets one when it may. */
export async function findEtcd(options: FindEtcdOptions): Promise<FoundEtcd> {
  const env = options.env ?? process.env;
  const given = options.path ?? env['ORRERY_ETCD_BIN'];
  if (given) return checked(given, 'given');
  const onPath = await findOnPath('etcd', env);
  if (onPath) return checked(onPath, 'path');
  const cached = join(options.cacheDir, 'etcd');
  if (await isExecutable(cached)) return checked(cached, 'cache');
  if (!options.allowInstall)
    throw new ManagedEtcdError('notFound', `no etcd was found: ${WHAT_TO_DO}`);
  const problems: string[] = [];
  for (const attempt of [installPackage, download]) {
    try {
      const found = await attempt(options, env);
      if (found) return found;
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  const tried = problems.length > 0 ? ` (${problems.join('; ')})` : '';
  throw new ManagedEtcdError('notFound', `no etcd was found${tried}: ${WHAT_TO_DO}`);
}

/** The version that a binary reports. */
export async function etcdVersion(path: string): Promise<string> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    const version = /etcd Version: (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version) return version;
  } catch (cause) {
    const message = `${path} cannot be run: ${WHAT_TO_DO}`;
    throw new ManagedEtcdError('notFound', message, { cause });
  }
  throw new ManagedEtcdError('version', `${path} does not report an etcd version: ${WHAT_TO_DO}`);
}

async function checked(path: string, source: FoundEtcd['source']): Promise<FoundEtcd> {
  const version = await etcdVersion(path);
  if (SUPPORTED.some((minor) => version.startsWith(`${minor}.`))) return { path, version, source };
  throw new ManagedEtcdError(
    'version',
    `${path} is etcd ${version}, which is not supported: ${WHAT_TO_DO}`,
  );
}

async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The distribution's own package, when this user may install it. */
async function installPackage(
  { isRoot = process.getuid?.() === 0, onProgress }: FindEtcdOptions,
  env: NodeJS.ProcessEnv,
): Promise<FoundEtcd | undefined> {
  const apt = isRoot ? await findOnPath('apt-get', env) : undefined;
  if (!apt) return undefined;
  // The package starts a service of its own unless its policy script says no.
  const packageEnv = { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  onProgress?.('installing etcd: apt-get install -y etcd-server');
  await run(apt, ['install', '-y', '--no-install-recommends', 'etcd-server'], {
    env: packageEnv,
    timeout: 180_000,
  });
  const path = await findOnPath('etcd', env);
  return path === undefined ? undefined : checked(path, 'package');
}

async function download(options: FindEtcdOptions): Promise<FoundEtcd> {
  return checked(await downloadEtcd(options), 'download');
}
