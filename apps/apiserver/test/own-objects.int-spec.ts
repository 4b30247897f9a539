import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, useEtcd } from '@orrery/testkit';
import { metadataOf, startReplica } from './replica.js';
import type { Json, Replica } from './replica.js';

const etcd = useEtcd();
let api: Replica;

beforeAll(async () => {
  api = await startReplica({
    etcd: etcd.endpoints,
    keyspace: etcd.keyspace,
    flags: [
      '--authorization-mode=RBAC,AlwaysAllow',
      '--enable-admission-plugins=NamespaceAutoProvision',
    ],
  });
}, 60_000);

afterAll(async () => {
  await api.close();
});

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const BOOTSTRAPPED = {
  'f:annotations': { '.': {}, 'f:rbac.authorization.kubernetes.io/autoupdate': {} },
  'f:labels': { '.': {}, 'f:kubernetes.io/bootstrapping': {} },
};
const PRODUCER = {
  manager: 'api-priority-and-fairness-config-producer-v1',
  operation: 'Update',
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  fieldsType: 'FieldsV1',
};
const CONDITION = {
  '.': {},
  'f:lastTransitionTime': {},
  'f:message': {},
  'f:reason': {},
  'f:status': {},
  'f:type': {},
};

const own = (apiVersion: string, fieldsV1: Json): Json => ({
  manager: 'kube-apiserver',
  operation: 'Update',
  apiVersion,
  fieldsType: 'FieldsV1',
  fieldsV1,
});

// Read from kube-apiserver 1.28.0, ServiceCIDR from the source of 1.36.
describe('what the server has made itself', () => {
  it.each<{ path: string; want: Json[] }>([
    {
      path: '/api/v1/namespaces/kube-system',
      want: [
        own('v1', {
          'f:metadata': { 'f:labels': { '.': {}, 'f:kubernetes.io/metadata.name': {} } },
        }),
      ],
    },
    {
      path: '/api/v1/namespaces/default/services/kubernetes',
      want: [
        own('v1', {
          'f:metadata': { 'f:labels': { '.': {}, 'f:component': {}, 'f:provider': {} } },
          'f:spec': {
            'f:clusterIP': {},
            'f:internalTrafficPolicy': {},
            'f:ipFamilyPolicy': {},
            'f:ports': {
              '.': {},
              'k:{"port":443,"protocol":"TCP"}': {
                '.': {},
                'f:name': {},
                'f:port': {},
                'f:protocol': {},
                'f:targetPort': {},
              },
            },
            'f:sessionAffinity': {},
            'f:type': {},
          },
        }),
      ],
    },
    {
      path: '/api/v1/namespaces/default/endpoints/kubernetes',
      want: [
        own('v1', {
          'f:metadata': {
            'f:labels': { '.': {}, 'f:endpointslice.kubernetes.io/skip-mirror': {} },
          },
          'f:subsets': {},
        }),
      ],
    },
    {
      path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes',
      want: [
        own('discovery.k8s.io/v1', {
          'f:addressType': {},
          'f:endpoints': {},
          'f:metadata': { 'f:labels': { '.': {}, 'f:kubernetes.io/service-name': {} } },
          'f:ports': {},
        }),
      ],
    },
    {
      path: '/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking',
      want: [own('v1', { 'f:data': { '.': {}, 'f:since': {} } })],
    },
    {
      path: `${RBAC}/clusterroles/cluster-admin`,
      want: [own('rbac.authorization.k8s.io/v1', { 'f:metadata': BOOTSTRAPPED, 'f:rules': {} })],
    },
    {
      path: `${RBAC}/clusterrolebindings/cluster-admin`,
      want: [
        own('rbac.authorization.k8s.io/v1', {
          'f:metadata': BOOTSTRAPPED,
          'f:roleRef': {},
          'f:subjects': {},
        }),
      ],
    },
    {
      path: '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical',
      want: [
        own('scheduling.k8s.io/v1', {
          'f:description': {},
          'f:preemptionPolicy': {},
          'f:value': {},
        }),
      ],
    },
    {
      path: '/apis/apiregistration.k8s.io/v1/apiservices/v1.apps',
      want: [
        own('apiregistration.k8s.io/v1', {
          'f:metadata': {
            'f:labels': { '.': {}, 'f:kube-aggregator.kubernetes.io/automanaged': {} },
          },
          'f:spec': {
            'f:group': {},
            'f:groupPriorityMinimum': {},
            'f:version': {},
            'f:versionPriority': {},
          },
        }),
      ],
    },
    {
      path: `${FLOW}/prioritylevelconfigurations/exempt`,
      want: [
        {
          ...PRODUCER,
          fieldsV1: {
            'f:metadata': {
              'f:annotations': { '.': {}, 'f:apf.kubernetes.io/autoupdate-spec': {} },
            },
            'f:spec': {
              'f:exempt': {
                '.': {},
                'f:lendablePercent': {},
                'f:nominalConcurrencyShares': {},
              },
              'f:type': {},
            },
          },
        },
      ],
    },
    {
      path: `${FLOW}/flowschemas/catch-all`,
      want: [
        {
          manager: 'api-priority-and-fairness-config-consumer-v1',
          operation: 'Apply',
          apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Dangling"}': CONDITION } } },
          subresource: 'status',
        },
        {
          ...PRODUCER,
          fieldsV1: {
            'f:metadata': {
              'f:annotations': { '.': {}, 'f:apf.kubernetes.io/autoupdate-spec': {} },
            },
            'f:spec': {
              'f:distinguisherMethod': { '.': {}, 'f:type': {} },
              'f:matchingPrecedence': {},
              'f:priorityLevelConfiguration': { 'f:name': {} },
              'f:rules': {},
            },
          },
        },
      ],
    },
    {
      path: '/apis/networking.k8s.io/v1/servicecidrs/kubernetes',
      want: [
        {
          manager: 'kubernetes-service-cidr-controller',
          operation: 'Apply',
          apiVersion: 'networking.k8s.io/v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Ready"}': CONDITION } } },
          subresource: 'status',
        },
        own('networking.k8s.io/v1', {
          'f:spec': { 'f:cidrs': {} },
        }),
      ],
    },
  ])('says so: $path', async ({ path, want }) => {
    await eventually(async () => {
      const entries = (metadataOf(await api.ask(path))['managedFields'] ?? []) as Json[];
      for (const entry of entries) delete entry['time'];
      expect(entries).toEqual(want);
    });
  });
});

// Read from the sources of 1.36.
describe('what the server writes on behalf of requests', () => {
  const entryOf = async (path: string, manager: string): Promise<Json | undefined> => {
    const entries = metadataOf(await api.ask(path))['managedFields'] as Json[] | undefined;
    const { time: _, ...entry } = entries?.find((one) => one['manager'] === manager) ?? {};
    return entry;
  };

  it('says who made the address of a Service', async () => {
    const path = '/apis/networking.k8s.io/v1/ipaddresses/';
    const { json } = await api.ask('/api/v1/namespaces/default/services/kubernetes');
    const ip = String((json['spec'] as Json)['clusterIP']);
    const name = `f:ipaddress.kubernetes.io/`;
    expect(await entryOf(`${path}${ip}`, 'kube-apiserver')).toEqual(
      own('networking.k8s.io/v1', {
        'f:metadata': {
          'f:labels': { '.': {}, [`${name}ip-family`]: {}, [`${name}managed-by`]: {} },
        },
        'f:spec': {
          'f:parentRef': { '.': {}, 'f:name': {}, 'f:namespace': {}, 'f:resource': {} },
        },
      }),
    );
  });

  it('says who booked in a quota, and who made a namespace', async () => {
    const quotas = '/api/v1/namespaces/booked/resourcequotas';
    const hard = { configmaps: '5' };
    await api.post(quotas, { metadata: { name: 'q' }, spec: { hard } });
    const status = { status: { hard, used: { configmaps: '0' } } };
    await api.patch(`${quotas}/q/status?fieldManager=kcm`, 'merge-patch+json', status);
    const namespace = own('v1', {
      'f:metadata': { 'f:labels': { '.': {}, 'f:kubernetes.io/metadata.name': {} } },
    });
    expect(await entryOf('/api/v1/namespaces/booked', 'kube-apiserver')).toEqual(namespace);
    await eventually(async () => {
      const path = '/api/v1/namespaces/booked/configmaps';
      expect((await api.post(path, { metadata: { generateName: 'c' } })).status).toBe(201);
      expect(await entryOf(`${quotas}/q`, 'kube-apiserver')).toEqual({
        ...own('v1', { 'f:status': { 'f:used': { 'f:configmaps': {} } } }),
        subresource: 'status',
      });
    });
  });

  it('says who checked the types of a policy', async () => {
    const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
    await api.post(policies, {
      metadata: { name: 'p' },
      spec: {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        validations: [{ expression: 'true' }],
      },
    });
    await eventually(async () => {
      expect(await entryOf(`${policies}/p`, 'validatingadmissionpolicy-status')).toEqual({
        manager: 'validatingadmissionpolicy-status',
        operation: 'Apply',
        apiVersion: 'admissionregistration.k8s.io/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:status': { 'f:observedGeneration': {}, 'f:typeChecking': {} } },
        subresource: 'status',
      });
    });
  });
});

// Read from kube-apiserver 1.28.0: fields are looked at before admission and before the strategy of the kind.
describe('what admission and the strategy add', () => {
  const fieldsOf = (answer: { readonly json: Json }): unknown =>
    (metadataOf(answer)['managedFields'] as Json[]).map(({ fieldsV1 }) => fieldsV1);

  it('belongs to nobody in a namespace', async () => {
    const made = await api.post('/api/v1/namespaces', { metadata: { name: 'made' } });
    expect(made.json['spec']).toEqual({ finalizers: ['kubernetes'] });
    expect(fieldsOf(made)).toEqual([
      { 'f:metadata': { 'f:labels': { '.': {}, 'f:kubernetes.io/metadata.name': {} } } },
    ]);
  });

  it('belongs to nobody in a pod, when it is made and when it is changed', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    await api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    const made = await api.post(pods, {
      metadata: { name: 'made' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    expect(Object.keys(made.json['spec'] as Json)).toContain('tolerations');
    const [fields] = fieldsOf(made) as { 'f:spec': Json }[];
    expect(Object.keys(fields?.['f:spec'] ?? {}).sort()).toEqual([
      'f:containers',
      'f:dnsPolicy',
      'f:enableServiceLinks',
      'f:restartPolicy',
      'f:schedulerName',
      'f:securityContext',
      'f:terminationGracePeriodSeconds',
    ]);
    const labels = { metadata: { labels: { a: 'b' } } };
    const patched = await api.patch(`${pods}/made?fieldManager=two`, 'merge-patch+json', labels);
    expect(fieldsOf(patched)).toContainEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
    });
  });
});
