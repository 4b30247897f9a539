import type { KubeObject } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound, newNotFound } from '@orrery/apimachinery';
import { toTime } from '@orrery/component';
import type { ResourceStore } from '@orrery/registry';
import { cloneJson } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import { ownWrite, withOwnStatus } from '../rest/field-manager.js';

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

/** Makes an object that is not there yet; one that is stays as it is. */
export async function ensure(
  store: ResourceStore,
  services: ServerServices,
  object: KubeObject,
  manager?: string,
): Promise<void> {
  const { namespace, name = '' } = object.metadata;
  try {
    await store.get(namespace, name, FROM_MEMORY);
    return;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    const own = ownWrite(services, store.kind, manager === undefined ? {} : { manager });
    await store.create(object, { ...own, ...(namespace ? { namespace } : {}) });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** The namespaces that every cluster has. */
export async function ensureNamespaces(services: ServerServices): Promise<void> {
  const store = services.store('', 'v1', 'namespaces');
  await Promise.all(NAMESPACES.map((name) => ensure(store, services, { metadata: { name } })));
}

/** The two priority classes of system pods. */
export async function ensurePriorityClasses(services: ServerServices): Promise<void> {
  const store = services.store('scheduling.k8s.io', 'v1', 'priorityclasses');
  await Promise.all(
    PRIORITY_CLASSES.map(({ name, ...rest }) =>
      ensure(store, services, { metadata: { name }, ...rest } as KubeObject),
    ),
  );
}

/** The Service through which pods reach the API, at the first address of the range. */
export async function ensureKubernetesService(
  services: ServerServices,
  clusterIP: string,
): Promise<void> {
  const { kubernetesServiceNodePort: nodePort } = services.options;
  await ensure(services.store('', 'v1', 'services'), services, {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: nodePort > 0 ? 'NodePort' : 'ClusterIP',
      clusterIP,
      ipFamilyPolicy: 'SingleStack',
      ports: [
        {
          name: 'https',
          port: 443,
          protocol: 'TCP',
          targetPort: services.options.securePort,
          ...(nodePort > 0 ? { nodePort } : {}),
        },
      ],
      sessionAffinity: 'None',
    },
  } as KubeObject);
}

/** The range of cluster IPs that the server was started with, as the default ServiceCIDR, and that it is in use. */
export async function ensureServiceCidr(services: ServerServices): Promise<void> {
  const store = services.store('networking.k8s.io', 'v1', 'servicecidrs');
  const { serviceClusterIpRange } = services.options;
  const name = 'kubernetes';
  await ensure(store, services, {
    metadata: { name },
    spec: { cidrs: serviceClusterIpRange.split(',') },
  } as KubeObject);
  await setCondition(services, store, name, {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
    // k8s pkg/controlplane/controller/defaultservicecidr.
    manager: 'kubernetes-service-cidr-controller',
  });
}

interface Condition {
  readonly lastTransitionTime?: string;
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

interface WithConditions extends KubeObject {
  status?: { conditions?: Condition[] };
}

function has(object: KubeObject, condition: Condition): boolean {
  const { conditions } = (object as WithConditions).status ?? {};
  const found = conditions?.find(({ type }) => type === condition.type);
  return found?.status === condition.status && found.message === condition.message;
}

/** Asked without a write, which webhooks may hold up. */
async function standsThere(
  store: ResourceStore,
  name: string,
  condition: Condition,
): Promise<boolean> {
  try {
    return has((await store.get(undefined, name, FROM_MEMORY)).object, condition);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Applies a condition that does not stand there yet, as `manager`. */
export async function setCondition(
  services: ServerServices,
  store: ResourceStore,
  name: string,
  { manager, ...condition }: Condition & { readonly manager: string },
): Promise<void> {
  const { kind } = store;
  if (!kind.status || (await standsThere(store, name, condition))) return;
  const now = toTime(services.clock.now());
  const { context } = ownWrite(services, kind);
  await store.update(
    (live) => {
      if (!live) throw newNotFound({ group: kind.group, resource: kind.plural }, name);
      // A copy of what is stored, which nobody may write into.
      if (has(live, condition)) return cloneJson(live);
      const status = { conditions: [{ lastTransitionTime: now, ...condition }] };
      return withOwnStatus(services.clock, kind, manager, live, status);
    },
    { context, name, subresource: 'status', strategy: kind.status },
  );
}
