import type { KindDescriptor } from '../kind.js';
import { removedAdmissionregistration } from './groups/admissionregistration.js';
import { removedApiextensions } from './groups/apiextensions.js';
import { removedApiregistration } from './groups/apiregistration.js';
import { removedApps } from './groups/apps.js';
import { removedAutoscaling } from './groups/autoscaling.js';
import { removedBatch } from './groups/batch.js';
import { removedCertificates } from './groups/certificates.js';
import { removedCoordination } from './groups/coordination.js';
import { removedDiscovery } from './groups/discovery.js';
import { removedEvents } from './groups/events.js';
import { removedExtensions } from './groups/extensions.js';
import { removedFlowcontrol } from './groups/flowcontrol.js';
import { removedNetworking } from './groups/networking.js';
import { removedNode } from './groups/node.js';
import { removedPolicy } from './groups/policy.js';
import { removedRbac } from './groups/rbac.js';
import { removedScheduling } from './groups/scheduling.js';
import { removedStorage } from './groups/storage.js';

/** Every stored kind in the versions that upstream has removed; served with `--serve-removed-apis` alone. */
export const removedKinds: readonly KindDescriptor[] = [
  ...removedApiregistration,
  ...removedApps,
  ...removedEvents,
  ...removedAutoscaling,
  ...removedBatch,
  ...removedCertificates,
  ...removedNetworking,
  ...removedPolicy,
  ...removedRbac,
  ...removedStorage,
  ...removedAdmissionregistration,
  ...removedApiextensions,
  ...removedScheduling,
  ...removedCoordination,
  ...removedNode,
  ...removedDiscovery,
  ...removedFlowcontrol,
  ...removedExtensions,
];
