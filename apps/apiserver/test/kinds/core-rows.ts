import type { KindRows } from './kind-row.js';
import { selector } from './kind-row.js';
import { maximalPodSpec } from './maximal-pod.js';

const IMMUTABLE = 'field is immutable';
const storage = (size: string): object => ({ requests: { storage: size } });

export const coreRows: KindRows = {
  'core/v1/namespaces': {
    maximal: {},
    defaults: { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { conditions: [{ type: 'NamespaceContentRemaining', status: 'False' }] },
    selected: { 'status.phase': 'Active' },
    lingers: true,
  },
  'core/v1/nodes': {
    maximal: {
      spec: {
        podCIDR: '10.9.0.0/24',
        podCIDRs: ['10.9.0.0/24'],
        providerID: 'example://1',
        unschedulable: true,
        taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
      },
    },
    change: { spec: { unschedulable: null, providerID: 'example://1' } },
    frozen: [
      [
        { spec: { providerID: 'example://2' } },
        'spec.providerID',
        'Forbidden: node updates may not change providerID except from "" to valid',
      ],
    ],
    status: { phase: 'Running', addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
    selected: { 'spec.unschedulable': 'true' },
  },
  'core/v1/pods': {
    maximal: { spec: maximalPodSpec },
    defaults: {
      spec: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        terminationGracePeriodSeconds: 30,
        schedulerName: 'default-scheduler',
        enableServiceLinks: true,
        securityContext: {},
        containers: [
          {
            name: 'web',
            image: 'nginx',
            imagePullPolicy: 'Always',
            resources: {},
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    },
    change: { spec: { activeDeadlineSeconds: 500 } },
    frozen: [
      [
        { spec: { hostname: 'other' } },
        'spec',
        'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ],
    ],
    status: { conditions: [{ type: 'Ready', status: 'False' }], podIP: '10.0.0.9' },
    selected: {
      'spec.restartPolicy': 'OnFailure',
      'spec.schedulerName': 'other',
      'spec.serviceAccountName': 'builder',
      'spec.hostNetwork': 'false',
      'status.phase': 'Pending',
    },
  },
  'core/v1/podtemplates': {
    maximal: { template: { spec: { ...maximalPodSpec, restartPolicy: 'Always' } } },
    defaults: { template: { spec: { restartPolicy: 'Always' } } },
    change: { template: { spec: { terminationGracePeriodSeconds: 7 } } },
  },
  'core/v1/services': {
    maximal: {
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'web' },
        ports: [
          { name: 'http', port: 80, targetPort: 'web', protocol: 'TCP', appProtocol: 'http' },
          { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
        ],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } },
        externalIPs: ['203.0.113.7'],
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        externalTrafficPolicy: 'Local',
        internalTrafficPolicy: 'Local',
        publishNotReadyAddresses: true,
        trafficDistribution: 'PreferSameZone',
      },
    },
    defaults: {
      spec: {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
      status: { loadBalancer: {} },
    },
    change: { spec: { selector: { app: 'other' } } },
    frozen: [
      [
        { spec: { clusterIP: '127.218.129.1', clusterIPs: ['127.218.129.1'] } },
        'spec.clusterIPs[0]',
        'Invalid value: ["127.218.129.1"]: may not change once set',
      ],
    ],
    status: {
      conditions: [
        {
          type: 'x',
          status: 'True',
          reason: 'y',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
    selected: { 'spec.type': 'LoadBalancer' },
  },
  'core/v1/endpoints': {
    maximal: {
      subsets: [
        {
          addresses: [{ ip: '10.0.0.1', hostname: 'a', nodeName: 'n1' }],
          notReadyAddresses: [{ ip: '10.0.0.2' }],
          ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
        },
      ],
    },
    change: { subsets: [{ addresses: [{ ip: '10.0.0.3' }], ports: [{ port: 81 }] }] },
  },
  'core/v1/configmaps': {
    maximal: { data: { a: '1' }, binaryData: { b: 'AAEC' } },
    change: { data: { c: '3' } },
  },
  'core/v1/secrets': {
    maximal: { type: 'example.com/x', data: { a: 'MQ==' } },
    defaults: { type: 'Opaque', data: { key: 'dmFsdWU=' } },
    change: { data: { c: 'Mw==' } },
    frozen: [[{ type: 'other' }, 'type', `Invalid value: "other": ${IMMUTABLE}`]],
    selected: { type: 'example.com/x' },
  },
  'core/v1/serviceaccounts': {
    maximal: {
      secrets: [{ name: 's' }],
      imagePullSecrets: [{ name: 'p' }],
      automountServiceAccountToken: false,
    },
    change: { automountServiceAccountToken: true },
  },
  'core/v1/events': {
    named: () => ({ involvedObject: { namespace: 'core-v1-events' } }),
    maximal: {
      reason: 'Started',
      message: 'it started',
      type: 'Normal',
      source: { component: 'kubelet', host: 'n1' },
      count: 2,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:01:00Z',
    },
    change: { count: 3 },
    selected: {
      'involvedObject.kind': 'Pod',
      'involvedObject.name': 'web',
      reason: 'Started',
      source: 'kubelet',
      type: 'Normal',
    },
  },
  'core/v1/replicationcontrollers': {
    maximal: { spec: { replicas: 2, minReadySeconds: 3, selector: { app: 'web' } } },
    defaults: {
      metadata: { labels: { app: 'web' } },
      spec: { replicas: 1, selector: { app: 'web' } },
      status: { replicas: 0 },
    },
    change: { spec: { replicas: 5 } },
    status: { replicas: 5, readyReplicas: 1 },
    selected: { 'status.replicas': '0' },
  },
  'core/v1/limitranges': {
    maximal: {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '2' },
            min: { cpu: '100m' },
            default: { cpu: '1' },
            defaultRequest: { cpu: '500m' },
            maxLimitRequestRatio: { cpu: '10' },
          },
          { type: 'PersistentVolumeClaim', max: { storage: '10Gi' }, min: { storage: '1Gi' } },
        ],
      },
    },
    defaults: {
      spec: {
        limits: [{ max: { cpu: '1' }, default: { cpu: '1' }, defaultRequest: { cpu: '1' } }],
      },
    },
    change: { spec: { limits: [{ type: 'Pod', max: { memory: '1Gi' } }] } },
  },
  'core/v1/resourcequotas': {
    maximal: {
      spec: {
        hard: { pods: '3', 'requests.cpu': '1', 'count/deployments.apps': '4' },
        scopeSelector: { matchExpressions: [{ scopeName: 'NotTerminating', operator: 'Exists' }] },
      },
    },
    change: { spec: { hard: { pods: '4' } } },
    frozen: [
      [
        { spec: { scopes: ['BestEffort'] } },
        'spec.scopes',
        `Invalid value: ["BestEffort"]: ${IMMUTABLE}`,
      ],
    ],
    status: { hard: { pods: '4' }, used: { pods: '1' } },
  },
  'core/v1/persistentvolumes': {
    maximal: {
      spec: {
        storageClassName: 'fast',
        volumeMode: 'Filesystem',
        persistentVolumeReclaimPolicy: 'Delete',
        mountOptions: ['ro'],
        claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'c', uid: 'u' },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] },
            ],
          },
        },
      },
    },
    defaults: {
      metadata: { finalizers: ['kubernetes.io/pv-protection'] },
      spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    },
    change: { spec: { capacity: { storage: '2Gi' } } },
    frozen: [
      [{ spec: { volumeMode: 'Block' } }, 'volumeMode', `Invalid value: "Block": ${IMMUTABLE}`],
    ],
    status: { phase: 'Available' },
    lingers: true,
  },
  'core/v1/persistentvolumeclaims': {
    maximal: {
      spec: {
        accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
        resources: storage('3Gi'),
        storageClassName: 'fast',
        volumeMode: 'Block',
        volumeName: 'pv-1',
        selector,
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' },
      },
    },
    defaults: {
      metadata: { finalizers: ['kubernetes.io/pvc-protection'] },
      spec: { volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    },
    change: { metadata: { labels: { changed: 'yes' } } },
    frozen: [
      [
        { spec: { accessModes: ['ReadOnlyMany'] } },
        'spec',
        'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ],
    ],
    status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } },
    lingers: true,
  },
};
