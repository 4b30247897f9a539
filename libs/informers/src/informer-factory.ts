import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceRef } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Clock, Logger, Random } from '@orrery/component';
import { SharedInformer } from './shared-informer.js';
import type { InformerScope } from './shared-informer.js';

export interface InformerFactoryOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Applied to every object before it is cached; default drops managedFields. */
  readonly transform?: <T extends KubeObject>(object: T) => T;
}

interface Entry {
  readonly informer: SharedInformer<KubeObject>;
  started: boolean;
}

/**
 * Removes what no component reads and what is often half of an object. A `delete` would make a dictionary of the metadata:
 * 700 bytes more for each object that a cache keeps, and slow to read.
 */
export function dropManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields !== undefined) object.metadata = metadata;
  return object;
}

const identityOf = (ref: ResourceRef, scope: InformerScope): string =>
  [
    `${ref.group}/${ref.version}/${ref.plural}`,
    scope.namespace ?? '',
    scope.labelSelector ?? '',
    scope.fieldSelector ?? '',
  ].join('|');

/** How the identity of an informer of all objects ends. */
const NO_SCOPE = '|||';

/** One informer per resource and scope, shared by all that ask for it. */
export class InformerFactory {
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(private readonly options: InformerFactoryOptions) {}

  /** The shared informer; one first asked for while the factory runs starts at once. */
  informer<T extends KubeObject>(
    ref: ResourceRef<T>,
    scope: InformerScope = {},
  ): SharedInformer<T> {
    const identity = identityOf(ref, scope);
    let entry = this.#entries.get(identity);
    if (!entry) {
      entry = { informer: this.#create(ref, scope), started: false };
      this.#entries.set(identity, entry);
      this.#startNew();
    }
    return entry.informer as unknown as SharedInformer<T>;
  }

  /** The informer if somebody asked for it before. */
  peek<T extends KubeObject>(
    ref: ResourceRef<T>,
    scope: InformerScope = {},
  ): SharedInformer<T> | undefined {
    const entry = this.#entries.get(identityOf(ref, scope));
    return entry?.informer as unknown as SharedInformer<T> | undefined;
  }

  /** The informers of some of the resource's objects only. */
  peekScoped<T extends KubeObject>(ref: ResourceRef<T>): SharedInformer<T>[] {
    const resource = identityOf(ref, {}).slice(0, -NO_SCOPE.length);
    return [...this.#entries]
      .filter(([identity]) => identity.startsWith(`${resource}|`) && !identity.endsWith(NO_SCOPE))
      .map(([, { informer }]) => informer as unknown as SharedInformer<T>);
  }

  /** Resolves when every informer asked for so far holds every change up to `resourceVersion`. */
  async catchUp(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const informers = [...this.#entries.values()].map(({ informer }) => informer);
    await Promise.all(informers.map((informer) => informer.catchUp(resourceVersion, signal))).catch(
      (error: unknown) => {
        if (!signal.aborted) throw error;
      },
    );
  }

  /** Runs all informers, present and future, until the signal aborts; resolves when they have stopped. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#startNew();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else
        signal.addEventListener(
          'abort',
          () => {
            resolve();
          },
          { once: true },
        );
    });
    await Promise.all(this.#running);
  }

  /** Resolves when every informer asked for so far has synced, or the server has none of what may be absent. */
  async waitForSync(signal: AbortSignal, mayBeAbsent: readonly ResourceRef[] = []): Promise<void> {
    const optional = new Set(mayBeAbsent.map((ref) => identityOf(ref, {})));
    await Promise.all(
      [...this.#entries].map(([identity, { informer }]) =>
        optional.has(identity)
          ? informer.waitForSyncOrAbsence(signal)
          : informer.waitForSync(signal),
      ),
    );
  }

  #create<T extends KubeObject>(
    ref: ResourceRef<T>,
    scope: InformerScope,
  ): SharedInformer<KubeObject> {
    const { client, clock, random, logger, transform = dropManagedFields } = this.options;
    const informer = new SharedInformer<T>({
      client: client.resource(ref),
      scope,
      transform,
      withoutManagedFields: transform === dropManagedFields,
      clock,
      random,
      logger: logger.child({ resource: ref.plural }),
    });
    return informer as unknown as SharedInformer<KubeObject>;
  }

  #startNew(): void {
    const signal = this.#signal;
    if (!signal) return;
    for (const entry of this.#entries.values()) {
      if (entry.started) continue;
      entry.started = true;
      const run = entry.informer.start(signal);
      this.#running.add(run);
      run.then(
        () => this.#running.delete(run),
        () => undefined,
      );
    }
  }
}
