import type { StoreDeps } from '@orrery/registry';
import { followPolicies } from '../admission/validating-admission-policy/policy-status.js';
import { DefinitionController } from '../custom-resources/definition-controller.js';
import type { ServerServices } from '../extensions.js';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import { EndpointReconciler } from './endpoint-reconciler.js';
import { ensureFlowControl } from './flow-control-objects.js';
import { followFlowSchemas } from './flow-schema-conditions.js';
import { LegacyTokenTracking } from './legacy-token-tracking.js';
import {
  ensureKubernetesService,
  ensureNamespaces,
  ensurePriorityClasses,
  ensureServiceCidr,
} from './system-objects.js';

export interface StartHook {
  readonly name: string;
  /** Hooks that stand before this one and must be done first. */
  readonly after?: readonly string[];
  run(): Promise<void>;
}

const DEFINITIONS = 'crd-informer-synced';
const NAMESPACES = 'start-system-namespaces-controller';
const SERVICE_RANGE = 'start-kubernetes-service-cidr-controller';

/** These hooks once the system's namespaces are there, in which they may write. */
export const afterNamespaces = (hooks: readonly StartHook[]): StartHook[] =>
  hooks.map((hook) => ({ after: [NAMESPACES], ...hook }));

/** Follows the definitions of custom resources, and policies, of which the types are checked. */
function definitionHooks(
  services: ServerServices,
  { catalog, work }: { catalog: ResourceCatalog; work(this: void, running: Promise<void>): void },
): StartHook[] {
  return [
    {
      name: DEFINITIONS,
      run: () =>
        new Promise((resolve) => {
          const controller = new DefinitionController(services, catalog);
          work(controller.run(services.signal, resolve));
          work(followPolicies(services));
          services.signal.addEventListener('abort', () => {
            resolve();
          });
        }),
    },
    // Both run once the definitions are followed.
    ...['start-apiextensions-informers', 'start-apiextensions-controllers'].map((name) => ({
      name,
      after: [DEFINITIONS],
      run: () => Promise.resolve(),
    })),
  ];
}

/** Nobody waits for what it writes, as upstream. */
const tokenTracking = (
  services: ServerServices,
  { work }: { work(this: void, running: Promise<void>): void },
): StartHook => ({
  name: 'start-legacy-token-tracking-controller',
  after: [NAMESPACES],
  run: () => {
    work(new LegacyTokenTracking(services).run());
    return Promise.resolve();
  },
});

/** One run of `work` for all who ask, until one has failed: the next to ask runs it again. */
function sharedUntilItFails(work: () => Promise<void>): () => Promise<void> {
  let shared: Promise<void> | undefined;
  return () =>
    (shared ??= work().catch((error: unknown) => {
      shared = undefined;
      throw error;
    }));
}

/** What the server itself does once it listens. `work` is given what runs until the server stops. */
export function ownStartHooks(
  services: ServerServices,
  cluster: {
    readonly deps: StoreDeps;
    readonly kubernetesIp: string;
    readonly advertiseAddress: string;
    readonly catalog: ResourceCatalog;
    work(this: void, running: Promise<void>): void;
    /** Called before the server stops. */
    onLeave(leave: (signal: AbortSignal) => Promise<void>): void;
  },
): StartHook[] {
  const serviceRange = sharedUntilItFails(() => ensureServiceCidr(services));
  const { deps, advertiseAddress } = cluster;
  const endpoints = new EndpointReconciler(services, deps, advertiseAddress);
  const hasEndpoints = services.options.endpointReconcilerType !== 'none';
  return [
    ...definitionHooks(services, cluster),
    {
      name: NAMESPACES,
      run: () => ensureNamespaces(services),
    },
    {
      name: 'scheduling/bootstrap-system-priority-classes',
      run: () => ensurePriorityClasses(services),
    },
    {
      name: 'priority-and-fairness-config-producer',
      run: async () => {
        await ensureFlowControl(services);
        if (services.options.enablePriorityAndFairness) cluster.work(followFlowSchemas(services));
      },
    },
    {
      name: SERVICE_RANGE,
      run: serviceRange,
    },
    tokenTracking(services, cluster),
    {
      name: 'bootstrap-controller',
      after: [NAMESPACES],
      // The Service has its address of the range; who serves it does not wait for that.
      run: async () => {
        if (hasEndpoints) cluster.onLeave((signal) => endpoints.leave(signal));
        await Promise.all([
          serviceRange().then(() => ensureKubernetesService(services, cluster.kubernetesIp)),
          hasEndpoints ? endpoints.attempt() : undefined,
        ]);
        if (hasEndpoints) cluster.work(endpoints.run(services.signal));
      },
    },
  ];
}
