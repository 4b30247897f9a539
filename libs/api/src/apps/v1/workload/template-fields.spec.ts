import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '@orrery/apimachinery';
import { CronJobKind } from '../../../batch/v1/cronjob/cronjob.kind.js';
import { JobKind } from '../../../batch/v1/job/job.kind.js';
import { context, objectOf } from '../../../findings.fixture.js';
import type { KindDescriptor } from '../../../kind.js';
import type { PodTemplateSpec } from '../../../types.js';
import { DaemonSetKind } from '../daemonset/daemonset.kind.js';
import { DeploymentKind } from '../deployment/deployment.kind.js';
import { ReplicaSetKind } from '../replicaset/replicaset.kind.js';
import { StatefulSetKind } from '../statefulset/statefulset.kind.js';

interface Holder extends KubeObject {
  spec?: {
    template?: PodTemplateSpec;
    jobTemplate?: { spec?: { template?: PodTemplateSpec } };
  };
}

const podOf = ({ spec }: Holder): PodTemplateSpec['spec'] =>
  (spec?.jobTemplate?.spec?.template ?? spec?.template)?.spec;

function holding(kind: KindDescriptor<Holder>, group?: object): Holder {
  const object = objectOf(kind);
  Object.assign(podOf(object) ?? {}, group ? { schedulingGroup: group } : {});
  return object;
}

describe('fields of features that are off', () => {
  it.each(
    [DaemonSetKind, DeploymentKind, ReplicaSetKind, StatefulSetKind, JobKind, CronJobKind].map(
      (kind) => ({ kind: kind as unknown as KindDescriptor<Holder> }),
    ),
  )('are dropped from the template of a $kind.kind unless they are stored', ({ kind }) => {
    const group = { podGroupName: 'a' };
    const made = holding(kind, group);
    kind.strategy.prepareForCreate?.(made, context);
    expect(podOf(made)).not.toHaveProperty('schedulingGroup');

    const changed = holding(kind, group);
    kind.strategy.prepareForUpdate?.(changed, holding(kind), context);
    expect(podOf(changed)).not.toHaveProperty('schedulingGroup');

    const kept = holding(kind, group);
    kind.strategy.prepareForUpdate?.(kept, holding(kind, group), context);
    expect(podOf(kept)).toHaveProperty('schedulingGroup', group);
  });
});
