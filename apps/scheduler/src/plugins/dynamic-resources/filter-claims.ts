import type { Node, Pod } from '@orrery/api';
import { nodeMatchesSelector } from '@orrery/controller';
import type { Clock } from '@orrery/component';
import type { Status } from '../../framework/status.js';
import { failed, success, unresolvable } from '../../framework/status.js';
import { InvalidPools } from './allocation/allocation-error.js';
import { isOverdue, readinessOf } from './binding-conditions.js';
import type { NodeInfo } from '../../cache/node-info.js';
import type { ClaimState } from './claim-state.js';
import { unallocated } from './claim-state.js';
import type { Timeouts } from './dynamic-resources-args.js';
import { claimOnNode } from './extended/extended-claim.js';
import type { NodeClaim } from './extended/extended-claim.js';

class SearchTimeout extends Error {}

/** Throws SearchTimeout once the time is over. */
function deadline(clock: Clock, limitMs: number): () => void {
  if (limitMs === 0) return () => undefined;
  const until = clock.monotonic() + limitMs;
  return () => {
    if (clock.monotonic() > until) throw new SearchTimeout();
  };
}

/** Claims that have devices, but none that the pod could use on the node. */
function unavailableOn(state: ClaimState, node: Node, clock: Clock, limitMs: number): number[] {
  return [...state.claims.entries()].flatMap(([i, claim]) => {
    const { allocation } = claim.status ?? {};
    if (!allocation) return [];
    const { nodeSelector } = allocation;
    if (nodeSelector && !nodeMatchesSelector(nodeSelector, node)) return [i];
    const { kind } = readinessOf(claim);
    const isLost =
      kind === 'failed' || (kind === 'waiting' && isOverdue(claim, clock.now(), limitMs));
    return isLost ? [i] : [];
  });
}

/** Devices for the claims that have none, and for the one that stands for extended resources, which is the last. */
function search(
  state: ClaimState,
  node: Node,
  own: NodeClaim | undefined,
  checkTime: () => void,
): Status {
  const claims = unallocated(state).flatMap((i) => state.claims[i] ?? []);
  const { name = '' } = node.metadata;
  try {
    const all = own ? [...claims, own.claim] : claims;
    const found = all.length > 0 ? state.allocator?.allocate(node, all, checkTime) : [];
    if (!found) return unresolvable('cannot allocate all claims');
    state.found.set(name, found.slice(0, claims.length));
    const allocation = found[claims.length];
    if (own && allocation) state.extended?.onNode.set(name, { ...own, allocation });
    return success;
  } catch (error) {
    if (error instanceof SearchTimeout) return unresolvable('timed out trying to allocate devices');
    return error instanceof InvalidPools ? unresolvable(error.message) : failed(error);
  }
}

/** Whether the pod's claims have their devices in reach of the node, or may get them there. */
export function filterClaims(
  state: ClaimState,
  pod: Pod,
  info: NodeInfo,
  { clock, filterMs, bindingMs }: Timeouts & { readonly clock: Clock },
): Status {
  const { node } = info;
  if (!node) return success;
  const own = state.extended && claimOnNode(state.extended, pod, info);
  if (own && 'code' in own) return own;
  const unavailable = unavailableOn(state, node, clock, bindingMs);
  const searched = state.allocator ? search(state, node, own, deadline(clock, filterMs)) : success;
  if (searched.code !== 'Success' || unavailable.length === 0) return searched;
  for (const i of unavailable) state.unavailable.add(i);
  return unresolvable('resourceclaim not available on the node');
}
