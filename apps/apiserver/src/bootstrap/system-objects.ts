import type { KubeObject } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { ResourceStore } from '@orrery/registry';
import { systemContext } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** k8s pkg/apis/scheduling/v1/helpers.go. */
const PRIORITY_CLASSES = [
  {
    name: 'system-node-critical',
    value: 2000001000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2000000000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];

/** What is there at a restart is known without asking etcd; a create finds out about the rest. */
const FROM_MEMORY = { resourceVersion: '0' };

async function ensure(
  store: ResourceStore,
  services: ServerServices,
  object: KubeObject,
): Promise<void> {
  const { namespace, name = '' } = object.metadata;
  try {
    await store.get(namespace, name, FROM_MEMORY);
    return;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    const context = systemContext(services.clock, services.signal);
    await store.create(object, { context, ...(namespace ? { namespace } : {}) });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** The namespaces that every cluster has. */
export async function ensureNamespaces(services: ServerServices): Promise<void> {
  const store = services.store('', 'v1', 'namespaces');
  for (const name of NAMESPACES) await ensure(store, services, { metadata: { name } });
}

/** The two priority classes of system pods. */
export async function ensurePriorityClasses(services: ServerServices): Promise<void> {
  const store = services.store('scheduling.k8s.io', 'v1', 'priorityclasses');
  for (const { name, ...rest } of PRIORITY_CLASSES)
    await ensure(store, services, { metadata: { name }, ...rest } as KubeObject);
}

/** The Service through which pods reach the API, at the first address of the range. */
export async function ensureKubernetesService(
  services: ServerServices,
  clusterIP: string,
): Promise<void> {
  await ensure(services.store('', 'v1', 'services'), services, {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      ports: [
        {
          name: 'https',
          port: 443,
          protocol: 'TCP',
          targetPort: services.options.securePort,
        },
      ],
      sessionAffinity: 'None',
    },
  } as KubeObject);
}
