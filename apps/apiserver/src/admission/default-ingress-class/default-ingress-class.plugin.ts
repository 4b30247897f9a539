import type { Ingress, IngressClass } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';

const DEFAULT = 'ingressclass.kubernetes.io/is-default-class';

/** Names the default class in ingresses that name none (k8s plugin/pkg/admission/network/defaultingressclass). */
export class DefaultIngressClass implements AdmissionPlugin {
  readonly name = 'DefaultIngressClass';

  constructor(private readonly classes: Pick<LiveReader<IngressClass>, 'values'>) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  admit(attributes: AdmissionAttributes): void {
    const { kind, subresource } = attributes;
    if (kind.group !== 'networking.k8s.io' || kind.plural !== 'ingresses' || subresource !== '')
      return;
    const ingress = attributes.object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined) return;
    if (ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
    const defaults = [...this.classes.values()]
      .filter((one) => one.metadata.annotations?.[DEFAULT] === 'true')
      .sort((a, b) =>
        (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''),
      );
    const name = defaults[0]?.metadata.name;
    if (!name) return;
    if (!ingress.spec) throw forbiddenBy(attributes, 'the ingress has no spec');
    ingress.spec.ingressClassName = name;
  }
}
