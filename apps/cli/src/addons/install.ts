import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import type { KubeObject } from '@orrery/apimachinery';
import { isAlreadyExists, isNotFound, keyOf } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import type { Clock } from '@orrery/component';
import { bootstrapTokenSecret, joiningNodes } from './bootstrap-token.js';
import {
  configMap,
  daemonSet,
  policyRole,
  policyRoleBinding,
  roleBinding,
  serviceAccount,
} from './kube-proxy.js';
import type { KubeProxyAddon } from './kube-proxy.js';
import {
  dnsAccount,
  dnsConfig,
  dnsDeployment,
  dnsRole,
  dnsRoleBinding,
  dnsService,
} from './coredns.js';
import { imageRuleDefinition, imageRuleRole, imageRuleRoleBinding } from './image-rules.js';
import { nodeNetworkRole, nodeNetworkRoleBinding } from './node-network.js';
import { standardClass } from './storage-class.js';

const NAMESPACE_WAIT_MS = 10_000;
const RETRY_MS = 50;

/** Creates the object unless one of its name is there: what a user edited stays as it is. */
async function ensure<T extends KubeObject>(
  client: KubeClient,
  ref: ResourceRef<T>,
  object: T,
): Promise<void> {
  try {
    await client.resource(ref).create(object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Retries until the API server has made its own namespaces. */
async function whenNamespaced(
  clock: Clock,
  signal: AbortSignal,
  go: () => Promise<void>,
): Promise<void> {
  const deadline = clock.monotonic() + NAMESPACE_WAIT_MS;
  for (;;) {
    try {
      await go();
      return;
    } catch (error) {
      if (!isNotFound(error) || clock.monotonic() > deadline) throw error;
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

/** Before nodes: an agent that was refused asks again later. */
const admitNodeNetworks = (client: KubeClient): Promise<unknown> =>
  Promise.all([
    ensure(client, resources.clusterroles, nodeNetworkRole()),
    ensure(client, resources.clusterrolebindings, nodeNetworkRoleBinding()),
  ]);

/** What nodes need that join with this bootstrap token. */
export async function admitJoiningNodes(
  client: KubeClient,
  token: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    admitNodeNetworks(client),
    whenNamespaced(clock, signal, () =>
      ensure(client, resources.secrets, bootstrapTokenSecret(token)),
    ),
  ]);
  for (const one of joiningNodes()) await ensure(client, resources.clusterrolebindings, one);
}

/** Asked for first: a second Service of the same address is refused for that, not for its name. */
async function ensureDnsService(client: KubeClient, clusterIP: string): Promise<void> {
  const service = dnsService(clusterIP);
  try {
    await client.resource(resources.services).get(keyOf(service));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensure(client, resources.services, service);
  }
}

/** The cluster's DNS, as kubeadm installs it. */
const installDns = (client: KubeClient, clusterIP: string): Promise<unknown> =>
  Promise.all([
    ensure(client, resources.serviceaccounts, dnsAccount()),
    ensure(client, resources.clusterroles, dnsRole()),
    ensure(client, resources.clusterrolebindings, dnsRoleBinding()),
    ensure(client, resources.configmaps, dnsConfig()),
    ensureDnsService(client, clusterIP),
    ensure(client, resources.deployments, dnsDeployment()),
  ]);

/** The objects that a new cluster has beside its own: kube-proxy's, the default storage class, the kind ImageRule. */
export async function installAddons(
  client: KubeClient,
  addon: KubeProxyAddon,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    admitNodeNetworks(client),
    whenNamespaced(clock, signal, () =>
      ensure(client, resources.serviceaccounts, serviceAccount()),
    ),
  ]);
  // Side by side: each would wait for a server that has much else to do as it starts.
  await Promise.all([
    ensure(client, resources.clusterrolebindings, roleBinding()),
    ensure(client, resources.clusterroles, policyRole()),
    ensure(client, resources.clusterrolebindings, policyRoleBinding()),
    ensure(client, resources.configmaps, configMap(addon)),
    ensure(client, resources.daemonsets, daemonSet(addon)),
    ensure(client, resources.storageclasses, standardClass()),
    addon.dns === undefined ? undefined : installDns(client, addon.dns),
    ensure(client, resources.customresourcedefinitions, imageRuleDefinition()),
    ensure(client, resources.clusterroles, imageRuleRole()),
    ensure(client, resources.clusterrolebindings, imageRuleRoleBinding()),
  ]);
}
