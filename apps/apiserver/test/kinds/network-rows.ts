import type { KindRows } from './kind-row.js';
import { selector } from './kind-row.js';

const gpu = {
  name: 'gpu',
  exactly: { deviceClassName: 'gpu.example.com', allocationMode: 'ExactCount', count: 2 },
};
const device = {
  name: 'd0',
  attributes: { model: { string: 'a' } },
  capacity: { memory: { value: '1Gi' } },
};
const immutable = (value: unknown): string =>
  `Invalid value: ${JSON.stringify(value)}: field is immutable`;

export const networkRows: KindRows = {
  'networking.k8s.io/v1/networkpolicies': {
    maximal: {
      spec: {
        podSelector: selector,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              { podSelector: selector, namespaceSelector: selector },
              { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
            ],
            ports: [{ protocol: 'TCP', port: 80, endPort: 90 }, { port: 'web' }],
          },
        ],
        egress: [{ to: [{ namespaceSelector: {} }] }],
      },
    },
    defaults: { spec: { podSelector: {}, policyTypes: ['Ingress'] } },
    change: { spec: { podSelector: { matchLabels: { app: 'other' } } } },
  },
  'networking.k8s.io/v1/ingresses': {
    maximal: {
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['a.example.com'], secretName: 'tls' }],
        rules: [
          {
            host: 'a.example.com',
            http: {
              paths: [
                {
                  path: '/x',
                  pathType: 'Prefix',
                  backend: { service: { name: 'web', port: { name: 'http' } } },
                },
                {
                  path: '/y',
                  pathType: 'Exact',
                  backend: { resource: { apiGroup: 'x.io', kind: 'Bucket', name: 'b' } },
                },
              ],
            },
          },
        ],
      },
    },
    defaults: { status: { loadBalancer: {} } },
    change: { spec: { ingressClassName: 'other' } },
    status: {
      loadBalancer: { ingress: [{ ip: '203.0.113.9', ports: [{ port: 80, protocol: 'TCP' }] }] },
    },
  },
  'networking.k8s.io/v1/ingressclasses': {
    maximal: {
      spec: {
        parameters: { apiGroup: 'x.io', kind: 'P', name: 'p', scope: 'Namespace', namespace: 'n' },
      },
    },
    change: { spec: { parameters: { kind: 'P', name: 'p', scope: 'Cluster' } } },
    frozen: [[{ spec: { controller: 'x.io/other' } }, 'spec.controller', immutable('x.io/other')]],
  },
  'networking.k8s.io/v1/ipaddresses': {
    maximal: {},
    change: { metadata: { labels: { changed: 'yes' } } },
    frozen: [
      [
        { spec: { parentRef: { name: 'x' } } },
        'spec.parentRef',
        immutable({ Group: '', Resource: 'services', Namespace: 'default', Name: 'x' }),
      ],
    ],
    nameOf: (name) =>
      `10.1.${name.length}.${Buffer.from(name).reduce((sum, each) => (sum * 31 + each) % 250, 1)}`,
    namesFixed: true,
  },
  'networking.k8s.io/v1/servicecidrs': {
    maximal: {},
    change: { metadata: { labels: { changed: 'yes' } } },
    frozen: [
      [
        { spec: { cidrs: ['10.9.0.0/16'] } },
        'spec.cidrs[0]',
        'Invalid value: "10.9.0.0/16": field is immutable',
      ],
    ],
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'x',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  },
  'discovery.k8s.io/v1/endpointslices': {
    maximal: {
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          hostname: 'a',
          nodeName: 'n1',
          zone: 'z',
          targetRef: { kind: 'Pod', name: 'web', namespace: 'default' },
          hints: { forZones: [{ name: 'z' }] },
        },
      ],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
    },
    change: { endpoints: [{ addresses: ['10.0.0.2'] }] },
    frozen: [
      [
        { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] },
        'addressType',
        immutable('IPv6'),
      ],
    ],
  },
  'storage.k8s.io/v1/storageclasses': {
    maximal: {
      parameters: { type: 'ssd' },
      reclaimPolicy: 'Retain',
      mountOptions: ['ro'],
      allowVolumeExpansion: true,
      volumeBindingMode: 'WaitForFirstConsumer',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
    },
    defaults: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    change: { allowVolumeExpansion: true },
    frozen: [
      [{ parameters: { a: 'b' } }, 'parameters', 'Forbidden: updates to parameters are forbidden.'],
      [
        { provisioner: 'x.io/y' },
        'provisioner',
        'Forbidden: updates to provisioner are forbidden.',
      ],
      [
        { reclaimPolicy: 'Retain' },
        'reclaimPolicy',
        'Forbidden: updates to reclaimPolicy are forbidden.',
      ],
    ],
  },
  'storage.k8s.io/v1/csinodes': {
    maximal: {
      spec: {
        drivers: [{ name: 'd.io', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 3 } }],
      },
    },
    change: { spec: { drivers: [{ name: 'e.io', nodeID: 'n', topologyKeys: ['zone'] }] } },
  },
  'storage.k8s.io/v1/csidrivers': {
    maximal: {
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        storageCapacity: true,
        fsGroupPolicy: 'File',
        tokenRequests: [{ audience: 'a', expirationSeconds: 3600 }],
        requiresRepublish: true,
        seLinuxMount: true,
      },
    },
    defaults: {
      spec: {
        attachRequired: true,
        podInfoOnMount: false,
        volumeLifecycleModes: ['Persistent'],
        storageCapacity: false,
        fsGroupPolicy: 'ReadWriteOnceWithFSType',
        requiresRepublish: false,
        seLinuxMount: false,
      },
    },
    change: { spec: { podInfoOnMount: true } },
    frozen: [
      [
        { spec: { attachRequired: false } },
        'spec.attachedRequired',
        'Invalid value: false: field is immutable',
      ],
    ],
  },
  'storage.k8s.io/v1/csistoragecapacities': {
    maximal: { nodeTopology: selector, capacity: '1Gi', maximumVolumeSize: '1Mi' },
    change: { capacity: '2Gi' },
    frozen: [[{ storageClassName: 'slow' }, 'storageClassName', immutable('slow')]],
  },
  'storage.k8s.io/v1/volumeattachments': {
    maximal: {},
    change: { metadata: { labels: { changed: 'yes' } } },
    frozen: [
      [
        { spec: { nodeName: 'm' } },
        'spec',
        immutable({
          Attacher: 'x',
          Source: { PersistentVolumeName: 'pv', InlineVolumeSpec: null },
          NodeName: 'm',
        }),
      ],
    ],
    status: { attached: true, attachmentMetadata: { a: 'b' } },
  },
  'storage.k8s.io/v1/volumeattributesclasses': {
    maximal: { parameters: { iops: '100', tier: 'gold' } },
    change: { metadata: { labels: { changed: 'yes' } } },
    frozen: [
      [
        { parameters: { iops: '7' } },
        'parameters',
        'Forbidden: updates to parameters are forbidden.',
      ],
    ],
  },
  'resource.k8s.io/v1/deviceclasses': {
    maximal: {
      spec: {
        selectors: [{ cel: { expression: "device.driver == 'gpu.example.com'" } }],
        config: [{ opaque: { driver: 'gpu.example.com', parameters: { a: 1 } } }],
      },
    },
    change: { spec: { selectors: [{ cel: { expression: 'true' } }] } },
  },
  'resource.k8s.io/v1/resourceclaims': {
    maximal: {
      spec: {
        devices: {
          requests: [
            gpu,
            { name: 'any', firstAvailable: [{ name: 'a', deviceClassName: 'x.example.com' }] },
          ],
          constraints: [{ requests: ['gpu'], matchAttribute: 'gpu.example.com/model' }],
        },
      },
    },
    defaults: {
      spec: { devices: { requests: [{ exactly: { allocationMode: 'ExactCount', count: 1 } }] } },
      status: {},
    },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  'resource.k8s.io/v1/resourceclaimtemplates': {
    maximal: { spec: { metadata: { labels: { a: 'b' } }, spec: { devices: { requests: [gpu] } } } },
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  'resource.k8s.io/v1/resourceslices': {
    maximal: { spec: { devices: [device] } },
    change: { spec: { devices: [{ name: 'd1' }] } },
    frozen: [[{ spec: { nodeName: 'node-2' } }, 'spec.nodeName', immutable('node-2')]],
    selected: { 'spec.driver': 'gpu.example.com', 'spec.nodeName': 'node-1' },
  },
  'events.k8s.io/v1/events': {
    maximal: { series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
    change: { series: { count: 3, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
    frozen: [[{ action: 'Other' }, 'action', immutable('Other')]],
    selected: { 'regarding.kind': 'Pod', reason: 'Started', reportingController: 'example.com/x' },
  },
};
