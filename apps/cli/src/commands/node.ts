import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, loadKubeconfig } from '@orrery/client';
import { SystemClock, SystemRandom, createLogger } from '@orrery/component';
import type { Instance } from '../cluster/plan.js';
import { RoutedNetwork } from '../network/routed-network.js';
import { hostAddress } from './node-flags.js';
import type { NodeFlags } from './node-flags.js';
import { runTogether } from './run.js';
import { parseExtraArgs } from './up-flags.js';

/** The components of one node and their flags. */
export function nodeInstances(
  flags: NodeFlags,
  host: { readonly address: string; readonly cidr: string },
  componentDir: string,
): Instance[] {
  const extra = parseExtraArgs(flags.extraArg);
  const socket = join(flags.rootDir, 'cri.sock');
  const pki = (file: string): string => join(flags.credentials, 'pki', file);
  const instances: Record<string, readonly string[]> = {
    dataplane: [
      `--listen=unix://${flags.dataplaneSocket}`,
      `--cluster-cidr=${flags.clusterCidr},${host.cidr}`,
    ],
    'container-runtime': [
      `--listen=unix://${socket}`,
      `--root=${join(flags.rootDir, 'runtime')}`,
      `--node-ip=${host.address}`,
      `--node-name=${flags.name}`,
      `--component-dir=${componentDir}`,
    ],
    kubelet: [
      `--kubeconfig=${join(flags.credentials, 'kubelet.conf')}`,
      `--hostname-override=${flags.name}`,
      `--node-ip=${host.address}`,
      `--address=${host.address}`,
      `--root-dir=${join(flags.rootDir, 'kubelet')}`,
      `--container-runtime-endpoint=unix://${socket}`,
      `--cluster-dns=${flags.clusterDns}`,
      `--tls-cert-file=${pki('kubelet.crt')}`,
      `--tls-private-key-file=${pki('kubelet.key')}`,
      `--client-ca-file=${pki('ca.crt')}`,
    ],
  };
  return Object.entries(instances).map(([app, args]) => ({
    name: app,
    app,
    args: [...args, ...(extra[app] ?? [])],
  }));
}

/** `orrery node`: one whole node in this process, its routes first. */
export async function node(flags: NodeFlags, signal: AbortSignal): Promise<void> {
  const host = hostAddress(flags.nodeIp);
  for (const dir of [flags.rootDir, dirname(flags.dataplaneSocket)])
    mkdirSync(dir, { recursive: true });
  const client = connect(
    loadKubeconfig(join(flags.credentials, 'kubelet.conf'), { userAgent: 'orrery-node' }),
  );
  const network = new RoutedNetwork({
    client,
    nodeName: flags.name,
    serviceCidr: flags.serviceCidr,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: createLogger({ component: 'routes' }),
  });
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  await network.prepare();
  const routes = network.start(until);
  try {
    // A pod that is found again binds its address at once: the routes must be there before the kubelet looks.
    await network.ready(until);
    const componentDir = dirname(fileURLToPath(import.meta.url));
    await runTogether(nodeInstances(flags, host, componentDir), until, 'orrery node');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stop.abort();
    await routes;
    await client.close();
  }
}
