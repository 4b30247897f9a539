import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Secret } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { TOKEN_NAMESPACE, TOKEN_TYPE, expiryOf, isExpired } from './bootstrap-token.decide.js';

const NAME = 'token-cleaner-controller';
const SECRETS = { namespace: TOKEN_NAMESPACE, fieldSelector: `type=${TOKEN_TYPE}` };
const LONGEST_WAIT_MS = 86_400_000;

/** Deletes bootstrap tokens that have run out (k8s pkg/controller/bootstrap/tokencleaner.go). */
export class TokenCleanerReconciler implements Reconciler {
  constructor(
    private readonly secrets: Lister<Secret>,
    private readonly client: ResourceClient<Secret>,
    private readonly clock: Clock,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const secret = this.secrets.get(key);
    const expiry = secret && expiryOf(secret);
    if (!secret || expiry === undefined) return done;
    const now = this.clock.now();
    if (!isExpired(secret, now)) return { requeueAfterMs: Math.min(expiry - now, LONGEST_WAIT_MS) };
    const { uid } = secret.metadata;
    try {
      await this.client.delete(key, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }
}

export const tokenCleanerController: ControllerEntry = {
  name: NAME,
  offByDefault: true,
  definition: () => defineController(NAME).for(resources.secrets, { scope: SECRETS }).build(),
  create: ({ client, informers, clock }) =>
    new TokenCleanerReconciler(
      informers.informer(resources.secrets, SECRETS).lister,
      client.resource(resources.secrets),
      clock,
    ),
};
