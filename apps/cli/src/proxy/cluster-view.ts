import { resources } from '@orrery/api';
import type { EndpointSlice, Node, Service } from '@orrery/api';
import { decodeYaml, isNotFound } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import { ConfigError, validateConfig } from '@orrery/component';
import { KubeProxyConfiguration } from '@orrery/kube-proxy';

const SERVICE_NAME = 'kubernetes.io/service-name';
const CONFIG = { namespace: 'kube-system', name: 'kube-proxy' };

/** What a node's kube-proxy reads. */
export interface ClusterView {
  readonly node: Node;
  readonly services: readonly Service[];
  readonly config: KubeProxyConfiguration;
  readonly slicesOf: (service: Service) => readonly EndpointSlice[];
}

/** The ConfigMap kube-proxy; upstream's defaults where there is none. */
async function readConfig(client: KubeClient): Promise<KubeProxyConfiguration> {
  try {
    const { data } = await client.resource(resources.configmaps).get(CONFIG);
    const text = data?.['config.conf'];
    if (text === undefined) return new KubeProxyConfiguration();
    const { value } = decodeYaml(Buffer.from(text));
    return validateConfig(KubeProxyConfiguration, value, 'ConfigMap kube-system/kube-proxy');
  } catch (error) {
    if (isNotFound(error)) return new KubeProxyConfiguration();
    throw error;
  }
}

async function findNode(client: KubeClient, name: string): Promise<Node> {
  const { items } = await client.resource(resources.nodes).list();
  const node = name === '' ? items[0] : items.find((one) => one.metadata.name === name);
  if (!node) throw new ConfigError(name === '' ? 'the cluster has no node' : `no node ${name}`);
  return node;
}

/** Reads what decides about a node's rules. */
export async function readCluster(client: KubeClient, nodeName: string): Promise<ClusterView> {
  const [node, services, slices, config] = await Promise.all([
    findNode(client, nodeName),
    client.resource(resources.services).list(),
    client.resource(resources.endpointslices).list(),
    readConfig(client),
  ]);
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of slices.items) {
    const { namespace, labels } = slice.metadata;
    const key = `${namespace}/${labels?.[SERVICE_NAME]}`;
    byService.set(key, [...(byService.get(key) ?? []), slice]);
  }
  return {
    node,
    services: services.items,
    config,
    slicesOf: ({ metadata }) => byService.get(`${metadata.namespace}/${metadata.name}`) ?? [],
  };
}
