import type { Node } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';

const KEY = 'node.kubernetes.io/not-ready';

/** A new node takes no pods until it is ready (k8s plugin/pkg/admission/nodetaint). */
export class TaintNodesByCondition implements AdmissionPlugin {
  readonly name = 'TaintNodesByCondition';

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  admit({ kind, subresource, object }: AdmissionAttributes): void {
    if (kind.group !== '' || kind.plural !== 'nodes' || subresource !== '' || !object) return;
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === KEY && taint.effect === 'NoSchedule')) return;
    node.spec = { ...node.spec, taints: [...taints, { key: KEY, effect: 'NoSchedule' }] };
  }
}
