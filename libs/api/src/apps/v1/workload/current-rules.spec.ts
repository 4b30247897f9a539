import { describe, expect, it } from '@jest/globals';
import { context, objectOf, refusals, updateRefusals } from '../../../findings.fixture.js';
import type { KindDescriptor } from '../../../kind.js';
import { DaemonSetKind } from '../daemonset/daemonset.kind.js';
import { DeploymentKind } from '../deployment/deployment.kind.js';
import { ReplicaSetKind } from '../replicaset/replicaset.kind.js';
import { StatefulSetKind } from '../statefulset/statefulset.kind.js';

const spec = (more: object): object => ({ spec: more });

function warningsOf(kind: KindDescriptor, change: object, before?: object): string[] {
  const told: string[] = [];
  const telling = { ...context, warn: (text: string) => void told.push(text) };
  const object = objectOf(kind, change);
  if (before) kind.strategy.validateUpdate?.(object, objectOf(kind, before), telling);
  else kind.strategy.validate?.(object, telling);
  return told;
}

describe('a StatefulSet', () => {
  it('replaces one pod at a time unless it says otherwise', () => {
    expect(objectOf(StatefulSetKind).spec.updateStrategy?.rollingUpdate).toEqual({
      partition: 0,
      maxUnavailable: 1,
    });
  });

  it('may keep all revisions, and is told of it', () => {
    const all = spec({ revisionHistoryLimit: -1 });
    const text =
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended';
    expect(refusals(StatefulSetKind, all)).toEqual([]);
    expect(warningsOf(StatefulSetKind as unknown as KindDescriptor, all)).toEqual([text]);
    expect(warningsOf(StatefulSetKind as unknown as KindDescriptor, all, {})).toEqual([text]);
  });

  it('may keep a name of a service that no new one can have', () => {
    const old = spec({ serviceName: 'Not_A_Name' });
    expect(refusals(StatefulSetKind, old)).toHaveLength(1);
    expect(updateRefusals(StatefulSetKind, old, old)).toEqual([]);
  });

  it('names what may be in the order of upstream', () => {
    const policy = { persistentVolumeClaimRetentionPolicy: { whenScaled: 'x' } };
    expect(refusals(StatefulSetKind, spec(policy))).toEqual([
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "x": supported values: "Retain", "Delete"',
    ]);
    expect(refusals(DaemonSetKind, spec({ updateStrategy: { type: 'x' } }))).toEqual([
      'spec.updateStrategy: Unsupported value: {"Type":"x","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
    ]);
  });
});

describe('a name that no pod can have', () => {
  it.each([
    { kind: DeploymentKind as unknown as KindDescriptor },
    { kind: ReplicaSetKind as unknown as KindDescriptor },
  ])('is told of in a $kind.kind, once', ({ kind }) => {
    const named = { metadata: { name: 'a.b' } };
    expect(warningsOf(kind, named)).toEqual([
      expect.stringMatching(/^metadata.name: this is used in Pod names and hostnames/),
    ]);
    expect(warningsOf(kind, named, named)).toEqual([]);
  });
});
