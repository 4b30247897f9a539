import { AddressRange } from '@orrery/dataplane';
import { endpointChain, serviceChain } from './chain-names.js';
import { forwardRules, markRules } from './iptables-current.js';
import {
  TableText,
  comment,
  probability,
  recentCheck,
  recentSet,
  rejectWith,
  serviceComments,
} from './iptables-text.js';
import type { PrintOptions, Rule } from './iptables-text.js';
import { hostOf } from './service-ports.js';
import type { PrintedPort } from './service-ports.js';

const LAST_RULE = 'kubernetes service nodeports; NOTE: this must be the last rule in this chain';

/** What the iptables proxier of 1.20 writes (k8s 1.20.2 pkg/proxy/iptables/proxier.go:syncProxyRules). */
class Rules120 {
  private readonly filter = new TableText('filter', [
    'KUBE-EXTERNAL-SERVICES',
    'KUBE-FORWARD',
    'KUBE-SERVICES',
  ]);
  private readonly nat = new TableText('nat', [
    'KUBE-MARK-DROP',
    'KUBE-MARK-MASQ',
    'KUBE-NODEPORTS',
    'KUBE-POSTROUTING',
    'KUBE-SERVICES',
  ]);
  private readonly comments: (text: string) => readonly string[];

  constructor(
    private readonly ports: readonly PrintedPort[],
    private readonly options: PrintOptions,
  ) {
    this.comments = serviceComments(ports.reduce((sum, { ready }) => sum + ready.length, 0));
  }

  write(): string {
    for (const port of this.ports) {
      const hasEndpoints = port.ready.length > 0;
      this.clusterAddress(port, hasEndpoints);
      for (const ip of port.externalIPs) this.externalAddress(port, ip, hasEndpoints);
      for (const ip of port.balancerIPs) this.balancerAddress(port, ip, hasEndpoints);
      if (port.nodePort > 0) this.nodePort(port, hasEndpoints);
      if (port.externalLocal) this.nat.chain(serviceChain('XLB', port));
      if (!hasEndpoints) continue;
      this.balancing(port);
      if (port.externalLocal) this.localBalancing(port);
    }
    this.nodePortJumps();
    forwardRules(this.filter, this.options, [
      'kubernetes forwarding conntrack pod source rule',
      'kubernetes forwarding conntrack pod destination rule',
    ]);
    markRules(this.nat, this.options);
    return `${String(this.filter)}\n${String(this.nat)}\n`;
  }

  private to(port: PrintedPort, text: string, ip: string): Omit<Rule, 'chain'> {
    return {
      destination: ip,
      protocol: port.protocol,
      matches: [comment(`${port.name} ${text}`), `${port.protocol} --dport ${port.port}`],
    };
  }

  private clusterAddress(port: PrintedPort, hasEndpoints: boolean): void {
    const chain = 'KUBE-SERVICES';
    if (!hasEndpoints) {
      const rule = this.to(port, 'has no endpoints', port.clusterIP);
      this.filter.add({ chain, ...rule, jump: rejectWith(this.options) });
      return;
    }
    const rule = this.to(port, 'cluster IP', port.clusterIP);
    const { masqueradeAll, clusterCidr } = this.options;
    if (masqueradeAll) this.nat.add({ chain, ...rule, jump: 'KUBE-MARK-MASQ' });
    else if (clusterCidr !== undefined)
      this.nat.add({ chain, source: `!${clusterCidr}`, ...rule, jump: 'KUBE-MARK-MASQ' });
    this.nat.add({ chain, ...rule, jump: serviceChain('SVC', port) });
  }

  private refused(port: PrintedPort, ip: string): void {
    const rule = this.to(port, 'has no endpoints', ip);
    this.filter.add({ chain: 'KUBE-EXTERNAL-SERVICES', ...rule, jump: rejectWith(this.options) });
  }

  private destination(port: PrintedPort): string {
    return serviceChain(port.externalLocal ? 'XLB' : 'SVC', port);
  }

  private externalAddress(port: PrintedPort, ip: string, hasEndpoints: boolean): void {
    if (!hasEndpoints) {
      this.refused(port, ip);
      return;
    }
    const chain = 'KUBE-SERVICES';
    const rule = this.to(port, 'external IP', ip);
    const jump = this.destination(port);
    if (!port.externalLocal) this.nat.add({ chain, ...rule, jump: 'KUBE-MARK-MASQ' });
    const outside = ['physdev ! --physdev-is-in', 'addrtype ! --src-type LOCAL'];
    this.nat.add({ chain, ...rule, matches: [...(rule.matches ?? []), ...outside], jump });
    const local = 'addrtype --dst-type LOCAL';
    this.nat.add({ chain, ...rule, matches: [...(rule.matches ?? []), local], jump });
  }

  private balancerAddress(port: PrintedPort, ip: string, hasEndpoints: boolean): void {
    if (!hasEndpoints) {
      this.refused(port, ip);
      return;
    }
    const chain = serviceChain('FW', port);
    const jump = this.destination(port);
    const matches = [comment(`${port.name} loadbalancer IP`)];
    const rule = this.to(port, 'loadbalancer IP', ip);
    this.nat.add({ chain: 'KUBE-SERVICES', ...rule, jump: chain });
    if (!port.externalLocal) this.nat.add({ chain, matches, jump: 'KUBE-MARK-MASQ' });
    if (port.sourceRanges.length === 0) this.nat.add({ chain, matches, jump });
    for (const source of port.sourceRanges) this.nat.add({ chain, source, matches, jump });
    const isNodeAllowed = port.sourceRanges.some((source) =>
      AddressRange.parse(source)?.contains(this.options.nodeIp),
    );
    if (isNodeAllowed) this.nat.add({ chain, source: ip, matches, jump });
    this.nat.add({ chain, matches, jump: 'KUBE-MARK-DROP' });
  }

  private nodePort(port: PrintedPort, hasEndpoints: boolean): void {
    const { protocol, name } = port;
    const dport = `${protocol} --dport ${port.nodePort}`;
    if (!hasEndpoints) {
      this.filter.add({
        chain: 'KUBE-EXTERNAL-SERVICES',
        protocol,
        matches: [comment(`${name} has no endpoints`), 'addrtype --dst-type LOCAL', dport],
        jump: rejectWith(this.options),
      });
      return;
    }
    const rule = { chain: 'KUBE-NODEPORTS', protocol, matches: [comment(name), dport] };
    const source = port.externalLocal ? { source: '127.0.0.0/8' } : {};
    this.nat.add({ ...rule, ...source, jump: 'KUBE-MARK-MASQ' });
    this.nat.add({ ...rule, jump: this.destination(port) });
  }

  private affinity(chain: string, port: PrintedPort, endpoints: readonly string[]): void {
    if (port.affinitySeconds === 0) return;
    for (const one of endpoints) {
      const jump = endpointChain(port, one);
      const matches = [
        ...this.comments(port.name),
        recentCheck(this.options, jump, port.affinitySeconds),
      ];
      this.nat.add({ chain, matches, jump });
    }
  }

  private balancing(port: PrintedPort): void {
    const chain = serviceChain('SVC', port);
    const said = this.comments(port.name);
    this.affinity(chain, port, port.ready);
    for (const [i, one] of port.ready.entries()) {
      const target = endpointChain(port, one);
      const chance = chanceOf(port.ready.length - i);
      this.nat.add({ chain, matches: [...said, ...chance], jump: target });
      const source = hostOf(one);
      this.nat.add({ chain: target, source, matches: said, jump: 'KUBE-MARK-MASQ' });
      const recent = port.affinitySeconds > 0 ? [recentSet(this.options, target)] : [];
      this.nat.add({
        chain: target,
        protocol: port.protocol,
        matches: [...said, ...recent, port.protocol],
        jump: `DNAT --to-destination ${one}`,
      });
    }
  }

  private localBalancing(port: PrintedPort): void {
    const chain = serviceChain('XLB', port);
    const cluster = serviceChain('SVC', port);
    const { clusterCidr } = this.options;
    const pods = comment('Redirect pods trying to reach external loadbalancer VIP to clusterIP');
    if (clusterCidr !== undefined)
      this.nat.add({ chain, source: clusterCidr, matches: [pods], jump: cluster });
    const isLocal = 'addrtype --src-type LOCAL';
    const masquerade = comment(`masquerade LOCAL traffic for ${port.name} LB IP`);
    this.nat.add({ chain, matches: [masquerade, isLocal], jump: 'KUBE-MARK-MASQ' });
    const route = comment(`route LOCAL traffic for ${port.name} LB IP to service chain`);
    this.nat.add({ chain, matches: [route, isLocal], jump: cluster });
    if (port.local.length === 0) {
      const text = comment(`${port.name} has no local endpoints`);
      this.nat.add({ chain, matches: [text], jump: 'KUBE-MARK-DROP' });
      return;
    }
    this.affinity(chain, port, port.local);
    for (const [i, one] of port.local.entries()) {
      const text = comment(`Balancing rule ${i} for ${port.name}`);
      const matches = [text, ...chanceOf(port.local.length - i)];
      this.nat.add({ chain, matches, jump: endpointChain(port, one) });
    }
  }

  private nodePortJumps(): void {
    const { nodePortAddresses } = this.options;
    const last = { chain: 'KUBE-SERVICES', jump: 'KUBE-NODEPORTS' };
    if (nodePortAddresses.length === 0)
      this.nat.add({ ...last, matches: [comment(LAST_RULE), 'addrtype --dst-type LOCAL'] });
    for (const destination of nodePortAddresses)
      this.nat.add({ ...last, destination, matches: [comment(LAST_RULE)] });
  }
}

const chanceOf = (left: number): string[] =>
  left > 1 ? [`statistic --mode random --probability ${probability(left)}`] : [];

/** The filter and nat tables as `iptables-save` would show what kube-proxy 1.20 had programmed. */
export const iptables120 = (ports: readonly PrintedPort[], options: PrintOptions): string =>
  new Rules120(ports, options).write();
