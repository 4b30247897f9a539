import type {
  AllocationResult,
  DeviceClass,
  Node,
  ResourceClaim,
  ResourceSlice,
} from '@orrery/api';
import { AllocationError, InvalidPools } from './allocation-error.js';
import { toAllocation } from './allocation-result.js';
import type { Constraint } from './constraints.js';
import { toConstraint } from './constraints.js';
import type { Pool } from './pools.js';
import { gatherPools } from './pools.js';
import { claimName, planRequests } from './requests.js';
import { Search } from './search.js';
import type { Selectors } from './selectors.js';
import type { Taken } from '../../../cache/taken-devices.js';

export interface AllocatorOptions {
  readonly slices: readonly ResourceSlice[];
  readonly classes: (name: string) => DeviceClass | undefined;
  readonly taken: Taken;
  readonly selectors: Selectors;
  readonly uuid: () => string;
}

function constraintsOf(claim: ResourceClaim): Constraint[] {
  return (claim.spec.devices?.constraints ?? []).map((each, i) => {
    const constraint = toConstraint(each);
    if (constraint) return constraint;
    throw new AllocationError(
      `claim ${claimName(claim)}, constraint #${i}: empty constraint (unsupported constraint type?)`,
    );
  });
}

/** Finds devices for the claims of one pod, node by node. Slices, classes and claims are read, never changed. */
export class Allocator {
  readonly #onNode = new Map<string, ResourceSlice[]>();
  readonly #others: ResourceSlice[] = [];

  constructor(private readonly options: AllocatorOptions) {
    const moved = poolsBeyondOneNode(options.slices);
    for (const slice of options.slices) {
      const { nodeName, pool, driver } = slice.spec;
      if (!nodeName || moved.has(`${driver}/${pool.name}`)) this.#others.push(slice);
      else this.#onNode.set(nodeName, [...(this.#onNode.get(nodeName) ?? []), slice]);
    }
  }

  /**
   * One result for each claim, in their order; undefined when the node does not have what they ask for. Throws
   * AllocationError when no node can, InvalidPools, and what checkTime throws.
   */
  allocate(
    node: Node,
    claims: readonly ResourceClaim[],
    checkTime: () => void = () => undefined,
  ): AllocationResult[] | undefined {
    const { classes, selectors, taken, uuid } = this.options;
    const pools = this.#poolsOf(node);
    const plans = claims.map((claim) => ({
      name: claimName(claim),
      requests: planRequests(claim, { classes, selectors, pools }),
      constraints: constraintsOf(claim),
    }));
    const search = new Search({ claims: plans, pools, taken, checkTime });
    if (!search.run()) {
      if (pools.some(({ invalid, incomplete }) => invalid && !incomplete)) throw new InvalidPools();
      return undefined;
    }
    const nodeName = node.metadata.name ?? '';
    return claims.map((claim, i) => {
      const requests = plans[i]?.requests ?? [];
      const grants = search.grants[i] ?? [];
      return toAllocation({ claim, requests, grants, nodeName }, uuid);
    });
  }

  #poolsOf(node: Node): Pool[] {
    const own = this.#onNode.get(node.metadata.name ?? '') ?? [];
    return gatherPools([...own, ...this.#others], node);
  }
}

/** Pools with slices elsewhere than on one node: these have to be looked at as a whole. */
function poolsBeyondOneNode(slices: readonly ResourceSlice[]): ReadonlySet<string> {
  const homes = new Map<string, string>();
  const found = new Set<string>();
  for (const { spec } of slices) {
    const key = `${spec.driver}/${spec.pool.name}`;
    const home = spec.nodeName ?? '';
    if (home === '' || (homes.get(key) ?? home) !== home) found.add(key);
    homes.set(key, home);
  }
  return found;
}
