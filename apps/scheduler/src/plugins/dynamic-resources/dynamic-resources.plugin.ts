import type { Pod, ResourceClaim } from '@orrery/api';
import { ALLOCATED_FINALIZER, allOrFirstFailure, isReservedFor } from '@orrery/controller';
import type { PluginContext, PluginEntry, PostFilterResult } from '../../framework/plugin.js';
import type { PodInfo } from '../../framework/pod-info.js';
import { failed, skip, success, unresolvable, unschedulable } from '../../framework/status.js';
import type { Status } from '../../framework/status.js';
import { normalizeByLargest } from '../../framework/normalize.js';
import { Allocator } from './allocation/allocator.js';
import { Selectors } from './allocation/selectors.js';
import { bindClaim, deallocate, unreserve } from './bind-claims.js';
import type { ClaimWrites } from './bind-claims.js';
import { claimHints } from './claim-hints.js';
import type { ClaimState } from './claim-state.js';
import { claimState, scoreOf, unallocated } from './claim-state.js';
import { readTimeouts } from './dynamic-resources-args.js';
import { beginExtended } from './extended/extended-claim.js';
import { deleteClaim, writeExtended } from './extended/write-extended.js';
import { filterClaims } from './filter-claims.js';
import { claimsOf, refuseClaim } from './pod-claims.js';
import { waitForDevices } from './wait-for-devices.js';

const NAME = 'DynamicResources';

const withAllocation = (
  claim: ResourceClaim,
  allocation: NonNullable<ResourceClaim['status']>['allocation'],
): ResourceClaim => {
  const { finalizers = [] } = claim.metadata;
  const metadata = { ...claim.metadata, finalizers: [...finalizers, ALLOCATED_FINALIZER] };
  return { ...claim, metadata, status: { ...claim.status, ...(allocation ? { allocation } : {}) } };
};

/** Takes what the filter found on the node for the pod's claims. */
function reserve(state: ClaimState, nodeName: string, { ledger }: PluginContext): Status {
  const { extended } = state;
  const own = extended?.onNode.get(nodeName)?.allocation;
  if (extended && own) ledger.plan(extended.uid, own);
  const open = unallocated(state);
  if (open.length === 0) return success;
  const found = state.found.get(nodeName);
  if (found?.length !== open.length)
    return failed(new Error('claim allocation not found for node'));
  for (const [k, i] of open.entries()) {
    const [claim, allocation] = [state.claims[i], found[k]];
    if (!claim || !allocation) continue;
    state.chosen.set(i, allocation);
    ledger.pend(withAllocation(claim, allocation));
  }
  return success;
}

/** Claims that have devices out of reach and that nobody else uses: one of them gives its devices back. */
function idleClaim(state: ClaimState, uid: string): ResourceClaim | undefined {
  return [...state.unavailable]
    .flatMap((i) => state.claims[i] ?? [])
    .find(({ status }) => (status?.reservedFor ?? []).every((each) => each.uid === uid));
}

/** What is known of the pod's claims before nodes are looked at, or why none will do. */
function begin(info: PodInfo, selectors: Selectors, context: PluginContext): ClaimState | Status {
  const { ledger, listers, random } = context;
  const claims = claimsOf(info.pod, ledger);
  if (typeof claims === 'string') return unresolvable(claims);
  const extended = beginExtended(info, context);
  if (claims.length === 0 && !extended) return skip;
  const classes = (name: string) => listers.deviceClasses.get({ name });
  for (const claim of claims) {
    const refused = refuseClaim(claim, ledger, classes);
    if (refused) return refused;
  }
  const allocator =
    !extended && claims.every(({ status }) => status?.allocation)
      ? undefined
      : new Allocator({
          slices: listers.resourceSlices.list(),
          classes,
          taken: ledger.taken,
          selectors,
          uuid: () => random.uuid(),
        });
  const empty = { found: new Map(), unavailable: new Set<number>(), chosen: new Map() };
  return { claims, allocator, extended, ...empty };
}

/** In upstream's words, which stand in each FailedScheduling. */
function freeIdle(
  state: ClaimState | undefined,
  uid: string,
  context: PluginContext,
): PostFilterResult {
  if (!state) return { status: unschedulable('no new claims to deallocate') };
  const { stale } = state.extended ?? {};
  if (stale)
    return {
      status: unschedulable('deletion of ResourceClaim completed'),
      act: () => deleteClaim(stale, context),
    };
  const idle = idleClaim(state, uid);
  if (!idle) return { status: unschedulable('still not schedulable') };
  return {
    status: unschedulable('deallocation of ResourceClaim completed'),
    act: () => deallocate(idle, context),
  };
}

/** What was decided is taken back, and what was written of it. */
function giveBack(
  state: ClaimState | undefined,
  pod: Pod,
  writes: ClaimWrites,
): Promise<void> | undefined {
  const { claims = [], extended } = state ?? {};
  for (const claim of claims) writes.ledger.settle(claim);
  if (extended) writes.ledger.drop(extended.uid);
  const used = claims.filter((claim) => claim.status?.allocation && isReservedFor(pod, claim));
  const undone = used.map((claim) => unreserve(claim, pod, writes));
  if (extended?.written) undone.push(deleteClaim(extended.written, writes));
  return undone.length > 0 ? allOrFirstFailure(undone) : undefined;
}

/** A pod's claims get devices, and the pod goes where they are. */
export const dynamicResources: PluginEntry = {
  name: NAME,
  weight: 2,
  create(context, args) {
    const { ledger, clock, client, claimCreated } = context;
    const timeouts = readTimeouts(args);
    const selectors = new Selectors();
    const writes = { client, clock, ledger, claimCreated };
    return {
      name: NAME,
      events: claimHints(ledger),
      preEnqueue(pod) {
        const claims = claimsOf(pod, ledger);
        return typeof claims === 'string' ? unresolvable(claims) : success;
      },
      preFilter(state, info) {
        const begun = begin(info, selectors, context);
        if ('code' in begun) return { status: begun };
        state.set(claimState, begun);
        return { status: success };
      },
      filter(state, { pod }, node) {
        const own = state.get(claimState);
        return own ? filterClaims(own, pod, node, { clock, ...timeouts }) : success;
      },
      postFilter: (state, { uid }) => freeIdle(state.get(claimState), uid, context),
      preScore: (state) => (state.get(claimState) ? success : skip),
      score(state, _pod, node) {
        const own = state.get(claimState);
        return own ? scoreOf(own, node.name) : 0;
      },
      normalize(_state, _pod, scores) {
        normalizeByLargest(scores, false);
      },
      reserve(state, _pod, nodeName) {
        const own = state.get(claimState);
        return own ? reserve(own, nodeName, context) : success;
      },
      unreserve: (state, { pod }) => giveBack(state.get(claimState), pod, writes),
      preBindPreFlight: (state) => (state.get(claimState) ? success : skip),
      async preBind(state, { pod }, nodeName, signal) {
        const own = state.get(claimState);
        if (!own) return skip;
        try {
          for (const [i, claim] of own.claims.entries())
            if (!isReservedFor(pod, claim))
              own.claims[i] = await bindClaim(claim, pod, own.chosen.get(i), writes);
          if (own.extended) await writeExtended(own.extended, pod, nodeName, writes, signal);
          await waitForDevices(own, pod, { ...context, nodeName, ...timeouts }, signal);
          return success;
        } catch (error) {
          return failed(error);
        }
      },
    };
  },
};
