import type { ResourceClaim } from '@orrery/api';
import type { Metrics } from '@orrery/component';
import type { Lister } from '@orrery/informers';
import { CLAIM_OF_POD, wantsAdminAccess } from './resourceclaim.decide.js';

const EXTENDED = 'resource.kubernetes.io/extended-resource-claim';

/** Tells that a claim was made, or could not be. */
export type ClaimCounter = (status: 'success' | 'failure', adminAccess: boolean) => void;

function sourceOf({ metadata }: ResourceClaim): string {
  const { annotations = {} } = metadata;
  if (annotations[CLAIM_OF_POD] !== undefined) return 'resource_claim_template';
  return annotations[EXTENDED] === 'true' ? 'extended_resource' : '';
}

/** k8s pkg/controller/resourceclaim/metrics/metrics.go. The claims there are are counted when somebody asks. */
export function createClaimMeters(metrics: Metrics, claims: Lister<ResourceClaim>): ClaimCounter {
  metrics.gauge({
    name: 'resourceclaim_controller_resource_claims',
    help: "Number of ResourceClaims, categorized by allocation status, admin access, and source. Source can be 'resource_claim_template' (created from a template), 'extended_resource' (extended resources), or empty (manually created by a user).",
    labels: ['allocated', 'admin_access', 'source'],
    collect: (gauge) => {
      gauge.reset();
      for (const claim of claims.list())
        gauge.inc({
          allocated: String(claim.status?.allocation !== undefined),
          admin_access: String(wantsAdminAccess(claim)),
          source: sourceOf(claim),
        });
    },
  });
  const creates = metrics.counter({
    name: 'resourceclaim_controller_creates_total',
    help: 'Number of ResourceClaims creation requests, categorized by creation status and admin access',
    labels: ['status', 'admin_access'],
  });
  return (status, adminAccess) => {
    creates.inc({ status, admin_access: String(adminAccess) });
  };
}
