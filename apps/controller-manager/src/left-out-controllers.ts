const DEVICES = 'its API is off by default upstream and not served here';
const CLOUD = 'it needs a cloud';

/** Controllers of kube-controller-manager 1.36 that are none of ours, each with the reason. */
export const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['validatingadmissionpolicy-status-controller', 'the API server itself keeps that status'],
  ['service-cidr-controller', 'the range of the API server is the only one'],
  ['storage-version-migrator-controller', 'storage version migration is not modelled'],
  ['selinux-warning-controller', 'SELinux labels are not modelled'],
  [
    'kube-apiserver-serving-clustertrustbundle-publisher-controller',
    'cluster trust bundles are not modelled',
  ],
  ['podcertificaterequest-cleaner-controller', 'pod certificates are not modelled'],
  ['volumeattributesclass-protection-controller', 'attributes classes of volumes do nothing here'],
  ['resourcepoolstatusrequest-controller', DEVICES],
  ['podgroup-protection-controller', 'gangs of pods are not modelled'],
  ['node-route-controller', CLOUD],
  ['route-controller', CLOUD],
  ['cloud-node-lifecycle-controller', CLOUD],
]);
