import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resources } from '@orrery/api';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { ConfigError, SystemClock, reachablePort } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { createClusterPki } from '@orrery/pki';
import { installAddons } from '../addons/install.js';
import { leaseBlock } from '../cluster/block-lease.js';
import { endLeftovers, lockCluster } from '../cluster/cluster-lock.js';
import { etcdProcesses, locateEtcd } from '../cluster/etcd.js';
import { ClusterFiles, addressesOf, nodeName } from '../cluster/layout.js';
import { API_PORT, processes, toProcess } from '../cluster/plan.js';
import type { PlanInput } from '../cluster/plan.js';
import { readSettings, writeSettings } from '../cluster/settings.js';
import { writeStaticPods } from '../cluster/static-pods.js';
import { Progress } from '../progress.js';
import { serveControl } from '../supervisor/control.js';
import { Supervisor } from '../supervisor/supervisor.js';
import { tailOf, whenReady } from './readiness.js';
import { clusterDir, parseExtraArgs } from './up-flags.js';
import type { UpFlags } from './up-flags.js';

const DEFAULT_NODES = 3;

interface Prepared {
  readonly input: PlanInput;
  readonly etcdBinary: string;
  release(): Promise<void>;
}

/** What is kept of a cluster across `--fresh`: nothing but its lock. */
function empty(files: ClusterFiles): void {
  for (const path of ['etcd', 'nodes', 'pki', 'logs', 'cluster.json', 'admin.conf'])
    rmSync(`${files.dir}/${path}`, { recursive: true, force: true });
  for (const path of ['controller-manager.conf', 'scheduler.conf'])
    rmSync(`${files.dir}/${path}`, { force: true });
}

function checkUnchanged(flag: string, asked: number | undefined, before: number | undefined): void {
  if (asked !== undefined && before !== undefined && asked !== before)
    throw new ConfigError(
      `${flag} ${asked}: this cluster was made with ${before}; start it without the flag, or with --fresh`,
    );
}

async function prepare(flags: UpFlags, files: ClusterFiles, progress: Progress): Promise<Prepared> {
  if (flags.fresh) empty(files);
  const before = readSettings(files);
  checkUnchanged('--etcd-members', flags.etcdMembers, before?.etcdMembers);
  const extraArgs = parseExtraArgs(flags.extraArg);
  const lease = await leaseBlock(files.dir, {
    ...(before ? { before: before.block } : {}),
    ...(flags.block !== undefined ? { asked: flags.block } : {}),
  });
  try {
    const etcdBinary = await locateEtcd(flags.etcdBin, progress);
    const componentDir = dirname(fileURLToPath(import.meta.url));
    const input: PlanInput = {
      files,
      addresses: addressesOf(lease.block),
      etcdMembers: flags.etcdMembers ?? before?.etcdMembers ?? 1,
      nodes: flags.nodes ?? before?.nodes ?? DEFAULT_NODES,
      isolate: flags.isolate,
      standby: flags.standby,
      extraArgs,
      componentDir,
      nodeBinary: process.execPath,
    };
    await writeFiles(input, progress);
    return { input, etcdBinary, release: () => lease.release() };
  } catch (error) {
    await lease.release();
    throw error;
  }
}

async function writeFiles(input: PlanInput, progress: Progress): Promise<void> {
  const { files, addresses, etcdMembers, nodes } = input;
  for (const dir of [files.run(), files.logs()]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeSettings(files, { block: addresses.block, etcdMembers, nodes });
  progress.step('certificates');
  await createClusterPki({
    dir: files.dir,
    server: `https://${addresses.apiServer}:${API_PORT}`,
    apiserverSans: { ips: [addresses.apiServer, `127.${addresses.block}.128.1`, '127.0.0.1'] },
    nodes: Array.from({ length: nodes }, (_, i) => ({
      name: nodeName(i + 1),
      ips: [addresses.node(i + 1)],
    })),
    now: new SystemClock().now(),
  });
  writeStaticPods(input);
  for (const group of processes(input))
    if (group.instances.length > 1)
      writeFileSync(files.run(`${group.name}.json`), JSON.stringify(group.instances));
}

/** Starts every process; the names in waves as they must stop. */
function startProcesses(supervisor: Supervisor, { input, etcdBinary }: Prepared): string[][] {
  const etcd = etcdProcesses(input, etcdBinary);
  const groups = processes(input);
  for (const spec of etcd) supervisor.add(spec);
  for (const group of groups) supervisor.add(toProcess(input, group));
  const named = (test: RegExp): string[] =>
    groups.map((group) => group.name).filter((name) => test.test(name));
  return [
    named(/^kubelet-/),
    named(/^(nodes|container-runtime-)/),
    named(/^(controllers|kube-controller-manager|kube-scheduler)/),
    named(/^(kube-apiserver|dataplane)$/),
    etcd.map((spec) => spec.name),
  ];
}

async function bringUp(
  prepared: Prepared,
  progress: Progress,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { input } = prepared;
  const startedAt = Math.floor(clock.now() / 1000) * 1000;
  const client: KubeClient = connect(loadKubeconfig(input.files.adminConf));
  try {
    progress.step('API server');
    await whenReady({ clock, signal, files: input.files, what: 'kube-apiserver' }, async () => {
      const { code } = await client.raw('/readyz', signal);
      return code === 200;
    });
    await installAddons(
      client,
      {
        server: `https://${input.addresses.apiServer}:${API_PORT}`,
        clusterCidr: input.addresses.podCidr,
        dataplaneSocket: input.files.dataplaneSocket,
      },
      clock,
      signal,
    );
    progress.step('nodes');
    await whenReady({ clock, signal, files: input.files, what: 'nodes' }, async () => {
      const { items } = await client.resource(resources.nodes).list({}, signal);
      const ready = items.filter((node) =>
        node.status?.conditions?.some(
          (c) =>
            c.type === 'Ready' &&
            c.status === 'True' &&
            // What the cluster said before it was stopped does not count.
            Date.parse(c.lastHeartbeatTime ?? '') >= startedAt,
        ),
      );
      progress.detail(`${ready.length}/${input.nodes} ready`);
      return ready.length >= input.nodes;
    });
  } finally {
    await client.close();
  }
}

function lowPortNote(block: number): string {
  return reachablePort(80) === 80
    ? ''
    : `\nPorts below 1024 answer on 20000 + port here (a Service on port 80: http://127.${block}.128.x:20080).\n`;
}

/** `orrery up`: runs a cluster until the signal aborts, then stops all of it. */
export async function up(flags: UpFlags, signal: AbortSignal): Promise<void> {
  const clock = new SystemClock();
  const files = new ClusterFiles(clusterDir(flags.name));
  mkdirSync(files.dir, { recursive: true, mode: 0o700 });
  lockCluster(files, flags.name);
  const progress = new Progress(clock);
  try {
    const left = endLeftovers(files);
    if (left > 0) progress.note(`ended ${left} processes that an earlier run left behind`);
    const prepared = await prepare(flags, files, progress);
    try {
      await runCluster(prepared, progress, clock, signal);
    } finally {
      await prepared.release();
    }
  } finally {
    rmSync(files.supervisorPid, { force: true });
    if (!existsSync(files.settings)) rmSync(files.run(), { recursive: true, force: true });
  }
}

async function runCluster(
  prepared: Prepared,
  progress: Progress,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { files, addresses } = prepared.input;
  const refusal = new AbortController();
  const supervisor = new Supervisor(clock, ({ name, why, logFile, refused }) => {
    if (refused) refusal.abort(new ConfigError(`${name} refused to start:\n${tailOf(logFile, 1)}`));
    else progress.note(`${name} ended (${why}) and is started again; its log: ${logFile}`);
  });
  const control = await serveControl(files.controlSocket, supervisor);
  progress.step('etcd');
  const waves = startProcesses(supervisor, prepared);
  try {
    await bringUp(prepared, progress, clock, AbortSignal.any([signal, refusal.signal]));
    progress.done(
      `\n  export KUBECONFIG=${files.adminConf}\n  kubectl get nodes,pods -A -o wide\n  # stop: Ctrl-C here, or kill ${process.pid}\n${lowPortNote(addresses.block)}`,
    );
    if (!signal.aborted) await once(signal, 'abort');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.note('stopping …');
    await supervisor.stopAll(waves);
    control.close();
    control.closeAllConnections();
    progress.note('stopped');
  }
}
