import { SUBJECT } from './certificates/v1beta1/podcertificaterequest/subject.fixture.js';

const container = { name: 'web', image: 'nginx' };
const podSpec = { containers: [container] };
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: podSpec };
const workload = { spec: { selector: { matchLabels: labels }, template } };
const jobTemplate = { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } };
const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const webhooks = [
  {
    name: 'hook.example.com',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    clientConfig: { url: 'https://hook.example.com/admit' },
  },
];
const matchConstraints = {
  resourceRules: [
    { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] },
  ],
};
/** A request for CN=jane, O=dev, signed by its own key. */
const pem = [
  '-----BEGIN CERTIFICATE REQUEST-----',
  'MIHYMIGAAgEAMB4xDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMwWTATBgcq',
  'hkjOPQIBBggqhkjOPQMBBwNCAAS1cUYouLM5PaPMEgONghY071XpZxrwRhRSib28',
  'IwFjJgiin/kskscdjgcpwB90RHUZ0/s3UUd1sIwf0IjB8zIWoAAwCgYIKoZIzj0E',
  'AwIDRwAwRAIgcTXuFklggSKfVE6zfp935V8O0UbNUIiZlt0n1GGxqJ8CIBLPmkyD',
  'qHjb940G4zUPbIRoeHZ9YwTO6WgrlJ59/bal',
  '-----END CERTIFICATE REQUEST-----',
  '',
].join('\n');
const claimSpec = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' } },
};

const TRUST_ANCHOR = [
  '-----BEGIN CERTIFICATE-----',
  'MIIBejCCAR+gAwIBAgIUXjBXdMfNdM5x5/vBF36S5zK8Yy4wCgYIKoZIzj0EAwIw',
  'ETEPMA0GA1UEAwwGYW5jaG9yMCAXDTI2MTEyMTAzMzMxOFoYDzIxMjYxMDI4MDMz',
  'MzE4WjARMQ8wDQYDVQQDDAZhbmNob3IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC',
  'AATpRxcTXZ/qP738kEVdgxClTOLYpQBW//4DZDUJjHRDDt3ii3+SXjwfEQYb2jIR',
  'WtylRD0wBYOxOF5sp+YGtjKHo1MwUTAdBgNVHQ4EFgQUB2Op8XSmajQMh6Kh5RvB',
  'uWwaq4QwHwYDVR0jBBgwFoAUB2Op8XSmajQMh6Kh5RvBuWwaq4QwDwYDVR0TAQH/',
  'BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAucrj7WmC3bXv61BDWzftdaBWyUAO',
  'zKW54xgZmP5dneUCIQCwTgycW6PttpOu57LPAxKsdUgyE+nL2Oqan+EPwcwA7w==',
  '-----END CERTIFICATE-----',
].join('\n');
const deviceClaim = {
  devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] },
};

/** The least that each kind accepts, by `group/version/plural`; metadata is added by the suite. */
export const minimalObjects: Readonly<Record<string, object>> = {
  'core/v1/namespaces': {},
  'core/v1/nodes': {},
  'core/v1/pods': { spec: podSpec },
  'core/v1/podtemplates': { template },
  'core/v1/services': { spec: { ports: [{ port: 80 }] } },
  'core/v1/endpoints': {},
  'core/v1/configmaps': {},
  'core/v1/secrets': { stringData: { key: 'value' } },
  'core/v1/serviceaccounts': {},
  'core/v1/events': { involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' } },
  'core/v1/replicationcontrollers': { spec: { template } },
  'core/v1/limitranges': { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
  'core/v1/resourcequotas': { spec: { hard: { pods: '3' } } },
  'core/v1/persistentvolumes': {
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/data' },
    },
  },
  'core/v1/persistentvolumeclaims': { spec: claimSpec },
  'apps/v1/deployments': workload,
  'apps/v1/replicasets': workload,
  'apps/v1/daemonsets': workload,
  'apps/v1/statefulsets': workload,
  'apps/v1/controllerrevisions': { data: {}, revision: 1 },
  'events.k8s.io/v1/events': {
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', namespace: 'default', name: 'web' },
    reportingController: 'example.com/x',
    reportingInstance: 'x-1',
    action: 'Started',
    reason: 'Started',
    type: 'Normal',
    note: 'hello',
  },
  'autoscaling/v2/horizontalpodautoscalers': { spec: { maxReplicas: 3, scaleTargetRef } },
  'autoscaling/v1/horizontalpodautoscalers': {
    spec: { maxReplicas: 3, scaleTargetRef, targetCPUUtilizationPercentage: 70 },
  },
  'batch/v1/jobs': jobTemplate,
  'batch/v1/cronjobs': { spec: { schedule: '*/5 * * * *', jobTemplate } },
  'certificates.k8s.io/v1/certificatesigningrequests': {
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  },
  'networking.k8s.io/v1/networkpolicies': { spec: {} },
  'networking.k8s.io/v1/ingresses': {
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  },
  'networking.k8s.io/v1/ingressclasses': { spec: { controller: 'example.com/ingress' } },
  'policy/v1/poddisruptionbudgets': { spec: { minAvailable: 1 } },
  'rbac.authorization.k8s.io/v1/roles': { rules },
  'rbac.authorization.k8s.io/v1/clusterroles': { rules },
  'rbac.authorization.k8s.io/v1/rolebindings': { roleRef },
  'rbac.authorization.k8s.io/v1/clusterrolebindings': { roleRef },
  'storage.k8s.io/v1/storageclasses': { provisioner: 'example.com/disk' },
  'storage.k8s.io/v1/csinodes': { spec: { drivers: [] } },
  'storage.k8s.io/v1/csidrivers': {},
  'storage.k8s.io/v1/volumeattachments': {
    spec: { attacher: 'x', nodeName: 'n', source: { persistentVolumeName: 'pv' } },
  },
  'apiregistration.k8s.io/v1/apiservices': {
    metadata: { name: 'v1.example.com' },
    spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  },
  'apiextensions.k8s.io/v1/customresourcedefinitions': {
    metadata: { name: 'foos.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', kind: 'Foo' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object' } },
        },
      ],
    },
  },
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': { webhooks },
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations': { webhooks },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies': {
    spec: { matchConstraints, validations: [{ expression: 'true' }] },
  },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings': {
    spec: { policyName: 'policy', validationActions: ['Deny'] },
  },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicies': {
    spec: {
      matchConstraints,
      reinvocationPolicy: 'Never',
      mutations: [
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
      ],
    },
  },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings': {
    spec: { policyName: 'policy' },
  },
  'scheduling.k8s.io/v1/priorityclasses': { value: 10 },
  'coordination.k8s.io/v1/leases': {},
  'node.k8s.io/v1/runtimeclasses': { handler: 'runc' },
  'discovery.k8s.io/v1/endpointslices': {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
  },
  'core/v1/componentstatuses': {},
  'flowcontrol.apiserver.k8s.io/v1/flowschemas': {
    spec: {
      priorityLevelConfiguration: { name: 'global-default' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'jane' } }],
          resourceRules: [
            { verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] },
          ],
        },
      ],
    },
  },
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations': {
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } },
  },
  'resource.k8s.io/v1/deviceclasses': { spec: {} },
  'resource.k8s.io/v1/resourceclaims': { spec: deviceClaim },
  'resource.k8s.io/v1/resourceclaimtemplates': { spec: { spec: deviceClaim } },
  'resource.k8s.io/v1/resourceslices': {
    spec: {
      driver: 'gpu.example.com',
      nodeName: 'node-1',
      pool: { name: 'node-1', generation: 0, resourceSliceCount: 1 },
    },
  },
  'networking.k8s.io/v1/ipaddresses': {
    metadata: { name: '10.0.0.9' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
  },
  'networking.k8s.io/v1/servicecidrs': { spec: { cidrs: ['10.0.0.0/16'] } },
  'storage.k8s.io/v1/csistoragecapacities': { storageClassName: 'fast' },
  'storage.k8s.io/v1/volumeattributesclasses': {
    driverName: 'disk.example.com',
    parameters: { iops: '100' },
  },
  'coordination.k8s.io/v1beta1/leasecandidates': {
    spec: {
      leaseName: 'web',
      binaryVersion: '1.36.0',
      emulationVersion: '1.36.0',
      strategy: 'OldestEmulationVersion',
    },
  },
  'certificates.k8s.io/v1beta1/clustertrustbundles': { spec: { trustBundle: TRUST_ANCHOR } },
  'certificates.k8s.io/v1beta1/podcertificaterequests': {
    spec: {
      signerName: 'example.com/signer',
      podName: 'web',
      podUID: 'u1',
      serviceAccountName: 'default',
      serviceAccountUID: 'u2',
      nodeName: 'node-1',
      nodeUID: 'u3',
      stubPKCS10Request: SUBJECT.stub,
    },
  },
  'storagemigration.k8s.io/v1beta1/storageversionmigrations': {
    spec: { resource: { group: 'apps', resource: 'deployments' } },
  },
};
