import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { decodeYaml, encodeYaml } from '@orrery/apimachinery';
import { ConfigError } from '@orrery/component';
import { ClusterFiles } from '../cluster/layout.js';
import { clusterDir } from '../commands/up-flags.js';

export interface NamedExtension {
  readonly name: string;
  readonly extension: Readonly<Record<string, unknown>>;
}

export interface ClusterEntry {
  readonly name: string;
  readonly cluster: { readonly server: string } & Readonly<Record<string, unknown>>;
}

export interface ContextEntry {
  readonly name: string;
  readonly context: {
    readonly cluster: string;
    readonly user?: string;
    readonly namespace?: string;
    readonly extensions?: readonly NamedExtension[];
  };
}

interface Content {
  readonly clusters?: readonly ClusterEntry[];
  readonly contexts?: readonly ContextEntry[];
  readonly 'current-context'?: string;
}

/** Where kubectl would look: the flag, KUBECONFIG's first file, else the one of the cluster `name`. */
export function kubeconfigPath(
  flag: string,
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): string {
  if (flag !== '') return flag;
  const listed = (env['KUBECONFIG'] ?? '').split(':').find((path) => path !== '');
  return listed ?? new ClusterFiles(clusterDir(name, env)).adminConf;
}

const without = <T extends { readonly name: string }>(
  entries: readonly T[] | undefined,
  name: string,
): T[] => (entries ?? []).filter((entry) => entry.name !== name);

/** A kubeconfig that is changed as `kubectl config` would: what it does not know stays as it is. */
export class KubeconfigFile {
  private constructor(
    readonly path: string,
    private content: Content,
  ) {}

  /** Throws ConfigError for a file that is not there, or none. */
  static read(path: string): KubeconfigFile {
    if (!existsSync(path))
      throw new ConfigError(
        `${path} is not there: start a cluster with npm start, or name a file with --kubeconfig`,
      );
    let value: unknown;
    try {
      ({ value } = decodeYaml(readFileSync(path)));
    } catch (cause) {
      throw new ConfigError(`kubeconfig ${path}: ${String(cause)}`, { cause });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ConfigError(`kubeconfig ${path}: must be a mapping`);
    return new KubeconfigFile(path, value);
  }

  get contexts(): readonly ContextEntry[] {
    return this.content.contexts ?? [];
  }

  get current(): string {
    return this.content['current-context'] ?? '';
  }

  /** The context of that name, default the current one, and its cluster. Throws ConfigError. */
  find(name = this.current): { readonly context: ContextEntry; readonly cluster: ClusterEntry } {
    const context = this.contexts.find((entry) => entry.name === name);
    if (!context)
      throw new ConfigError(`kubeconfig ${this.path}: no context named ${JSON.stringify(name)}`);
    const cluster = (this.content.clusters ?? []).find(
      (entry) => entry.name === context.context.cluster,
    );
    if (!cluster)
      throw new ConfigError(
        `kubeconfig ${this.path}: context ${name} names no cluster that is there`,
      );
    return { context, cluster };
  }

  /** Adds a context and its cluster, or replaces those of the same names. */
  put(context: ContextEntry, cluster: ClusterEntry): void {
    this.content = {
      ...this.content,
      clusters: [...without(this.content.clusters, cluster.name), cluster],
      contexts: [...without(this.content.contexts, context.name), context],
    };
  }

  /** Removes a context, and its cluster unless another context has it. */
  remove({ name, context }: ContextEntry): void {
    const contexts = without(this.content.contexts, name);
    const isShared = contexts.some((entry) => entry.context.cluster === context.cluster);
    this.content = {
      ...this.content,
      contexts,
      ...(isShared ? {} : { clusters: without(this.content.clusters, context.cluster) }),
      ...(this.current === name ? { 'current-context': '' } : {}),
    };
  }

  use(name: string): void {
    this.content = { ...this.content, 'current-context': name };
  }

  /** Writes the file, which nobody else may read; at no moment is there half a file. */
  write(): void {
    const beside = `${this.path}.${process.pid}.tmp`;
    writeFileSync(beside, encodeYaml(this.content), { mode: 0o600 });
    renameSync(beside, this.path);
  }
}
