import type { ControllerEntry } from '../controller-entry.js';
import { deploymentController } from './deployment/deployment.definition.js';
import { endpointsController } from './endpoints/endpoints.reconciler.js';
import { endpointSliceController } from './endpointslice/endpointslice.reconciler.js';
import { nodeIpamController } from './node-ipam/node-ipam.reconciler.js';
import { replicaSetController, replicationController } from './replicaset/replicaset.definition.js';
import { rootCaController } from './root-ca/root-ca.reconciler.js';
import { serviceAccountController } from './serviceaccount/serviceaccount.reconciler.js';

/** Every controller, in the order in which they start. */
export const CONTROLLERS: readonly ControllerEntry[] = [
  serviceAccountController,
  rootCaController,
  nodeIpamController,
  deploymentController,
  replicaSetController,
  replicationController,
  endpointSliceController,
  endpointsController,
];
