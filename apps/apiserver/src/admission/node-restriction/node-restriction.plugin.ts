import type { KubeObject } from '@orrery/apimachinery';
import { newNotFound } from '@orrery/apimachinery';
import type { CertificateSigningRequest, Node, PersistentVolumeClaim, Pod } from '@orrery/api';
import { readSigningRequest } from '@orrery/pki';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { nodeNameOf } from '../../authz/node/node.authorizer.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import { forbiddenLabels } from './node-labels.js';
import { newPodProblem, podStatusProblem } from './node-pods.js';

const NODE_LEASES = 'kube-node-lease';
const NODE_SIGNERS = new Set([
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/kube-apiserver-client-kubelet',
]);

type Slice = KubeObject & { readonly spec?: { readonly nodeName?: string } };

/** All of a claim but how far its growth has come. */
function withoutGrowth(claim: KubeObject): unknown {
  const { status, metadata, ...others } = structuredClone(claim) as PersistentVolumeClaim;
  const { managedFields: _m, resourceVersion: _r, ...meta } = metadata;
  const { capacity: _c, conditions: _d, allocatedResources: _a, ...kept } = status ?? {};
  const { allocatedResourceStatuses: _s, modifyVolumeStatus: _v, ...same } = kept;
  return { ...others, metadata: meta, status: same };
}

/**
 * A kubelet may change its own node and the pods bound to it, no more; not its taints, its owner references or
 * restricted labels (CVE-2025-5187), on create as on update (CVE-2025-4563).
 * k8s plugin/pkg/admission/noderestriction/admission.go.
 */
export class NodeRestriction implements AdmissionPlugin {
  readonly name = 'NodeRestriction';

  constructor(
    private readonly pods: Pick<LiveReader<Pod>, 'find'>,
    private readonly nodes: Pick<LiveReader<Node>, 'find'>,
  ) {}

  handles(operation: Operation): boolean {
    return operation !== 'CONNECT';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const self = nodeNameOf(attributes.context.user);
    if (self === undefined) return;
    const { group, plural } = attributes.kind;
    switch (group === '' ? plural : `${plural}.${group}`) {
      case 'pods':
        return this.#pod(attributes, self);
      case 'nodes':
        return this.#node(attributes, self);
      case 'persistentvolumeclaims':
        return this.#claim(attributes, self);
      case 'leases.coordination.k8s.io':
        return this.#lease(attributes, self);
      case 'csinodes.storage.k8s.io':
        return this.#sameName(attributes, self, 'CSINode with');
      case 'resourceslices.resource.k8s.io':
        return this.#slice(attributes, self);
      case 'certificatesigningrequests.certificates.k8s.io':
        return this.#request(attributes, self);
      default:
        return undefined;
    }
  }

  #refuse(attributes: AdmissionAttributes, why: string): never {
    throw forbiddenBy(attributes, why);
  }

  #sameName(attributes: AdmissionAttributes, self: string, what: string): void {
    const name = attributes.name || (attributes.object?.metadata.name ?? '');
    if (name !== self)
      this.#refuse(attributes, `can only access ${what} the same name as the requesting node`);
  }

  #lease(attributes: AdmissionAttributes, self: string): void {
    if (attributes.namespace !== NODE_LEASES)
      this.#refuse(attributes, `can only access leases in the "${NODE_LEASES}" system namespace`);
    this.#sameName(attributes, self, 'node lease with');
  }

  #slice(attributes: AdmissionAttributes, self: string): void {
    const { operation, object, oldObject } = attributes;
    if (operation === 'UPDATE') return;
    const isNew = operation === 'CREATE';
    const { spec } = ((isNew ? object : oldObject) ?? {}) as Partial<Slice>;
    const verb = isNew ? 'create' : 'delete';
    if (spec?.nodeName !== self)
      this.#refuse(
        attributes,
        `can only ${verb} ResourceSlice with the same NodeName as the requesting node`,
      );
  }

  /** A kubelet asks for certificates of its own name. */
  #request(attributes: AdmissionAttributes, self: string): void {
    if (attributes.operation !== 'CREATE') return;
    const { spec } = attributes.object as CertificateSigningRequest;
    if (!NODE_SIGNERS.has(spec.signerName)) return;
    const pem = Buffer.from(String(spec.request), 'base64').toString();
    let commonName = '';
    try {
      ({ commonName } = readSigningRequest(pem).subject);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#refuse(attributes, `unable to parse csr: ${why}`);
    }
    const name = `system:node:${self}`;
    if (commonName !== name) this.#refuse(attributes, `can only create a node CSR with CN=${name}`);
  }

  /** A kubelet tells how far the growth of a claim has come, no more. */
  #claim(attributes: AdmissionAttributes, self: string): void {
    const { subresource, operation, object, oldObject } = attributes;
    if (subresource !== 'status') this.#refuse(attributes, 'may only update PVC status');
    if (operation !== 'UPDATE' || !object || !oldObject)
      this.#refuse(attributes, `unexpected operation "${operation}"`);
    if (!equalJson(withoutGrowth(object), withoutGrowth(oldObject)))
      this.#refuse(
        attributes,
        `node "${self}" is not allowed to update fields other than status.capacity and status.conditions`,
      );
  }

  #node(attributes: AdmissionAttributes, self: string): void {
    const { operation, name } = attributes;
    const target = name || (attributes.object?.metadata.name ?? '');
    if (target !== self)
      this.#refuse(attributes, `node "${self}" is not allowed to modify node "${target}"`);
    if (operation === 'DELETE') return;
    const node = attributes.object as Node;
    const old = attributes.oldObject as Node | undefined;
    if (old) this.#sameOwnersAndTaints(attributes, node, old);
    const labels = forbiddenLabels(node, old).join(', ');
    if (labels === '') return;
    const what = old
      ? 'is not allowed to modify labels'
      : `node "${self}" is not allowed to set the following labels`;
    this.#refuse(attributes, `${what}: ${labels}`);
  }

  #sameOwnersAndTaints(attributes: AdmissionAttributes, node: Node, old: Node): void {
    const self = node.metadata.name ?? '';
    if (!equalJson(node.spec?.taints ?? [], old.spec?.taints ?? []))
      this.#refuse(attributes, `node "${self}" is not allowed to modify taints`);
    if (!equalJson(node.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
      this.#refuse(attributes, `node "${self}" is not allowed to modify ownerReferences`);
  }

  async #pod(attributes: AdmissionAttributes, self: string): Promise<void> {
    const { operation, subresource, object, oldObject } = attributes;
    const refuse = (why: string | undefined): void => {
      if (why !== undefined) this.#refuse(attributes, why);
    };
    if (subresource === 'status')
      return refuse(podStatusProblem(object as Pod, oldObject as Pod, self));
    if (subresource === 'eviction')
      return this.#bound(
        attributes,
        self,
        `node ${self} can only evict pods with spec.nodeName set to itself`,
      );
    if (subresource !== '')
      refuse(
        `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`,
      );
    if (operation === 'DELETE')
      return this.#bound(
        attributes,
        self,
        `node "${self}" can only delete pods with spec.nodeName set to itself`,
      );
    if (operation !== 'CREATE')
      refuse(
        `unexpected operation "${operation}", node "${self}" can only create and delete mirror pods`,
      );
    refuse(newPodProblem(object as Pod, self));
    return this.#sameNode(attributes, object as Pod, self);
  }

  /** The pod that goes is one of the node's. */
  async #bound(attributes: AdmissionAttributes, self: string, why: string): Promise<void> {
    const pod = await this.pods.find(attributes.name, attributes.namespace);
    if (!pod) throw newNotFound({ group: '', resource: 'pods' }, attributes.name);
    if (pod.spec?.nodeName !== self) this.#refuse(attributes, why);
  }

  /** The owner is the node of that name that is there now. */
  async #sameNode(attributes: AdmissionAttributes, pod: Pod, self: string): Promise<void> {
    const node = await this.nodes.find(self);
    if (!node) throw newNotFound({ group: '', resource: 'nodes' }, self);
    const [owner] = pod.metadata.ownerReferences ?? [];
    const { uid = '' } = node.metadata;
    if (owner?.uid !== uid)
      this.#refuse(
        attributes,
        `node ${self} UID mismatch: expected ${owner?.uid ?? ''} got ${uid}`,
      );
  }
}
