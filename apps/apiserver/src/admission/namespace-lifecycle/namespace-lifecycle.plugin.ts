import { StatusError, newForbidden, newNotFound } from '@orrery/apimachinery';
import type { Namespace } from '@orrery/api';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy, resourceOf } from '../forbidden.js';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** k8s apiserver pkg/admission/plugin/namespace/lifecycle/admission.go. */
export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = 'NamespaceLifecycle';

  constructor(private readonly namespaces: Pick<LiveReader<Namespace>, 'get' | 'find'>) {}

  handles(operation: Operation): boolean {
    return operation !== 'CONNECT';
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const { kind, operation, name, namespace } = attributes;
    if (kind.group === '' && kind.plural === 'namespaces') {
      if (operation === 'DELETE' && IMMORTAL.has(name))
        throw newForbidden(resourceOf(attributes), name, 'this namespace may not be deleted');
      return;
    }
    // What exists in a namespace may still change and go while the namespace ends.
    if (!namespace || operation !== 'CREATE') return;
    if (kind.plural === 'localsubjectaccessreviews') return;
    const found = await this.namespaces.find(namespace);
    if (!found) throw newNotFound({ group: '', resource: 'namespaces' }, namespace);
    if (found.status?.phase === 'Terminating' || found.metadata.deletionTimestamp)
      throw this.#terminating(attributes, namespace);
  }

  #terminating(attributes: AdmissionAttributes, namespace: string): StatusError {
    const forbidden = forbiddenBy(
      attributes,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    const causes = [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ];
    return new StatusError(403, 'Forbidden', forbidden.message, {
      details: { ...forbidden.status.details, causes },
    });
  }
}
