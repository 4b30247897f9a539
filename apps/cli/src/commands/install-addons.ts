import { StatusError } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { ConfigError, Flag, SystemClock } from '@orrery/component';
import { IsNotEmpty, IsOptional, IsString, IsUrl, Matches } from 'class-validator';
import { admitJoiningNodes, installAddons } from '../addons/install.js';
import { untilServed } from '../addons/until-served.js';
import { IPV4_CIDR } from './cidr.js';
import { DATAPLANE_SOCKET } from './node-flags.js';

const WAIT_MS = 60_000;

/** The flags of `orrery install-addons`. */
export class InstallAddonsFlags {
  @Flag('kubeconfig of an administrator')
  @IsNotEmpty()
  kubeconfig = '';

  @Flag('the API server as pods on the host network reach it: https://HOST:PORT')
  @IsUrl({ protocols: ['https'], require_protocol: true, require_tld: false })
  server = '';

  @Flag('range of the pods, as of the controller manager', 'cluster-cidr')
  @Matches(IPV4_CIDR, { message: 'cluster-cidr must be an IPv4 range such as 10.244.0.0/16' })
  clusterCidr = '10.244.0.0/16';

  @Flag("socket of each node's dataplane")
  @Matches(/^\//)
  dataplaneSocket = DATAPLANE_SOCKET;

  @Flag('kubeconfig with the bootstrap token of nodes that will join', 'bootstrap-kubeconfig')
  @IsOptional()
  @IsString()
  bootstrapKubeconfig?: string = undefined;
}

/** Throws ConfigError when the file has no token. */
function tokenOf(path: string): string {
  const { token } = loadKubeconfig(path);
  if (token === undefined)
    throw new ConfigError(`--bootstrap-kubeconfig ${path}: its user has no token`);
  return token;
}

/** Throws StatusError while the server is not ready. */
async function requireReady(client: KubeClient, signal: AbortSignal): Promise<void> {
  const { code } = await client.raw('/readyz', signal);
  if (code !== 200) throw new StatusError(503, 'ServiceUnavailable', `/readyz answers ${code}`);
}

/** `orrery install-addons`: makes the objects of kube-proxy that are not there yet. */
export async function installAddonsCommand(
  flags: InstallAddonsFlags,
  signal: AbortSignal,
): Promise<string> {
  const clock = new SystemClock();
  const token = flags.bootstrapKubeconfig && tokenOf(flags.bootstrapKubeconfig);
  const client = connect(loadKubeconfig(flags.kubeconfig, { userAgent: 'orrery' }));
  try {
    await untilServed({ clock, signal, waitMs: WAIT_MS }, async () => {
      await requireReady(client, signal);
      if (token !== undefined) await admitJoiningNodes(client, token, clock, signal);
      await installAddons(client, flags, clock, signal);
    });
  } finally {
    await client.close();
  }
  return 'kube-proxy is installed';
}
