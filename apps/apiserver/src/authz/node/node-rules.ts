import { rule } from '../bootstrap-policy/rule.js';

/** What every node may do whichever pods it runs (k8s bootstrappolicy/policy.go NodeRules). */
export const nodeRules = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews'),
  rule('get list watch', '', 'services'),
  rule('create get list watch', '', 'nodes'),
  rule('update patch', '', 'nodes nodes/status'),
  rule('create update patch', '', 'events'),
  rule('get list watch create delete', '', 'pods'),
  rule('update patch', '', 'pods/status'),
  rule('create', '', 'pods/eviction'),
  rule('get list watch', '', 'configmaps secrets'),
  rule('get', '', 'persistentvolumeclaims persistentvolumes'),
  rule('get', '', 'endpoints'),
  rule('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  rule('get create update patch delete', 'coordination.k8s.io', 'leases'),
  rule('get', 'storage.k8s.io', 'volumeattachments'),
  rule('create', '', 'serviceaccounts/token'),
  rule('get', '', 'serviceaccounts'),
  rule('get update patch', '', 'persistentvolumeclaims/status'),
  rule('get list watch', 'storage.k8s.io', 'csidrivers'),
  rule('get create update patch delete', 'storage.k8s.io', 'csinodes'),
  rule('get list watch', 'node.k8s.io', 'runtimeclasses'),
  rule('get', 'resource.k8s.io', 'resourceclaims'),
  rule(
    'get list watch create update patch delete deletecollection',
    'resource.k8s.io',
    'resourceslices',
  ),
];
