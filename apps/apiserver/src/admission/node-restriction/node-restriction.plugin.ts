import type { KubeObject } from '@orrery/apimachinery';
import { newForbidden } from '@orrery/apimachinery';
import type { Node, PersistentVolumeClaim, Pod } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { nodeNameOf } from '../../authz/node.authorizer.js';
import { podReferences } from '../../authz/pod-references.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { resourceOf } from '../pod-request.js';

const MIRROR = 'kubernetes.io/config.mirror';
const NODE_LEASES = 'kube-node-lease';

type Slice = KubeObject & { readonly spec?: { readonly nodeName?: string } };

/** Labels below kubernetes.io and k8s.io that a kubelet may set on its node (k8s kubelet/apis/well_known_labels.go). */
const OWN_LABELS = new Set([
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const OWN_PREFIXES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];

function isForbiddenLabel(key: string): boolean {
  if (OWN_LABELS.has(key)) return false;
  const prefix = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const below = (domain: string): boolean => prefix === domain || prefix.endsWith(`.${domain}`);
  if (below('node-restriction.kubernetes.io')) return true;
  if (OWN_PREFIXES.some(below)) return false;
  return below('kubernetes.io') || below('k8s.io');
}

/** Keys whose value differs. */
function changedLabels(node: Node, old: Node | undefined): string[] {
  const now = node.metadata.labels ?? {};
  const before = old?.metadata.labels ?? {};
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter(
    (key) => now[key] !== before[key],
  );
}

/** Names by which a pod takes or has got resource claims. */
const claimsOf = ({ spec, status }: Pod): ReadonlySet<string> =>
  new Set(
    [...(spec?.resourceClaims ?? []), ...(status?.resourceClaimStatuses ?? [])].map(
      ({ name }) => name,
    ),
  );

/**
 * A kubelet may change its own node and the pods bound to it, no more; not its taints, its owner references or
 * restricted labels (CVE-2025-5187), on create as on update (CVE-2025-4563).
 * k8s plugin/pkg/admission/noderestriction/admission.go.
 */
export class NodeRestriction implements AdmissionPlugin {
  readonly name = 'NodeRestriction';

  constructor(private readonly pods: Pick<LiveReader<Pod>, 'find'>) {}

  handles(operation: Operation): boolean {
    return operation !== 'CONNECT';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const self = nodeNameOf(attributes.context.user);
    if (self === undefined) return;
    const { group, plural } = attributes.kind;
    if (group !== '') this.#owned(attributes, self);
    else if (plural === 'nodes') this.#node(attributes, self);
    else if (plural === 'persistentvolumeclaims') this.#claim(attributes, self);
    else if (attributes.kind.plural === 'pods') await this.#pod(attributes, self);
  }

  #refuse(attributes: AdmissionAttributes, why: string): never {
    throw newForbidden(resourceOf(attributes), attributes.name, why);
  }

  /** Objects that belong to one node: its Lease, its CSINode, its ResourceSlices. */
  #owned(attributes: AdmissionAttributes, self: string): void {
    const { kind, name, namespace, object, oldObject } = attributes;
    const target = name || (object?.metadata.name ?? '');
    const id = `${kind.group}/${kind.plural}`;
    if (id === 'coordination.k8s.io/leases') {
      if (namespace !== NODE_LEASES)
        this.#refuse(
          attributes,
          `can only access leases in the ${JSON.stringify(NODE_LEASES)} system namespace`,
        );
      if (target !== self)
        this.#refuse(
          attributes,
          'can only access node lease with the same name as the requesting node',
        );
    } else if (id === 'storage.k8s.io/csinodes') {
      if (target !== self)
        this.#refuse(
          attributes,
          'can only access CSINode with the same name as the requesting node',
        );
    } else if (id === 'resource.k8s.io/resourceslices') {
      const nodes = [object, oldObject].flatMap((one) =>
        one ? [(one as Slice).spec?.nodeName] : [],
      );
      if (nodes.some((node) => node !== self))
        this.#refuse(attributes, 'can only create or change ResourceSlices of its own node');
    }
  }

  /** A kubelet tells how far the growth of a claim has come, no more. */
  #claim(attributes: AdmissionAttributes, self: string): void {
    const { subresource, operation, object, oldObject } = attributes;
    if (subresource !== 'status') this.#refuse(attributes, 'may only update PVC status');
    if (operation !== 'UPDATE' || !object || !oldObject)
      this.#refuse(attributes, `unexpected operation "${operation}"`);
    const rest = (claim: KubeObject | undefined): unknown => {
      const { status, metadata, ...others } = structuredClone(claim) as PersistentVolumeClaim;
      const { managedFields: _m, resourceVersion: _r, ...meta } = metadata;
      const { capacity: _c, conditions: _d, allocatedResources: _a, ...kept } = status ?? {};
      const { allocatedResourceStatuses: _s, modifyVolumeStatus: _v, ...same } = kept;
      return { ...others, metadata: meta, status: same };
    };
    if (!equalJson(rest(object), rest(oldObject)))
      this.#refuse(
        attributes,
        `node "${self}" is not allowed to update fields other than status.capacity and status.conditions`,
      );
  }

  #node(attributes: AdmissionAttributes, self: string): void {
    const { operation, name } = attributes;
    const target = name || (attributes.object?.metadata.name ?? '');
    if (operation === 'DELETE')
      this.#refuse(attributes, `node "${self}" is not allowed to delete nodes`);
    if (target !== self)
      this.#refuse(attributes, `node "${self}" is not allowed to modify node "${target}"`);
    const node = attributes.object as Node;
    const old = attributes.oldObject as Node | undefined;
    const forbidden = changedLabels(node, old).filter(isForbiddenLabel).sort();
    if (forbidden.length > 0)
      this.#refuse(attributes, `is not allowed to modify labels: ${forbidden.join(', ')}`);
    if (old) this.#sameOwnersAndTaints(attributes, node, old);
  }

  #sameOwnersAndTaints(attributes: AdmissionAttributes, node: Node, old: Node): void {
    const self = node.metadata.name ?? '';
    if (!equalJson(node.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
      this.#refuse(attributes, `node "${self}" is not allowed to modify ownerReferences`);
    if (
      attributes.subresource === '' &&
      !equalJson(node.spec?.taints ?? [], old.spec?.taints ?? [])
    )
      this.#refuse(attributes, `node "${self}" is not allowed to modify taints`);
  }

  async #pod(attributes: AdmissionAttributes, self: string): Promise<void> {
    const { operation, subresource } = attributes;
    if (subresource === 'eviction' || operation === 'DELETE') {
      const pod = (attributes.oldObject ??
        (await this.pods.find(attributes.name, attributes.namespace))) as Pod | undefined;
      if (pod && pod.spec?.nodeName !== self)
        this.#refuse(
          attributes,
          `node "${self}" can only delete pods with spec.nodeName set to itself`,
        );
      return;
    }
    if (subresource === 'status') {
      if ((attributes.oldObject as Pod).spec?.nodeName !== self)
        this.#refuse(
          attributes,
          `node "${self}" can only update pod status for pods with spec.nodeName set to itself`,
        );
      this.#sameClaims(attributes, self);
      return;
    }
    if (operation === 'CREATE') this.#createPod(attributes, attributes.object as Pod, self);
    else this.#refuse(attributes, `unexpected operation "${operation}" by node "${self}"`);
  }

  /** Which claims a pod has got says who may read their devices: kubelets do not (CVE-2025-4563). */
  #sameClaims({ object, oldObject, ...rest }: AdmissionAttributes, self: string): void {
    const of = (pod: KubeObject | undefined): unknown =>
      (pod as Pod | undefined)?.status?.resourceClaimStatuses ?? [];
    if (!equalJson(of(object), of(oldObject)))
      this.#refuse(rest, `node "${self}" cannot update resource claim statuses`);
  }

  #createPod(attributes: AdmissionAttributes, pod: Pod, self: string): void {
    if (pod.metadata.annotations?.[MIRROR] === undefined)
      this.#refuse(
        attributes,
        `pod does not have "${MIRROR}" annotation, node "${self}" can only create mirror pods`,
      );
    if (pod.spec?.nodeName !== self)
      this.#refuse(
        attributes,
        `node "${self}" can only create pods with spec.nodeName set to itself`,
      );
    const owners = pod.metadata.ownerReferences ?? [];
    if (
      owners.length > 1 ||
      owners.some(
        (owner) => owner.kind !== 'Node' || owner.name !== self || owner.apiVersion !== 'v1',
      )
    )
      this.#refuse(
        attributes,
        `node "${self}" can only create pods with an owner reference set to itself`,
      );
    if (pod.spec.serviceAccountName)
      this.#refuse(
        attributes,
        `node "${self}" can not create pods that reference a service account`,
      );
    const { secrets, configMaps, claims } = podReferences(pod);
    for (const [what, names] of [
      ['secrets', secrets],
      ['configmaps', configMaps],
      ['persistentvolumeclaims', claims],
      ['resourceclaims', claimsOf(pod)],
    ] as const)
      if (names.size > 0)
        this.#refuse(attributes, `node "${self}" can not create pods that reference ${what}`);
  }
}
