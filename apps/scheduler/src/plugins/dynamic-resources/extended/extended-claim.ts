import type {
  AllocationResult,
  ContainerExtendedResourceRequest,
  Pod,
  ResourceClaim,
} from '@orrery/api';
import type { NodeInfo } from '../../../cache/node-info.js';
import type { PluginContext } from '../../../framework/plugin.js';
import type { PodInfo } from '../../../framework/pod-info.js';
import { unschedulable } from '../../../framework/status.js';
import type { Status } from '../../../framework/status.js';
import { classOfResource } from './device-class-resolver.js';
import { extendedRequests } from './extended-requests.js';

/** Marks claims that the scheduler made (k8s api/resource/v1: ExtendedResourceClaimAnnotation). */
export const EXTENDED_CLAIM = 'resource.kubernetes.io/extended-resource-claim';

/** No name that a claim can have. */
const UNNAMED = '<extended-resources>';

/** The claim that stands for a pod's extended resources on one node. */
export interface NodeClaim {
  readonly claim: ResourceClaim;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
  readonly allocation?: AllocationResult;
}

/** What is known of it while the pod is scheduled. */
export interface ExtendedState {
  /** Of an earlier try; it has to go before the pod is tried again. */
  readonly stale?: ResourceClaim;
  /** By resource that some device class stands for: the class. */
  readonly classes: ReadonlyMap<string, string>;
  /** By node: what it would get there; nodes that need none are absent. */
  readonly onNode: Map<string, NodeClaim>;
  /** Names the decision in the ledger until the claim is written. */
  readonly uid: string;
  /** Once it is written. */
  written?: ResourceClaim;
}

const isFor =
  ({ metadata }: Pod) =>
  (claim: ResourceClaim): boolean =>
    claim.metadata.annotations?.[EXTENDED_CLAIM] === 'true' &&
    (claim.metadata.ownerReferences ?? []).some(
      ({ uid, controller }) => controller === true && uid === metadata.uid,
    );

/** Undefined when none of the pod's resources are some device class's (k8s preFilterExtendedResources). */
export function beginExtended(
  { pod, request }: PodInfo,
  { listers, ledger, random }: Pick<PluginContext, 'listers' | 'ledger' | 'random'>,
): ExtendedState | undefined {
  if (request.scalars.size === 0) return undefined;
  const all = listers.deviceClasses.list();
  const classes = new Map<string, string>();
  for (const [resource, amount] of request.scalars) {
    const name = amount > 0 ? classOfResource(resource, all) : undefined;
    if (name !== undefined) classes.set(resource, name);
  }
  if (classes.size === 0) return undefined;
  const stale = ledger.find(isFor(pod));
  return { classes, onNode: new Map(), uid: random.uuid(), ...(stale ? { stale } : {}) };
}

/** The claim that the pod needs on the node, undefined when the node has its resources otherwise, or a refusal. */
export function claimOnNode(
  { stale, classes, uid }: ExtendedState,
  pod: Pod,
  { allocatable }: NodeInfo,
): NodeClaim | Status | undefined {
  if (stale) return unschedulable('cannot schedule extended resource claim');
  const needed = new Map([...classes].filter(([name]) => !allocatable.scalars.get(name)));
  if (needed.size === 0) return undefined;
  const { requests, mappings } = extendedRequests(pod, needed);
  const { namespace = '', name = '' } = pod.metadata;
  const claim: ResourceClaim = {
    metadata: {
      name: UNNAMED,
      namespace,
      uid,
      generateName: `${name}-extended-resources-`,
      annotations: { [EXTENDED_CLAIM]: 'true' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid ?? '', controller: true },
      ],
    },
    spec: { devices: { requests: [...requests] } },
  };
  return { claim, mappings };
}

/** As it is created: the server gives name and uid. */
export function toCreate({ metadata, spec }: ResourceClaim): ResourceClaim {
  const { name: _, uid: __, ...rest } = metadata;
  return { metadata: rest, spec };
}

/** The patch of a pod's status that tells its containers' devices. */
export const extendedStatus = (
  { metadata }: Pod,
  claim: ResourceClaim,
  requestMappings: readonly ContainerExtendedResourceRequest[],
): object => ({
  metadata: { uid: metadata.uid },
  status: {
    extendedResourceClaimStatus: {
      requestMappings: [...requestMappings],
      resourceClaimName: claim.metadata.name ?? '',
    },
  },
});
