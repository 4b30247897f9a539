import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CNI_ERROR, CNI_VERSIONS, CniError } from '../cni/cni.js';
import type { CniCall, CniObject, CniPlugin, CniResult } from '../cni/cni.js';
import { netnsExists, setSysctls, trustOwnAddresses } from '../netns.js';
import { ToolError, ipBatch, runTool, tryTool } from '../tool.js';
import { AddressStore } from './address-store.js';
import { Subnet } from './address-space.js';

/** The `type` of the built-in plugin in a network configuration. */
export const BRIDGE_PLUGIN = 'orrery-bridge';

/** Its configuration, beside `name` and `cniVersion`. */
export interface BridgeConfig {
  readonly bridge: string;
  /** One subnet a family; the bridge has the first address of each. */
  readonly subnets: readonly string[];
  readonly mtu?: number;
  /** Where addresses in use are kept. */
  readonly dataDir: string;
}

const DEFAULT_MTU = 1500;

function decode(config: CniObject): BridgeConfig & { readonly name: string } {
  const { name, bridge, subnets, dataDir, mtu } = config;
  const isValid =
    typeof name === 'string' &&
    typeof bridge === 'string' &&
    typeof dataDir === 'string' &&
    Array.isArray(subnets) &&
    subnets.length > 0 &&
    subnets.every((one) => typeof one === 'string');
  if (!isValid)
    throw new CniError(
      CNI_ERROR.invalidConfig,
      `${BRIDGE_PLUGIN} needs bridge, subnets and dataDir`,
    );
  return { name, bridge, subnets, dataDir, ...(typeof mtu === 'number' && { mtu }) };
}

/** `/run/netns/X` -> `X`, by which ip(8) knows it. */
function nameOf(netns: string): string {
  const name = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(netns)?.[1];
  if (name === undefined)
    throw new CniError(CNI_ERROR.invalidEnvironment, `CNI_NETNS ${netns} is not in /run/netns`);
  return name;
}

const hostEndOf = ({ containerId, ifName }: CniCall): string =>
  `veth${createHash('sha256').update(`${containerId} ${ifName}`).digest('hex').slice(0, 8)}`;

const ownerOf = ({ containerId, ifName }: CniCall): string => `${containerId}\n${ifName}`;

const isGone = (error: unknown): boolean =>
  error instanceof ToolError && /Cannot find device|does not exist/.test(error.outcome.stderr);

/** Bridge, addresses and default route of a pod in one plugin, as CNI's bridge with host-local; the node is the router. */
export class BridgePlugin implements CniPlugin {
  /** One change of the bridge at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  async exec(call: CniCall, config: CniObject): Promise<CniObject | undefined> {
    if (call.command === 'VERSION')
      return { cniVersion: config['cniVersion'], supportedVersions: CNI_VERSIONS };
    const decoded = decode(config);
    const store = new AddressStore(join(decoded.dataDir, decoded.name));
    try {
      if (call.command === 'ADD') return await this.add(call, decoded, store, config);
      if (call.command === 'CHECK') await this.check(call, config);
      else await this.delete(call, store);
      return undefined;
    } catch (error) {
      if (error instanceof CniError || !(error instanceof Error)) throw error;
      throw new CniError(CNI_ERROR.io, error.message, '', { cause: error });
    }
  }

  private async add(
    call: CniCall,
    { bridge, subnets, mtu = DEFAULT_MTU }: BridgeConfig,
    store: AddressStore,
    config: CniObject,
  ): Promise<CniResult> {
    const pod = nameOf(call.netns);
    if (!netnsExists(pod))
      throw new CniError(
        CNI_ERROR.invalidEnvironment,
        `failed to open netns "${call.netns}": no such file or directory`,
      );
    const ranges = subnets.map((cidr) => Subnet.parse(cidr));
    const made = this.turn.then(() => ensureBridge(bridge, ranges, mtu));
    this.turn = made.catch(() => undefined);
    await made;
    const hostEnd = hostEndOf(call);
    const addresses: string[] = [];
    try {
      for (const range of ranges) addresses.push(store.allocate(String(range), ownerOf(call)));
      await ipBatch([
        `link add ${hostEnd} mtu ${mtu} type veth peer name ${call.ifName} mtu ${mtu} netns ${pod}`,
        `link set ${hostEnd} master ${bridge} up`,
        `link set ${hostEnd} type bridge_slave hairpin on`,
      ]);
      await runTool('ip', ['-n', pod, '-batch', '-'], {
        input: podLines(call.ifName, ranges, addresses),
      });
    } catch (error) {
      await this.delete(call, store);
      throw error;
    }
    const mac = (await runTool('ip', ['-n', pod, '-o', 'link', 'show', call.ifName])).match(
      /link\/ether (\S+)/,
    )?.[1];
    return {
      cniVersion: String(config['cniVersion']),
      interfaces: [
        { name: bridge },
        { name: hostEnd },
        { name: call.ifName, ...(mac !== undefined && { mac }), sandbox: call.netns },
      ],
      ips: ranges.map((range, i) => ({
        address: `${addresses[i] ?? ''}/${range.bits}`,
        gateway: range.gateway,
        interface: 2,
      })),
      routes: ranges.map(({ family }) => ({ dst: family === 4 ? '0.0.0.0/0' : '::/0' })),
      dns: {},
    };
  }

  private async delete(call: CniCall, store: AddressStore): Promise<void> {
    store.release(ownerOf(call));
    try {
      await runTool('ip', ['link', 'delete', hostEndOf(call)]);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  private async check(call: CniCall, config: CniObject): Promise<void> {
    const { ips = [] } = (config['prevResult'] ?? {}) as CniResult;
    const shown = await tryTool('ip', [
      '-n',
      nameOf(call.netns),
      '-o',
      'address',
      'show',
      call.ifName,
    ]);
    for (const { address } of ips)
      if (!shown.stdout.includes(` ${address} `))
        throw new CniError(CNI_ERROR.io, `${call.ifName} does not have the address ${address}`);
    const link = await tryTool('ip', ['-o', 'link', 'show', hostEndOf(call)]);
    if (link.code !== 0 || !/[<,]UP[,>]/.test(link.stdout))
      throw new CniError(CNI_ERROR.io, `the host's end of ${call.ifName} is not up`);
  }
}

function podLines(ifName: string, ranges: readonly Subnet[], addresses: readonly string[]): string {
  const lines = [
    `link set ${ifName} up`,
    ...ranges.map(
      ({ family, bits }, i) =>
        `address add ${addresses[i] ?? ''}/${bits} dev ${ifName}${family === 6 ? ' nodad' : ''}`,
    ),
    ...ranges.map(({ family, gateway }) =>
      family === 4
        ? `route add default via ${gateway}`
        : `route add default via ${gateway} dev ${ifName}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** Makes the bridge with the gateways' addresses, and lets the node route; nothing changes when all is there. */
async function ensureBridge(name: string, ranges: readonly Subnet[], mtu: number): Promise<void> {
  const isThere = (await tryTool('ip', ['link', 'show', name])).code === 0;
  if (!isThere) {
    await ipBatch([`link add ${name} mtu ${mtu} type bridge`]);
    await trustOwnAddresses(name);
  }
  await ipBatch([
    `link set ${name} up`,
    ...ranges.map(
      ({ family, gateway, bits }) =>
        `address replace ${gateway}/${bits} dev ${name}${family === 6 ? ' nodad' : ''}`,
    ),
  ]);
  await setSysctls({
    'net.ipv4.ip_forward': '1',
    ...(ranges.some(({ family }) => family === 6) && { 'net.ipv6.conf.all.forwarding': '1' }),
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
  });
}
