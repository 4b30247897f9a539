import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { ObjectKey } from '@orrery/apimachinery';
import { isAlreadyExists } from '@orrery/apimachinery';
import type { ConfigMap, Namespace } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceClient } from '@orrery/client';
import { ConfigError } from '@orrery/component';
import { defineController, done } from '@orrery/controller';
import type { Reconciler, Result } from '@orrery/controller';
import type { Lister } from '@orrery/informers';
import type { ControllerEntry } from '../../controller-entry.js';
import { isNamespaceTerminating } from '../../pods/namespace-terminating.js';
import { createRootCaMeters } from './root-ca.metrics.js';
import type { NamespaceSync } from './root-ca.metrics.js';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

const ANNOTATION = 'kubernetes.io/description';

/** Pure: the map as it must be; undefined when it is so already (k8s rootcacertpublisher/publisher.go:syncNamespace). */
export function wantedMap(
  namespace: string,
  current: ConfigMap | undefined,
  rootCa: string,
): ConfigMap | undefined {
  const data = { 'ca.crt': rootCa };
  const annotations = { ...current?.metadata.annotations, [ANNOTATION]: DESCRIPTION };
  if (!current) return { metadata: { namespace, name: NAME, annotations }, data };
  const isSame =
    isDeepStrictEqual(current.data, data) && current.metadata.annotations?.[ANNOTATION];
  return isSame ? undefined : { ...current, metadata: { ...current.metadata, annotations }, data };
}

/** Keeps the ConfigMap with the cluster's certificate authority in every namespace. */
export class RootCaReconciler implements Reconciler {
  constructor(
    private readonly namespaces: Lister<Namespace>,
    private readonly maps: Lister<ConfigMap>,
    private readonly client: ResourceClient<ConfigMap>,
    private readonly rootCa: string,
    private readonly synced: NamespaceSync,
  ) {}

  reconcile({ name }: ObjectKey): Promise<Result> {
    return this.synced(() => this.#sync(name));
  }

  async #sync(namespace: string): Promise<Result> {
    const found = this.namespaces.get({ name: namespace });
    if (!found || found.metadata.deletionTimestamp) return done;
    const current = this.maps.get({ namespace, name: NAME });
    const wanted = wantedMap(namespace, current, this.rootCa);
    if (wanted) await (current ? this.client.update(wanted) : this.#create(wanted));
    return done;
  }

  async #create(map: ConfigMap): Promise<void> {
    try {
      await this.client.create(map);
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
  }
}

function readRootCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`--root-ca-file ${path} cannot be read: ${String(cause)}`, { cause });
  }
}

export const rootCaController: ControllerEntry = {
  name: 'root-ca-certificate-publisher-controller',
  enabled: ({ rootCaFile }) => rootCaFile !== '',
  definition: () =>
    defineController('root-ca-certificate-publisher-controller')
      .for(resources.namespaces)
      .watches(resources.configmaps, (map) =>
        map.metadata.name === NAME ? [{ name: map.metadata.namespace ?? '' }] : [],
      )
      .build(),
  create: ({ client, informers, options, metrics, clock }) =>
    new RootCaReconciler(
      informers.informer(resources.namespaces).lister,
      informers.informer(resources.configmaps).lister,
      client.resource(resources.configmaps),
      readRootCa(options.rootCaFile),
      createRootCaMeters(metrics, clock),
    ),
};
