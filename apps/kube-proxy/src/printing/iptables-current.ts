import { AddressRange } from '@orrery/dataplane';
import { endpointChain, serviceChain } from './chain-names.js';
import {
  TableText,
  comment,
  markOf,
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

/** What upstream's iptables proxier of today writes (k8s v1.34 pkg/proxy/iptables/proxier.go:syncProxyRules). */
class CurrentRules {
  private readonly filter = new TableText('filter', [
    'KUBE-EXTERNAL-SERVICES',
    'KUBE-FIREWALL',
    'KUBE-FORWARD',
    'KUBE-NODEPORTS',
    'KUBE-PROXY-FIREWALL',
    'KUBE-SERVICES',
  ]);
  private readonly nat = new TableText('nat', [
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
    const count = ports.reduce((sum, { cluster }) => sum + cluster.length, 0);
    this.comments = serviceComments(count);
  }

  write(): string {
    for (const port of this.ports) this.port(port);
    this.ends();
    return `${String(this.filter)}\n${String(this.nat)}\n`;
  }

  private port(port: PrintedPort): void {
    const external = port.externalLocal ? port.local : port.cluster;
    const internal = port.internalLocal ? port.local : port.cluster;
    const isExternal = port.nodePort > 0 || port.externalIPs.length + port.balancerIPs.length > 0;
    this.clusterAddress(port, internal);
    for (const ip of port.externalIPs) this.externalAddress(port, ip, 'external IP', external);
    for (const ip of port.balancerIPs) this.externalAddress(port, ip, 'loadbalancer IP', external);
    if (port.nodePort > 0) this.nodePort(port, external);
    this.healthCheck(port);
    if (isExternal && this.hasAny(port)) this.externalChain(port);
    this.choices(port, isExternal);
  }

  private choices(port: PrintedPort, isExternal: boolean): void {
    const usesLocal = port.internalLocal || (isExternal && port.externalLocal);
    const reachable = !port.internalLocal || isExternal ? port.cluster : [];
    const local = usesLocal ? port.local : [];
    this.balancing(port, serviceChain('SVC', port), reachable);
    this.balancing(port, serviceChain('SVL', port), local);
    for (const one of new Set([...reachable, ...local])) this.endpoint(port, one);
  }

  private healthCheck(port: PrintedPort): void {
    if (port.healthCheckNodePort === 0 || !port.externalLocal) return;
    const text = comment(`${port.name} health check node port`);
    this.filter.add({
      chain: 'KUBE-NODEPORTS',
      protocol: 'tcp',
      matches: [text, `tcp --dport ${port.healthCheckNodePort}`],
      jump: 'ACCEPT',
    });
  }

  private hasAny = ({ cluster, local }: PrintedPort): boolean => cluster.length + local.length > 0;

  private to(port: PrintedPort, text: string, ip: string, dport = port.port): Omit<Rule, 'chain'> {
    return {
      destination: ip,
      protocol: port.protocol,
      matches: [comment(`${port.name} ${text}`), `${port.protocol} --dport ${dport}`],
    };
  }

  private none(port: PrintedPort, isLocal: boolean): [text: string, jump: string] {
    return isLocal && port.cluster.length > 0
      ? ['has no local endpoints', 'DROP']
      : ['has no endpoints', rejectWith(this.options)];
  }

  private clusterAddress(port: PrintedPort, endpoints: readonly string[]): void {
    if (endpoints.length === 0) {
      const [text, jump] = this.none(port, port.internalLocal);
      this.filter.add({ chain: 'KUBE-SERVICES', ...this.to(port, text, port.clusterIP), jump });
      return;
    }
    const chain = serviceChain(port.internalLocal ? 'SVL' : 'SVC', port);
    const rule = this.to(port, 'cluster IP', port.clusterIP);
    this.nat.add({ chain: 'KUBE-SERVICES', ...rule, jump: chain });
    const { masqueradeAll, clusterCidr } = this.options;
    if (masqueradeAll) this.nat.add({ chain, ...rule, jump: 'KUBE-MARK-MASQ' });
    else if (clusterCidr !== undefined)
      this.nat.add({ chain, source: `!${clusterCidr}`, ...rule, jump: 'KUBE-MARK-MASQ' });
  }

  private externalAddress(
    port: PrintedPort,
    ip: string,
    kind: 'external IP' | 'loadbalancer IP',
    endpoints: readonly string[],
  ): void {
    if (endpoints.length === 0) {
      const [text, jump] = this.none(port, port.externalLocal);
      this.filter.add({ chain: 'KUBE-EXTERNAL-SERVICES', ...this.to(port, text, ip), jump });
    }
    if (!this.hasAny(port)) return;
    const isGuarded = kind === 'loadbalancer IP' && port.sourceRanges.length > 0;
    const chain = serviceChain(isGuarded ? 'FW' : 'EXT', port);
    this.nat.add({ chain: 'KUBE-SERVICES', ...this.to(port, kind, ip), jump: chain });
    if (isGuarded) this.firewall(port, ip, chain);
  }

  private firewall(port: PrintedPort, ip: string, chain: string): void {
    const jump = serviceChain('EXT', port);
    const matches = [comment(`${port.name} loadbalancer IP`)];
    if (ip === port.balancerIPs[0]) {
      for (const source of port.sourceRanges) this.nat.add({ chain, source, matches, jump });
      const isNodeAllowed = port.sourceRanges.some((source) =>
        AddressRange.parse(source)?.contains(this.options.nodeIp),
      );
      if (isNodeAllowed)
        for (const source of port.balancerIPs) this.nat.add({ chain, source, matches, jump });
      const other = comment(`other traffic to ${port.name} will be dropped by KUBE-PROXY-FIREWALL`);
      this.nat.add({ chain, matches: [other] });
    }
    const dropped = this.to(port, `traffic not accepted by ${chain}`, ip);
    this.filter.add({ chain: 'KUBE-PROXY-FIREWALL', ...dropped, jump: 'DROP' });
  }

  private nodePort(port: PrintedPort, endpoints: readonly string[]): void {
    const dport = `${port.protocol} --dport ${port.nodePort}`;
    if (endpoints.length === 0) {
      const [text, jump] = this.none(port, port.externalLocal);
      this.filter.add({
        chain: 'KUBE-EXTERNAL-SERVICES',
        protocol: port.protocol,
        matches: [comment(`${port.name} ${text}`), 'addrtype --dst-type LOCAL', dport],
        jump,
      });
    }
    if (!this.hasAny(port)) return;
    this.nat.add({
      chain: 'KUBE-NODEPORTS',
      protocol: port.protocol,
      matches: [comment(port.name), dport],
      jump: serviceChain('EXT', port),
    });
  }

  private externalChain(port: PrintedPort): void {
    const chain = serviceChain('EXT', port);
    const cluster = serviceChain('SVC', port);
    if (!port.externalLocal) {
      const text = comment(`masquerade traffic for ${port.name} external destinations`);
      this.nat.add({ chain, matches: [text], jump: 'KUBE-MARK-MASQ' });
      this.nat.add({ chain, jump: cluster });
      return;
    }
    const say = (what: string): string => comment(`${what} for ${port.name} external destinations`);
    const { clusterCidr } = this.options;
    const isLocal = 'addrtype --src-type LOCAL';
    if (clusterCidr !== undefined)
      this.nat.add({ chain, source: clusterCidr, matches: [say('pod traffic')], jump: cluster });
    this.nat.add({
      chain,
      matches: [say('masquerade LOCAL traffic'), isLocal],
      jump: 'KUBE-MARK-MASQ',
    });
    this.nat.add({ chain, matches: [say('route LOCAL traffic'), isLocal], jump: cluster });
    if (port.local.length > 0) this.nat.add({ chain, jump: serviceChain('SVL', port) });
  }

  private balancing(port: PrintedPort, chain: string, endpoints: readonly string[]): void {
    if (endpoints.length === 0) return;
    const say = (one: string): readonly string[] => this.comments(`${port.name} -> ${one}`);
    if (port.affinitySeconds > 0)
      for (const one of endpoints) {
        const jump = endpointChain(port, one);
        const matches = [...say(one), recentCheck(this.options, jump, port.affinitySeconds)];
        this.nat.add({ chain, matches, jump });
      }
    for (const [i, one] of endpoints.entries()) {
      const left = endpoints.length - i;
      const chance = left > 1 ? [`statistic --mode random --probability ${probability(left)}`] : [];
      this.nat.add({ chain, matches: [...say(one), ...chance], jump: endpointChain(port, one) });
    }
  }

  private endpoint(port: PrintedPort, one: string): void {
    const chain = endpointChain(port, one);
    const said = this.comments(port.name);
    const source = hostOf(one);
    this.nat.add({ chain, source, matches: said, jump: 'KUBE-MARK-MASQ' });
    const affinity = port.affinitySeconds > 0 ? [recentSet(this.options, chain)] : [];
    this.nat.add({
      chain,
      protocol: port.protocol,
      matches: [...said, ...affinity, port.protocol],
      jump: `DNAT --to-destination ${one}`,
    });
  }

  private ends(): void {
    const { nodePortAddresses } = this.options;
    const last = { chain: 'KUBE-SERVICES', jump: 'KUBE-NODEPORTS' };
    if (nodePortAddresses.length === 0)
      this.nat.add({ ...last, matches: [comment(LAST_RULE), 'addrtype --dst-type LOCAL'] });
    for (const destination of nodePortAddresses)
      this.nat.add({ ...last, destination, matches: [comment(LAST_RULE)] });
    forwardRules(this.filter, this.options, ['kubernetes forwarding conntrack rule']);
    markRules(this.nat, this.options);
    // IPv6 has no addresses to protect so (k8s pkg/kubelet/kubelet_network_linux.go).
    if (this.options.family === 'IPv6') return;
    this.filter.add({
      chain: 'KUBE-FIREWALL',
      source: '!127.0.0.0/8',
      destination: '127.0.0.0/8',
      matches: [
        comment('block incoming localnet connections'),
        'conntrack ! --ctstate RELATED,ESTABLISHED,DNAT',
      ],
      jump: 'DROP',
    });
  }
}

/** The forwarding chain, which both generations share but for its last comments. */
export function forwardRules(
  filter: TableText,
  options: PrintOptions,
  conntrack: readonly string[],
): void {
  const mark = markOf(options);
  const chain = 'KUBE-FORWARD';
  filter.add({ chain, matches: ['conntrack --ctstate INVALID'], jump: 'DROP' });
  filter.add({
    chain,
    matches: [comment('kubernetes forwarding rules'), `mark --mark ${mark}/${mark}`],
    jump: 'ACCEPT',
  });
  for (const text of conntrack)
    filter.add({
      chain,
      matches: [comment(text), 'conntrack --ctstate RELATED,ESTABLISHED'],
      jump: 'ACCEPT',
    });
}

/** The chains that mark and masquerade, which both generations share. */
export function markRules(nat: TableText, options: PrintOptions): void {
  const mark = markOf(options);
  const chain = 'KUBE-POSTROUTING';
  nat.add({ chain, matches: [`mark ! --mark ${mark}/${mark}`], jump: 'RETURN' });
  nat.add({ chain, jump: `MARK --set-xmark ${mark}/0x0` });
  const text = comment('kubernetes service traffic requiring SNAT');
  nat.add({ chain, matches: [text], jump: 'MASQUERADE --random-fully' });
  nat.add({ chain: 'KUBE-MARK-MASQ', jump: `MARK --set-xmark ${mark}/${mark}` });
}

/** The filter and nat tables as `iptables-save` would show what upstream's kube-proxy of today had programmed. */
export const currentIptables = (ports: readonly PrintedPort[], options: PrintOptions): string =>
  new CurrentRules(ports, options).write();
