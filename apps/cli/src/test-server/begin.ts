import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import { startManagedEtcd } from '@orrery/storage';
import type { ManagedEtcd } from '@orrery/storage';
import { leaseBlock } from '../cluster/block-lease.js';
import type { BlockLease } from '../cluster/block-lease.js';
import { locateEtcd } from '../cluster/etcd.js';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { Progress } from '../progress.js';
import { startGuard } from '../supervisor/guard.js';
import type { Guard } from '../supervisor/guard.js';

/** What a test server has before it serves: its folder, and an etcd that has been started. */
export interface BegunServer {
  readonly base: string;
  readonly etcd: ManagedEtcd;
  /** Ends all of it and removes the folder and the socket. */
  end(): Promise<void>;
}

export const clustersDir = (base: string): string => join(base, 'clusters');
export const etcdFiles = (base: string): ClusterFiles => new ClusterFiles(join(base, 'etcd'));

/** One etcd, whose data need not outlive the test; it has begun when this resolves. */
async function startEtcd(base: string, block: number): Promise<ManagedEtcd> {
  const files = etcdFiles(base);
  mkdirSync(files.run(), { recursive: true });
  const address = addressesOf(block).etcdMember(1);
  const { path, version } = await locateEtcd(undefined, new Progress(new SystemClock()));
  const etcd = await startManagedEtcd({
    binary: path,
    members: [
      {
        name: 'etcd-1',
        dataDir: join(files.dir, 'etcd-1'),
        clientUrl: `http://${address}:2379`,
        peerUrl: `http://${address}:2380`,
      },
    ],
    logFile: () => join(base, 'etcd.log'),
    // 3.4 always waits for the disk.
    extraArgs: version.startsWith('3.4.') ? [] : ['--unsafe-no-fsync'],
  });
  writeFileSync(files.pidFile('etcd'), String(etcd.pids[0] ?? ''));
  return etcd;
}

/** Runs `orrery test-server --sweep` when this process has gone. */
function guardOf(base: string, componentDir: string, socket: string): Guard {
  const orrery = [process.execPath, join(componentDir, 'orrery.js')];
  const guard = startGuard([...orrery, 'test-server', '--sweep', base, '--socket', socket]);
  guard.protect([process.pid]);
  return guard;
}

/**
 * The first steps of a test server at `socket`, which need little code: etcd takes as long until it answers as all the rest takes to
 * load. `componentDir` is where orrery.js is.
 */
export async function beginTestServer(socket: string, componentDir: string): Promise<BegunServer> {
  const base = mkdtempSync(join(tmpdir(), 'orrery-test-'));
  mkdirSync(clustersDir(base));
  const guard = guardOf(base, componentDir, socket);
  let lease: BlockLease | undefined;
  let etcd: ManagedEtcd | undefined;
  const end = async (): Promise<void> => {
    await etcd?.stop();
    await lease?.release();
    guard.release();
    rmSync(base, { recursive: true, force: true });
    rmSync(socket, { force: true });
  };
  try {
    lease = await leaseBlock(base, {});
    etcd = await startEtcd(base, lease.block);
    return { base, etcd, end };
  } catch (error) {
    await end();
    throw error;
  }
}

let begun: Promise<BegunServer> | undefined;

/** Who loads the program has taken its first steps. */
export function handOver(server: Promise<BegunServer> | undefined): void {
  begun = server;
}

/** What was handed over, once. */
export function takeBegun(): Promise<BegunServer> | undefined {
  const taken = begun;
  begun = undefined;
  return taken;
}
