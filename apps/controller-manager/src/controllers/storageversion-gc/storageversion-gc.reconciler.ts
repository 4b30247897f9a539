import type { ObjectKey } from '@orrery/apimachinery';
import { isNotFound } from '@orrery/apimachinery';
import type { Lease } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { storageVersions } from './storage-version.js';
import type { StorageVersion } from './storage-version.js';
import { decideStorageVersion, isIdentity } from './storageversion-gc.decide.js';

const NAME = 'storageversion-garbage-collector-controller';
const NAMESPACE = 'kube-system';
const LEASES = { namespace: NAMESPACE };

/** Takes from StorageVersions what API servers said that are gone. */
export class StorageVersionGcReconciler implements Reconciler {
  constructor(
    private readonly versions: Lister<StorageVersion>,
    private readonly client: KubeClient,
  ) {}

  async reconcile(key: ObjectKey): Promise<Result> {
    const version = this.versions.get(key);
    if (!version) return done;
    const alive = new Set<string>();
    for (const { apiServerID = '' } of version.status?.storageVersions ?? [])
      if (await this.#isAlive(apiServerID)) alive.add(apiServerID);
    const decision = decideStorageVersion(version, (server) => alive.has(server));
    if (decision.act === 'keep') return done;
    const client = this.client.resource(storageVersions);
    const { uid, resourceVersion = '' } = version.metadata;
    try {
      if (decision.act === 'update')
        await client.updateStatus({ ...version, status: decision.status });
      // Another server may have added itself: only the version that was judged may go.
      else
        await client.delete(key, { preconditions: { ...(uid ? { uid } : {}), resourceVersion } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return done;
  }

  /** Asks the server: the cache of Leases may be behind that of StorageVersions. */
  async #isAlive(name: string): Promise<boolean> {
    if (name === '') return false;
    try {
      const key = { namespace: NAMESPACE, name };
      return isIdentity(await this.client.resource(resources.leases).get(key));
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

export const storageVersionGcController: ControllerEntry = {
  name: NAME,
  enabled: ({ featureGates }) => featureGates.StorageVersionAPI,
  definition({ informers }) {
    const versions = informers.informer(storageVersions).lister;
    const leases = informers.informer(resources.leases, LEASES).lister;
    const saidBy = ({ metadata }: Lease): ObjectKey[] => {
      // Of interest is only that it is gone.
      if (leases.get({ namespace: NAMESPACE, name: metadata.name ?? '' })) return [];
      return versions
        .list()
        .filter(({ status }) =>
          (status?.storageVersions ?? []).some((one) => one.apiServerID === metadata.name),
        )
        .map(({ metadata: { name = '' } }) => ({ name }));
    };
    return defineController(NAME)
      .for(storageVersions)
      .watches(resources.leases, saidBy, { scope: LEASES, changed: () => false })
      .build();
  },
  create: ({ client, informers }) =>
    new StorageVersionGcReconciler(informers.informer(storageVersions).lister, client),
};
