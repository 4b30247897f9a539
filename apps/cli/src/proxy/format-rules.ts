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
  const ports = printedPorts(services, slicesOf, place);
  if (as === 'ipvsadm') {
    const scheduler = settings.mode === 'ipvs' ? settings.policy : 'rr';
    return ipvsadm(ports, { scheduler, nodeAddresses: addresses });
  }
  const options = {
    ...(config.clusterCIDR ? { clusterCidr: config.clusterCIDR } : {}),
    masqueradeAll: config.iptables?.masqueradeAll ?? false,
    masqueradeBit: config.iptables?.masqueradeBit ?? DEFAULT_MARK,
    nodeIp: facts.internal[0] ?? '',
    nodePortAddresses: settings.nodePortAddresses.length > 0 ? addresses : [],
  };
  return like === '1.20' ? iptables120(ports, options) : currentIptables(ports, options);
}
