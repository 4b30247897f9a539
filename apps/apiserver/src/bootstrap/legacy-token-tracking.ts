import type { ConfigMap } from '@orrery/api';
import { isAlreadyExists, isConflict, isNotFound } from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';

const NAMESPACE = 'kube-system';
const NAME = 'kube-apiserver-legacy-service-account-token-tracking';
const KEY = 'since';
const LOOK_MS = 60_000;
/** One that is removed is made again so often at most: replicas that do not track remove it. */
const CREATE_MS = 30 * 60_000;

const isDay = (text: string | undefined): boolean =>
  text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** Keeps the ConfigMap that says since when uses of tokens in Secrets are told (k8s pkg/controlplane/controller/legacytokentracking). */
export class LegacyTokenTracking {
  private createdAt = -Infinity;

  constructor(private readonly services: ServerServices) {}

  /** Makes it what it should be now. */
  private async sync(): Promise<void> {
    const { clock } = this.services;
    const store = this.services.store('', 'v1', 'configmaps');
    const own = ownWrite(this.services, store.kind);
    const data = { [KEY]: toTime(clock.now()).slice(0, 10) };
    try {
      const { object } = await store.get(NAMESPACE, NAME, { resourceVersion: '0' });
      if (isDay((object as ConfigMap).data?.[KEY])) return;
      await store.update(
        (old) => {
          const map = old as ConfigMap;
          return isDay(map.data?.[KEY]) ? map : { ...map, data: { ...map.data, ...data } };
        },
        { namespace: NAMESPACE, name: NAME, ...own },
      );
    } catch (error) {
      if (isConflict(error)) return;
      if (!isNotFound(error)) throw error;
      if (clock.monotonic() - this.createdAt < CREATE_MS) return;
      const object: ConfigMap = { metadata: { name: NAME, namespace: NAMESPACE }, data };
      try {
        await store.create(object, { namespace: NAMESPACE, ...own });
      } catch (failure) {
        if (!isAlreadyExists(failure)) throw failure;
      }
      this.createdAt = clock.monotonic();
    }
  }

  /** Looks at once and every minute, until the server stops. */
  async run(): Promise<void> {
    const { clock, signal, logger } = this.services;
    while (!signal.aborted) {
      await this.sync().catch((error: unknown) => {
        if (!signal.aborted) logger.error('tracking of tokens is not told', { err: String(error) });
      });
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }
}
