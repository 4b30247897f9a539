import { newForbidden } from '@orrery/apimachinery';
import type { Node, Pod } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import { nodeNameOf } from '../../authz/node.authorizer.js';
import { podReferences } from '../../authz/pod-references.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { resourceOf } from '../pod-request.js';

const MIRROR = 'kubernetes.io/config.mirror';
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
    if (self === undefined || attributes.kind.group !== '') return;
    if (attributes.kind.plural === 'nodes') this.#node(attributes, self);
    else if (attributes.kind.plural === 'pods') await this.#pod(attributes, self);
  }

  #refuse(attributes: AdmissionAttributes, why: string): never {
    throw newForbidden(resourceOf(attributes), attributes.name, why);
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
      return;
    }
    if (operation === 'CREATE') this.#createPod(attributes, attributes.object as Pod, self);
    else this.#refuse(attributes, `unexpected operation "${operation}" by node "${self}"`);
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
    ] as const)
      if (names.size > 0)
        this.#refuse(attributes, `node "${self}" can not create pods that reference ${what}`);
  }
}
