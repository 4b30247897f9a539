import type { GroupResource, KubeObject } from '@orrery/apimachinery';
import type { KindContext, KindDescriptor } from '@orrery/api';
import type { Clock, Random } from '@orrery/component';
import { toTime } from '@orrery/component';
import type { Storage } from '@orrery/storage';
import type { AdmissionChain } from './admission.js';
import type { RequestContext } from './request-context.js';

/**
 * What a kind needs besides its pure hooks: work with the cluster around a write (allocations, namespace content).
 * `begin*` may change the object and answers what to do once the outcome is known.
 */
export interface StoreHooks {
  beginCreate?(object: KubeObject, call: HookCall): Promise<Finish | undefined>;
  beginUpdate?(object: KubeObject, old: KubeObject, call: HookCall): Promise<Finish | undefined>;
  afterDelete?(object: KubeObject, call: HookCall): Promise<void>;
  /** Names of non-metadata finalizers that keep the object (a Namespace's spec.finalizers). */
  pendingFinalizers?(object: KubeObject): readonly string[];
  /** Upstream deletes the kind in a way of its own, which tells no grace period and counts no generation. */
  readonly hasOwnDelete?: boolean;
  /** Changes the object when its deletion begins (a Namespace becomes Terminating). Mutates. */
  markDeleting?(object: KubeObject): void;
}

export interface HookCall {
  readonly context: RequestContext;
  readonly dryRun: boolean;
}

/** Called once with whether the write took effect. */
export type Finish = (written: boolean) => Promise<void>;

/** Checks and completes objects for which a kind has no static descriptor (custom resources). */
export interface StoreDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly admission: AdmissionChain;
  /** `/registry/`. */
  readonly keyPrefix: string;
  /** Names the logical cluster in continue tokens; absent = the live one. */
  readonly cluster?: string;
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  /** As of `KindContext`. */
  readonly servesRemovedApis?: boolean;
  /** Objects of a collection that are deleted at the same time; default 8. */
  readonly deletionsAtOnce?: number;
}

/** Everything one store works with. */
export interface StoreScope {
  readonly kind: KindDescriptor;
  readonly resource: GroupResource;
  readonly deps: StoreDeps;
  readonly hooks: StoreHooks;
  /** Seconds until etcd removes an object by itself (Events). */
  readonly ttlSeconds?: number;
}

export const keyPrefixOf = (scope: StoreScope, namespace?: string): string =>
  namespace
    ? `${scope.deps.keyPrefix}${scope.kind.storagePrefix}/${namespace}/`
    : `${scope.deps.keyPrefix}${scope.kind.storagePrefix}/`;

export const keyOfObject = (
  scope: StoreScope,
  namespace: string | undefined,
  name: string,
): string =>
  `${keyPrefixOf(scope, scope.kind.scope === 'Namespaced' ? namespace : undefined)}${name}`;

/** The one key that a request for a collection is about; undefined = it is about the collection. */
export function singleKeyOf(
  scope: StoreScope,
  { namespace, name }: { readonly namespace?: string; readonly name?: string },
): string | undefined {
  const isPlain = name !== undefined && /^[ -~]+$/.test(name) && !name.includes('/');
  if (!isPlain || (scope.kind.scope === 'Namespaced' && namespace === undefined)) return undefined;
  return keyOfObject(scope, namespace, name);
}

export function kindContextOf(scope: StoreScope, context: RequestContext): KindContext {
  const { podCidr, serviceCidr, servesRemovedApis, clock } = scope.deps;
  return {
    now: toTime(clock.now()),
    ...(podCidr ? { podCidr } : {}),
    ...(serviceCidr ? { serviceCidr } : {}),
    ...(servesRemovedApis ? { servesRemovedApis } : {}),
    user: context.user,
    warn: (message) => {
      context.warn(message);
    },
  };
}

/** A `user` for the server's own work. */
export function systemContext(
  clock: Clock,
  signal: AbortSignal,
  name = 'system:apiserver',
): RequestContext {
  return {
    user: { name, groups: ['system:masters', 'system:authenticated'] },
    userAgent: 'kube-apiserver',
    auditId: '',
    receivedAt: clock.now(),
    signal,
    warn: () => undefined,
  };
}
