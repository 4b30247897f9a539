import { describe, expect, it } from '@jest/globals';
import { HelpRequested, parseFlags } from '@orrery/component';
import { ControllerManagerFlags, toOptions } from './options.js';

const parse = (...argv: string[]): ControllerManagerFlags =>
  parseFlags(ControllerManagerFlags, ['--kubeconfig=k', ...argv]);

/** What kube-controller-manager 1.36 --help lists, but for what is spelt out elsewhere in this folder. */
const UPSTREAM = `
allocate-node-cidrs allow-metric-labels allow-metric-labels-manifest attach-detach-reconcile-sync-period
authentication-kubeconfig authentication-skip-lookup authentication-token-webhook-cache-ttl
authentication-tolerate-lookup-failure authorization-always-allow-paths authorization-kubeconfig
authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl bind-address cert-dir
cidr-allocator-type client-ca-file cloud-config cloud-provider cluster-cidr cluster-name cluster-signing-cert-file
cluster-signing-duration cluster-signing-key-file cluster-signing-kube-apiserver-client-cert-file
cluster-signing-kube-apiserver-client-key-file cluster-signing-kubelet-client-cert-file
cluster-signing-kubelet-client-key-file cluster-signing-kubelet-serving-cert-file
cluster-signing-kubelet-serving-key-file cluster-signing-legacy-unknown-cert-file
cluster-signing-legacy-unknown-key-file concurrent-cron-job-syncs concurrent-daemonset-syncs
concurrent-deployment-syncs concurrent-device-taint-eviction-syncs concurrent-endpoint-syncs
concurrent-ephemeralvolume-syncs concurrent-gc-syncs concurrent-horizontal-pod-autoscaler-syncs concurrent-job-syncs
concurrent-namespace-syncs concurrent-rc-syncs concurrent-replicaset-syncs concurrent-resource-claim-syncs
concurrent-resource-quota-syncs concurrent-service-endpoint-syncs concurrent-service-syncs
concurrent-serviceaccount-token-syncs concurrent-statefulset-syncs concurrent-ttl-after-finished-syncs
concurrent-validating-admission-policy-status-syncs configure-cloud-routes contention-profiling
controller-shutdown-timeout controller-start-interval controllers disable-attach-detach-reconcile-sync
disable-force-detach-on-timeout disable-http2-serving disabled-metrics emulated-version enable-dynamic-provisioning
enable-garbage-collector enable-hostpath-provisioner enable-leader-migration endpoint-updates-batch-period
endpointslice-updates-batch-period external-cloud-volume-plugin feature-gates flex-volume-plugin-dir
horizontal-pod-autoscaler-cpu-initialization-period horizontal-pod-autoscaler-downscale-stabilization
horizontal-pod-autoscaler-initial-readiness-delay horizontal-pod-autoscaler-sync-period
horizontal-pod-autoscaler-tolerance http2-max-streams-per-connection kube-api-burst kube-api-content-type kube-api-qps
kubeconfig large-cluster-size-threshold leader-elect leader-elect-lease-duration leader-elect-renew-deadline
leader-elect-resource-lock leader-elect-resource-name leader-elect-resource-namespace leader-elect-retry-period
leader-migration-config legacy-service-account-token-clean-up-period log-flush-frequency logging-format master
max-endpoints-per-slice min-compatibility-version min-resync-period mirroring-concurrent-service-endpoint-syncs
mirroring-endpointslice-updates-batch-period mirroring-max-endpoints-per-subset namespace-sync-period
node-cidr-mask-size node-cidr-mask-size-ipv4 node-cidr-mask-size-ipv6 node-eviction-rate node-monitor-grace-period
node-monitor-period node-startup-grace-period permit-address-sharing permit-port-sharing profiling
pv-recycler-increment-timeout-nfs pv-recycler-minimum-timeout-hostpath pv-recycler-minimum-timeout-nfs
pv-recycler-pod-template-filepath-hostpath pv-recycler-pod-template-filepath-nfs
pv-recycler-timeout-increment-hostpath pvclaimbinder-sync-period requestheader-allowed-names
requestheader-client-ca-file requestheader-extra-headers-prefix requestheader-group-headers requestheader-uid-headers
requestheader-username-headers resource-quota-sync-period root-ca-file route-reconciliation-period
secondary-node-eviction-rate secure-port service-account-private-key-file service-cluster-ip-range
show-hidden-metrics-for-version terminated-pod-gc-threshold tls-cert-file tls-cipher-suites tls-curve-preferences
tls-min-version tls-private-key-file tls-sni-cert-key unhealthy-zone-threshold use-service-account-credentials v vmodule
`
  .trim()
  .split(/\s+/);

describe('flags of kube-controller-manager', () => {
  it('are all known, if only to be refused by name', () => {
    let help = '';
    try {
      parse('--help');
    } catch (error) {
      if (error instanceof HelpRequested) help = error.message;
    }
    const known = new Set([...help.matchAll(/--([a-z0-9-]+)/g)].map(([, name = '']) => name));
    expect(UPSTREAM.filter((name) => !known.has(name))).toEqual([]);
  });

  it("waits for a silent node as long as upstream's, of 1.32 and later", () => {
    const { nodeMonitorPeriodMs, nodeMonitorGracePeriodMs } = toOptions(parse());
    expect({ nodeMonitorPeriodMs, nodeMonitorGracePeriodMs }).toEqual({
      nodeMonitorPeriodMs: 5_000,
      nodeMonitorGracePeriodMs: 50_000,
    });
  });

  it.each([
    { flag: '--tls-min-version=VersionTLS10', says: 'older ones are not spoken' },
    { flag: '--cloud-provider=aws', says: 'no cloud is modelled' },
    { flag: '--log-flush-frequency=1m', says: 'each written at once' },
    { flag: '--enable-garbage-collector=false', says: '-garbage-collector-controller' },
    { flag: '--leader-elect-resource-lock=endpoints', says: 'a lock is a Lease' },
  ])('refuse $flag with the reason', ({ flag, says }) => {
    const name = flag.split('=')[0] ?? '';
    expect(() => parse(flag)).toThrow(says);
    expect(() => parse(flag)).toThrow(`${name}: only`);
  });

  it.each([
    { name: 'what is so anyway', flags: ['--profiling=false', '--cloud-provider=external'] },
    { name: 'what says nothing without a cloud', flags: ['--cluster-name=prod'] },
    { name: 'a verbosity', flags: ['--v=2'] },
    { name: 'a limit of requests', flags: ['--kube-api-qps=2.5', '--kube-api-burst=100'] },
    {
      name: 'what kubeadm gives',
      flags: [
        '--authentication-kubeconfig=a',
        '--authorization-kubeconfig=a',
        '--client-ca-file=c',
        '--requestheader-client-ca-file=f',
        '--bind-address=127.0.0.1',
      ],
    },
  ])('take $name', ({ flags }) => {
    expect(() => parse(...flags)).not.toThrow();
  });
});
