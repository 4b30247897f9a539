import { isIP } from 'node:net';
import { parseDuration } from '@orrery/component';
import { AddressRange } from '@orrery/dataplane';
import type { KubeProxyConfiguration } from './kube-proxy-configuration.js';

/** Words of nodePortAddresses beside CIDRs. */
const KEYWORDS = ['primary', 'localhost', 'all'];

const ms = (text: string | null | undefined): number => parseDuration(text || '0s') ?? 0;
const isCidr = (text: string): boolean =>
  text.includes('/') && AddressRange.parse(text) !== undefined;
const isSix = (text: string): boolean => text.includes(':');

interface Periods {
  readonly syncPeriod?: string;
  readonly minSyncPeriod?: string;
}

/** Upstream's default where the file says nothing. */
const DEFAULT_SYNC_PERIOD = '30s';

function periods(section: string, { syncPeriod, minSyncPeriod }: Periods = {}): string[] {
  const [sync, least] = [ms(syncPeriod || DEFAULT_SYNC_PERIOD), ms(minSyncPeriod)];
  return [
    ...(sync < 0 ? [`${section}.syncPeriod must be greater than 0`] : []),
    ...(least < 0 ? [`${section}.minSyncPeriod must be greater than or equal to 0`] : []),
    ...(least > sync
      ? [`${section}.syncPeriod must be greater than or equal to ${section}.minSyncPeriod`]
      : []),
  ];
}

function clusterCidr({ clusterCIDR = '' }: KubeProxyConfiguration): string[] {
  if (clusterCIDR === '') return [];
  const cidrs = clusterCIDR.split(',');
  const [first = '', second = ''] = cidrs;
  if (!cidrs.every(isCidr) || cidrs.length > 2)
    return ['clusterCIDR must be a CIDR, or two of them, one of each family'];
  return cidrs.length === 2 && isSix(first) === isSix(second)
    ? ['clusterCIDR must name one CIDR of each family, when it names two']
    : [];
}

/** Port 0 is one that the kernel chooses. */
function bindAddress(name: string, value = ''): string[] {
  if (value === '' || isIP(value) !== 0) return [];
  const at = value.lastIndexOf(':');
  const host = value.slice(0, at).replaceAll(/[[\]]/g, '');
  const port = Number(value.slice(at + 1));
  return [
    ...(host !== '' && isIP(host) === 0 ? [`${name} must be IP:port: ${host} is no address`] : []),
    ...(port > 65_535 ? [`${name} must be IP:port: ${port} is no port`] : []),
  ];
}

function localMode({ detectLocalMode, detectLocal }: KubeProxyConfiguration): string[] {
  if (detectLocalMode === 'BridgeInterface' && !detectLocal?.bridgeInterface)
    return ['detectLocal.bridgeInterface is needed with detectLocalMode BridgeInterface'];
  if (detectLocalMode === 'InterfaceNamePrefix' && !detectLocal?.interfaceNamePrefix)
    return ['detectLocal.interfaceNamePrefix is needed with detectLocalMode InterfaceNamePrefix'];
  return [];
}

const timeouts = (
  section: string,
  values: object | undefined,
  names: readonly string[],
): string[] =>
  names
    .filter((name) => ms((values as Record<string, string> | undefined)?.[name]) < 0)
    .map((name) => `${section}.${name} must be greater than or equal to 0`);

/**
 * What upstream refuses beyond the form of each field (k8s pkg/proxy/apis/config/validation/validation.go); each text
 * names its field. Pure.
 */
export function problemsOf(config: KubeProxyConfiguration): readonly string[] {
  const { ipvs, iptables, nftables, conntrack, nodePortAddresses, bindAddress: own } = config;
  const words = (nodePortAddresses ?? []).filter((one) => !KEYWORDS.includes(one) && !isCidr(one));
  const excluded = (ipvs?.excludeCIDRs ?? []).filter((one) => !isCidr(one));
  return [
    ...periods('iptables', iptables),
    ...periods('ipvs', ipvs),
    ...periods('nftables', nftables),
    ...timeouts('ipvs', ipvs, ['tcpTimeout', 'tcpFinTimeout', 'udpTimeout']),
    ...timeouts('conntrack', conntrack, [
      'tcpEstablishedTimeout',
      'tcpCloseWaitTimeout',
      'udpTimeout',
      'udpStreamTimeout',
    ]),
    ...excluded.map((one) => `ipvs.excludeCIDRs: ${one} must be a CIDR`),
    ...words.map((one) => `nodePortAddresses: ${one} must be a CIDR, ${KEYWORDS.join(', ')}`),
    ...(ms(config.configSyncPeriod) < 0 ? ['configSyncPeriod must be greater than 0'] : []),
    ...(own && isIP(own) === 0 ? [`bindAddress: ${own} is no address`] : []),
    ...bindAddress('healthzBindAddress', config.healthzBindAddress),
    ...bindAddress('metricsBindAddress', config.metricsBindAddress),
    ...clusterCidr(config),
    ...localMode(config),
  ];
}
