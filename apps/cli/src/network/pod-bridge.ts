import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import {
  BRIDGE_PLUGIN,
  CNI_VERSION,
  Subnet,
  ToolError,
  runTool,
  setSysctls,
  trustOwnAddresses,
  tryTool,
} from '@orrery/network';
import { TUNNEL, removeAllRoutes } from './ip-route.js';
import { tunnelMac } from './routes.js';
import type { RouteMode } from './routes.js';

const BRIDGE = 'cni0';
const CONFIGURATION = '10-orrery.conflist';
const VXLAN_ID = '1';
/** flannel's and the kernel's default. */
const VXLAN_PORT = '8472';
const VXLAN_OVERHEAD = { ipv4: 50, ipv6: 70 };
const DEFAULT_MTU = 1500;
const MASQUERADE = 'ORRERY-MASQ';

export interface PodBridgeOptions {
  readonly mode: RouteMode;
  readonly nodeIp: string;
  /** Of all pods: what leaves them is seen as the node's. */
  readonly clusterCidrs: readonly string[];
  readonly confDir: string;
  /** Where addresses in use are kept. */
  readonly dataDir: string;
}

const isIpv6 = (text: string): boolean => text.includes(':');

async function deviceMtu(nodeIp: string): Promise<number> {
  const found = Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address === nodeIp),
  )?.[0];
  if (found === undefined) return DEFAULT_MTU;
  const { stdout } = await tryTool('ip', ['-o', 'link', 'show', found]);
  return Number(/ mtu (\d+) /.exec(stdout)?.[1] ?? DEFAULT_MTU);
}

async function makeTunnel(podCidrs: readonly string[], nodeIp: string, mtu: number): Promise<void> {
  const mac = tunnelMac(podCidrs);
  if (mac === undefined) throw new TypeError('vxlan needs a pod range');
  const shown = await tryTool('ip', ['-d', '-o', 'link', 'show', TUNNEL]);
  if (!shown.stdout.includes(`local ${nodeIp} `) || !shown.stdout.includes(mac)) {
    await tryTool('ip', ['link', 'delete', TUNNEL]);
    const vxlan = [
      'type',
      'vxlan',
      'id',
      VXLAN_ID,
      'local',
      nodeIp,
      'dstport',
      VXLAN_PORT,
      'nolearning',
    ];
    await runTool('ip', ['link', 'add', TUNNEL, 'address', mac, 'mtu', String(mtu), ...vxlan]);
    await trustOwnAddresses(TUNNEL);
  }
  for (const cidr of podCidrs) {
    const { network, family } = Subnet.parse(cidr);
    const own = family === 4 ? [`${network}/32`] : [`${network}/128`, 'nodad'];
    const [address = '', ...more] = own;
    await runTool('ip', ['address', 'replace', address, 'dev', TUNNEL, ...more]);
  }
  await runTool('ip', ['link', 'set', TUNNEL, 'up']);
}

const restore = (cidr: string): string => (isIpv6(cidr) ? 'ip6tables-restore' : 'iptables-restore');
const tables = (cidr: string): string => (isIpv6(cidr) ? 'ip6tables' : 'iptables');
const JUMP = ['POSTROUTING', '-m', 'comment', '--comment', 'orrery masquerade', '-j', MASQUERADE];

/** What pods send to addresses outside the cluster leaves with the node's, so that answers find back. */
async function masquerade(clusterCidrs: readonly string[]): Promise<void> {
  for (const cidr of clusterCidrs) {
    const input = `*nat\n:${MASQUERADE} - [0:0]\n-A ${MASQUERADE} -s ${cidr} ! -d ${cidr} -j MASQUERADE\nCOMMIT\n`;
    await runTool(restore(cidr), ['--noflush'], { input });
    const has = await tryTool(tables(cidr), ['-t', 'nat', '-C', ...JUMP]);
    if (has.code !== 0) await runTool(tables(cidr), ['-t', 'nat', '-A', ...JUMP]);
  }
}

/** What a node with a built-in network has beside routes: the CNI configuration, the tunnel, the masquerade rules. */
export class PodBridge {
  constructor(private readonly options: PodBridgeOptions) {}

  private get file(): string {
    return join(this.options.confDir, CONFIGURATION);
  }

  /** Takes the configuration away, so that the node is not ready until the network is. */
  forget(): void {
    rmSync(this.file, { force: true });
  }

  /** Whatever other nodes need of this one; routes to them come later. */
  async prepare(podCidrs: readonly string[]): Promise<void> {
    const { mode, nodeIp, clusterCidrs } = this.options;
    await setSysctls({
      'net.ipv4.ip_forward': '1',
      ...(podCidrs.some(isIpv6) && { 'net.ipv6.conf.all.forwarding': '1' }),
    });
    if (mode === 'vxlan') await makeTunnel(podCidrs, nodeIp, await this.mtu());
    await masquerade(clusterCidrs);
  }

  private async mtu(): Promise<number> {
    const { mode, nodeIp } = this.options;
    return (
      (await deviceMtu(nodeIp)) -
      (mode === 'vxlan' ? VXLAN_OVERHEAD[isIpv6(nodeIp) ? 'ipv6' : 'ipv4'] : 0)
    );
  }

  /** Written in one step: the runtime takes the network for initialized as soon as it sees the file. */
  async announce(podCidrs: readonly string[]): Promise<void> {
    const { confDir, dataDir } = this.options;
    const plugin = {
      type: BRIDGE_PLUGIN,
      bridge: BRIDGE,
      subnets: podCidrs,
      mtu: await this.mtu(),
      dataDir,
    };
    const text = JSON.stringify(
      { cniVersion: CNI_VERSION, name: 'cbr0', plugins: [plugin] },
      null,
      2,
    );
    mkdirSync(confDir, { recursive: true });
    writeFileSync(`${this.file}.new`, `${text}\n`);
    renameSync(`${this.file}.new`, this.file);
  }

  /** Takes everything of it out of this network stack. */
  async remove(): Promise<void> {
    this.forget();
    await removeAllRoutes();
    for (const device of [BRIDGE, TUNNEL]) await tryTool('ip', ['link', 'delete', device]);
    for (const cidr of this.options.clusterCidrs) {
      await tryTool(tables(cidr), ['-t', 'nat', '-D', ...JUMP]);
      for (const flag of ['-F', '-X']) await tryTool(tables(cidr), ['-t', 'nat', flag, MASQUERADE]);
    }
  }
}

/** Whether a tool failed, rather than this program. */
export const isToolError = (error: unknown): boolean => error instanceof ToolError;
