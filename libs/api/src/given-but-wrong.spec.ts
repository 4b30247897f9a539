import { describe, expect, it } from '@jest/globals';
import type { FieldError, KubeObject } from '@orrery/apimachinery';
import { PriorityClassKind } from './scheduling/v1/priorityclass/priorityclass.kind.js';
import { CSIDriverKind } from './storage/v1/csidriver/csidriver.kind.js';
import { VolumeAttachmentKind } from './storage/v1/volumeattachment/volumeattachment.kind.js';
import { StorageClassKind } from './storage/v1/storageclass/storageclass.kind.js';
import { ClusterRoleKind } from './rbac/v1/role/role.kind.js';
import { RuntimeClassKind } from './node/v1/runtimeclass/runtimeclass.kind.js';
import { NetworkPolicyKind } from './networking/v1/networkpolicy/networkpolicy.kind.js';
import { IngressKind } from './networking/v1/ingress/ingress.kind.js';
import { DeploymentKind } from './apps/v1/deployment/deployment.kind.js';
import { DaemonSetKind } from './apps/v1/daemonset/daemonset.kind.js';
import { StatefulSetKind } from './apps/v1/statefulset/statefulset.kind.js';
import { JobKind } from './batch/v1/job/job.kind.js';
import { NodeKind } from './core/v1/node/node.kind.js';
import { NamespaceKind } from './core/v1/namespace/namespace.kind.js';
import { LimitRangeKind } from './core/v1/limitrange/limitrange.kind.js';
import { PersistentVolumeKind } from './core/v1/persistentvolume/persistentvolume.kind.js';
import { PodKind } from './core/v1/pod/pod.kind.js';
import { defaultPullPolicy } from './core/v1/pod-spec/image.js';
import { context, objectOf, refusals } from './findings.fixture.js';
import type { KindDescriptor } from './kind.js';

interface Case {
  readonly name: string;
  readonly of: () => string[];
  readonly want: readonly string[];
}

const row = <T extends KubeObject>(
  name: string,
  kind: KindDescriptor<T>,
  change: object,
  ...want: readonly string[]
): Case => ({ name, of: () => refusals(kind, change), want });

const operator = { matchExpressions: [{ key: 'a' }] };
const template = { metadata: { labels: { app: 'web' } } };

/** What upstream 1.20.2 answers to the same objects, but for messages that 1.36 words otherwise. */
const cases: readonly Case[] = [
  row(
    'an empty policy of a priority class',
    PriorityClassKind,
    { preemptionPolicy: '' },
    'preemptionPolicy: Required value',
  ),
  row(
    'an empty policy of a CSI driver',
    CSIDriverKind,
    { spec: { fsGroupPolicy: '' } },
    'spec.fsGroupPolicy: Unsupported value: "": supported values: "File", "None", "ReadWriteOnceWithFSType"',
  ),
  row(
    'a storage class that recycles, binds somehow and names no topology',
    StorageClassKind,
    {
      provisioner: 'Not/../n!',
      reclaimPolicy: 'Recycle',
      volumeBindingMode: '',
      allowedTopologies: [{}],
    },
    `provisioner: Invalid value: "Not/../n!": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
    'volumeBindingMode: Unsupported value: "": supported values: "Immediate", "WaitForFirstConsumer"',
    'allowedTopologies[0].matchLabelExpressions: Duplicate value: ""',
  ),
  row(
    'a selector of an aggregated role without operator',
    ClusterRoleKind,
    { aggregationRule: { clusterRoleSelectors: [operator] } },
    'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "": not a valid selector operator',
    'aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.',
  ),
  row(
    'a toleration of a runtime class twice',
    RuntimeClassKind,
    { scheduling: { tolerations: [1, 2].map(() => ({ key: 'a', operator: 'Exists' })) } },
    'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
  ),
  row(
    'a network policy of no type and no protocol',
    NetworkPolicyKind,
    { spec: { policyTypes: [''], ingress: [{ ports: [{ protocol: '' }] }] } },
    'spec.ingress[0].ports[0].protocol: Unsupported value: "": supported values: "TCP", "UDP", "SCTP"',
    'spec.policyTypes[0]: Unsupported value: "": supported values: "Ingress", "Egress"',
  ),
  row(
    'an empty path type',
    IngressKind,
    {
      spec: {
        rules: [
          {
            http: {
              paths: [
                { pathType: '', backend: { service: { name: 'web', port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    },
    'spec.rules[0].http.paths[0].pathType: Unsupported value: "": supported values: "Exact", "ImplementationSpecific", "Prefix"',
  ),
  row(
    'a deployment whose selector has no operator',
    DeploymentKind,
    { spec: { selector: operator, template } },
    'spec.selector.matchExpressions[0].operator: Invalid value: "": not a valid selector operator',
    'spec.selector: Invalid value: {"matchLabels":{"app":"web"},"matchExpressions":[{"key":"a"}]}: invalid label selector',
  ),
  row(
    'a stateful set whose selector has no operator',
    StatefulSetKind,
    { spec: { selector: operator, template } },
    'spec.selector.matchExpressions[0].operator: Invalid value: "": not a valid selector operator',
    'spec.selector: Invalid value: {"matchLabels":{"app":"web"},"matchExpressions":[{"key":"a"}]}',
  ),
  row(
    'a daemon set whose selector has no operator',
    DaemonSetKind,
    { spec: { selector: operator, template } },
    'spec.selector.matchExpressions[0].operator: Invalid value: "": not a valid selector operator',
  ),
  row(
    'finalizers of a namespace, by the name of their list',
    NamespaceKind,
    { spec: { finalizers: ['ok'] } },
    'spec.finalizers: Invalid value: "ok": name is neither a standard finalizer name nor is it fully qualified',
  ),
  row(
    'a ratio of an unknown resource',
    LimitRangeKind,
    { spec: { limits: [{ type: 'Container', maxLimitRequestRatio: { k: '2' } }] } },
    'spec.limits[0].maxLimitRequestRatio[k]: Invalid value: "k": must be a standard resource type or fully qualified',
    'spec.limits[0].maxLimitRequestRatio[k]: Invalid value: "k": must be a standard resource for containers',
  ),
  row(
    'a second source of a volume, the first being the first of upstream',
    PersistentVolumeKind,
    {
      spec: {
        csi: { driver: 'd.x', volumeHandle: 'h' },
        hostPath: undefined,
        nfs: { server: 's', path: '/p' },
        volumeMode: '',
      },
    },
    'spec.csi: Forbidden: may not specify more than 1 volume type',
    'spec.volumeMode: Unsupported value: "": supported values: "Block", "Filesystem"',
  ),
  row(
    'an inline volume of an attachment that says what only volumes say',
    VolumeAttachmentKind,
    {
      spec: {
        source: {
          persistentVolumeName: undefined,
          inlineVolumeSpec: {
            capacity: { storage: '1Gi' },
            persistentVolumeReclaimPolicy: 'Delete',
            storageClassName: 'fast',
            volumeMode: 'Block',
            nfs: { server: 's', path: 'p' },
          },
        },
      },
    },
    'spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes',
    'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
    'spec.source.inlineVolumeSpec.accessModes: Required value',
    'spec.source.inlineVolumeSpec.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes',
    'spec.source.inlineVolumeSpec.nfs.path: Invalid value: "p": must be an absolute path',
    'spec.source.inlineVolumeSpec.storageClassName: Forbidden: may not be specified in the context of inline volumes',
    'spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes',
  ),
  row('a flexVolume beside another source', PersistentVolumeKind, {
    spec: { flexVolume: { driver: 'a/b' } },
  }),
  row(
    'a volume that is wrong and mounted',
    PodKind,
    {
      spec: {
        containers: [{ name: 'a', image: 'b', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
        volumes: [{ name: 'v', secret: {} }],
      },
    },
    'spec.volumes[0].secret.secretName: Required value',
    'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ),
  row(
    'fields of another version',
    PodKind,
    {
      spec: {
        containers: [
          {
            name: 'a',
            image: 'b',
            env: [
              {
                name: 'E',
                valueFrom: { fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } },
              },
            ],
          },
        ],
      },
    },
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
  ),
  row(
    'an owner whose version has two slashes',
    PodKind,
    { metadata: { ownerReferences: [{ apiVersion: 'a/b/c', kind: 'K', name: 'n', uid: 'u' }] } },
    'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
  ),
];

const lines = (findings: readonly FieldError[] | undefined): string[] =>
  (findings ?? []).map(({ field, message }) => `${field}: ${message}`);

describe('what is given but wrong', () => {
  it.each(cases)('$name', ({ of, want }) => {
    expect(of()).toEqual(want);
  });

  it('lets podCIDR win over podCIDRs', () => {
    const spec = { podCIDR: '10.1.0.0/24', podCIDRs: ['10.2.0.0/24', 'fd00::/64'] };
    expect(objectOf(NodeKind, { spec }).spec).toMatchObject({ podCIDRs: ['10.1.0.0/24'] });
  });

  it.each([
    {
      name: 'a selector of one that is not generated',
      change: { selector: { matchLabels: { a: 'b' } } },
      want: /^spec.selector: .*`selector` not auto-generated$/,
    },
    {
      name: 'labels of another job',
      change: { template: { metadata: { labels: { 'job-name': 'other' } } } },
      want: /^spec.template.metadata.labels\[job-name\]: Invalid value: .*: must be 'web'$/,
    },
  ])('refuses of a job $name', ({ change, want }) => {
    const job = objectOf(JobKind, { metadata: { uid: 'u-1' }, spec: change });
    JobKind.strategy.prepareForCreate?.(job, context);
    expect(lines(JobKind.strategy.validate?.(job, context))).toContainEqual(
      expect.stringMatching(want),
    );
  });

  it.each([
    { name: 'no tag', image: 'nginx', want: 'Always' },
    {
      name: 'latest of a registry with a port',
      image: 'localhost:5000/a/b:latest',
      want: 'Always',
    },
    { name: 'a tag', image: 'nginx:1', want: 'IfNotPresent' },
    { name: 'a digest', image: `nginx@sha256:${'a'.repeat(64)}`, want: 'IfNotPresent' },
    { name: 'what is no image', image: 'OTHER', want: 'IfNotPresent' },
    { name: 'dots', image: '..', want: 'IfNotPresent' },
  ])('pulls $name $want', ({ image, want }) => {
    expect(defaultPullPolicy(image)).toBe(want);
  });
});
