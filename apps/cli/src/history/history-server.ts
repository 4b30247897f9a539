import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StatusError } from '@orrery/apimachinery';
import type { Status } from '@orrery/apimachinery';
import { connect, isConnectionError, loadKubeconfig, streamLines } from '@orrery/client';
import type { KubeClient, LoadedKubeconfig } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import type { LogMark, Write } from '@orrery/history';
import { liveServer } from '../at/past-context.js';
import { kubeconfigPath } from '../kubeconfig/kubeconfig-file.js';
import type { ConnectionFlags } from './history-flags.js';

/** The kubeconfig files that kubectl would read, and behind them that of the cluster on this machine. */
function kubeconfigFiles(flag: string, env: NodeJS.ProcessEnv): string[] {
  if (flag !== '') return [flag];
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  if (listed.length > 0) return listed;
  const own = join(homedir(), '.kube', 'config');
  return existsSync(own) ? [own] : [kubeconfigPath('', 'orrery', env)];
}

/** The first file that has the context. */
export function loadConnection(
  { kubeconfig, context }: Pick<ConnectionFlags, 'kubeconfig' | 'context'>,
  env: NodeJS.ProcessEnv,
): LoadedKubeconfig {
  const files = kubeconfigFiles(kubeconfig, env);
  const there = files.filter((file) => existsSync(file));
  const options = { userAgent: 'orrery', ...(context === '' ? {} : { context }) };
  let first: unknown;
  for (const file of there.length > 0 ? there : files.slice(0, 1)) {
    try {
      return loadKubeconfig(file, options);
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** What the command line is told of a server that refuses or cannot be reached; whatever else it is stays as it is. */
export const asConfigError = (error: unknown): unknown =>
  error instanceof StatusError || isConnectionError(error)
    ? new ConfigError(error.message, { cause: error })
    : error;

/** What the command line is told of an answer that is none. */
function failure(code: number, body: string, path: string): ConfigError {
  let status: Partial<Status> = {};
  try {
    status = JSON.parse(body) as Partial<Status>;
  } catch {
    // Another server, or a proxy.
  }
  if (code === 404 && status.kind !== 'Status')
    return new ConfigError(
      `the server has no ${path.split('?')[0]}: it is not an API server of Orrery, or an older one`,
    );
  const { message = body.trim() || `the server answered ${code}` } = status;
  return new ConfigError(message);
}

/** `/history/` of the cluster behind a kubeconfig. */
export class HistoryServer {
  readonly namespace: string;
  private readonly options: LoadedKubeconfig;
  private readonly client: KubeClient;

  constructor(flags: ConnectionFlags, env: NodeJS.ProcessEnv = process.env) {
    const loaded = loadConnection(flags, env);
    if (/\/forks\/[^/]+\/*$/.test(loaded.server))
      throw new ConfigError(
        `the context is that of a fork (${loaded.server}): only the live cluster has a history`,
      );
    this.options = { ...loaded, server: liveServer(loaded.server) };
    this.client = connect(this.options);
    this.namespace = flags.namespace || loaded.namespace;
  }

  /** GET of any path as JSON. Throws ConfigError with the server's own words. */
  async get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const parameters = new URLSearchParams(query).toString();
    const { code, body } = await this.client
      .raw(parameters === '' ? path : `${path}?${parameters}`)
      .catch((error: unknown) => {
        throw asConfigError(error);
      });
    if (code >= 300) throw failure(code, body, path);
    return JSON.parse(body) as T;
  }

  /** The lines of a log, each parsed. */
  async *log(
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<Write | LogMark> {
    try {
      const url = `/history/log?${new URLSearchParams(query).toString()}`;
      for await (const line of streamLines(this.options, url, signal)) {
        const { kind, message } = JSON.parse(line) as Partial<Status>;
        if (kind === 'Status') throw new ConfigError(message ?? 'the log was cut');
        yield JSON.parse(line) as Write | LogMark;
      }
    } catch (error) {
      if (signal.aborted) return;
      throw asConfigError(error);
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
