import type { KubeObject } from '@orrery/apimachinery';
import type { Node } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { podOf } from '../pod-request.js';

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

type Binding = KubeObject & {
  readonly target?: { readonly kind?: string; readonly name?: string };
};

/** A pod carries the zone and region of its node (k8s plugin/pkg/admission/podtopologylabels). */
export class PodTopologyLabels implements AdmissionPlugin {
  readonly name = 'PodTopologyLabels';

  constructor(private readonly nodes: Pick<LiveReader<Node>, 'find'>) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const { kind, subresource, object } = attributes;
    const isBinding = attributes.objectKind?.kind === 'Binding' && kind.group === '';
    if (isBinding && (subresource === 'binding' || kind.plural === 'bindings')) {
      const binding = object as Binding;
      if (!binding.target?.kind || binding.target.kind === 'Node')
        await this.#copy(binding, binding.target?.name ?? '');
      return;
    }
    const pod = podOf(attributes);
    if (pod?.spec?.nodeName) await this.#copy(pod, pod.spec.nodeName);
  }

  async #copy(object: KubeObject, nodeName: string): Promise<void> {
    const node = await this.nodes.find(nodeName);
    const found = LABELS.flatMap((key) => {
      const value = node?.metadata.labels?.[key];
      return value === undefined ? [] : [[key, value] as const];
    });
    if (found.length === 0) return;
    object.metadata.labels = { ...object.metadata.labels, ...Object.fromEntries(found) };
  }
}
