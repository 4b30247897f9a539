import {
  currentIptables,
  iptables120,
  ipvsadm,
  localSources,
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

/** What the formats have in common. */
function factsOf({ node, config }: ClusterView) {
  const settings = settingsOf(config);
  const facts = nodeFacts(node);
  return {
    settings,
    facts,
    place: { nodeName: node.metadata.name ?? '', zone: facts.zone },
    addresses: nodePortAddresses(facts, settings.nodePortAddresses),
  };
}

function tableText(view: ClusterView): string {
  const { services, slicesOf } = view;
  const { settings, facts, place, addresses } = factsOf(view);
  const ownedAddresses = new Set(facts.all);
  const context = {
    ...place,
    ...settings,
    nodePortAddresses: addresses,
    ownedAddresses,
    localSources: localSources(facts, [], settings.podRanges),
  };
  const { udpIdleMs, ...rest } = context;
  const given = udpIdleMs === undefined ? rest : { ...rest, udpIdleMs };
  return rulesTable(services.flatMap((one) => serviceRules(one, slicesOf(one), given)));
}

function ipvsText(view: ClusterView): string {
  const { services, slicesOf } = view;
  const { settings, place, addresses } = factsOf(view);
  const scheduler = settings.mode === 'ipvs' ? settings.policy : 'rr';
  const ports = (['IPv4', 'IPv6'] as const).flatMap((family) =>
    printedPorts(services, slicesOf, place, family),
  );
  return ipvsadm(ports, { scheduler, nodeAddresses: addresses });
}

function iptablesText(view: ClusterView, family: 'IPv4' | 'IPv6', like: string): string {
  const { services, slicesOf, config } = view;
  const { settings, facts, place, addresses } = factsOf(view);
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

/** What the kube-proxy of the view's node programs, as a table of ours or as the kernel would show upstream's. */
export function formatRules(view: ClusterView, { as, like }: RulesFormat): string {
  if (as === 'table') return tableText(view);
  if (as === 'ipvsadm') return ipvsText(view);
  return iptablesText(view, as === 'ip6tables-save' ? 'IPv6' : 'IPv4', like);
}
