import { join } from 'node:path';
import type { Logger, Random } from '@orrery/component';
import { CriError } from '@orrery/cri';
import {
  BRIDGE_PLUGIN,
  BridgePlugin,
  CniNetwork,
  addNetns,
  declares,
  deleteNetns,
  findNetworkConfig,
  needNetAdmin,
  netnsExists,
  setSysctls,
} from '@orrery/network';
import type { Attachment, CniResult, NetworkConfig } from '@orrery/network';
import type { SandboxRecord } from '../store/sandbox.js';
import { capabilityArgs } from './capability-args.js';
import type { PodNetwork, SandboxNetwork } from './pod-network.js';

export interface CniPodNetworkOptions {
  readonly confDir: string;
  readonly binDirs: readonly string[];
  readonly cacheDir: string;
  /** Begins the name of each pod's network namespace. */
  readonly netnsPrefix: string;
  readonly random: Random;
  readonly logger: Logger;
}

/** The interface of every pod, as Kubernetes has it. */
const IF_NAME = 'eth0';

/** How the kubelet shows it behind "Network plugin returns error: " (go-cni errors.go:ErrCNINotInitialized). */
const NOT_INITIALIZED = 'cni plugin not initialized';

const nameIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** As containerd tells plugins of the pod (internal/cri/server/sandbox_run.go:toCNILabels). */
function argsOf({
  id,
  config: { metadata },
}: Pick<SandboxRecord, 'id' | 'config'>): Record<string, string> {
  return {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: metadata?.namespace ?? '',
    K8S_POD_NAME: metadata?.name ?? '',
    K8S_POD_INFRA_CONTAINER_ID: id,
    K8S_POD_UID: metadata?.uid ?? '',
  };
}

/** A network namespace for each pod, attached by CNI plugins: mode `netns`. */
export class CniPodNetwork implements PodNetwork {
  podCidr = '';
  private readonly builtIn = { [BRIDGE_PLUGIN]: new BridgePlugin() };
  private networks = new Map<string, CniNetwork>();
  private lastProblems = '';

  constructor(private readonly options: CniPodNetworkOptions) {}

  /** Throws ConfigError with one line naming the remedy where no namespace can be made. */
  async prepare(): Promise<void> {
    const probe = this.newName();
    await needNetAdmin('--network netns', async () => {
      await addNetns(probe);
      await deleteNetns(probe);
    });
  }

  private newName(): string {
    return `${this.options.netnsPrefix}${this.options.random.uuid()}`;
  }

  problem(): string | undefined {
    return this.network() ? undefined : NOT_INITIALIZED;
  }

  setPodCidr(cidr: string): void {
    if (cidr !== '') this.podCidr = cidr;
  }

  get servesHostPorts(): boolean {
    const network = this.network();
    return network !== undefined && declares(network.config, 'portMappings');
  }

  async attach(sandbox: Omit<SandboxRecord, 'ip'>): Promise<SandboxNetwork> {
    const network = this.network();
    if (!network)
      throw new CriError(
        'UNKNOWN',
        `failed to setup network for sandbox "${sandbox.id}": ${NOT_INITIALIZED}`,
      );
    const name = this.newName();
    try {
      const netns = await addNetns(name);
      await setSysctls(networkSysctls(sandbox), netns);
      const result = await network.add(attachmentOf(sandbox, netns));
      return { ips: addressesOf(result), netns };
    } catch (error) {
      await deleteNetns(name);
      const why = error instanceof Error ? error.message : String(error);
      throw new CriError('UNKNOWN', `failed to setup network for sandbox "${sandbox.id}": ${why}`, {
        cause: error,
      });
    }
  }

  async detach(sandbox: SandboxRecord): Promise<void> {
    const { netns, id } = sandbox;
    if (netns === undefined) return;
    try {
      await this.anyNetwork()?.delete(attachmentOf(sandbox, netns));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CriError('UNKNOWN', `failed to destroy network for sandbox "${id}": ${why}`, {
        cause: error,
      });
    }
    await deleteNetns(nameIn(netns));
  }

  /** CHECK tells whether the namespace is still attached, e.g. not after a restart of the machine. */
  async recover(sandbox: SandboxRecord): Promise<boolean> {
    const { netns, id } = sandbox;
    if (netns === undefined || !netnsExists(nameIn(netns))) return false;
    try {
      await this.network()?.check(attachmentOf(sandbox, netns));
      return true;
    } catch (error) {
      this.options.logger.warn('a sandbox has lost its network', {
        sandbox: id,
        why: String(error),
      });
      return false;
    }
  }

  /** Without a configuration a pod that is there can still be detached: its own is in the cache. */
  private anyNetwork(): CniNetwork | undefined {
    return this.network() ?? [...this.networks.values()].at(-1);
  }

  /** The configuration is read each time: an administrator puts it there, changes it or takes it away. */
  private network(): CniNetwork | undefined {
    const { confDir, binDirs, cacheDir, logger } = this.options;
    const { config, problems } = findNetworkConfig(confDir);
    const text = problems.join('; ');
    if (text !== '' && text !== this.lastProblems)
      logger.warn('a CNI configuration cannot be used', { problems: text });
    this.lastProblems = text;
    if (!config) return undefined;
    const key = keyOf(config);
    const known = this.networks.get(key);
    if (known) return known;
    const network = new CniNetwork(config, { binDirs, cacheDir, builtIn: this.builtIn });
    this.networks = new Map([...this.networks, [key, network]].slice(-2) as [string, CniNetwork][]);
    return network;
  }
}

const keyOf = (config: NetworkConfig): string => JSON.stringify(config);

const networkSysctls = ({ config }: Pick<SandboxRecord, 'config'>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config.linux?.sysctls ?? {}).filter(([name]) => name.startsWith('net.')),
  );

function attachmentOf(sandbox: Pick<SandboxRecord, 'id' | 'config'>, netns: string): Attachment {
  return {
    containerId: sandbox.id,
    netns,
    ifName: IF_NAME,
    args: argsOf(sandbox),
    capabilityArgs: capabilityArgs(sandbox.config),
  };
}

/** IPv4 first where there are both, as containerd sorts by default. */
function addressesOf(result: CniResult): readonly [string, ...string[]] {
  const all = (result.ips ?? []).map(({ address }) => address.split('/')[0] ?? '');
  const [first, ...rest] = [
    ...all.filter((ip) => !ip.includes(':')),
    ...all.filter((ip) => ip.includes(':')),
  ];
  if (first === undefined) throw new Error('the network plugins answered no address');
  return [first, ...rest];
}

/** Where state of the network is kept below a runtime's folder unless told otherwise. */
export const defaultCniCache = (root: string): string => join(root, 'cni');
