import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, validateConfig } from '@orrery/component';
import { KubeProxyConfiguration } from './kube-proxy-configuration.js';
import { withoutEffect } from './settings.js';
import { problemsOf } from './validation.js';

const HEAD = { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration' };

const setAt = (path: string, value: unknown): object => {
  const [section = '', field] = path.split('.');
  return field === undefined ? { [section]: value } : { [section]: { [field]: value } };
};
const read = (fields: object): KubeProxyConfiguration => {
  const config = validateConfig(KubeProxyConfiguration, { ...HEAD, ...fields }, 'config.conf');
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  return config;
};

/** What becomes of a field: used here, named in the log as having no effect, or refused. */
type Fate = 'used' | 'noted' | 'refused';

/** Every field of k8s 1.36 staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go, with a value that says something. */
const FIELDS: readonly (readonly [path: string, value: unknown, fate: Fate])[] = [
  ['featureGates', { X: true }, 'noted'],
  ['clientConnection.kubeconfig', '/etc/kubeconfig', 'used'],
  ['clientConnection.acceptContentTypes', 'application/json', 'noted'],
  ['clientConnection.contentType', 'application/json', 'noted'],
  ['clientConnection.qps', 5, 'noted'],
  ['clientConnection.burst', 10, 'noted'],
  ['logging.format', 'json', 'noted'],
  ['logging.flushFrequency', '5s', 'noted'],
  ['logging.verbosity', 2, 'noted'],
  ['logging.vmodule', [{ filePattern: 'x', verbosity: 1 }], 'noted'],
  ['logging.options', { json: { splitStream: true } }, 'noted'],
  ['hostnameOverride', 'node-7', 'used'],
  ['bindAddress', '10.0.0.7', 'used'],
  ['healthzBindAddress', '10.0.0.7:10256', 'used'],
  ['metricsBindAddress', '10.0.0.7:10249', 'used'],
  ['bindAddressHardFail', true, 'used'],
  ['enableProfiling', true, 'noted'],
  ['showHiddenMetricsForVersion', '1.35', 'noted'],
  ['mode', 'ipvs', 'used'],
  ['iptables.masqueradeBit', 14, 'noted'],
  ['iptables.masqueradeAll', true, 'noted'],
  ['iptables.localhostNodePorts', true, 'noted'],
  ['iptables.snatNodeInternalIP', true, 'noted'],
  ['iptables.syncPeriod', '1m', 'noted'],
  ['iptables.minSyncPeriod', '1s', 'used'],
  ['ipvs.syncPeriod', '1m', 'noted'],
  ['ipvs.minSyncPeriod', '1s', 'used'],
  ['ipvs.scheduler', 'wlc', 'used'],
  ['ipvs.excludeCIDRs', ['10.0.0.0/8'], 'noted'],
  ['ipvs.strictARP', true, 'noted'],
  ['ipvs.tcpTimeout', '1s', 'noted'],
  ['ipvs.tcpFinTimeout', '1s', 'noted'],
  ['ipvs.udpTimeout', '1s', 'used'],
  ['nftables.masqueradeBit', 14, 'noted'],
  ['nftables.masqueradeAll', true, 'noted'],
  ['nftables.syncPeriod', '1m', 'noted'],
  ['nftables.minSyncPeriod', '1s', 'used'],
  ['winkernel.networkName', 'x', 'noted'],
  ['winkernel.sourceVip', 'x', 'noted'],
  ['winkernel.enableDSR', true, 'noted'],
  ['winkernel.rootHnsEndpointName', 'x', 'noted'],
  ['winkernel.forwardHealthCheckVip', true, 'noted'],
  ['detectLocalMode', 'NodeCIDR', 'used'],
  ['detectLocal.bridgeInterface', 'cni0', 'noted'],
  ['detectLocal.interfaceNamePrefix', 'veth', 'noted'],
  ['clusterCIDR', '10.244.0.0/16', 'used'],
  ['nodePortAddresses', ['10.0.0.0/8'], 'used'],
  ['oomScoreAdj', -999, 'used'],
  ['conntrack.maxPerCore', 1, 'noted'],
  ['conntrack.min', 1, 'noted'],
  ['conntrack.tcpEstablishedTimeout', '1h', 'noted'],
  ['conntrack.tcpCloseWaitTimeout', '1h', 'noted'],
  ['conntrack.tcpBeLiberal', true, 'noted'],
  ['conntrack.udpTimeout', '1s', 'noted'],
  ['conntrack.udpStreamTimeout', '1s', 'used'],
  ['configSyncPeriod', '1m', 'noted'],
  ['portRange', '1-2', 'noted'],
  ['windowsRunAsService', true, 'refused'],
];

/** An error has to name the field; of several notes there is none but the field's. */
function fateOf(path: string, fields: object): string {
  try {
    const named = withoutEffect(read(fields)).map((text) => text.split(':')[0]);
    if (named.length === 0) return 'used';
    return named.join() === path ? 'noted' : `noted as ${named.join()}`;
  } catch (error) {
    return String(error).includes(path) ? 'refused' : String(error);
  }
}

describe('every field of KubeProxyConfiguration', () => {
  it.each(FIELDS)('%s: %j is %s', (path, value, fate) => {
    expect(fateOf(path, setAt(path, value))).toBe(fate);
  });

  it.each<{ path: string; value: unknown }>([
    { path: 'clusterCIDR', value: '10.244.0.0' },
    { path: 'clusterCIDR', value: '10.0.0.0/8,10.1.0.0/16' },
    { path: 'nodePortAddresses', value: ['10.0.0.0'] },
    { path: 'nodePortAddresses', value: ['everywhere'] },
    { path: 'ipvs.excludeCIDRs', value: ['x'] },
    { path: 'ipvs.tcpTimeout', value: '-1s' },
    { path: 'iptables.masqueradeBit', value: 32 },
    { path: 'iptables.minSyncPeriod', value: '31s' },
    { path: 'iptables.syncPeriod', value: '-1s' },
    { path: 'conntrack.udpTimeout', value: '-1s' },
    { path: 'configSyncPeriod', value: '-1s' },
    { path: 'healthzBindAddress', value: '10.0.0.1:70000' },
    { path: 'metricsBindAddress', value: '10.0.0.300:80' },
    { path: 'bindAddress', value: '10.0.0' },
    { path: 'detectLocalMode', value: 'BridgeInterface' },
    { path: 'detectLocalMode', value: 'Somehow' },
    { path: 'logging.colour', value: 'blue' },
    { path: 'winkernel.x', value: 1 },
    { path: 'clientConnection.burst', value: -1 },
    { path: 'sourceIP', value: '10.0.0.1' },
  ])('refuses $path: $value, and names it', ({ path, value }) => {
    expect(() => read(setAt(path, value))).toThrow(ConfigError);
    const [section = '', field = section] = path.split('.');
    expect(() => read(setAt(path, value))).toThrow(new RegExp(`${field}|${section}`));
  });

  it('lets the kernel choose a port, as upstream does', () => {
    expect(read(setAt('metricsBindAddress', '127.0.0.1:0'))).toMatchObject({
      metricsBindAddress: '127.0.0.1:0',
    });
  });
});
