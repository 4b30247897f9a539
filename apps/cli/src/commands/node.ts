import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, loadKubeconfig } from '@orrery/client';
import { ConfigError, SystemClock, SystemRandom, createLogger } from '@orrery/component';
import type { Instance } from '../cluster/plan.js';
import { NodeNetwork } from '../network/node-network.js';
import { hostAddresses } from './node-flags.js';
import type { HostAddress, NodeFlags } from './node-flags.js';
import { makeFolders, requireRoutes } from './node-requirements.js';
import { runTogether } from './run.js';
import { findServiceNodeName } from './service-node-name.js';
import { parseExtraArgs } from './up-flags.js';

/** What tells one node from the others. */
export interface NodeIdentity {
  readonly name: string;
  readonly rootDir: string;
  /** Folder with kubelet.conf and pki/. */
  readonly credentials: string;
}

/** Throws ConfigError when neither credentials nor a way to get some are given. */
export async function identityOf(flags: NodeFlags, address: string): Promise<NodeIdentity> {
  const { bootstrapKubeconfig, credentials, service } = flags;
  if ((credentials === undefined) === (bootstrapKubeconfig === undefined))
    throw new ConfigError('orrery node needs --credentials or --bootstrap-kubeconfig');
  const name = service === undefined ? flags.name : await findServiceNodeName(service, address);
  const rootDir = service === undefined ? flags.rootDir : join(flags.rootDir, name);
  return { name, rootDir, credentials: credentials ?? join(rootDir, 'credentials') };
}

/** Makes this node one of the cluster whose bootstrap token it has, unless it is already. */
async function joinCluster(
  bootstrapKubeconfig: string,
  { name, credentials }: NodeIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { ensureClientKubeconfig } = await import('@orrery/kubelet');
  const certDir = join(credentials, 'pki');
  mkdirSync(certDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(certDir, 'ca.crt'), loadKubeconfig(bootstrapKubeconfig).ca ?? '');
  await ensureClientKubeconfig(
    {
      bootstrapKubeconfig,
      kubeconfig: join(credentials, 'kubelet.conf'),
      certDir,
      nodeName: name,
      clock: new SystemClock(),
      logger: createLogger({ component: 'orrery-node' }),
    },
    signal,
  );
}

/** Where the kubelet's serving certificate is, or where it may make one. */
const servingFlags = (pki: (file: string) => string, isGiven: boolean): readonly string[] =>
  isGiven
    ? [`--tls-cert-file=${pki('kubelet.crt')}`, `--tls-private-key-file=${pki('kubelet.key')}`]
    : [`--cert-dir=${pki('')}`];

/** The API server's address, where the URL of it names one: it may be in another range than this node. */
export function addressIn(url: string): string[] {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? [] : [host];
}

/** The components of one node and their flags. */
export function nodeInstances(
  flags: NodeFlags,
  identity: NodeIdentity,
  [host, second]: readonly [HostAddress, ...(readonly HostAddress[])],
  { componentDir, server }: { componentDir: string; server: string },
): Instance[] {
  const extra = parseExtraArgs(flags.extraArg);
  const { name, rootDir, credentials } = identity;
  const socket = join(rootDir, 'cri.sock');
  const pki = (file: string): string => join(credentials, 'pki', file);
  const instances: Record<string, readonly string[]> = {
    dataplane: [
      `--listen=unix://${flags.dataplaneSocket}`,
      `--cluster-cidr=${flags.clusterCidr}`,
      `--node-cidr=${[host.cidr, second?.cidr ?? [], addressIn(server)].flat().join(',')}`,
    ],
    'container-runtime': [
      `--listen=unix://${socket}`,
      `--root=${join(rootDir, 'runtime')}`,
      `--kubeconfig=${join(credentials, 'kubelet.conf')}`,
      `--node-ip=${host.address}`,
      ...(second ? [`--node-ip-2=${second.address}`] : []),
      `--node-name=${name}`,
      `--component-dir=${componentDir}`,
      `--network=${flags.network}`,
      `--cni-conf-dir=${flags.cniConfDir}`,
      `--cni-bin-dir=${flags.cniBinDir}`,
    ],
    kubelet: [
      `--kubeconfig=${join(credentials, 'kubelet.conf')}`,
      `--hostname-override=${name}`,
      `--node-ip=${[host.address, second?.address ?? []].flat().join(',')}`,
      `--address=${host.address}`,
      `--root-dir=${join(rootDir, 'kubelet')}`,
      `--container-runtime-endpoint=unix://${socket}`,
      `--cluster-dns=${flags.clusterDns}`,
      ...servingFlags(pki, flags.credentials !== undefined),
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
  const hosts = hostAddresses(flags.nodeIp);
  const [host] = hosts;
  const identity = await identityOf(flags, host.address);
  const { name, rootDir, credentials } = identity;
  makeFolders([rootDir, dirname(flags.dataplaneSocket)]);
  await requireRoutes(flags.serviceCidr.split(','));
  // Also what `npm run compose -- up` looks for, to tell a node that has begun from one that cannot.
  createLogger({ component: 'orrery-node' }).info('this node may set routes', { node: name });
  if (flags.bootstrapKubeconfig !== undefined)
    await joinCluster(flags.bootstrapKubeconfig, identity, signal);
  const kubeconfig = loadKubeconfig(join(credentials, 'kubelet.conf'), {
    userAgent: 'orrery-node',
  });
  const client = connect(kubeconfig);
  const network = new NodeNetwork({
    client,
    nodeName: name,
    nodeIp: host.address,
    mode: flags.network === 'routed' ? 'routed' : flags.networkBackend,
    serviceCidrs: flags.serviceCidr.split(','),
    clusterCidrs: flags.clusterCidr.split(','),
    confDir: flags.cniConfDir,
    dataDir: join(rootDir, 'cni'),
    cleansUp: true,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: createLogger({ component: 'node-network' }),
  });
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  await network.prepare();
  const routes = network.start(until);
  try {
    // A pod that is found again binds its address at once: the routes must be there before the kubelet looks.
    await network.ready(until);
    const componentDir = dirname(fileURLToPath(import.meta.url));
    const instances = nodeInstances(flags, identity, hosts, { componentDir, ...kubeconfig });
    await runTogether(instances, until, 'orrery node');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stop.abort();
    await routes;
    await client.close();
  }
}
