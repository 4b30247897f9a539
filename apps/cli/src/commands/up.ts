import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { createLan, needTools, removeLan } from '@orrery/network';
import { createClusterPki } from '@orrery/pki';
import type { BlockLease } from '../cluster/block-lease.js';
import { leaseBlock } from '../cluster/block-lease.js';
import { lockCluster } from '../cluster/cluster-lock.js';
import { locateEtcd } from '../cluster/etcd.js';
import { ClusterFiles, addressesOf, keptAddresses, nodeName } from '../cluster/layout.js';
import { endLeftovers } from '../cluster/leftovers.js';
import { listenersOf, requireFree } from '../cluster/listeners.js';
import { lanNames, lanOf } from '../cluster/node-namespaces.js';
import { apiServerUrl, processes } from '../cluster/plan.js';
import type { PlanInput } from '../cluster/plan.js';
import { readSettings, settingsOf, writeSettings } from '../cluster/settings.js';
import type { ClusterSettings } from '../cluster/settings.js';
import { writeStaticPods } from '../cluster/static-pods.js';
import { inWords, makeFolder } from '../cluster/system-error.js';
import { COMPLETION, writeCompletion } from '../init-cluster/completion.js';
import { Progress } from '../progress.js';
import { hostAddresses } from './node-flags.js';
import { runCluster } from './run-cluster.js';
import type { Prepared } from './run-cluster.js';
import { clusterDir, groupingOf, limitOf, networkOf, parseExtraArgs } from './up-flags.js';
import type { UpFlags } from './up-flags.js';

const DEFAULT_NODES = 3;
/** Longest path of a Unix socket, without its final NUL (unix(7)). */
const MAX_SOCKET_PATH = 107;

interface Leased extends Omit<Prepared, 'written'> {
  /** The cluster has no objects yet. */
  readonly isNew: boolean;
  release(): Promise<void>;
}

const STORED = ['etcd', 'nodes', 'pki', 'cluster.json', COMPLETION];
const KUBECONFIGS = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];

/** Removes what a cluster has stored; its run folder stays, which holds the lock, and its logs. */
function empty(files: ClusterFiles): void {
  for (const path of [...STORED, ...KUBECONFIGS])
    rmSync(join(files.dir, path), { recursive: true, force: true });
}

function checkUnchanged(
  flag: string,
  asked: number | undefined,
  before: number | undefined,
  otherWay = '',
): void {
  if (asked !== undefined && before !== undefined && asked !== before)
    throw new ConfigError(
      `${flag} ${asked}: this cluster has ${before}; ${otherWay}start it without the flag, or with --fresh to begin again empty`,
    );
}

function checkSocketPaths(files: ClusterFiles, nodes: number): void {
  const longest = files.criSocket(nodeName(nodes));
  if (Buffer.byteLength(longest) > MAX_SOCKET_PATH)
    throw new ConfigError(
      `${longest}: the path of a socket has at most ${MAX_SOCKET_PATH} bytes; set ORRERY_HOME to a shorter folder`,
    );
}

/** etcd's members: those of before, else as many as asked for. */
const membersOf = (
  { etcdMembers = 1 }: UpFlags,
  before: ClusterSettings | undefined,
): Pick<PlanInput, 'etcdMembers' | 'etcdNumbers'> => ({
  etcdMembers: before?.etcdMembers ?? etcdMembers,
  ...(before?.etcdNumbers ? { etcdNumbers: before.etcdNumbers } : {}),
});

const publishedAddress = (asked: string | undefined): string | undefined =>
  asked === 'auto' ? hostAddresses([])[0].address : asked;

/** Nodes in namespaces have addresses that nobody else can have; on loopback they must be free. */
async function claimNetwork(input: PlanInput): Promise<void> {
  if (!input.network) return requireFree(listenersOf(input));
  if (input.network.mode === 'netns') await needTools('iptables-restore');
  await createLan(lanOf(input));
}

async function giveBack(
  input: Pick<PlanInput, 'network' | 'addresses'>,
  lease: BlockLease,
): Promise<void> {
  try {
    if (input.network) await removeLan(lanNames(input));
  } finally {
    await lease.release();
  }
}

/** The addresses of the cluster's nodes, as it is announced. */
const rangeOf = ({ addresses: { block }, network }: PlanInput): string =>
  network ? `198.18.${block}.0/24, network ${network.mode}` : `127.${block}.0.0/16`;

/** No two starts have the same completion: files of the last one are not taken for this one's. */
const groups = (flags: UpFlags): Pick<PlanInput, 'grouping' | 'completion'> => ({
  grouping: groupingOf(flags),
  ...(flags.singleProcess ? { completion: randomUUID() } : {}),
});

/** Everything that can be refused is, before anything of the cluster is written or removed. */
async function prepare(flags: UpFlags, files: ClusterFiles, progress: Progress): Promise<Leased> {
  const before = flags.fresh ? undefined : readSettings(files);
  checkUnchanged(
    '--etcd-members',
    flags.etcdMembers,
    before?.etcdMembers,
    'orrery etcd member add|remove changes that while it runs; ',
  );
  const nodes = flags.nodes ?? before?.nodes ?? DEFAULT_NODES;
  checkSocketPaths(files, nodes);
  const extraArgs = parseExtraArgs(flags.extraArg);
  const publish = publishedAddress(flags.publishAddress);
  const etcd = await locateEtcd(flags.etcdBin, progress);
  const network = networkOf(flags, before);
  const lease = await leaseBlock(files.dir, {
    ...(before ? { before: before.block } : {}),
    ...(flags.block !== undefined ? { asked: flags.block } : {}),
  });
  try {
    const input: PlanInput = {
      files,
      addresses: keptAddresses({ block: lease.block, ...(network && { network }) }),
      ...(network && { network }),
      ...membersOf(flags, before),
      nodes,
      ...groups(flags),
      ...(publish === undefined ? {} : { publish }),
      standby: flags.standby,
      extraArgs,
      componentDir: dirname(fileURLToPath(import.meta.url)),
      nodeBinary: process.execPath,
    };
    await claimNetwork(input);
    if (flags.fresh) {
      empty(files);
      rmSync(files.logs(), { recursive: true, force: true });
    }
    progress.note(
      `cluster "${flags.name}" in ${rangeOf(input)}: ${input.etcdMembers} etcd ${etcd.version} (${etcd.path}), ${nodes} nodes${before ? '' : ', new'}`,
    );
    return {
      input,
      etcd,
      isNew: before === undefined,
      release: () => giveBack(input, lease),
    };
  } catch (error) {
    // What went wrong first is what the user must see.
    await giveBack(
      { ...(network && { network }), addresses: addressesOf(lease.block) },
      lease,
    ).catch(() => undefined);
    throw error;
  }
}

async function writeFiles(
  input: PlanInput,
  tlsSan: readonly string[],
  progress: Progress,
): Promise<void> {
  const { files, addresses, nodes, publish } = input;
  for (const dir of [files.run(), files.logs()]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const group of processes(input))
    if (group.instances.length > 1)
      writeFileSync(files.run(`${group.name}.json`), JSON.stringify(group.instances));
  progress.step('certificates');
  const { renewAt } = await createClusterPki({
    dir: files.dir,
    server: apiServerUrl(addresses),
    apiserverSans: {
      dns: tlsSan.filter((name) => isIP(name) === 0),
      ips: [
        addresses.apiServer,
        addresses.kubernetesService,
        '127.0.0.1',
        ...(publish === undefined ? [] : [publish]),
        ...tlsSan.filter((name) => isIP(name) !== 0),
      ],
    },
    nodes: Array.from({ length: nodes }, (_, i) => ({
      name: nodeName(i + 1),
      ips: [addresses.node(i + 1), ...(addresses.node6 ? [addresses.node6(i + 1)] : [])],
    })),
    now: new SystemClock().now(),
  }).catch((error: unknown) => {
    throw unusableFile(error);
  });
  writeStaticPods(input);
  writeSettings(files, settingsOf(input));
  if (input.completion !== undefined) writeCompletion(files.dir, { of: input.completion, renewAt });
}

/** What a damaged certificate or key says to the user; errors of the operating system as they are. */
function unusableFile(error: unknown): unknown {
  const isSystemError = typeof (error as NodeJS.ErrnoException).syscall === 'string';
  if (!(error instanceof Error) || isSystemError) return error;
  return new ConfigError(
    `${error.message}; restore the file, or start with --fresh to begin again empty`,
    { cause: error },
  );
}

async function start(
  flags: UpFlags,
  files: ClusterFiles,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress(clock);
  const limit = limitOf(flags, clock);
  const left = await endLeftovers(files, clock);
  if (left > 0)
    progress.note(`ended ${left} process${left === 1 ? '' : 'es'} that an earlier run left behind`);
  const prepared = await prepare(flags, files, progress);
  let isReady = false;
  try {
    const written = writeFiles(prepared.input, flags.tlsSan, progress);
    // One process of all components loads its programs, and etcd starts, meanwhile: who runs them meets a failure.
    if (prepared.input.completion === undefined) await written;
    else written.catch(() => undefined);
    await runCluster({ ...prepared, written }, { progress, clock, signal, limit }, () => {
      isReady = true;
    });
  } finally {
    // A first start that failed leaves its logs and nothing else.
    if (prepared.isNew && !isReady) empty(files);
    await prepared.release();
  }
}

/** A cluster that was refused before its start leaves no folder. */
function forget(files: ClusterFiles): void {
  rmSync(files.dir, { recursive: true, force: true });
  try {
    rmdirSync(dirname(files.dir));
  } catch {
    // Other clusters, or the user's own folder.
  }
}

/** `orrery up`: runs a cluster until the signal aborts, then stops all of it. */
export async function up(flags: UpFlags, signal: AbortSignal): Promise<void> {
  const files = new ClusterFiles(clusterDir(flags.name));
  const isNew = !existsSync(files.dir);
  try {
    makeFolder(files.dir);
    lockCluster(files, flags.name);
  } catch (error) {
    throw inWords(error, files.dir);
  }
  try {
    await start(flags, files, new SystemClock(), signal);
  } catch (error) {
    throw inWords(error, files.dir);
  } finally {
    rmSync(files.supervisorPid, { force: true });
    if (isNew && !existsSync(files.logs())) forget(files);
  }
}
