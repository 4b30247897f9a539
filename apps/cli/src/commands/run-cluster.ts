import { once } from 'node:events';
import { join } from 'node:path';
import { resources } from '@orrery/api';
import type { Node } from '@orrery/api';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { ConfigError, reachablePort } from '@orrery/component';
import type { Clock } from '@orrery/component';
import type { FoundEtcd } from '@orrery/storage';
import { installAddons } from '../addons/install.js';
import { untilServed } from '../addons/until-served.js';
import { endLeftovers } from '../cluster/leftovers.js';
import { etcdProcesses, explainEtcd } from '../cluster/etcd.js';
import { nodeName } from '../cluster/layout.js';
import { nodeNetns } from '../cluster/node-namespaces.js';
import { API_PORT, apiServerUrl, processes, toProcess } from '../cluster/plan.js';
import type { PlanInput } from '../cluster/plan.js';
import { etcdActions } from '../etcd/etcd-control.js';
import type { Progress } from '../progress.js';
import { serveControl } from '../supervisor/control.js';
import { startGuard } from '../supervisor/guard.js';
import type { ProcessExit } from '../supervisor/managed-process.js';
import { Supervisor } from '../supervisor/supervisor.js';
import { endOf, lastLines } from './log-tail.js';
import { missingNodes, whenReady } from './readiness.js';
import type { StartLimit } from './readiness.js';

/** A cluster whose files are in place, or about to be, and whose addresses are its own. */
export interface Prepared {
  readonly input: PlanInput;
  readonly etcd: FoundEtcd;
  /** Resolves when all files are there; without a completion to wait for they are. */
  readonly written: Promise<void>;
}

/** A process that ends this often before the cluster is ready will not do better by trying on. */
const MAX_DEATHS = 3;
const TAIL_LINES = 12;

/** Decides what the end of a process means: a note, or the end of the start. */
export class ExitJudge {
  private readonly deaths = new Map<string, number>();
  private starting = true;

  constructor(
    private readonly input: PlanInput,
    private readonly note: (text: string) => void,
    private readonly giveUp: (why: ConfigError) => void,
  ) {}

  started(): void {
    this.starting = false;
  }

  judge(exit: ProcessExit): void {
    const { name, why, logFile, refused } = exit;
    const deaths = (this.deaths.get(name) ?? 0) + 1;
    this.deaths.set(name, deaths);
    const log = endOf(logFile, exit.logOffset);
    const isEtcd = /^etcd(-\d+)?$/.test(name);
    const known = isEtcd ? explainEtcd(this.input, name, log, why) : undefined;
    if (!this.starting)
      this.note(`${name} ended (${known ?? why}) and is started again; its log: ${logFile}`);
    else if (known !== undefined) this.giveUp(new ConfigError(known));
    // A Go program that panics has the exit code of our refusals.
    else if (refused && !isEtcd)
      this.giveUp(new ConfigError(`${name} refused to start:\n${lastLines(log, 1) || why}`));
    else if (deaths >= MAX_DEATHS)
      this.giveUp(
        new ConfigError(
          `${name} ended ${deaths} times while starting (${why}); the end of its log ${logFile}:\n${lastLines(log, TAIL_LINES)}`,
        ),
      );
    else this.note(`${name} ended (${why}) and is started again`);
  }
}

/** Starts every process; the names in waves as they must stop. */
function startProcesses(supervisor: Supervisor, { input, etcd: found }: Prepared): string[][] {
  const etcd = etcdProcesses(input, found.path);
  const groups = processes(input);
  for (const spec of etcd) supervisor.add(spec);
  for (const group of groups) supervisor.add(toProcess(input, group));
  const named = (test: RegExp): string[] =>
    groups.map((group) => group.name).filter((name) => test.test(name));
  return [
    named(/^(kubelet-|relay|components$)/),
    named(/^(nodes|container-runtime-)/),
    named(/^(controllers|kube-controller-manager|kube-scheduler)/),
    named(/^(kube-apiserver$|dataplane)/),
    etcd.map((spec) => spec.name),
  ];
}

/** What a start reports to, waits with and is stopped by. */
export interface StartContext {
  readonly progress: Progress;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limit: StartLimit;
}

/** The role of the first node: a node may not say that of itself (kubeadm's phase mark-control-plane). */
async function markControlPlane(client: KubeClient, signal: AbortSignal): Promise<void> {
  const labels = {
    'node-role.kubernetes.io/control-plane': '',
    'node-role.kubernetes.io/master': '',
  };
  await client
    .resource(resources.nodes)
    .patch({ name: nodeName(1) }, 'merge', { metadata: { labels } }, { signal });
}

/** Puts into the cluster what it needs beside its processes; a server that starts may cut a connection, or ask for patience. */
export async function furnish(
  client: KubeClient,
  input: PlanInput,
  { clock, signal, limit }: StartContext,
): Promise<void> {
  const { addresses, files, network } = input;
  const addon = {
    server: apiServerUrl(addresses),
    clusterCidr: addresses.podCidr,
    dns: addresses.dns,
    dataplaneSocket: files.dataplaneSocket(network ? '$(NODE_NAME)' : undefined),
  };
  await untilServed({ clock, signal, waitMs: limit.deadline - clock.monotonic() }, () =>
    installAddons(client, addon, clock, signal),
  );
}

/** What keeps the API server from being ready; undefined = it is. */
async function unready(client: KubeClient, signal: AbortSignal): Promise<string | undefined> {
  const { code, body } = await client.raw('/readyz', signal);
  if (code === 200) return undefined;
  const failed = body.split('\n').filter((line) => line.startsWith('[-]'));
  return `/readyz answers ${code} ${failed.join(' ')}`.trimEnd();
}

async function bringUp({ input, written }: Prepared, context: StartContext): Promise<void> {
  await written;
  const { progress, clock, signal } = context;
  const { files } = input;
  const startedAt = Math.floor(clock.now() / 1000) * 1000;
  const client: KubeClient = connect(loadKubeconfig(input.files.adminConf));
  try {
    progress.step('API server');
    await whenReady({ ...context, files, what: 'kube-apiserver' }, () => unready(client, signal));
    await furnish(client, input, context);
    progress.step('nodes');
    const isReady = (node: Node): boolean =>
      node.status?.conditions?.some(
        (c) =>
          c.type === 'Ready' &&
          (c.status === 'True' || input.network?.backend === 'none') &&
          // What the cluster said before it was stopped does not count.
          Date.parse(c.lastHeartbeatTime ?? '') >= startedAt,
      ) ?? false;
    const wanted = Array.from({ length: input.nodes }, (_, i) => nodeName(i + 1));
    await whenReady({ ...context, files, what: 'nodes' }, async () => {
      const { items } = await client.resource(resources.nodes).list({}, signal);
      progress.detail(`${items.filter(isReady).length}/${input.nodes} ready`);
      return missingNodes(wanted, items, isReady);
    });
    const waitMs = context.limit.deadline - clock.monotonic();
    await untilServed({ clock, signal, waitMs }, () => markControlPlane(client, signal));
    await whenPublished(input, context);
  } finally {
    await client.close();
  }
}

/** Others than this machine are told of the published address, so it must answer before the cluster is said to be ready. */
async function whenPublished({ publish, files }: PlanInput, context: StartContext): Promise<void> {
  if (publish === undefined) return;
  const server = `https://${publish}:${API_PORT}`;
  const client = connect({ ...loadKubeconfig(files.adminConf), server });
  try {
    await whenReady({ ...context, files, what: 'relays' }, () => unready(client, context.signal));
  } finally {
    await client.close();
  }
}

const quoted = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path}'`);

/** The lines to copy, and what the user of this machine must know. */
export function readyText(
  { files, addresses, network }: PlanInput,
  portOf = reachablePort,
): string {
  const note = network
    ? `\n  Node ports answer on ${addresses.node(1)} and the other nodes; pods and Services inside the cluster's network:\n  nsenter --net=${nodeNetns({ addresses }, nodeName(1))} curl http://…\n`
    : portOf(80) === 80
      ? ''
      : `\n  Ports below 1024 need root on this machine: port 80 of a pod or Service answers on ${portOf(80)},\n  port 443 on ${portOf(443)}, and so on (e.g. http://127.${addresses.block}.128.20:${portOf(80)}).\n`;
  return `\n  export KUBECONFIG=${quoted(files.adminConf)}\n  kubectl get nodes,pods -A -o wide\n  # stop: Ctrl-C here, or kill ${process.pid}\n${note}`;
}

/** Runs a prepared cluster until the signal aborts or its start fails, then stops all of it. */
export async function runCluster(
  prepared: Prepared,
  { progress, clock, signal, limit }: StartContext,
  onReady: () => void,
): Promise<void> {
  const { input } = prepared;
  const { files, componentDir, nodeBinary } = input;
  const failed = new AbortController();
  const judge = new ExitJudge(
    input,
    (text) => {
      progress.note(text);
    },
    (why) => {
      failed.abort(why);
    },
  );
  const guard = startGuard([
    nodeBinary,
    join(componentDir, 'orrery.js'),
    'sweep',
    files.dir,
    String(process.pid),
  ]);
  const supervisor = new Supervisor(
    clock,
    (exit) => {
      judge.judge(exit);
    },
    (pids) => {
      guard.protect(pids);
    },
  );
  const actions = etcdActions({ input, etcd: prepared.etcd, supervisor, clock });
  const control = await serveControl(files.controlSocket, supervisor, actions);
  progress.step('etcd');
  const waves = startProcesses(supervisor, prepared);
  try {
    await bringUp(prepared, {
      progress,
      clock,
      limit,
      signal: AbortSignal.any([signal, failed.signal]),
    });
    onReady();
    judge.started();
    progress.done(readyText(input));
    if (!signal.aborted) await once(signal, 'abort');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.note('stopping …');
    await supervisor.stopAll(waves);
    await endLeftovers(files, clock);
    guard.release();
    control.close();
    control.closeAllConnections();
    progress.note('stopped');
  }
}
