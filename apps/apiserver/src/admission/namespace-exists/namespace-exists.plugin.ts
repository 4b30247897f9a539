import { newNotFound } from '@orrery/apimachinery';
import type { Namespace } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';

/** Refuses what names a namespace that is not there (k8s plugin/pkg/admission/namespace/exists). */
export class NamespaceExists implements AdmissionPlugin {
  readonly name = 'NamespaceExists';

  constructor(private readonly namespaces: Pick<LiveReader<Namespace>, 'find'>) {}

  handles(operation: Operation): boolean {
    return operation !== 'CONNECT';
  }

  async validate({ kind, namespace }: AdmissionAttributes): Promise<void> {
    if (!namespace || (kind.group === '' && kind.plural === 'namespaces')) return;
    if (await this.namespaces.find(namespace)) return;
    throw newNotFound({ group: '', resource: 'namespaces' }, namespace);
  }
}
