import { expect, it } from '@jest/globals';
import type { KubeObject, ObjectMeta } from '@orrery/apimachinery';
import { ValidatingAdmissionPolicyKind } from '../admissionregistration/v1/validatingadmissionpolicy/validatingadmissionpolicy.kind.js';
import { DeploymentKind } from '../apps/v1/deployment/deployment.kind.js';
import { ReplicaSetKind } from '../apps/v1/replicaset/replicaset.kind.js';
import { context } from '../findings.fixture.js';
import { FlowSchemaKind } from '../flowcontrol/v1/flowschema/flowschema.kind.js';
import { PriorityLevelConfigurationKind } from '../flowcontrol/v1/prioritylevelconfiguration/prioritylevelconfiguration.kind.js';
import type { KindDescriptor } from '../kind.js';
import { ServiceCIDRKind } from '../networking/v1/servicecidr/servicecidr.kind.js';
import { ResourceClaimKind } from '../resource/v1/resourceclaim/resourceclaim.kind.js';
import { VolumeAttachmentKind } from '../storage/v1/volumeattachment/volumeattachment.kind.js';
import { StorageVersionMigrationKind } from '../storagemigration/v1beta1/storageversionmigration/storageversionmigration.kind.js';

const of = <T extends KubeObject>(kind: KindDescriptor<T>): KindDescriptor =>
  kind as unknown as KindDescriptor;

const OLD: ObjectMeta = { name: 'a', labels: { a: '1' }, finalizers: ['x.y/z'] };
const NEW: ObjectMeta = { name: 'a', labels: { b: '2' }, annotations: { c: '3' } };

// k8s pkg/registry: what the status strategies of these kinds leave alone.
it.each<{ kind: KindDescriptor; want: ObjectMeta }>([
  { kind: of(ReplicaSetKind), want: NEW },
  { kind: of(DeploymentKind), want: { ...NEW, labels: { a: '1' } } },
  { kind: of(FlowSchemaKind), want: OLD },
  { kind: of(PriorityLevelConfigurationKind), want: OLD },
  { kind: of(ResourceClaimKind), want: OLD },
  { kind: of(ServiceCIDRKind), want: OLD },
  { kind: of(StorageVersionMigrationKind), want: OLD },
  { kind: of(ValidatingAdmissionPolicyKind), want: OLD },
  { kind: of(VolumeAttachmentKind), want: OLD },
])('metadata of $kind.kind written with its status', ({ kind, want }) => {
  const [old, object] = [OLD, NEW].map((metadata) => structuredClone({ metadata }) as KubeObject);
  if (!old || !object) throw new Error('both are there');
  kind.status?.prepareForUpdate?.(object, old, context);
  expect(object.metadata).toEqual(want);
});
