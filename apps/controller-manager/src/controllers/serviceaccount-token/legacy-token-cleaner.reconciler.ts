import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound, keyOf } from '@orrery/apimachinery';
import type { ConfigMap, Pod, Secret, ServiceAccount } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { podInformer } from '../../pods/pod-indexes.js';
import { INVALID_SINCE, dayOf, decideCleanUp } from './legacy-token-cleaner.decide.js';
import { ACCOUNT_NAME, TOKEN_TYPE } from './token-secret.decide.js';

const NAME = 'legacy-serviceaccount-token-cleaner-controller';
const SECRETS = { fieldSelector: `type=${TOKEN_TYPE}` };
const TRACKING = {
  namespace: 'kube-system',
  name: 'kube-apiserver-legacy-service-account-token-tracking',
};
const MAPS = { namespace: 'kube-system', fieldSelector: `metadata.name=${TRACKING.name}` };
const DAY_MS = 86_400_000;

export interface LegacyTokenCaches {
  readonly secrets: Lister<Secret>;
  readonly accounts: Lister<ServiceAccount>;
  readonly pods: Lister<Pod>;
  readonly maps: Lister<ConfigMap>;
}

/** Once a day: refuses, then deletes token Secrets that were made automatically and are not used. */
export class LegacyTokenCleanerReconciler implements Reconciler {
  constructor(
    private readonly caches: LegacyTokenCaches,
    private readonly client: ResourceClient<Secret>,
    private readonly periodMs: number,
    private readonly clock: Clock,
  ) {}

  async reconcile(): Promise<Result> {
    const since = this.caches.maps.get(TRACKING)?.data?.['since'];
    if (since !== undefined)
      for (const secret of this.caches.secrets.list()) await this.#look(secret, since);
    return { requeueAfterMs: DAY_MS };
  }

  async #look(secret: Secret, trackedSince: string): Promise<void> {
    const { namespace = '', annotations, uid } = secret.metadata;
    const name = annotations?.[ACCOUNT_NAME] ?? '';
    const now = this.clock.now();
    const act = decideCleanUp({
      secret,
      account: this.caches.accounts.get({ namespace, name }),
      pods: this.caches.pods.list(namespace),
      trackedSince,
      periodMs: this.periodMs,
      now,
    });
    try {
      if (act === 'mark')
        await this.client.patch(keyOf(secret), 'merge', {
          metadata: { uid, labels: { [INVALID_SINCE]: dayOf(now) } },
        });
      if (act === 'delete') await this.#delete(secret);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #delete(secret: Secret): Promise<void> {
    const { resourceVersion } = secret.metadata;
    const preconditions = resourceVersion ? { preconditions: { resourceVersion } } : {};
    await this.client.delete(keyOf(secret), preconditions);
  }
}

const ALL: ObjectKey = { name: 'tokens' };

export const legacyTokenCleaner: ControllerEntry = {
  name: NAME,
  definition: () =>
    defineController(NAME)
      .initially(ALL)
      .watches(resources.configmaps, () => [ALL], { scope: MAPS })
      .watches(resources.secrets, () => [], { scope: SECRETS, changed: () => false })
      .watches(resources.serviceaccounts, () => [], { changed: () => false })
      .watches(resources.pods, () => [], { changed: () => false })
      .build(),
  create: ({ client, informers, clock, options }) =>
    new LegacyTokenCleanerReconciler(
      {
        secrets: informers.informer(resources.secrets, SECRETS).lister,
        accounts: informers.informer(resources.serviceaccounts).lister,
        pods: podInformer(informers).lister,
        maps: informers.informer(resources.configmaps, MAPS).lister,
      },
      client.resource(resources.secrets),
      options.legacyTokenCleanUpMs,
      clock,
    ),
};
