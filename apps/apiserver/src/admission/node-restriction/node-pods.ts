import type { OwnerReference } from '@orrery/apimachinery';
import type { Pod } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import { podReferences } from '../../authz/node/pod-references.js';

const MIRROR = 'kubernetes.io/config.mirror';

function ownerProblem(owner: OwnerReference, self: string): string | undefined {
  const only = `node "${self}" can only create pods with`;
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== self)
    return `${only} an owner reference set to itself`;
  if (owner.controller !== true) return `${only} a controller owner reference set to itself`;
  return owner.blockOwnerDeletion === true
    ? `node "${self}" must not set blockOwnerDeletion on an owner reference`
    : undefined;
}

/** What a static pod names that its node could read by it; undefined = nothing. */
function referenceProblem(pod: Pod, self: string): string | undefined {
  const { secrets, configMaps, claims } = podReferences(pod);
  const sources = (pod.spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  const named: readonly (readonly [what: string, isNamed: boolean])[] = [
    ['a service account', Boolean(pod.spec?.serviceAccountName)],
    ['secrets', secrets.size > 0],
    ['configmaps', configMaps.size > 0],
    ['clustertrustbundles', sources.some((source) => source.clusterTrustBundle)],
    ['persistentvolumeclaims', claims.size > 0],
    ['resourceclaims', (pod.spec?.resourceClaims ?? []).length > 0],
  ];
  const found = named.find(([, isNamed]) => isNamed);
  return found && `node "${self}" can not create pods that reference ${found[0]}`;
}

/** Why a node must not create a pod; its owner's uid is left to be checked (k8s …/noderestriction/admission.go:admitPodCreate). */
export function newPodProblem(pod: Pod, self: string): string | undefined {
  if (pod.metadata.annotations?.[MIRROR] === undefined)
    return `pod does not have "${MIRROR}" annotation, node "${self}" can only create mirror pods`;
  const only = `node "${self}" can only create pods with`;
  if (pod.spec?.nodeName !== self) return `${only} spec.nodeName set to itself`;
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  if (others.length > 0) return `${only} a single owner reference set to itself`;
  if (!owner) return `${only} an owner reference set to itself`;
  return ownerProblem(owner, self) ?? referenceProblem(pod, self);
}

/** Why a node must not write a status (…/admission.go:admitPodStatus; CVE-2025-4563 for the claims). */
export function podStatusProblem(pod: Pod, old: Pod, self: string): string | undefined {
  if (old.spec?.nodeName !== self)
    return `node "${self}" can only update pod status for pods with spec.nodeName set to itself`;
  if (!equalJson(pod.metadata.labels ?? {}, old.metadata.labels ?? {}))
    return `node "${self}" cannot update labels through pod status`;
  const claims = ({ status }: Pod): unknown => status?.resourceClaimStatuses ?? [];
  return equalJson(claims(pod), claims(old))
    ? undefined
    : `node "${self}" cannot update resource claim statues`;
}
