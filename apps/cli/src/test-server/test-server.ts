import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, Flag, SystemClock } from '@orrery/component';
import { startManagedEtcd } from '@orrery/storage';
import type { ManagedEtcd } from '@orrery/storage';
import { IsOptional, IsString } from 'class-validator';
import { leaseBlock } from '../cluster/block-lease.js';
import { locateEtcd } from '../cluster/etcd.js';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { endLeftovers } from '../cluster/leftovers.js';
import { Progress } from '../progress.js';
import { startGuard } from '../supervisor/guard.js';
import { answerRequests } from './protocol.js';
import type { TestClusters } from './test-clusters.js';

const clustersDir = (base: string): string => join(base, 'clusters');
const etcdFiles = (base: string): ClusterFiles => new ClusterFiles(join(base, 'etcd'));

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

/** Loaded when etcd has begun, which takes about as long until it answers. */
const loadClusters = async (): Promise<typeof TestClusters> =>
  (await import('./test-clusters.js')).TestClusters;

/** Serves tests with clusters on this etcd until the signal aborts. */
async function serveOn(
  { base, componentDir, socket }: { base: string; componentDir: string; socket: string },
  etcd: ManagedEtcd,
  signal: AbortSignal,
): Promise<void> {
  const [endpoint = ''] = etcd.endpoints;
  const ready = etcd.ready().then(() => ({ endpoint }));
  // Its failure is met below, when what needs no etcd is loaded.
  ready.catch(() => undefined);
  const clusters = new (await loadClusters())({
    base: clustersDir(base),
    componentDir,
    etcd: ready,
  });
  try {
    await Promise.all([ready, serveTests(socket, clusters, signal)]);
  } finally {
    await clusters.stop();
  }
}

/** Ends what a test server that was killed has left. */
async function sweepTestServer(base: string): Promise<void> {
  const clock = new SystemClock();
  for (const name of readdirSync(clustersDir(base)))
    await endLeftovers(new ClusterFiles(join(clustersDir(base), name)), clock);
  await endLeftovers(etcdFiles(base), clock);
  rmSync(base, { recursive: true, force: true });
}

/** Serves tests at `path` until the signal aborts; a test that goes away takes its clusters with it. */
async function serveTests(
  path: string,
  clusters: TestClusters,
  signal: AbortSignal,
): Promise<void> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    const session = clusters.session();
    void answerRequests(socket, socket, session.methods).finally(() => {
      open.delete(socket);
      void session.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  if (!signal.aborted) await once(signal, 'abort');
  server.close();
  for (const socket of open) socket.destroy();
}

/** Aborts when standard input ends, which it does with the process that started this one, however it ends. */
function lifeline(signal: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const end = (): void => {
    gone.abort(new Error('the test has ended'));
  };
  process.stdin.on('end', end).on('error', end).resume();
  return AbortSignal.any([signal, gone.signal]);
}

/**
 * `orrery test-server --socket PATH`: clusters for the tests of one process, which holds the other end of standard
 * input. They share one etcd and this process; each has a keyspace, addresses and a clock of its own.
 */
async function testServer(socket: string, stop: AbortSignal): Promise<void> {
  const signal = lifeline(stop);
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
    '--socket',
    socket,
  ]);
  guard.protect([process.pid]);
  const lease = await leaseBlock(base, {});
  let etcd: ManagedEtcd | undefined;
  try {
    etcd = await startEtcd(base, lease.block);
    await serveOn({ base, componentDir, socket }, etcd, signal);
  } finally {
    await etcd?.stop();
    await lease.release();
    guard.release();
    rmSync(base, { recursive: true, force: true });
    rmSync(socket, { force: true });
  }
}

/** The flags of `orrery test-server`: the first alone to serve, both to sweep. */
export class TestServerFlags {
  @Flag('Unix socket at which tests ask for clusters')
  @IsOptional()
  @IsString()
  socket?: string = undefined;

  @Flag('end what the test server that used this folder has left')
  @IsOptional()
  @IsString()
  sweep?: string = undefined;
}

export async function testServerCommand(
  { socket, sweep }: TestServerFlags,
  signal: AbortSignal,
): Promise<void> {
  if (sweep !== undefined) {
    await sweepTestServer(sweep);
    if (socket !== undefined) rmSync(socket, { force: true });
  } else if (socket !== undefined) await testServer(socket, signal);
  else
    throw new ConfigError(
      'orrery test-server needs --socket; it is started by createCluster() of @orrery/testing',
    );
}
