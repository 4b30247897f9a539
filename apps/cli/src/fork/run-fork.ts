import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import type { Pod } from '@orrery/api';
import { resources } from '@orrery/api';
import { isNotFound } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { ConfigError, SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { compileCache } from '../cluster/compile-cache.js';
import type { Instance } from '../cluster/plan.js';
import { ManagedProcess } from '../supervisor/managed-process.js';
import type { ProcessSpec } from '../supervisor/managed-process.js';

export interface RunForkOptions {
  /** A kubeconfig whose current context is the fork's. */
  readonly kubeconfig: string;
  readonly fork: string;
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
}

const LEADERS = ['kube-controller-manager', 'kube-scheduler'];
const NODES_WAIT_MS = 60_000;
const LOOK_MS = 200;

/** Flags of the live controller manager that say how the cluster is laid out. */
const LAYOUT = [
  '--cluster-cidr',
  '--allocate-node-cidrs',
  '--node-cidr-mask-size',
  '--node-cidr-mask-size-ipv4',
  '--node-cidr-mask-size-ipv6',
  '--service-cluster-ip-range',
];

const flagsOf = ({ spec }: Pod): readonly string[] => {
  const [container] = spec.containers;
  return [...(container?.command ?? []), ...(container?.args ?? [])];
};

/** How the cluster is laid out, as its own controller manager was told. */
async function layoutFlags(client: KubeClient): Promise<readonly string[]> {
  const { items } = await client.resource(resources.pods).list({ namespace: 'kube-system' });
  const manager = items.find(({ metadata }) =>
    metadata.name?.startsWith('kube-controller-manager-'),
  );
  const flags = manager ? flagsOf(manager) : [];
  return flags.filter((flag) => LAYOUT.some((name) => flag.startsWith(`${name}=`)));
}

/** Takes the live leaders' Leases away in the fork: those who hold them do not work there. */
async function dropLeases(client: KubeClient): Promise<void> {
  for (const name of LEADERS)
    try {
      await client.resource(resources.leases).delete({ namespace: 'kube-system', name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
}

/** Until every Node's Lease is renewed in the fork: controllers that start before would see silent nodes. */
async function nodesAdopted(
  client: KubeClient,
  since: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const until = clock.monotonic() + NODES_WAIT_MS;
  for (;;) {
    const nodes = await client.resource(resources.nodes).list();
    const leases = await client.resource(resources.leases).list({ namespace: 'kube-node-lease' });
    const fresh = new Set(
      leases.items
        .filter(({ spec }) => Date.parse(spec?.renewTime ?? '') >= since)
        .map(({ metadata }) => metadata.name),
    );
    const waiting = nodes.items.filter(({ metadata }) => !fresh.has(metadata.name));
    if (waiting.length === 0 || signal.aborted) return;
    if (clock.monotonic() > until) {
      const names = waiting.map(({ metadata }) => metadata.name).join(', ');
      throw new ConfigError(`the hollow nodes do not renew the Leases of ${names}`);
    }
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

/** The processes of a fork: hollow nodes first, then what decides. */
class ForkProcesses {
  private readonly running: ManagedProcess[] = [];
  private readonly failed = new AbortController();

  constructor(
    private readonly dir: string,
    private readonly clock: Clock,
  ) {}

  /** Aborts when a process cannot be kept running. */
  get gaveUp(): AbortSignal {
    return this.failed.signal;
  }

  start(name: string, instances: readonly Instance[]): void {
    const componentDir = dirname(fileURLToPath(import.meta.url));
    const file = join(this.dir, `${name}.json`);
    writeFileSync(file, JSON.stringify(instances));
    const spec: ProcessSpec = {
      name,
      command: process.execPath,
      args: [join(componentDir, 'orrery.js'), 'run', file],
      env: {
        NODE_COMPILE_CACHE: compileCache(componentDir),
        ORRERY_LOG_DIR: join(this.dir, 'logs'),
      },
      logFile: join(this.dir, 'logs', `${name}.log`),
      pidFiles: [],
    };
    const started = new ManagedProcess(spec, this.clock, {
      exited: ({ refused, why, logFile }) => {
        if (refused) this.failed.abort(new ConfigError(`${name}: ${why}; see ${logFile}`));
      },
      changed: () => undefined,
    });
    this.running.push(started);
    started.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.map((one) => one.stop()));
  }
}

function controllers(kubeconfig: string, rootCa: string, layout: readonly string[]): Instance[] {
  const common = [`--kubeconfig=${kubeconfig}`, '--bind-address=127.0.0.1', '--secure-port=0'];
  return [
    {
      name: 'kube-controller-manager',
      app: 'kube-controller-manager',
      args: [...common, ...layout, ...(rootCa === '' ? [] : [`--root-ca-file=${rootCa}`])],
    },
    { name: 'kube-scheduler', app: 'kube-scheduler', args: common },
  ];
}

/** Runs hollow nodes, controllers and scheduler on a fork until the signal aborts. */
export async function runFork({ kubeconfig, fork, signal, print }: RunForkOptions): Promise<void> {
  const clock = new SystemClock();
  const dir = mkdtempSync(join(tmpdir(), `orrery-fork-${fork}-`));
  mkdirSync(join(dir, 'logs'));
  const loaded = loadKubeconfig(kubeconfig);
  const rootCa = loaded.ca ? join(dir, 'ca.crt') : '';
  if (loaded.ca) writeFileSync(rootCa, loaded.ca);
  const client = connect({ ...loaded, userAgent: 'orrery-fork' });
  const processes = new ForkProcesses(dir, clock);
  const until = AbortSignal.any([signal, processes.gaveUp]);
  try {
    await dropLeases(client);
    const since = clock.now();
    const args = [`--kubeconfig=${kubeconfig}`, `--root-dir=${join(dir, 'nodes')}`];
    processes.start('nodes', [{ name: 'hollow-nodes', app: 'hollow-nodes', args }]);
    await nodesAdopted(client, since, { clock, signal: until });
    processes.start('controllers', controllers(kubeconfig, rootCa, await layoutFlags(client)));
    print(
      `running on fork ${fork}: hollow nodes, controller manager, scheduler (Ctrl-C ends them)`,
    );
    print(`logs: ${join(dir, 'logs')}`);
    if (!until.aborted) await once(until, 'abort');
    if (processes.gaveUp.aborted) throw processes.gaveUp.reason as Error;
  } finally {
    await processes.stop();
    await client.close();
    // Volumes may hold secrets; logs say what went wrong, where something did.
    rmSync(signal.aborted ? dir : join(dir, 'nodes'), { recursive: true, force: true });
  }
}
