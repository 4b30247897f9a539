import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import type { Refused, RefusedUpdate } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import type { KindDescriptor } from '../../../kind.js';
import { JobKind } from '../../../batch/v1/job/job.kind.js';
import { PodTemplateKind } from '../../../core/v1/pod-template/pod-template.kind.js';
import { PodKind } from '../../../core/v1/pod/pod.kind.js';
import { ReplicationControllerKind } from '../../../core/v1/replicationcontroller/replicationcontroller.kind.js';
import { DaemonSetKind } from '../daemonset/daemonset.kind.js';
import { DeploymentKind } from '../deployment/deployment.kind.js';
import { ReplicaSetKind } from '../replicaset/replicaset.kind.js';
import { StatefulSetKind } from '../statefulset/statefulset.kind.js';

interface RefusedKind extends Refused {
  readonly kind: KindDescriptor;
}

const of = <T extends KubeObject>(kind: KindDescriptor<T>): KindDescriptor =>
  kind as unknown as KindDescriptor;
const spec = (more: object): object => ({ spec: more });

const NOT_MATCHING =
  'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`';
const NO_SELECTOR = 'spec.selector: Required value';
const NO_CONTAINERS = 'spec.template.spec.containers: Required value';
const NEVER = 'Required value: valid values: "OnFailure", "Never"';

// Upstream's structs are never absent: their defaults are set, and what is told is what they lack.
it.each<[KindDescriptor, string[]]>([
  [of(DeploymentKind), [NO_SELECTOR, NOT_MATCHING, NO_CONTAINERS]],
  [of(ReplicaSetKind), [NO_SELECTOR, NOT_MATCHING, NO_CONTAINERS]],
  [of(StatefulSetKind), [NO_SELECTOR, NOT_MATCHING, NO_CONTAINERS]],
  [of(DaemonSetKind), [NOT_MATCHING, NO_CONTAINERS]],
  [of(JobKind), [NO_CONTAINERS, `spec.template.spec.restartPolicy: ${NEVER}`]],
  [of(PodKind), ['spec.containers: Required value']],
  [of(PodTemplateKind), ['template.spec.containers: Required value']],
])('%#: what has no spec at all is told what it lacks', (kind, want) => {
  expect(refusals(kind, { spec: undefined, template: undefined })).toEqual(want);
});

describe('a workload', () => {
  it.each<RefusedKind>([
    {
      name: 'a selector of other pods',
      kind: of(DeploymentKind),
      change: spec({ selector: { matchLabels: { app: 'db' } }, replicas: -1 }),
      want: [
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    },
    {
      name: 'an empty selector and pods that end',
      kind: of(ReplicaSetKind),
      change: spec({
        selector: { matchLabels: undefined },
        template: { spec: { restartPolicy: 'Never', activeDeadlineSeconds: 5 } },
      }),
      want: [
        'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      ],
    },
    {
      name: 'a rollout that cannot move',
      kind: of(DeploymentKind),
      change: spec({
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '0%' } },
        minReadySeconds: 600,
      }),
      want: [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
        'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
      ],
    },
    {
      name: 'a strategy of no type',
      kind: of(DeploymentKind),
      change: spec({ strategy: { type: 'Slow' } }),
      want: [
        'spec.strategy: Unsupported value: {"Type":"Slow","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
      ],
    },
    {
      name: 'labels of the template that are none',
      kind: of(DeploymentKind),
      change: spec({ template: { metadata: { labels: { app: 'web', 'a b': 'c' } } } }),
      want: [
        "spec.template.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    },
    {
      name: 'an update by words that are no numbers',
      kind: of(DaemonSetKind),
      change: spec({ updateStrategy: { rollingUpdate: { maxUnavailable: 'x' } } }),
      want: [
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
      ],
    },
    {
      name: 'an update by a number in a text',
      kind: of(DaemonSetKind),
      change: spec({ updateStrategy: { rollingUpdate: { maxUnavailable: '2' } } }),
      want: [
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: \"2\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ],
    },
    {
      name: 'both ways to replace daemons',
      kind: of(DaemonSetKind),
      change: spec({ updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } }),
      want: [
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
      ],
    },
    {
      name: 'a management, a retention and claims of no sort',
      kind: of(StatefulSetKind),
      change: spec({
        podManagementPolicy: 'Any',
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Keep' },
        updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } },
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      }),
      want: [
        "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'",
        'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy \'RollingUpdate\'',
        'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
        'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
        'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
      ],
    },
    {
      name: 'no template',
      kind: of(ReplicationControllerKind),
      change: spec({ template: undefined, selector: { app: 'web' } }),
      want: ['spec.template: Required value'],
    },
  ])('is refused for $name', ({ kind, change, want }) => {
    expect(refusals(kind, change)).toEqual(want);
  });

  it.each<RefusedUpdate & { readonly kind: KindDescriptor }>([
    {
      name: 'another selector',
      kind: of(DeploymentKind),
      before: {},
      after: spec({
        selector: { matchLabels: { app: 'web', tier: 'a' } },
        template: { metadata: { labels: { app: 'web', tier: 'a' } } },
      }),
      want: [
        'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable',
      ],
    },
    {
      name: 'another service',
      kind: of(StatefulSetKind),
      before: spec({ serviceName: 'a' }),
      after: spec({ serviceName: 'b' }),
      want: [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    },
  ])('may not get $name', ({ kind, before, after, want }) => {
    expect(updateRefusals(kind, before, after)).toEqual(want);
  });

  it.each<RefusedUpdate & { readonly kind: KindDescriptor }>([
    {
      name: 'more ready pods than pods',
      kind: of(DeploymentKind),
      before: { status: { collisionCount: 3 } },
      after: {
        status: { replicas: 1, readyReplicas: 2, availableReplicas: -1, collisionCount: 2 },
      },
      want: [
        'status.availableReplicas: Invalid value: -1: must be greater than or equal to 0',
        'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
        'status.collisionCount: Invalid value: 2: cannot be decremented',
      ],
    },
    {
      name: 'more available pods than ready ones',
      kind: of(StatefulSetKind),
      before: {},
      after: { status: { replicas: 3, readyReplicas: 1, availableReplicas: 2 } },
      want: [
        'status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas',
      ],
    },
  ])('has no status of $name', ({ kind, before, after, want }) => {
    expect(updateRefusals(kind, before, after, 'status')).toEqual(want);
  });
});
