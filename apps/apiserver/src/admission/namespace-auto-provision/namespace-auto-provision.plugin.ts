import { isAlreadyExists } from '@orrery/apimachinery';
import type { Namespace } from '@orrery/api';
import type { Clock } from '@orrery/component';
import type {
  AdmissionAttributes,
  AdmissionPlugin,
  Operation,
  ResourceStore,
} from '@orrery/registry';
import { ownTrack } from '../../rest/field-manager.js';
import type { LiveReader } from '../../live-view/live-view.js';

/** Makes the namespace that a new object names (k8s plugin/pkg/admission/namespace/autoprovision). */
export class NamespaceAutoProvision implements AdmissionPlugin {
  readonly name = 'NamespaceAutoProvision';

  constructor(
    private readonly namespaces: Pick<LiveReader<Namespace>, 'find'>,
    private readonly store: () => ResourceStore,
    private readonly clock: Clock,
  ) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE';
  }

  async admit({ kind, namespace, dryRun, context }: AdmissionAttributes): Promise<void> {
    if (!namespace || dryRun || (kind.group === '' && kind.plural === 'namespaces')) return;
    if (await this.namespaces.find(namespace)) return;
    try {
      const store = this.store();
      const track = ownTrack(this.clock, store.kind);
      await store.create({ metadata: { name: namespace } }, { context, track });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
