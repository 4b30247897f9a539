import { isDeepStrictEqual } from 'node:util';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import type { ConfigMap, Secret } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { TOKEN_NAMESPACE, TOKEN_TYPE, expiryOf, signedData } from './bootstrap-token.decide.js';

const NAME = 'bootstrap-signer-controller';
const MAP = { namespace: 'kube-public', name: 'cluster-info' };
const SECRETS = { namespace: TOKEN_NAMESPACE, fieldSelector: `type=${TOKEN_TYPE}` };
const MAPS = { namespace: MAP.namespace, fieldSelector: `metadata.name=${MAP.name}` };

/** Signs the public cluster-info with every bootstrap token, so that who joins can check it. */
export class BootstrapSignerReconciler implements Reconciler {
  constructor(
    private readonly maps: Lister<ConfigMap>,
    private readonly secrets: Lister<Secret>,
    private readonly client: ResourceClient<ConfigMap>,
    private readonly clock: Clock,
  ) {}

  async reconcile(): Promise<Result> {
    const map = this.maps.get(MAP);
    const now = this.clock.now();
    const secrets = this.secrets.list();
    const data = map && signedData(map, secrets, now);
    if (map && data && !isDeepStrictEqual(data, map.data ?? {}))
      try {
        await this.client.update({ ...map, data });
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    const waits = secrets.map((secret) => (expiryOf(secret) ?? 0) - now).filter((ms) => ms > 0);
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits, 86_400_000) } : done;
  }
}

export const bootstrapSignerController: ControllerEntry = {
  name: NAME,
  offByDefault: true,
  definition: () =>
    defineController(NAME)
      .watches(resources.configmaps, () => [MAP], { scope: MAPS })
      .watches(resources.secrets, () => [MAP], { scope: SECRETS })
      .build(),
  create: ({ client, informers, clock }) =>
    new BootstrapSignerReconciler(
      informers.informer(resources.configmaps, MAPS).lister,
      informers.informer(resources.secrets, SECRETS).lister,
      client.resource(resources.configmaps),
      clock,
    ),
};
