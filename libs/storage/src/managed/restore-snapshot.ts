import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { ManagedEtcdError } from './managed-etcd-error.js';

export interface RestoreTool {
  readonly path: string;
  /** e.g. '3.5.21' */
  readonly version: string;
}

export interface RestoreOptions {
  readonly tool: RestoreTool;
  readonly snapshot: string;
  /** Made anew for each restore, so that members of the old cluster are never taken for members of the new one. */
  readonly token: string;
  readonly members: readonly {
    readonly name: string;
    readonly peerUrl: string;
    /** Must not be there. */
    readonly dataDir: string;
  }[];
}

const run = promisify(execFile);
const RESTORE_MS = 120_000;
const WHAT_TO_DO =
  'install it (Debian, Ubuntu: apt-get install etcd-client; or the release of etcd, which has it), or name it in ORRERY_ETCDUTL_BIN';

/** The program that turns a snapshot into a member's data: etcdutl, or the etcdctl of 3.4 and 3.5, of etcd's own version. */
export async function findRestoreTool(
  etcd: { readonly path: string; readonly version: string },
  env: NodeJS.ProcessEnv = process.env,
): Promise<RestoreTool> {
  const given = env['ORRERY_ETCDUTL_BIN'];
  const folders = [dirname(etcd.path), ...(env['PATH'] ?? '').split(delimiter).filter(Boolean)];
  const candidates = given
    ? [given]
    : ['etcdutl', 'etcdctl'].flatMap((name) => folders.map((folder) => join(folder, name)));
  const others: string[] = [];
  for (const path of new Set(candidates)) {
    const version = await versionOf(path);
    if (version === undefined) continue;
    if (minorOf(version) === minorOf(etcd.version)) return { path, version };
    others.push(`${path} is of ${version}`);
  }
  const found = others.length > 0 ? ` (${others.join('; ')})` : '';
  throw new ManagedEtcdError(
    'notFound',
    `to restore a snapshot takes etcdutl or etcdctl ${minorOf(etcd.version)}${found}: ${WHAT_TO_DO}`,
  );
}

/** Makes the data of each member from the snapshot. Throws ManagedEtcdError with the tool's own reason. */
export async function restoreSnapshot({
  tool,
  snapshot,
  token,
  members,
}: RestoreOptions): Promise<void> {
  const cluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  for (const { name, peerUrl, dataDir } of members) {
    const args = [
      'snapshot',
      'restore',
      snapshot,
      `--name=${name}`,
      `--data-dir=${dataDir}`,
      `--initial-cluster=${cluster}`,
      `--initial-cluster-token=${token}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
    ];
    try {
      await run(tool.path, args, { env: toolEnv(), timeout: RESTORE_MS });
    } catch (cause) {
      throw new ManagedEtcdError(
        'corruptData',
        `${snapshot} cannot be restored: ${reasonOf(cause)}`,
        { cause },
      );
    }
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['version'], { env: toolEnv(), timeout: 10_000 });
    const version = /etcd(?:utl|ctl) version: (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    // From 3.6 on only etcdutl restores.
    const restores = /etcdutl/.test(stdout) || /^3\.[0-5]\./.test(version ?? '');
    return restores ? version : undefined;
  } catch {
    return undefined;
  }
}

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** What is set for another etcd must not reach the tool. */
function toolEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('ETCDCTL_'));
  return { ...Object.fromEntries(own), ETCDCTL_API: '3' };
}

/** The last line that the tool wrote about its failure. */
function reasonOf(cause: unknown): string {
  const { stderr, message } = cause as { stderr?: string; message: string };
  const line = stderr?.trim().split('\n').at(-1) ?? '';
  return line.replace(/^Error: /, '') || message;
}
