import { describe, expect, it } from '@jest/globals';
import { parseFlags } from '@orrery/component';
import { ControllerManagerFlags, toOptions } from './config/options.js';
import type { ControllerManagerOptions } from './config/options.js';
import { selectControllers } from './controller-selection.js';
import { LEFT_OUT } from './left-out-controllers.js';
import { CONTROLLERS } from './controllers/controllers.js';

const options = (...flags: string[]): ControllerManagerOptions =>
  toOptions(parseFlags(ControllerManagerFlags, ['--kubeconfig=x', ...flags]));

const names = (...flags: string[]): string[] =>
  selectControllers(CONTROLLERS, options(...flags)).map(({ name }) => name);

/** k8s cmd/kube-controller-manager/names/controller_names.go */
const UPSTREAM = [
  'serviceaccount-token-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'replicationcontroller-controller',
  'pod-garbage-collector-controller',
  'resourcequota-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'garbage-collector-controller',
  'daemonset-controller',
  'job-controller',
  'deployment-controller',
  'replicaset-controller',
  'horizontal-pod-autoscaler-controller',
  'disruption-controller',
  'statefulset-controller',
  'cronjob-controller',
  'certificatesigningrequest-signing-controller',
  'certificatesigningrequest-approving-controller',
  'certificatesigningrequest-cleaner-controller',
  'podcertificaterequest-cleaner-controller',
  'ttl-controller',
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'node-ipam-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
  'device-taint-eviction-controller',
  'persistentvolume-binder-controller',
  'persistentvolume-attach-detach-controller',
  'persistentvolume-expander-controller',
  'clusterrole-aggregation-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'podgroup-protection-controller',
  'ttl-after-finished-controller',
  'root-ca-certificate-publisher-controller',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  'ephemeral-volume-controller',
  'storageversion-garbage-collector-controller',
  'resourceclaim-controller',
  'resourcepoolstatusrequest-controller',
  'legacy-serviceaccount-token-cleaner-controller',
  'validatingadmissionpolicy-status-controller',
  'volumeattributesclass-protection-controller',
  'service-cidr-controller',
  'storage-version-migrator-controller',
  'selinux-warning-controller',
];

const NEEDED = [
  '--root-ca-file=x',
  '--service-account-private-key-file=x',
  '--load-balancer-pool=10.0.0.0/24',
];

describe('selectControllers()', () => {
  it.each(CONTROLLERS.map(({ name }) => ({ name })))('-$name leaves out that one', ({ name }) => {
    const ready = CONTROLLERS.map((entry) => ({ ...entry, enabled: () => true }));
    const every = ready.map((entry) => entry.name);
    const left = selectControllers(ready, options(`--controllers=${every.join(',')},-${name}`));
    expect(left.map((entry) => entry.name)).toEqual(every.filter((other) => other !== name));
  });

  it('runs all but those that are off by default', () => {
    const all = names(
      ...NEEDED,
      '--cluster-signing-cert-file=x',
      '--cluster-signing-key-file=x',
      '--allocate-node-cidrs',
      '--cluster-cidr=10.0.0.0/16',
    );
    const off = CONTROLLERS.map(({ name }) => name).filter((name) => !all.includes(name));
    expect(off).toEqual([
      'bootstrap-signer-controller',
      'token-cleaner-controller',
      'storageversion-garbage-collector-controller',
    ]);
  });

  it.each([
    {
      name: 'adds by name',
      flag: '*,bootstrapsigner',
      has: 'bootstrap-signer-controller',
      want: true,
    },
    {
      name: 'removes by name',
      flag: '*,-deployment-controller',
      has: 'deployment-controller',
      want: false,
    },
    {
      name: 'removes by short name',
      flag: '*,-deployment',
      has: 'deployment-controller',
      want: false,
    },
    {
      name: 'removes by old name',
      flag: '*,-garbagecollector',
      has: 'garbage-collector-controller',
      want: false,
    },
    { name: 'runs only what is named', flag: 'job', has: 'deployment-controller', want: false },
  ])('$name', ({ flag, has, want }) => {
    expect(names(`--controllers=${flag}`).includes(has)).toBe(want);
  });

  it('leaves out what its flags do not serve', () => {
    expect(names()).not.toContain('service-lb-controller');
    expect(names()).not.toContain('certificatesigningrequest-signing-controller');
  });

  it('knows every controller of 1.36: it runs, or it is refused by name', () => {
    const here = CONTROLLERS.map(({ name }) => name);
    const unknown = UPSTREAM.filter((name) => !here.includes(name) && !LEFT_OUT.has(name));
    expect(unknown).toEqual([]);
  });

  it.each(['service-cidr-controller', 'route', 'selinux-warning'])(
    'refuses %s with the reason, and lets it be switched off',
    (name) => {
      expect(() => names(`--controllers=${name}`)).toThrow(`${name} does not run here: `);
      expect(names(`--controllers=*,-${name}`)).toEqual(names());
    },
  );

  it('refuses a name that is none', () => {
    expect(() => names('--controllers=nobody')).toThrow('--controllers: "nobody" is not one of');
  });
});

describe('the flags', () => {
  it('set the workers of each controller', () => {
    const { concurrency } = options('--concurrent-job-syncs=7', '--concurrent-gc-syncs=3');
    expect(concurrency).toMatchObject({
      'job-controller': 7,
      'garbage-collector-controller': 3,
      'deployment-controller': 5,
    });
    const known = new Set(CONTROLLERS.map(({ name }) => name));
    const unknown = Object.keys(concurrency).filter((name) => !known.has(name));
    // The API server keeps the status of these policies.
    expect(unknown).toEqual(['validatingadmissionpolicy-status-controller']);
  });

  it.each([
    {
      name: 'half a CA',
      flags: ['--cluster-signing-cert-file=x'],
      want: 'both a certificate file and a key file',
    },
    {
      name: 'two ways to name CAs',
      flags: [
        '--cluster-signing-cert-file=x',
        '--cluster-signing-key-file=x',
        '--cluster-signing-kubelet-serving-cert-file=x',
      ],
      want: 'at the same time',
    },
    {
      name: 'a duration that is none',
      flags: ['--horizontal-pod-autoscaler-sync-period=soon'],
      want: 'invalid argument "soon" for "--horizontal-pod-autoscaler-sync-period" flag: time: invalid duration "soon"',
    },
    { name: 'no workers', flags: ['--concurrent-job-syncs=0'], want: '--concurrent-job-syncs' },
  ])('refuse $name', ({ flags, want }) => {
    expect(() => options(...flags)).toThrow(want);
  });
});
