import { describe, expect, it } from '@jest/globals';
import type { KindDescriptor } from '../kind.js';
import { findKind } from '../kinds.js';
import { objectOf } from '../findings.fixture.js';

const NOW = Date.parse('2026-01-02T00:00:00Z');
const HOUR_AGO = '2026-01-01T23:00:00Z';
const FIVE_MINUTES_AGO = '2026-01-01T23:55:00Z';

function kindOf(id: string): KindDescriptor {
  const [group = '', version = '', plural = ''] = id.split('/');
  const kind = findKind(group === 'core' ? '' : group, version, plural);
  if (!kind) throw new Error(`no kind ${id}`);
  return kind;
}

/** A row of `kubectl get`, wide columns included, by the names of its columns. */
function cells(id: string, change: object): Record<string, unknown> {
  const kind = kindOf(id);
  const object = objectOf(kind, { metadata: { creationTimestamp: HOUR_AGO }, ...change });
  const row = kind.columns.row(object, NOW);
  return Object.fromEntries(kind.columns.columns.map(({ name }, i) => [name, row[i]]));
}

const condition = (type: string): object => ({ conditions: [{ type, status: 'True' }] });
const restarted = { terminated: { exitCode: 1, finishedAt: FIVE_MINUTES_AGO } };
const running = { running: {} };
const gone = { deletionTimestamp: FIVE_MINUTES_AGO };
const sidecar = { name: 's', image: 'i', restartPolicy: 'Always' };

interface Row {
  readonly name: string;
  readonly change: object;
  readonly want: Readonly<Record<string, unknown>>;
}

const table = (id: string, rows: readonly Row[]): void => {
  describe(id, () => {
    it.each<Row>([...rows])('tells of $name', ({ change, want }) => {
      expect(cells(id, change)).toMatchObject(want);
    });
  });
};

table('core/v1/pods', [
  {
    name: 'the last restart',
    change: {
      status: {
        phase: 'Running',
        containerStatuses: [{ ready: true, restartCount: 3, state: running, lastState: restarted }],
      },
    },
    want: { Ready: '1/1', Status: 'Running', Restarts: '3 (5m ago)' },
  },
  {
    name: 'an init container that crashes',
    change: {
      spec: { initContainers: [{ name: 'i', image: 'i' }] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
      },
    },
    want: { Ready: '0/1', Status: 'Init:CrashLoopBackOff', Restarts: '2' },
  },
  {
    name: 'a sidecar, which counts',
    change: {
      spec: { initContainers: [sidecar] },
      status: {
        phase: 'Running',
        initContainerStatuses: [
          { name: 's', ready: true, started: true, restartCount: 1, state: running },
        ],
        containerStatuses: [{ ready: true, restartCount: 0, state: running }],
      },
    },
    want: { Ready: '2/2', Status: 'Running', Restarts: '1' },
  },
  {
    name: 'a signal',
    change: {
      status: { containerStatuses: [{ state: { terminated: { exitCode: 137, signal: 9 } } }] },
    },
    want: { Status: 'Signal:9' },
  },
  {
    name: 'one container that goes on without the other',
    change: {
      status: {
        phase: 'Running',
        containerStatuses: [
          { state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { ready: true, state: running },
        ],
      },
    },
    want: { Status: 'NotReady' },
  },
  {
    name: 'a node that is lost',
    change: { metadata: gone, status: { phase: 'Running', reason: 'NodeLost' } },
    want: { Status: 'Unknown' },
  },
  {
    name: 'a deleted pod that had ended',
    change: { metadata: gone, status: { phase: 'Failed', reason: 'Evicted' } },
    want: { Status: 'Evicted' },
  },
  {
    name: 'gates',
    change: {
      spec: {
        nodeName: 'n',
        readinessGates: [{ conditionType: 'a/b' }, { conditionType: 'a/c' }],
      },
      status: condition('a/b'),
    },
    want: { 'Readiness Gates': '1/2', Node: 'n', IP: '<none>', 'Nominated Node': '<none>' },
  },
]);

table('batch/v1/jobs', [
  {
    name: 'a work queue',
    change: { spec: { completions: undefined, parallelism: 3 }, status: { startTime: HOUR_AGO } },
    want: { Status: 'Running', Completions: '0/1 of 3', Duration: '60m' },
  },
  {
    name: 'the end',
    change: {
      status: {
        ...condition('Complete'),
        succeeded: 1,
        startTime: HOUR_AGO,
        completionTime: '2026-01-01T23:00:07Z',
      },
    },
    want: { Status: 'Complete', Completions: '1/1', Duration: '7s' },
  },
  {
    name: 'failure, before deletion',
    change: { metadata: gone, status: condition('Failed') },
    want: { Status: 'Failed' },
  },
  {
    name: 'deletion, before suspension',
    change: { metadata: gone, status: condition('Suspended') },
    want: { Status: 'Terminating' },
  },
]);

table('core/v1/nodes', [
  {
    name: 'roles and cordons',
    change: {
      metadata: {
        labels: { 'node-role.kubernetes.io/b': '', 'kubernetes.io/role': 'a', other: 'x' },
      },
      spec: { unschedulable: true },
      status: condition('Ready'),
    },
    want: { Status: 'Ready,SchedulingDisabled', Roles: 'a,b', 'External-IP': '<none>' },
  },
  {
    name: 'what nobody has said',
    change: { status: {} },
    want: { Status: 'Unknown', Roles: '<none>', 'OS-Image': '<unknown>' },
  },
]);

table('core/v1/persistentvolumeclaims', [
  {
    name: 'a volume that is chosen but not bound',
    change: { spec: { volumeName: 'v' }, status: { phase: 'Pending' } },
    want: { Status: 'Pending', Volume: 'v', Capacity: '0', VolumeMode: 'Filesystem' },
  },
  {
    name: 'a bound claim of an annotated class',
    change: {
      metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'old' } },
      spec: { volumeName: 'v' },
      status: {
        phase: 'Bound',
        accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
        capacity: { storage: '1Gi' },
      },
    },
    want: { Capacity: '1Gi', 'Access Modes': 'RWO,RWX', StorageClass: 'old' },
  },
]);

table('core/v1/persistentvolumes', [
  {
    name: 'its claim',
    change: {
      metadata: gone,
      spec: { claimRef: { namespace: 'a', name: 'b' } },
      status: { phase: 'Bound' },
    },
    want: {
      Status: 'Terminating',
      Claim: 'a/b',
      VolumeAttributesClass: '<unset>',
      'Reclaim Policy': 'Retain',
    },
  },
]);

table('core/v1/events', [
  {
    name: 'a series',
    change: {
      involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{c}' },
      series: { count: 4, lastObservedTime: FIVE_MINUTES_AGO },
      eventTime: HOUR_AGO,
      reportingComponent: 'c',
      reportingInstance: 'i',
    },
    want: {
      'Last Seen': '5m',
      Object: 'pod/web',
      Count: 4,
      Source: 'c, i',
      'First Seen': '60m',
      Subobject: 'spec.containers{c}',
    },
  },
]);
