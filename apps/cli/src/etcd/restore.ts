import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { EtcdStorage, beginEpoch, findRestoreTool, restoreSnapshot } from '@orrery/storage';
import { etcdDataDir, etcdPeerUrl, memberName } from '../cluster/etcd.js';
import { etcdNumbers } from '../cluster/plan.js';
import type { RunningEtcd, Say } from './running-etcd.js';

export interface RestoreRequest {
  readonly file: string;
  /** The newest revision before; needed when etcd cannot say. */
  readonly above?: number;
}

const OLD = '.before-restore';
const NEW = '.restored';

/** The newest revision that any client can have seen. */
async function oldHead(running: RunningEtcd, above: number | undefined): Promise<number> {
  try {
    const head = await running.ask((_, client) => new EtcdStorage({ client }).revision());
    return Math.max(head, above ?? 0);
  } catch (error) {
    if (above !== undefined) return above;
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `etcd cannot be asked for its newest revision (${why}); name it with --above REVISION: no client may have seen a newer one`,
      { cause: error },
    );
  }
}

/** Puts the restored data in the place of the old, which is kept beside it. */
function swap(folders: readonly string[]): void {
  for (const dir of folders) {
    rmSync(dir + OLD, { recursive: true, force: true });
    if (existsSync(dir)) renameSync(dir, dir + OLD);
    renameSync(dir + NEW, dir);
  }
}

/**
 * Starts all members of the cluster again from a snapshot, in a new epoch: no client that saw a revision of the lost
 * time can resume there. Everything that can fail does so before the present data is touched.
 */
export async function restoreCluster(
  running: RunningEtcd,
  { file, above }: RestoreRequest,
  say: Say,
): Promise<void> {
  if (!existsSync(file) || !statSync(file).isFile())
    throw new ConfigError(`${file}: there is no such file`);
  const { input } = running;
  const numbers = etcdNumbers(input);
  const tool = await findRestoreTool(running.etcd);
  const members = numbers.map((n) => ({
    name: memberName(n),
    peerUrl: etcdPeerUrl(input, n),
    dataDir: etcdDataDir(input, n) + NEW,
  }));
  const clean = (): void => {
    for (const { dataDir } of members) rmSync(dataDir, { recursive: true, force: true });
  };
  clean();
  try {
    const token = `orrery-${running.clock.now()}`;
    await restoreSnapshot({ tool, snapshot: file, token, members });
    say(`${file} is unpacked by ${tool.path} ${tool.version}`);
    await running.stopApiServer();
    try {
      await startOnSnapshot(running, above, say);
    } finally {
      await running.startApiServer(say);
    }
  } finally {
    clean();
  }
}

/** The API server is stopped meanwhile: the revision asked for stays the newest. */
async function startOnSnapshot(
  running: RunningEtcd,
  above: number | undefined,
  say: Say,
): Promise<void> {
  const { input } = running;
  const numbers = etcdNumbers(input);
  const head = await oldHead(running, above);
  say(`kube-apiserver is stopped; the newest revision is ${head}`);
  await Promise.all(numbers.map((n) => running.stopMember(n)));
  swap(numbers.map((n) => etcdDataDir(input, n)));
  await Promise.all(numbers.map((n) => running.startMember(input, n)));
  for (const n of numbers) await running.healthy(n);
  const old = etcdDataDir(input, numbers[0] ?? 1) + OLD;
  say(`etcd runs on the snapshot; the data from before is in ${old}`);
  const first = await running.ask((_, client) =>
    beginEpoch(client, {
      above: head,
      onProgress: (revision) => say(`passed revision ${revision} of ${head}`),
    }),
  );
  say(
    `a new epoch begins at revision ${first}: every watch and old resourceVersion is answered 410`,
  );
}
