import type { ObjectKey } from '@orrery/apimachinery';
import { isAlreadyExists } from '@orrery/apimachinery';
import type { Namespace, ServiceAccount } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';

const DEFAULT = 'default';

/** Pure: whether the account is to be made: nothing is made in a namespace that goes. */
export const isMissing = (
  namespace: Namespace | undefined,
  account: ServiceAccount | undefined,
): boolean => namespace !== undefined && !namespace.metadata.deletionTimestamp && !account;

/** Keeps the ServiceAccount `default` in every namespace that is not being deleted. */
export class ServiceAccountReconciler implements Reconciler {
  constructor(
    private readonly namespaces: Lister<Namespace>,
    private readonly accounts: Lister<ServiceAccount>,
    private readonly client: ResourceClient<ServiceAccount>,
  ) {}

  async reconcile({ name: namespace }: ObjectKey): Promise<Result> {
    const found = this.namespaces.get({ name: namespace });
    if (!isMissing(found, this.accounts.get({ namespace, name: DEFAULT }))) return done;
    try {
      await this.client.create({ metadata: { namespace, name: DEFAULT } });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
    return done;
  }
}

export const serviceAccountController: ControllerEntry = {
  name: 'serviceaccount-controller',
  definition: () =>
    defineController('serviceaccount-controller')
      .for(resources.namespaces)
      .watches(resources.serviceaccounts, (account) =>
        account.metadata.name === DEFAULT ? [{ name: account.metadata.namespace ?? '' }] : [],
      )
      .build(),
  create: ({ client, informers }) =>
    new ServiceAccountReconciler(
      informers.informer(resources.namespaces).lister,
      informers.informer(resources.serviceaccounts).lister,
      client.resource(resources.serviceaccounts),
    ),
};
