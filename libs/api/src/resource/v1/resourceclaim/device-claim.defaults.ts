import type { ResourceClaimSpec } from '../../../gen/types/resource.v1.js';
import { list } from '../../../meta/list.js';

interface Counted {
  allocationMode?: 'All' | 'ExactCount';
  count?: number;
}

function setCountDefaults(asked: Counted): void {
  asked.allocationMode ||= 'ExactCount';
  if (asked.allocationMode === 'ExactCount') asked.count ||= 1;
}

/** k8s pkg/apis/resource/v1/defaults.go: one device of each request unless it says otherwise. */
export function setClaimSpecDefaults(spec: ResourceClaimSpec | undefined): void {
  for (const { exactly, firstAvailable } of list(spec?.devices?.requests)) {
    if (exactly) setCountDefaults(exactly);
    list(firstAvailable).forEach(setCountDefaults);
  }
}
