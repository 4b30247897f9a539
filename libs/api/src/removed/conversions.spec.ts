import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { toApiVersion } from '@orrery/apimachinery';
import type { KindDescriptor } from '../kind.js';
import { context } from '../findings.fixture.js';
import { removedKinds } from './removed-kinds.js';

interface Case {
  readonly name: string;
  /** `group/version/plural`. */
  readonly of: string;
  readonly old: object;
  readonly hub: object;
}

const kindOf = (id: string): KindDescriptor => {
  const found = removedKinds.find(
    ({ group, version, plural }) => `${group}/${version}/${plural}` === id,
  );
  if (!found) throw new Error(`no kind ${id}`);
  return found;
};

const shaped = (kind: KindDescriptor, fields: object): KubeObject =>
  ({
    kind: kind.kind,
    apiVersion: toApiVersion(kind.group, kind.version),
    metadata: { name: 'web' },
    ...structuredClone(fields),
  }) as KubeObject;

const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } };
const described = { kind: 'Service', name: 'web', apiVersion: 'v1' };
const selector = { matchLabels: { a: 'b' } };
const deprecated = (name: string, value: string): object => ({
  metadata: { name: 'web', annotations: { [`deprecated.${name}`]: value } },
});
const column = { name: 'Size', type: 'integer' };
const structural = { openAPIV3Schema: { type: 'object' } };
const NO_PODS = { key: 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match' };

const CASES: readonly Case[] = [
  {
    name: 'a backend names its service and port',
    of: 'networking.k8s.io/v1beta1/ingresses',
    old: { spec: { backend: { serviceName: 'a', servicePort: 80 } } },
    hub: { spec: { defaultBackend: { service: { name: 'a', port: { number: 80 } } } } },
  },
  {
    name: 'the port of a backend may have a name',
    of: 'extensions/v1beta1/ingresses',
    old: {
      spec: {
        rules: [
          { http: { paths: [{ path: '/', backend: { serviceName: 'a', servicePort: 'w' } }] } },
        ],
      },
    },
    hub: {
      spec: {
        rules: [
          {
            http: {
              paths: [{ path: '/', backend: { service: { name: 'a', port: { name: 'w' } } } }],
            },
          },
        ],
      },
    },
  },
  {
    name: 'a backend may be a resource',
    of: 'networking.k8s.io/v1beta1/ingresses',
    old: { spec: { backend: { resource: { kind: 'Bucket', name: 'a' } } } },
    hub: { spec: { defaultBackend: { resource: { kind: 'Bucket', name: 'a' } } } },
  },
  {
    name: 'zone and node are part of the topology',
    of: 'discovery.k8s.io/v1beta1/endpointslices',
    old: {
      endpoints: [
        {
          nodeName: 'n',
          topology: {
            'topology.kubernetes.io/zone': 'z',
            'kubernetes.io/hostname': 'n',
            rack: '1',
          },
        },
      ],
    },
    hub: { endpoints: [{ nodeName: 'n', zone: 'z', deprecatedTopology: { rack: '1' } }] },
  },
  {
    name: 'an empty selector of v1beta1 matches no pods',
    of: 'policy/v1beta1/poddisruptionbudgets',
    old: { spec: { selector: {} } },
    hub: { spec: { selector: { matchExpressions: [{ ...NO_PODS, operator: 'Exists' }] } } },
  },
  {
    name: 'an empty selector of v1 matches all pods',
    of: 'policy/v1beta1/poddisruptionbudgets',
    old: { spec: { selector: { matchExpressions: [{ ...NO_PODS, operator: 'DoesNotExist' }] } } },
    hub: { spec: { selector: {} } },
  },
  {
    name: 'metrics of resources are flat in v2beta1',
    of: 'autoscaling/v2beta1/horizontalpodautoscalers',
    old: {
      spec: {
        metrics: [{ type: 'Resource', resource: { name: 'cpu', targetAverageUtilization: 50 } }],
      },
    },
    hub: { spec: { metrics: [{ type: 'Resource', resource: cpu }] } },
  },
  {
    name: 'metrics of objects name what they describe',
    of: 'autoscaling/v2beta1/horizontalpodautoscalers',
    old: {
      spec: {
        metrics: [
          {
            type: 'Object',
            object: { target: described, metricName: 'm', targetValue: '10', selector },
          },
        ],
      },
    },
    hub: {
      spec: {
        metrics: [
          {
            type: 'Object',
            object: {
              describedObject: described,
              metric: { name: 'm', selector },
              target: { type: 'Value', value: '10' },
            },
          },
        ],
      },
    },
  },
  {
    name: 'external metrics have a selector of their own name, and a current value',
    of: 'autoscaling/v2beta1/horizontalpodautoscalers',
    old: {
      status: {
        currentMetrics: [
          {
            type: 'External',
            external: { metricName: 'm', metricSelector: selector, currentValue: '3' },
          },
        ],
      },
    },
    hub: {
      status: {
        currentMetrics: [
          {
            type: 'External',
            external: { metric: { name: 'm', selector }, current: { value: '3' } },
          },
        ],
      },
    },
  },
  {
    name: 'behaviour is an annotation in v2beta1',
    of: 'autoscaling/v2beta1/horizontalpodautoscalers',
    old: {
      metadata: {
        name: 'web',
        annotations: {
          'autoscaling.alpha.kubernetes.io/behavior': '{"scaleUp":{"selectPolicy":"Max"}}',
        },
      },
      spec: {},
    },
    hub: { spec: { behavior: { scaleUp: { selectPolicy: 'Max' } } } },
  },
  {
    name: 'levels had assured shares',
    of: 'flowcontrol.apiserver.k8s.io/v1beta2/prioritylevelconfigurations',
    old: { spec: { type: 'Limited', limited: { assuredConcurrencyShares: 7 } } },
    hub: { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 7 } } },
  },
  {
    name: 'a rollback is an annotation in apps/v1',
    of: 'extensions/v1beta1/deployments',
    old: { spec: { rollbackTo: { revision: 3 } } },
    hub: { ...deprecated('deployment.rollback.to', '3'), spec: {} },
  },
  {
    name: 'a template generation is an annotation in apps/v1',
    of: 'extensions/v1beta1/daemonsets',
    old: { spec: { templateGeneration: 4 } },
    hub: { ...deprecated('daemonset.template.generation', '4'), spec: {} },
  },
  {
    name: 'a RuntimeClass of v1alpha1 has a spec',
    of: 'node.k8s.io/v1alpha1/runtimeclasses',
    old: { spec: { runtimeHandler: 'runc', overhead: { podFixed: { cpu: '1' } } } },
    hub: { handler: 'runc', overhead: { podFixed: { cpu: '1' } } },
  },
  {
    name: 'subjects of v1alpha1 name an API version',
    of: 'rbac.authorization.k8s.io/v1alpha1/rolebindings',
    old: {
      subjects: [
        { kind: 'ServiceAccount', name: 'a', namespace: 'b', apiVersion: 'v1' },
        { kind: 'Group', name: 'g', apiVersion: 'rbac.authorization.k8s.io/v1alpha1' },
      ],
    },
    hub: {
      subjects: [
        { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
        { kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' },
      ],
    },
  },
  {
    name: 'what all versions of a definition share stands beside them',
    of: 'apiextensions.k8s.io/v1beta1/customresourcedefinitions',
    old: {
      spec: {
        version: 'v1',
        preserveUnknownFields: false,
        validation: structural,
        subresources: { status: {} },
        additionalPrinterColumns: [{ ...column, JSONPath: '.spec.size' }],
        versions: [{ name: 'v1' }, { name: 'v2' }],
      },
    },
    hub: {
      spec: {
        versions: ['v1', 'v2'].map((name) => ({
          name,
          schema: structural,
          subresources: { status: {} },
          additionalPrinterColumns: [{ ...column, jsonPath: '.spec.size' }],
        })),
      },
    },
  },
  {
    name: 'what versions of a definition do not share stays with them',
    of: 'apiextensions.k8s.io/v1beta1/customresourcedefinitions',
    old: {
      spec: {
        version: 'v1',
        preserveUnknownFields: false,
        versions: [{ name: 'v1', schema: structural }, { name: 'v2' }],
        conversion: {
          strategy: 'Webhook',
          webhookClientConfig: { url: 'https://a' },
          conversionReviewVersions: ['v1beta1'],
        },
      },
    },
    hub: {
      spec: {
        versions: [{ name: 'v1', schema: structural }, { name: 'v2' }],
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig: { url: 'https://a' }, conversionReviewVersions: ['v1beta1'] },
        },
      },
    },
  },
];

describe('conversion of removed versions', () => {
  it.each(CASES)('$name ($of)', ({ of, old, hub }) => {
    const kind = kindOf(of);
    const conversion = kind.storageConversion as NonNullable<KindDescriptor['storageConversion']>;
    const current = shaped(kind.hub as KindDescriptor, hub);
    expect(conversion.toStorage(shaped(kind, old))).toEqual(current);
    expect(conversion.fromStorage(current)).toEqual(shaped(kind, old));
  });

  it('makes the user * of v1alpha1 everybody', () => {
    const kind = kindOf('rbac.authorization.k8s.io/v1alpha1/clusterrolebindings');
    const object = shaped(kind, { subjects: [{ kind: 'User', name: '*' }] });
    expect(kind.storageConversion?.toStorage(object)).toMatchObject({
      subjects: [
        { kind: 'Group', name: 'system:authenticated', apiGroup: 'rbac.authorization.k8s.io' },
      ],
    });
  });
});

interface DefaultCase {
  readonly name: string;
  readonly of: string;
  readonly given: object;
  readonly want: object;
}

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [] } };

const DEFAULTS: readonly DefaultCase[] = [
  {
    name: 'selector and labels of the template',
    of: 'apps/v1beta1/deployments',
    given: { spec: { template } },
    want: {
      metadata: { labels: { app: 'a' } },
      spec: { selector: { matchLabels: { app: 'a' } }, revisionHistoryLimit: 2, replicas: 1 },
    },
  },
  {
    name: 'no limits in extensions',
    of: 'extensions/v1beta1/deployments',
    given: { spec: { template } },
    want: {
      spec: {
        progressDeadlineSeconds: 2147483647,
        revisionHistoryLimit: 2147483647,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      },
    },
  },
  {
    name: 'daemons of extensions are replaced by hand',
    of: 'extensions/v1beta1/daemonsets',
    given: { spec: { template } },
    want: { spec: { updateStrategy: { type: 'OnDelete' } } },
  },
  {
    name: 'webhooks of v1beta1 are lenient',
    of: 'admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations',
    given: { webhooks: [{ name: 'a.b.c', clientConfig: { url: 'https://a' } }] },
    want: {
      webhooks: [
        {
          failurePolicy: 'Ignore',
          matchPolicy: 'Exact',
          sideEffects: 'Unknown',
          timeoutSeconds: 30,
          admissionReviewVersions: ['v1beta1'],
        },
      ],
    },
  },
  {
    name: 'paths are matched as the controller likes',
    of: 'networking.k8s.io/v1beta1/ingresses',
    given: { spec: { rules: [{ http: { paths: [{ backend: { serviceName: 'a' } }] } }] } },
    want: { spec: { rules: [{ http: { paths: [{ pathType: 'ImplementationSpecific' }] } }] } },
  },
  {
    name: 'a definition without a schema takes everything',
    of: 'apiextensions.k8s.io/v1beta1/customresourcedefinitions',
    given: { spec: { version: 'v1', names: { kind: 'Car', plural: 'cars' } } },
    want: {
      spec: {
        scope: 'Namespaced',
        preserveUnknownFields: false,
        versions: [{ name: 'v1', served: true, storage: true }],
        validation: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    },
  },
  {
    name: 'requests for certificates name a signer',
    of: 'certificates.k8s.io/v1beta1/certificatesigningrequests',
    given: { spec: { request: '' } },
    want: {
      spec: {
        signerName: 'kubernetes.io/legacy-unknown',
        usages: ['digital signature', 'key encipherment'],
      },
    },
  },
];

describe('defaults of removed versions', () => {
  it.each(DEFAULTS)('$name ($of)', ({ of, given, want }) => {
    const kind = kindOf(of);
    const object = shaped(kind, given);
    kind.setDefaults?.(object);
    expect(object).toMatchObject(want);
  });
});

describe('validation of removed versions', () => {
  it('spares webhooks of v1beta1 the promise to have no side effects', () => {
    const kind = kindOf('admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations');
    const object = shaped(kind, {
      webhooks: [{ name: 'a.b.c', clientConfig: { url: 'https://a' }, rules: [] }],
    });
    kind.setDefaults?.(object);
    expect(kind.strategy.validate?.(object, context)).toEqual([]);
  });
});

it('lets requests of v1beta1 be for the signer that they get when they name none', () => {
  const request = { spec: { usages: ['signing', 'signing', 'x'], signerName: undefined } };
  const v1beta1 = kindOf('certificates.k8s.io/v1beta1/certificatesigningrequests');
  const object = shaped(v1beta1, request);
  v1beta1.setDefaults?.(object);
  expect(object).toMatchObject({ spec: { signerName: 'kubernetes.io/legacy-unknown' } });
  const findings = v1beta1.strategy.validate?.(object, context) ?? [];
  expect(findings.map(({ field }) => field)).toEqual(['spec.request']);
});

describe('deprecation warnings', () => {
  it.each([
    [
      'policy/v1beta1/poddisruptionbudgets',
      'policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+, unavailable in v1.25+; use policy/v1 PodDisruptionBudget',
    ],
    [
      'events.k8s.io/v1beta1/events',
      'events.k8s.io/v1beta1 Event is deprecated in v1.22+, unavailable in v1.25+',
    ],
    [
      'extensions/v1beta1/ingresses',
      'extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress',
    ],
    [
      'flowcontrol.apiserver.k8s.io/v1beta1/flowschemas',
      'flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema is deprecated in v1.23+, unavailable in v1.26+; use flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema',
    ],
    ['rbac.authorization.k8s.io/v1alpha1/roles', undefined],
  ])('%s', (of, text) => {
    expect(kindOf(of).deprecation).toBe(text);
  });
});
