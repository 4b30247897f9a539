import { existsSync } from 'node:fs';
import { runTool, tryTool } from '@orrery/network';
import { POLICY_CHAIN, SERVICE_CHAIN, renderPolicyFilter } from '@orrery/network-policy';
import type { PolicySet, ServiceFrontend } from '@orrery/network-policy';

const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';
const POD_CHAIN = /^:(ORRERY-(?:IN|OUT)-[0-9a-f]{16}) /gm;
const JUMPS = [
  { from: 'FORWARD', to: POLICY_CHAIN },
  { from: 'INPUT', to: SERVICE_CHAIN },
];

const chainsIn = (text: string): string[] =>
  [...text.matchAll(POD_CHAIN)].map(([, name = '']) => name);

/** Whether pods of one node, which share a bridge, can be kept apart here. */
export const filtersBridges = (): boolean => existsSync(BRIDGE_FILTER);

/** One family's packet filter of this node, for traffic between pods in network namespaces. */
export class PolicyFilter {
  private last: string | undefined;
  private chains: readonly string[] = [];

  constructor(private readonly family: 4 | 6) {}

  private get tool(): string {
    return this.family === 4 ? 'iptables' : 'ip6tables';
  }

  /** Puts the policies in force in one transaction. Rejects with ToolError or ConfigError; safe to repeat. */
  async apply(
    set: PolicySet,
    podCidrs: readonly string[],
    services: readonly ServiceFrontend[],
  ): Promise<void> {
    const text = renderPolicyFilter(set, { family: this.family, podCidrs, services });
    if (text === this.last) return;
    // What an earlier kube-proxy left is found once.
    if (this.last === undefined)
      this.chains = chainsIn(await runTool(`${this.tool}-save`, ['-t', 'filter']));
    const chains = chainsIn(text);
    const stale = this.chains.filter((chain) => !chains.includes(chain));
    const removal = stale.flatMap((chain) => [`-F ${chain}`, `-X ${chain}`]);
    const heads = stale.map((chain) => `:${chain} - [0:0]`);
    const input = text
      .replace('*filter\n', ['*filter', ...heads, ''].join('\n'))
      .replace('COMMIT\n', [...removal, 'COMMIT', ''].join('\n'));
    await runTool(`${this.tool}-restore`, ['--noflush'], { input });
    for (const { from, to } of JUMPS) {
      const rule = ['-m', 'comment', '--comment', 'NetworkPolicy', '-j', to];
      const { code } = await tryTool(this.tool, ['-C', from, ...rule]);
      if (code !== 0) await runTool(this.tool, ['-I', from, '1', ...rule]);
    }
    this.chains = chains;
    this.last = text;
  }
}
