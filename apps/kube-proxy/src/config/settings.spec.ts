import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, validateConfig } from '@orrery/component';
import { KubeProxyConfiguration } from './kube-proxy-configuration.js';
import { settingsOf, withoutEffect } from './settings.js';

const HEAD = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
};
const read = (fields: object): KubeProxyConfiguration =>
  validateConfig(KubeProxyConfiguration, { ...HEAD, ...fields }, 'config.conf');

/** What kubeadm writes (kubeadm config print init-defaults --component-configs KubeProxyConfiguration). */
const KUBEADM = {
  bindAddress: '0.0.0.0',
  bindAddressHardFail: false,
  clientConnection: {
    acceptContentTypes: '',
    burst: 0,
    contentType: '',
    kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
    qps: 0,
  },
  clusterCIDR: '',
  configSyncPeriod: '0s',
  conntrack: {
    maxPerCore: null,
    min: null,
    tcpBeLiberal: false,
    tcpCloseWaitTimeout: null,
    tcpEstablishedTimeout: null,
    udpStreamTimeout: '0s',
    udpTimeout: '0s',
  },
  detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' },
  detectLocalMode: '',
  enableProfiling: false,
  healthzBindAddress: '',
  hostnameOverride: '',
  iptables: {
    localhostNodePorts: null,
    masqueradeAll: false,
    masqueradeBit: null,
    minSyncPeriod: '0s',
    syncPeriod: '0s',
  },
  ipvs: {
    excludeCIDRs: null,
    minSyncPeriod: '0s',
    scheduler: '',
    strictARP: false,
    syncPeriod: '0s',
    tcpFinTimeout: '0s',
    tcpTimeout: '0s',
    udpTimeout: '0s',
  },
  logging: { flushFrequency: 0, options: { json: { infoBufferSize: '0' } }, verbosity: 0 },
  metricsBindAddress: '',
  mode: '',
  nftables: { masqueradeAll: false, masqueradeBit: null, minSyncPeriod: '0s', syncPeriod: '0s' },
  nodePortAddresses: null,
  oomScoreAdj: null,
  portRange: '',
  showHiddenMetricsForVersion: '',
  winkernel: {
    enableDSR: false,
    forwardHealthCheckVip: false,
    networkName: '',
    rootHnsEndpointName: '',
    sourceVip: '',
  },
};

describe('KubeProxyConfiguration', () => {
  it('takes what kubeadm writes', () => {
    expect(settingsOf(read(KUBEADM))).toEqual({
      mode: 'iptables',
      policy: 'random',
      nodePortAddresses: [],
      podRanges: [],
      udpIdleMs: undefined,
      minSyncPeriodMs: 0,
    });
  });

  it.each<{ name: string; fields: object; want: object }>([
    {
      name: 'ipvs with its scheduler, its UDP timeout and its least period',
      fields: { mode: 'ipvs', ipvs: { scheduler: 'wlc', udpTimeout: '5s', minSyncPeriod: '1s' } },
      want: { mode: 'ipvs', policy: 'wlc', udpIdleMs: 5_000, minSyncPeriodMs: 1_000 },
    },
    {
      name: 'nftables, taken as iptables',
      fields: { mode: 'nftables', nftables: { minSyncPeriod: '2s' } },
      want: { mode: 'iptables', policy: 'random', minSyncPeriodMs: 2_000 },
    },
    {
      name: 'iptables with the time of UDP sessions',
      fields: { conntrack: { udpStreamTimeout: '3m' }, nodePortAddresses: ['10.0.0.0/8'] },
      want: { udpIdleMs: 180_000, nodePortAddresses: ['10.0.0.0/8'] },
    },
    {
      name: 'the primary addresses for node ports in mode nftables',
      fields: { mode: 'nftables' },
      want: { nodePortAddresses: ['primary'] },
    },
    {
      name: 'the ranges of pods',
      fields: { clusterCIDR: '10.244.0.0/16,fd00::/48' },
      want: { podRanges: ['10.244.0.0/16', 'fd00::/48'] },
    },
    {
      name: 'pods by the ranges of the node',
      fields: { clusterCIDR: '10.244.0.0/16', detectLocalMode: 'NodeCIDR' },
      want: { podRanges: 'NodeCIDR' },
    },
  ])('reads $name', ({ fields, want }) => {
    expect(settingsOf(read(fields))).toMatchObject(want);
  });

  it.each<{ name: string; fields: object; message: string }>([
    { name: 'a mode that is not modelled', fields: { mode: 'userspace' }, message: 'mode must be' },
    { name: 'another scheduler', fields: { ipvs: { scheduler: 'xyz' } }, message: 'scheduler' },
    {
      name: 'a duration that is none',
      fields: { ipvs: { udpTimeout: '5' } },
      message: 'udpTimeout',
    },
    { name: 'an unknown field of a section', fields: { conntrack: { max: 1 } }, message: 'max' },
    { name: 'Windows', fields: { windowsRunAsService: true }, message: 'Windows is not modelled' },
    { name: 'a score out of range', fields: { oomScoreAdj: 2_000 }, message: 'oomScoreAdj' },
  ])('refuses $name by name', ({ fields, message }) => {
    expect(() => read(fields)).toThrow(ConfigError);
    expect(() => read(fields)).toThrow(message);
  });

  it('names every field that is set and has no effect', () => {
    const config = read({
      clusterCIDR: '10.244.0.0/16',
      nodePortAddresses: ['localhost'],
      ipvs: { strictARP: true, tcpTimeout: '0s' },
      iptables: { masqueradeAll: true, localhostNodePorts: true },
      featureGates: { X: true },
    });
    expect(withoutEffect(config).map((text) => text.split(':')[0])).toEqual([
      'featureGates',
      'iptables.masqueradeAll',
      'iptables.localhostNodePorts',
      'ipvs.strictARP',
      'nodePortAddresses',
    ]);
  });
});
