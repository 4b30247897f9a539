import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveServer } from '../at/past-context.js';
import { KubeconfigFile, kubeconfigPath } from '../kubeconfig/kubeconfig-file.js';
import { forkContext, forkOf } from './fork-context.js';
import type { ContextAndCluster } from './fork-context.js';
import type { ForkCall, ForkFlags } from './fork-flags.js';
import { ForkServer } from './fork-server.js';
import type { ForkView } from './fork-server.js';
import { formatDiff } from './format-diff.js';
import { runFork } from './run-fork.js';

interface Target {
  readonly file: KubeconfigFile;
  readonly live: ContextAndCluster;
  readonly server: ForkServer;
}

export interface ForkContext {
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
}

const row = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd();

/** The table of `orrery fork ls`. */
export function formatForks(forks: readonly ForkView[]): string {
  if (forks.length === 0) return 'no forks';
  const rows = [['NAME', 'BASE', 'CREATED', 'BY']];
  for (const { metadata, spec, status } of forks)
    rows.push([metadata.name, String(spec.baseRevision), metadata.creationTimestamp, status.user]);
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((cells) => (cells[i] ?? '').length)),
  );
  return rows.map((cells) => row(cells, widths)).join('\n');
}

/** Writes the fork's context into the kubeconfig. */
function writeContext({ file, live }: Target, fork: ForkView, use: boolean): string {
  const { context, cluster } = forkContext(live, fork.metadata.name);
  file.put(context, cluster);
  if (use) file.use(context.name);
  file.write();
  const command = use ? 'kubectl' : `kubectl --context ${context.name}`;
  return [
    `context ${context.name}: a writable copy of revision ${fork.spec.baseRevision}; the cluster never sees what happens in it`,
    `written to ${file.path}${use ? ', and now the current context' : ''}`,
    '',
    `  ${command} get pods -A`,
  ].join('\n');
}

/** Runs the fork's processes with a kubeconfig of their own, whose only purpose they are. */
async function run({ file, live }: Target, fork: string, context: ForkContext): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'orrery-fork-conf-'));
  const path = join(dir, 'kubeconfig');
  try {
    copyFileSync(file.path, path);
    const own = KubeconfigFile.read(path);
    const made = forkContext(live, fork);
    own.put(made.context, made.cluster);
    own.use(made.context.name);
    own.write();
    await runFork({ ...context, kubeconfig: path, fork });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function remove({ file, server }: Target, names: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const name of names) {
    await server.remove(name);
    for (const entry of file.contexts.filter((one) => forkOf(one) === name)) file.remove(entry);
    lines.push(`fork ${name} removed`);
  }
  file.write();
  return lines.join('\n');
}

async function show(target: Target, { verb, names, flags }: ForkCall): Promise<string> {
  const { server } = target;
  const [name = ''] = names;
  const isJson = flags.output === 'json';
  if (verb === 'rm') return remove(target, names);
  if (verb === 'ls') {
    const forks = await server.list();
    return isJson ? JSON.stringify(forks, null, 2) : formatForks(forks);
  }
  const diff = await server.diff(name, flags.against);
  return isJson ? JSON.stringify(diff, null, 2) : formatDiff(diff, flags.all);
}

function targetOf(flags: ForkFlags): Target {
  const file = KubeconfigFile.read(kubeconfigPath(flags.kubeconfig, flags.name));
  const live = file.find(flags.context || file.current);
  const base = liveServer(live.cluster.cluster.server);
  return { file, live, server: new ForkServer(file.path, live.context.name, base) };
}

/** `orrery fork …`: makes, lists, compares, runs and removes forks. */
export async function fork(call: ForkCall, context: ForkContext): Promise<void> {
  const { verb, names, flags } = call;
  const target = targetOf(flags);
  const [name] = names;
  try {
    if (verb === 'create') {
      const made = await target.server.create(name, flags.at);
      context.print(writeContext(target, made, flags.use));
      if (flags.run) await run(target, made.metadata.name, context);
    } else if (verb === 'run') {
      const found = await target.server.get(name ?? '');
      await run(target, found.metadata.name, context);
    } else context.print(await show(target, call));
  } finally {
    await target.server.close();
  }
}
