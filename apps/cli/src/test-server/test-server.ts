import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, SystemClock } from '@orrery/component';
import { startManagedEtcd } from '@orrery/storage';
import type { ManagedEtcd } from '@orrery/storage';
import { leaseBlock } from '../cluster/block-lease.js';
import { locateEtcd } from '../cluster/etcd.js';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { endLeftovers } from '../cluster/leftovers.js';
import { Progress } from '../progress.js';
import { startGuard } from '../supervisor/guard.js';
import { answerRequests } from './protocol.js';
import type { TestMethod } from './protocol.js';
import { TestClusters } from './test-clusters.js';

const clustersDir = (base: string): string => join(base, 'clusters');
const etcdFiles = (base: string): ClusterFiles => new ClusterFiles(join(base, 'etcd'));

/** One etcd, whose data need not outlive the test. */
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
  await etcd.ready();
  return etcd;
}

/** `orrery test-server --sweep BASE`: ends what a test server that was killed has left. */
export async function sweepTestServer(base: string): Promise<void> {
  const clock = new SystemClock();
  for (const name of readdirSync(clustersDir(base)))
    await endLeftovers(new ClusterFiles(join(clustersDir(base), name)), clock);
  await endLeftovers(etcdFiles(base), clock);
  rmSync(base, { recursive: true, force: true });
}

/**
 * `orrery test-server`: clusters for the process that holds the other end of standard input, and ends with it. They
 * share one etcd and this process; each has a keyspace, addresses and a clock of its own.
 */
export async function testServer(signal: AbortSignal): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'orrery-test-'));
  mkdirSync(clustersDir(base));
  const componentDir = dirname(fileURLToPath(import.meta.url));
  process.env['ORRERY_LOG_DIR'] = base;
  const guard = startGuard([
    process.execPath,
    join(componentDir, 'orrery.js'),
    'test-server',
    '--sweep',
    base,
  ]);
  guard.protect([process.pid]);
  const lease = await leaseBlock(base, {});
  const starting = startEtcd(base, lease.block);
  const clusters = new TestClusters({
    base: clustersDir(base),
    componentDir,
    etcd: starting.then(({ endpoints: [endpoint = ''] }) => ({ endpoint })),
  });
  const methods = new Map<string, TestMethod>(Object.entries(clusters.methods()));
  const stopInput = (): void => {
    process.stdin.destroy();
  };
  signal.addEventListener('abort', stopInput, { once: true });
  try {
    await Promise.all([
      starting,
      answerRequests(process.stdin, process.stdout, methods).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      }),
    ]);
  } finally {
    await clusters.stop();
    const etcd = await starting.catch(() => undefined);
    await etcd?.stop();
    await lease.release();
    guard.release();
    rmSync(base, { recursive: true, force: true });
  }
}

/** Throws ConfigError for anything but no arguments or `--sweep BASE`. */
export function testServerCommand(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const [flag, base, ...rest] = argv;
  if (flag === undefined) return testServer(signal);
  if (flag !== '--sweep' || base === undefined || rest.length > 0)
    throw new ConfigError(
      'orrery test-server is started by @orrery/testing and speaks with it on standard input',
    );
  return sweepTestServer(base);
}
