import type { Json } from '../replica.js';
import type { KindRows } from './kind-row.js';
import { labels, selector } from './kind-row.js';

const CSR = [
  '-----BEGIN CERTIFICATE REQUEST-----',
  'MIHYMIGAAgEAMB4xDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMwWTATBgcq',
  'hkjOPQIBBggqhkjOPQMBBwNCAAS1cUYouLM5PaPMEgONghY071XpZxrwRhRSib28',
  'IwFjJgiin/kskscdjgcpwB90RHUZ0/s3UUd1sIwf0IjB8zIWoAAwCgYIKoZIzj0E',
  'AwIDRwAwRAIgcTXuFklggSKfVE6zfp935V8O0UbNUIiZlt0n1GGxqJ8CIBLPmkyD',
  'qHjb940G4zUPbIRoeHZ9YwTO6WgrlJ59/bal',
  '-----END CERTIFICATE REQUEST-----',
  '',
].join('\n');
const request = Buffer.from(CSR).toString('base64');

/** Nothing that the suite sends elsewhere matches this. */
const rule = {
  apiGroups: ['nothing.example.com'],
  apiVersions: ['v1'],
  resources: ['things'],
  operations: ['CREATE'],
};
const webhook = {
  name: 'hook.example.com',
  clientConfig: { url: 'https://hook.example.com/admit' },
  rules: [{ ...rule, scope: 'Namespaced' }],
  failurePolicy: 'Ignore',
  matchPolicy: 'Exact',
  namespaceSelector: selector,
  objectSelector: selector,
  sideEffects: 'NoneOnDryRun',
  timeoutSeconds: 3,
  admissionReviewVersions: ['v1', 'v1beta1'],
  matchConditions: [{ name: 'a', expression: "request.userInfo.username != 'x'" }],
};
const hookDefaults = { failurePolicy: 'Fail', matchPolicy: 'Equivalent', timeoutSeconds: 10 };
const matchConstraints = { resourceRules: [rule], namespaceSelector: selector };
const paramRef = { name: 'params', namespace: 'default', parameterNotFoundAction: 'Deny' };
const definition = (plural: string): Json => ({
  spec: { names: { plural, kind: 'K'.concat(plural) } },
});
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' };
const FROZEN_ROLE =
  'Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef';
const rules = [
  {
    verbs: ['get', 'list'],
    apiGroups: [''],
    resources: ['pods', 'pods/log'],
    resourceNames: ['a'],
  },
];

export const extensionRows: KindRows = {
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': {
    maximal: { webhooks: [{ ...webhook, reinvocationPolicy: 'IfNeeded' }] },
    defaults: {
      webhooks: [
        { ...hookDefaults, namespaceSelector: {}, objectSelector: {}, reinvocationPolicy: 'Never' },
      ],
    },
    change: { webhooks: [{ ...webhook, timeoutSeconds: 4 }] },
  },
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations': {
    maximal: { webhooks: [webhook] },
    defaults: { webhooks: [{ ...hookDefaults, namespaceSelector: {}, objectSelector: {} }] },
    change: { webhooks: [{ ...webhook, timeoutSeconds: 4 }] },
  },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies': {
    maximal: {
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints: {
          ...matchConstraints,
          excludeResourceRules: [rule],
          matchPolicy: 'Exact',
        },
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConditions: [{ name: 'a', expression: 'true' }],
        variables: [{ name: 'n', expression: 'object.metadata.name' }],
        validations: [
          {
            expression: "variables.n != 'x'",
            message: 'no x',
            messageExpression: "'no ' + variables.n",
            reason: 'Forbidden',
          },
        ],
        auditAnnotations: [{ key: 'k', valueExpression: "'v'" }],
      },
    },
    defaults: {
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} },
      },
    },
    change: { spec: { failurePolicy: 'Ignore' } },
    status: { observedGeneration: 1, typeChecking: {} },
  },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings': {
    maximal: {
      spec: {
        policyName: 'policy',
        paramRef,
        validationActions: ['Warn', 'Audit'],
        matchResources: { ...matchConstraints, matchPolicy: 'Exact' },
      },
    },
    change: { spec: { validationActions: ['Audit'] } },
  },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicies': {
    maximal: {
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints,
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        variables: [{ name: 'n', expression: 'object.metadata.name' }],
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression: "[JSONPatch{op: 'add', path: '/data/a', value: variables.n}]",
            },
          },
        ],
        reinvocationPolicy: 'IfNeeded',
      },
    },
    defaults: { spec: { failurePolicy: 'Fail', matchConstraints: { matchPolicy: 'Equivalent' } } },
    change: { spec: { failurePolicy: 'Ignore' } },
  },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings': {
    maximal: { spec: { policyName: 'policy', paramRef, matchResources: matchConstraints } },
    change: { spec: { policyName: 'other' } },
  },
  'apiextensions.k8s.io/v1/customresourcedefinitions': {
    maximal: {
      spec: {
        names: { shortNames: [], categories: ['all'] },
        preserveUnknownFields: false,
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    properties: { replicas: { type: 'integer', default: 1, minimum: 0 } },
                    'x-kubernetes-validations': [
                      { rule: 'self.replicas < 10', message: 'too many' },
                    ],
                  },
                  status: { type: 'object', properties: { replicas: { type: 'integer' } } },
                },
              },
            },
            subresources: {
              status: {},
              scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
            },
            additionalPrinterColumns: [{ name: 'R', type: 'integer', jsonPath: '.spec.replicas' }],
            selectableFields: [{ jsonPath: '.spec.replicas' }],
          },
        ],
      },
    },
    defaults: {
      spec: { conversion: { strategy: 'None' }, names: { listKind: 'KminList', singular: 'kmin' } },
    },
    change: { spec: { names: { categories: ['all'] } } },
    frozen: [
      [
        { spec: { scope: 'Cluster' } },
        'spec.scope',
        'Invalid value: "Cluster": field is immutable',
      ],
    ],
    nameOf: (name) => `${name.replaceAll('-', '')}.example.com`,
    named: (name) => definition(name.replaceAll('-', '')),
    namesFixed: true,
    lingers: true,
  },
  'apiregistration.k8s.io/v1/apiservices': {
    maximal: {
      spec: {
        groupPriorityMinimum: 2,
        versionPriority: 3,
        insecureSkipTLSVerify: true,
        service: { name: 'ext', namespace: 'default', port: 8443 },
      },
    },
    change: { spec: { versionPriority: 9 } },
    status: {
      conditions: [
        {
          type: 'Available',
          status: 'False',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          reason: 'x',
        },
      ],
    },
    nameOf: (name) => `v1.${name}.example.com`,
    named: (name) => ({ spec: { group: `${name}.example.com` } }),
    namesFixed: true,
  },
  'rbac.authorization.k8s.io/v1/roles': {
    maximal: { rules },
    change: { rules: [{ verbs: ['watch'], apiGroups: ['apps'], resources: ['deployments'] }] },
  },
  'rbac.authorization.k8s.io/v1/clusterroles': {
    maximal: {
      rules: [...rules, { verbs: ['get'], nonResourceURLs: ['/metrics'] }],
      aggregationRule: { clusterRoleSelectors: [selector] },
    },
    change: { rules: [{ verbs: ['watch'], apiGroups: ['apps'], resources: ['deployments'] }] },
  },
  'rbac.authorization.k8s.io/v1/rolebindings': {
    maximal: {
      subjects: [
        { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' },
        { kind: 'ServiceAccount', name: 'builder', namespace: 'default' },
      ],
    },
    change: { subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'g' }] },
    frozen: [[{ roleRef }, 'roleRef', FROZEN_ROLE]],
  },
  'rbac.authorization.k8s.io/v1/clusterrolebindings': {
    maximal: { subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'g' }] },
    change: { subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' }] },
    frozen: [[{ roleRef }, 'roleRef', FROZEN_ROLE]],
  },
  'certificates.k8s.io/v1/certificatesigningrequests': {
    named: () => ({ spec: { request } }),
    maximal: { spec: { expirationSeconds: 3600 } },
    defaults: {
      spec: { username: 'system:admin', groups: ['system:masters', 'system:authenticated'] },
      status: {},
    },
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { conditions: [{ type: 'Failed', status: 'True', reason: 'x', message: 'y' }] },
    selected: { 'spec.signerName': 'kubernetes.io/kube-apiserver-client' },
  },
  'certificates.k8s.io/v1beta1/clustertrustbundles': {
    maximal: {},
    change: { metadata: { labels: { changed: 'yes' } } },
  },
  'certificates.k8s.io/v1beta1/podcertificaterequests': {
    maximal: {},
    change: { metadata: { labels: { changed: 'yes' } } },
    selected: { 'spec.signerName': 'example.com/signer', 'spec.nodeName': 'node-1' },
  },
  'flowcontrol.apiserver.k8s.io/v1/flowschemas': {
    maximal: {
      spec: {
        matchingPrecedence: 77,
        distinguisherMethod: { type: 'ByNamespace' },
        rules: [
          {
            subjects: [{ kind: 'ServiceAccount', serviceAccount: { namespace: 'a', name: '*' } }],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
          },
        ],
      },
    },
    defaults: { spec: { matchingPrecedence: 1000 }, status: {} },
    change: { spec: { matchingPrecedence: 500 } },
    status: {
      conditions: [
        {
          type: 'Dangling',
          status: 'False',
          reason: 'x',
          message: 'y',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  },
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations': {
    maximal: {
      spec: {
        limited: {
          nominalConcurrencyShares: 7,
          lendablePercent: 10,
          borrowingLimitPercent: 20,
          limitResponse: {
            type: 'Queue',
            queuing: { queues: 32, handSize: 4, queueLengthLimit: 10 },
          },
        },
      },
    },
    defaults: {
      spec: {
        limited: {
          nominalConcurrencyShares: 30,
          lendablePercent: 0,
          limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
        },
      },
    },
    change: { spec: { limited: { nominalConcurrencyShares: 11 } } },
    status: {
      conditions: [
        {
          type: 'x',
          status: 'False',
          reason: 'x',
          message: 'y',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  },
  'storagemigration.k8s.io/v1beta1/storageversionmigrations': {
    maximal: {},
    change: { metadata: { labels: { changed: 'yes' } } },
    status: { resourceVersion: '7' },
  },
  'scheduling.k8s.io/v1/priorityclasses': {
    maximal: { value: 1000, description: 'd', preemptionPolicy: 'Never', globalDefault: false },
    defaults: { preemptionPolicy: 'PreemptLowerPriority' },
    change: { description: 'other' },
    frozen: [[{ value: 7 }, 'value', 'Forbidden: may not be changed in an update.']],
  },
  'coordination.k8s.io/v1/leases': {
    maximal: {
      spec: {
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:01.000000Z',
        leaseTransitions: 3,
      },
    },
    change: { spec: { holderIdentity: 'you' } },
  },
  'coordination.k8s.io/v1beta1/leasecandidates': {
    maximal: { spec: { pingTime: '2026-01-01T00:00:00.000000Z' } },
    change: { spec: { binaryVersion: '1.37.0' } },
    frozen: [
      [
        { spec: { leaseName: 'other' } },
        'spec.leaseName',
        'Invalid value: "other": field is immutable',
      ],
    ],
  },
  'node.k8s.io/v1/runtimeclasses': {
    maximal: {
      overhead: { podFixed: { cpu: '10m' } },
      scheduling: {
        nodeSelector: labels,
        tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }],
      },
    },
    change: { metadata: { labels: { changed: 'yes' } } },
    frozen: [[{ handler: 'kata' }, 'handler', 'Invalid value: "kata": field is immutable']],
  },
};
