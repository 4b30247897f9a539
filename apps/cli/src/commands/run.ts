import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { ConfigError, LocalServers } from '@orrery/component';
import type { ComponentApp, ComponentContext } from '@orrery/component';
import { APPS } from '../apps.js';
import type { Instance } from '../cluster/plan.js';

const isServer = ({ app }: Instance): boolean => app === 'kube-apiserver';

function readInstances(file: string): Instance[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Instance[];
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read as a list of components`, { cause: error });
  }
}

/** Runs the components that `file` lists, as runTogether does. */
export const run = (file: string, signal: AbortSignal): Promise<void> =>
  runTogether(readInstances(file), signal, file);

async function load({ app }: Instance, source: string): Promise<ComponentApp> {
  const found = APPS[app];
  if (!found) throw new ConfigError(`${source}: unknown component ${app}`);
  return found();
}

/** Loads the components that `file` lists, for who must still wait before they run. */
export async function loadAll(file: string): Promise<void> {
  await Promise.all(readInstances(file).map((one) => load(one, file)));
}

const flagOf = ({ args }: Instance, flag: string): string | undefined =>
  args.find((arg) => arg.startsWith(`--${flag}=`))?.slice(flag.length + 3);

/** The container runtime among `all` that this kubelet calls: before it listens each call fails, and is tried again only later. */
export function runtimeOf(kubelet: Instance, all: readonly Instance[]): Instance | undefined {
  const endpoint = flagOf(kubelet, 'container-runtime-endpoint');
  if (kubelet.app !== 'kubelet' || endpoint === undefined) return undefined;
  return all.find((one) => one.app === 'container-runtime' && flagOf(one, 'listen') === endpoint);
}

/**
 * Runs several components in this process until `signal` aborts. When one fails all are stopped and its error is thrown:
 * the supervisor starts the group again. An API server among them starts first and stops last; a kubelet starts after its runtime.
 */
export async function runTogether(
  instances: readonly Instance[],
  signal: AbortSignal,
  source: string,
): Promise<void> {
  const stop = new AbortController();
  const stopServer = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  let onReady = (): void => undefined;
  const served = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const local = new LocalServers();
  const run = async (instance: Instance, context: ComponentContext): Promise<void> => {
    try {
      const component = await load(instance, source);
      if (!isServer(instance)) await served;
      await component.run(instance.args, { ...context, local });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  const servers = instances.filter(isServer);
  const serving = servers.map((one) => run(one, { signal: stopServer.signal, onReady }));
  const clients = instances.filter((one) => !isServer(one));
  const listening = new Map<Instance, Promise<void>>();
  const runClient = (one: Instance): Promise<void> => {
    const runtime = runtimeOf(one, clients);
    const before = runtime === undefined ? undefined : listening.get(runtime);
    let running = Promise.resolve();
    const isReady = new Promise<void>((resolve) => {
      running = (before ?? Promise.resolve()).then(() =>
        run(one, { signal: until, onReady: resolve }).finally(resolve),
      );
    });
    listening.set(one, isReady);
    return running;
  };
  // A runtime stands before its kubelet.
  const working = clients.map(runClient);
  until.addEventListener('abort', onReady);
  if (servers.length === 0 || until.aborted) onReady();
  const ended = await Promise.allSettled(working);
  if (servers.length > 0 && clients.length === 0 && !until.aborted) await once(until, 'abort');
  stopServer.abort(signal.reason);
  const results = [...(await Promise.allSettled(serving)), ...ended];
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason as Error;
}
