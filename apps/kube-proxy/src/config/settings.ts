import { parseDuration } from '@orrery/component';
import type { PolicyName } from '@orrery/dataplane';
import type { KubeProxyConfiguration } from './kube-proxy-configuration.js';

/** What of the configuration decides about rules; may change while kube-proxy runs. */
export interface ProxySettings {
  readonly mode: 'iptables' | 'ipvs';
  readonly policy: PolicyName;
  /** CIDRs and the words primary, localhost and all; empty = upstream's default. */
  readonly nodePortAddresses: readonly string[];
  /** By which addresses pods are known, for externalTrafficPolicy Local: their ranges, or those of the node. */
  readonly podRanges: readonly string[] | 'NodeCIDR';
  /** Idle time of UDP sessions; undefined = the dataplane's. */
  readonly udpIdleMs: number | undefined;
  /** Least time between two programmings of the dataplane. */
  readonly minSyncPeriodMs: number;
}

const duration = (text: string | null | undefined): number => parseDuration(text || '0s') ?? 0;

/** In mode nftables node ports answer on the primary addresses alone, unless the file says another. */
function nodePortAddresses({ mode, nodePortAddresses: wanted }: KubeProxyConfiguration): string[] {
  if (wanted && wanted.length > 0) return wanted;
  return mode === 'nftables' ? ['primary'] : [];
}

function podRanges({
  detectLocalMode,
  clusterCIDR,
}: KubeProxyConfiguration): ProxySettings['podRanges'] {
  if (detectLocalMode === 'NodeCIDR') return 'NodeCIDR';
  const isByAddress = !detectLocalMode || detectLocalMode === 'ClusterCIDR';
  return isByAddress && clusterCIDR ? clusterCIDR.split(',') : [];
}

export function settingsOf(config: KubeProxyConfiguration): ProxySettings {
  const isIpvs = config.mode === 'ipvs';
  const section =
    config.mode === 'ipvs'
      ? config.ipvs
      : config.mode === 'nftables'
        ? config.nftables
        : config.iptables;
  const udpIdleMs = duration(isIpvs ? config.ipvs?.udpTimeout : config.conntrack?.udpStreamTimeout);
  return {
    mode: isIpvs ? 'ipvs' : 'iptables',
    policy: isIpvs ? config.ipvs?.scheduler || 'rr' : 'random',
    nodePortAddresses: nodePortAddresses(config),
    podRanges: podRanges(config),
    udpIdleMs: udpIdleMs > 0 ? udpIdleMs : undefined,
    minSyncPeriodMs: duration(section?.minSyncPeriod),
  };
}

const isSet = (value: unknown): boolean =>
  value !== undefined &&
  value !== null &&
  value !== '' &&
  value !== false &&
  value !== 0 &&
  value !== '0s' &&
  !(Array.isArray(value) && value.length === 0);

/** Why each field that is read has no effect. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  'clientConnection.acceptContentTypes': 'JSON is spoken',
  'clientConnection.contentType': 'JSON is spoken',
  'clientConnection.qps': 'two watches and events are all it asks for',
  'clientConnection.burst': 'two watches and events are all it asks for',
  'detectLocal.bridgeInterface': 'pods are known by their addresses: set clusterCIDR',
  'detectLocal.interfaceNamePrefix': 'pods are known by their addresses: set clusterCIDR',
  configSyncPeriod: 'objects are watched',
  enableProfiling: 'there is no Go profile',
  featureGates: 'features have no gates here',
  'iptables.masqueradeBit': 'the relay connects from an address of its own',
  'iptables.masqueradeAll': 'the relay connects from an address of its own',
  'iptables.localhostNodePorts': 'node ports never answer on 127.0.0.1 (CVE-2020-8558)',
  'iptables.snatNodeInternalIP': 'the relay connects from an address of its own',
  'iptables.syncPeriod': 'nothing else changes the rules',
  'nftables.masqueradeBit': 'the relay connects from an address of its own',
  'nftables.masqueradeAll': 'the relay connects from an address of its own',
  'nftables.syncPeriod': 'nothing else changes the rules',
  'ipvs.strictARP': 'no address is put on an interface',
  'ipvs.excludeCIDRs': 'nobody else has virtual servers in the dataplane',
  'ipvs.syncPeriod': 'nothing else changes the rules',
  'ipvs.tcpTimeout': 'a connection ends when a side ends it',
  'ipvs.tcpFinTimeout': 'a connection ends when a side ends it',
  'conntrack.maxPerCore': 'connections are bounded by file descriptors',
  'conntrack.min': 'connections are bounded by file descriptors',
  'conntrack.tcpEstablishedTimeout': 'a connection ends when a side ends it',
  'conntrack.tcpCloseWaitTimeout': 'a connection ends when a side ends it',
  'conntrack.tcpBeLiberal': 'the kernel keeps the windows of both connections',
  'conntrack.udpTimeout': 'conntrack.udpStreamTimeout is used for every session',
  'logging.format': 'the log is text',
  'logging.flushFrequency': 'each line is written at once',
  'logging.verbosity': 'the log has one verbosity',
  'logging.vmodule': 'the log has one verbosity',
  'logging.options': 'the log is text',
  portRange: 'node ports come from the service (upstream ignores it too)',
  showHiddenMetricsForVersion: 'no metric is hidden',
  udpIdleTimeout: 'of the userspace mode only',
  'winkernel.networkName': 'Windows is not modelled',
  'winkernel.sourceVip': 'Windows is not modelled',
  'winkernel.enableDSR': 'Windows is not modelled',
  'winkernel.rootHnsEndpointName': 'Windows is not modelled',
  'winkernel.forwardHealthCheckVip': 'Windows is not modelled',
};

/** Each field that is set and has no effect, with the reason; for the log. */
export function withoutEffect(config: KubeProxyConfiguration): readonly string[] {
  const plain = config as unknown as Record<string, Record<string, unknown> | undefined>;
  const idle = Object.entries(WITHOUT_EFFECT).flatMap(([path, why]) => {
    const [section = '', field] = path.split('.');
    const value = field === undefined ? plain[section] : plain[section]?.[field];
    return isSet(value) ? [`${path}: ${why}`] : [];
  });
  return config.nodePortAddresses?.includes('localhost')
    ? [...idle, `nodePortAddresses: localhost: ${WITHOUT_EFFECT['iptables.localhostNodePorts']}`]
    : idle;
}
