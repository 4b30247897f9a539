import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, Flag, SystemClock } from '@orrery/component';
import type { ManagedEtcd } from '@orrery/storage';
import { IsOptional, IsString } from 'class-validator';
import { ClusterFiles } from '../cluster/layout.js';
import { endLeftovers } from '../cluster/leftovers.js';
import { beginTestServer, clustersDir, etcdFiles, takeBegun } from './begin.js';
import type { BegunServer } from './begin.js';
import { answerRequests } from './protocol.js';
import type { TestClusters } from './test-clusters.js';

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

/** Begun by who loaded the program, else here. That one's errors are of classes of its own. */
async function begin(socket: string, componentDir: string): Promise<BegunServer> {
  try {
    return await (takeBegun() ?? beginTestServer(socket, componentDir));
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError' && !(error instanceof ConfigError))
      throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/**
 * `orrery test-server --socket PATH`: clusters for the tests of one process, which holds the other end of standard
 * input. They share one etcd and this process; each has a keyspace, addresses and a clock of its own.
 */
async function testServer(socket: string, stop: AbortSignal): Promise<void> {
  const signal = lifeline(stop);
  const componentDir = dirname(fileURLToPath(import.meta.url));
  const begun = await begin(socket, componentDir);
  process.env['ORRERY_LOG_DIR'] = begun.base;
  try {
    await serveOn({ base: begun.base, componentDir, socket }, begun.etcd, signal);
  } finally {
    await begun.end();
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
