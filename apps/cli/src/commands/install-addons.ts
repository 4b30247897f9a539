import { connect, loadKubeconfig } from '@orrery/client';
import type { KubeClient } from '@orrery/client';
import { ConfigError, Flag, SystemClock } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { IsNotEmpty, IsOptional, IsString, IsUrl, Matches } from 'class-validator';
import { admitJoiningNodes, installAddons } from '../addons/install.js';
import { IPV4_CIDR } from './cidr.js';
import { DATAPLANE_SOCKET } from './node-flags.js';

const WAIT_MS = 60_000;
const POLL_MS = 250;

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

async function whenServing(client: KubeClient, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + WAIT_MS;
  for (;;) {
    const answer = await client.raw('/readyz', signal).catch((error: unknown) => error as Error);
    if (!(answer instanceof Error) && answer.code === 200) return;
    const why = answer instanceof Error ? answer.message : `/readyz answers ${answer.code}`;
    if (clock.monotonic() > deadline)
      throw new ConfigError(`the API server did not become ready in ${WAIT_MS / 1000} s: ${why}`);
    await clock.sleep(POLL_MS, signal);
  }
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
    await whenServing(client, clock, signal);
    if (token !== undefined) await admitJoiningNodes(client, token, clock, signal);
    await installAddons(client, flags, clock, signal);
  } finally {
    await client.close();
  }
  return 'kube-proxy is installed';
}
