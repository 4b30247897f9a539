import { storageVersionGcController } from './storageversion-gc/storageversion-gc.reconciler.js';
import { nodeTtlController } from './node-ttl/node-ttl.reconciler.js';
import { mirroringController } from './endpointslice-mirroring/mirroring.reconciler.js';
import { serviceLbController } from './service-lb/service-lb.reconciler.js';
import { bootstrapSignerController } from './bootstrap-token/bootstrap-signer.reconciler.js';
import { tokenCleanerController } from './bootstrap-token/token-cleaner.reconciler.js';
import { csrApprovingController } from './certificate-signing-request/csr-approving.reconciler.js';
import { csrCleanerController } from './certificate-signing-request/csr-cleaner.reconciler.js';
import { csrSigningController } from './certificate-signing-request/csr-signing.reconciler.js';
import { legacyTokenCleaner } from './serviceaccount-token/legacy-token-cleaner.reconciler.js';
import { serviceAccountTokenController } from './serviceaccount-token/serviceaccount-token.reconciler.js';
import { attachDetachController } from './attach-detach/attach-detach.reconciler.js';
import { ephemeralVolumeController } from './ephemeral-volume/ephemeral-volume.reconciler.js';
import { resourceClaimController } from './resourceclaim/resourceclaim.definition.js';
import { localPathProvisioner } from './local-path/local-path.definition.js';
import { expanderController } from './persistent-volume-expander/expander.reconciler.js';
import { persistentVolumeController } from './persistent-volume/persistent-volume.definition.js';
import { pvProtectionController } from './pv-protection/pv-protection.reconciler.js';
import { disruptionController } from './disruption/disruption.reconciler.js';
import type { ControllerEntry } from '../controller-entry.js';
import { taintEvictionController } from './taint-eviction/taint-eviction.reconciler.js';
import { deviceTaintEvictionController } from './device-taint-eviction/device-taint-eviction.reconciler.js';
import { podGcController } from './pod-gc/pod-gc.reconciler.js';
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle.reconciler.js';
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/horizontal-pod-autoscaler.definition.js';
import { jobController } from './job/job.definition.js';
import { ttlAfterFinishedController } from './ttl-after-finished/ttl-after-finished.reconciler.js';
import { cronJobController } from './cronjob/cronjob.reconciler.js';
import { pvcProtectionController } from './pvc-protection/pvc-protection.reconciler.js';
import { namespaceController } from './namespace/namespace.reconciler.js';
import { garbageCollector } from './garbage-collector/gc.reconciler.js';
import { daemonSetController } from './daemonset/daemonset.reconciler.js';
import { clusterRoleAggregationController } from './clusterrole-aggregation/clusterrole-aggregation.reconciler.js';
import { deploymentController } from './deployment/deployment.definition.js';
import { endpointsController } from './endpoints/endpoints.reconciler.js';
import { endpointSliceController } from './endpointslice/endpointslice.reconciler.js';
import { nodeIpamController } from './node-ipam/node-ipam.reconciler.js';
import { replicaSetController, replicationController } from './replicaset/replicaset.definition.js';
import { resourceQuotaController } from './resourcequota/resourcequota.reconciler.js';
import { rootCaController } from './root-ca/root-ca.reconciler.js';
import { statefulSetController } from './statefulset/statefulset.definition.js';
import { serviceAccountController } from './serviceaccount/serviceaccount.reconciler.js';

/** Every controller, in the order in which they start. */
export const CONTROLLERS: readonly ControllerEntry[] = [
  serviceAccountTokenController,
  serviceAccountController,
  csrApprovingController,
  csrSigningController,
  csrCleanerController,
  bootstrapSignerController,
  tokenCleanerController,
  legacyTokenCleaner,
  rootCaController,
  resourceQuotaController,
  nodeIpamController,
  deploymentController,
  replicaSetController,
  replicationController,
  daemonSetController,
  statefulSetController,
  jobController,
  cronJobController,
  ttlAfterFinishedController,
  horizontalPodAutoscalerController,
  endpointSliceController,
  endpointsController,
  mirroringController,
  serviceLbController,
  nodeLifecycleController,
  nodeTtlController,
  taintEvictionController,
  deviceTaintEvictionController,
  podGcController,
  persistentVolumeController,
  localPathProvisioner,
  expanderController,
  ephemeralVolumeController,
  resourceClaimController,
  attachDetachController,
  pvProtectionController,
  pvcProtectionController,
  namespaceController,
  disruptionController,
  clusterRoleAggregationController,
  garbageCollector,
  storageVersionGcController,
];
