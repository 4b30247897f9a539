import type {
  CapacityRequirements,
  DeviceClass,
  DeviceRequest,
  DeviceSelector,
  DeviceToleration,
  ResourceClaim,
} from '@orrery/api';
import { AllocationError } from './allocation-error.js';
import type { Candidate, Pool } from './pools.js';
import type { Selectors } from './selectors.js';

/** Results of one claim (k8s api/resource/v1: AllocationResultsMaxSize). */
export const MAX_RESULTS = 32;

/** One request, or one of its alternatives. */
export interface Ask {
  /** As results name it: `request` or `request/alternative`. */
  readonly name: string;
  readonly class: DeviceClass;
  readonly adminAccess: boolean;
  readonly tolerations: readonly DeviceToleration[];
  /** Amounts by name of the capacity. */
  readonly capacity: Readonly<Record<string, string>>;
  /** Devices that are wanted. */
  readonly count: number;
  /** Set when every device of the class is wanted: these. */
  readonly all: readonly Candidate[] | undefined;
  /** Whether class and request select the device. Throws AllocationError. */
  selects(candidate: Candidate): boolean;
}

/** What a request can be satisfied with, the most wanted first; alternatives only where there are several ways. */
export interface RequestPlan {
  readonly name: string;
  readonly asks: readonly Ask[];
  readonly hasAlternatives: boolean;
}

export interface RequestContext {
  readonly classes: (name: string) => DeviceClass | undefined;
  readonly selectors: Selectors;
  readonly pools: readonly Pool[];
}

interface Wanted {
  readonly deviceClassName: string;
  readonly allocationMode?: string;
  readonly count?: number;
  readonly adminAccess?: boolean;
  readonly selectors?: readonly DeviceSelector[];
  readonly tolerations?: readonly DeviceToleration[];
  readonly capacity?: CapacityRequirements;
}

export const claimName = ({ metadata }: ResourceClaim): string =>
  `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

/** Every device that the request selects, of pools that are whole. */
function allOf(where: string, pools: readonly Pool[], selects: Ask['selects']): Candidate[] {
  for (const { driver, name, incomplete, invalid } of pools) {
    const state = incomplete ? 'being updated' : invalid ? 'invalid' : undefined;
    if (state)
      throw new AllocationError(
        `${where}: asks for all devices, but resource pool ${driver}/${name} is currently ${state}`,
      );
  }
  return pools.flatMap(({ candidates }) => candidates.filter(selects));
}

function toAsk(claim: ResourceClaim, name: string, wanted: Wanted, context: RequestContext): Ask {
  const where = `claim ${claimName(claim)}, request ${name.split('/').at(-1) ?? name}`;
  const { deviceClassName, adminAccess = false, tolerations = [], capacity } = wanted;
  const found = context.classes(deviceClassName);
  if (!found)
    throw new AllocationError(`${where}: could not retrieve device class ${deviceClassName}`);
  const { selectors } = context;
  const selects = (candidate: Candidate): boolean =>
    selectors.match(`class ${deviceClassName}`, found.spec.selectors, candidate) &&
    selectors.match(`claim ${claimName(claim)}`, wanted.selectors, candidate);
  const all = wanted.allocationMode === 'All' ? allOf(where, context.pools, selects) : undefined;
  return {
    name,
    class: found,
    adminAccess,
    tolerations,
    capacity: capacity?.requests ?? {},
    count: all ? all.length : (wanted.count ?? 1),
    all,
    selects,
  };
}

function toPlan(claim: ResourceClaim, request: DeviceRequest, context: RequestContext) {
  const { name, exactly, firstAvailable = [] } = request;
  if (exactly)
    return { name, asks: [toAsk(claim, name, exactly, context)], hasAlternatives: false };
  const asks = firstAvailable.map((each) => toAsk(claim, `${name}/${each.name}`, each, context));
  if (asks.length > 0) return { name, asks, hasAlternatives: true };
  throw new AllocationError(
    `claim ${claimName(claim)}, request ${name}: missing device class name (unsupported request type?)`,
  );
}

/** What a claim asks for on a node. Throws AllocationError when it asks for too much, or for what there is not. */
export function planRequests(claim: ResourceClaim, context: RequestContext): RequestPlan[] {
  const plans = (claim.spec.devices?.requests ?? []).map((each) => toPlan(claim, each, context));
  const least = plans.reduce(
    (sum, { asks }) => sum + Math.min(...asks.map(({ count }) => count)),
    0,
  );
  if (least > MAX_RESULTS)
    throw new AllocationError(
      `claim ${claimName(claim)}: number of requested devices ${least} exceeds the claim limit of ${MAX_RESULTS}`,
    );
  return plans;
}
