import {
  currentIptables,
  iptables120,
  ipvsadm,
  nodeFacts,
  nodePortAddresses,
  printedPorts,
  rulesTable,
  serviceRules,
  settingsOf,
} from '@orrery/kube-proxy';
import type { ClusterView } from './cluster-view.js';

const DEFAULT_MARK = 14;

export interface RulesFormat {
  readonly as: string;
  readonly like: string;
}

/** What the kube-proxy of the view's node programs, as a table of ours or as the kernel would show upstream's. */
export function formatRules(view: ClusterView, { as, like }: RulesFormat): string {
  const { node, services, config, slicesOf } = view;
  const settings = settingsOf(config);
  const facts = nodeFacts(node);
  const place = { nodeName: node.metadata.name ?? '', zone: facts.zone };
  const addresses = nodePortAddresses(facts, settings.nodePortAddresses);
  if (as === 'table') {
    const ownedAddresses = new Set(facts.all);
    const context = { ...place, ...settings, nodePortAddresses: addresses, ownedAddresses };
    const { udpIdleMs, ...rest } = context;
    const given = udpIdleMs === undefined ? rest : { ...rest, udpIdleMs };
    return rulesTable(services.flatMap((one) => serviceRules(one, slicesOf(one), given)));
  }
  if (as === 'ipvsadm') {
    const scheduler = settings.mode === 'ipvs' ? settings.policy : 'rr';
    const ports = (['IPv4', 'IPv6'] as const).flatMap((family) =>
      printedPorts(services, slicesOf, place, family),
    );
    return ipvsadm(ports, { scheduler, nodeAddresses: addresses });
  }
  const family = as === 'ip6tables-save' ? ('IPv6' as const) : ('IPv4' as const);
  const isOurs = (text: string): boolean => text.includes(':') === (family === 'IPv6');
  const clusterCidr = config.clusterCIDR?.split(',').find(isOurs);
  const ports = printedPorts(services, slicesOf, place, family);
  const options = {
    family,
    ...(clusterCidr ? { clusterCidr } : {}),
    masqueradeAll: config.iptables?.masqueradeAll ?? false,
    masqueradeBit: config.iptables?.masqueradeBit ?? DEFAULT_MARK,
    nodeIp: facts.internal.find(isOurs) ?? '',
    nodePortAddresses: settings.nodePortAddresses.length > 0 ? addresses.filter(isOurs) : [],
  };
  return like === '1.20' ? iptables120(ports, options) : currentIptables(ports, options);
}
