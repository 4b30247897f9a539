import { isNotFound } from '@orrery/apimachinery';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  Strategy,
} from '@orrery/api';
import type { Logger } from '@orrery/component';
import { toTime } from '@orrery/component';
import { cloneJson, equalJson, systemContext } from '@orrery/registry';
import type { ResourceStore } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';
import type { ResourceCatalog } from '../rest/resource-catalog.js';
import {
  CLEANUP,
  nameConditions,
  nameConflict,
  terminating,
  withConditions,
} from './definition-conditions.js';
import { serveDefinitions } from './served-definitions.js';

type Definition = CustomResourceDefinition;

const RETRY_MS = 1000;

const revisionOf = (definition: Definition | undefined): number =>
  Number(definition?.metadata.resourceVersion ?? 0);

/** Serves what CustomResourceDefinitions declare: names and conditions, the catalog, and the end of instances. */
export class DefinitionController {
  private readonly definitions = new Map<string, Definition>();
  private readonly store: ResourceStore;
  private readonly logger: Logger;

  constructor(
    private readonly services: ServerServices,
    private readonly catalog: ResourceCatalog,
  ) {
    this.store = services.store('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
    this.logger = services.logger;
  }

  /** Follows the definitions until the signal aborts. `ready` is called when all that exist are served. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.follow(signal, ready);
      } catch (error) {
        if (signal.aborted) return;
        this.logger.warn('watch of custom resource definitions ended', { err: String(error) });
      }
      await this.services.clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  private async follow(signal: AbortSignal, ready: () => void): Promise<void> {
    this.definitions.clear();
    const request = {
      resourceVersion: '',
      resourceVersionMatch: '',
      allowBookmarks: false,
      signal,
    };
    for await (const batch of this.store.watch(request)) {
      for (const event of batch) {
        if (event.type === 'BOOKMARK') continue;
        const definition = event.representation.object as Definition;
        const { name = '' } = definition.metadata;
        if (event.type === 'DELETED') this.definitions.delete(name);
        else this.remember(definition);
      }
      serveDefinitions(this.catalog, this.definitions.values());
      ready();
      await this.reconcileAll();
    }
  }

  /** Keeps the newest state: what was just written is known before the watch tells of it. */
  private remember(definition: Definition): void {
    const { name = '', uid } = definition.metadata;
    const known = this.definitions.get(name);
    const isStale = known?.metadata.uid === uid && revisionOf(known) > revisionOf(definition);
    if (!isStale) this.definitions.set(name, definition);
  }

  private async reconcileAll(): Promise<void> {
    for (const definition of Array.from(this.definitions.values())) {
      try {
        if (definition.metadata.deletionTimestamp) await this.finish(definition);
        else await this.establish(definition);
      } catch (error) {
        if (!isNotFound(error)) {
          const name = definition.metadata.name ?? '';
          this.logger.warn('cannot reconcile a definition', { name, err: String(error) });
        }
      }
    }
  }

  private async establish(definition: Definition): Promise<void> {
    const conflict = nameConflict(definition, this.definitions.values());
    await this.report(definition, nameConditions(definition, conflict), conflict === undefined);
  }

  /** Writes conditions, and the names that are accepted, where they differ from those that are there. */
  private async report(
    definition: Definition,
    wanted: readonly CustomResourceDefinitionCondition[],
    acceptsNames: boolean,
  ): Promise<void> {
    const { conditions = [], acceptedNames } = definition.status ?? {};
    const isSame = wanted.every((one) =>
      (conditions ?? []).some(
        ({ type, status, reason, message }) =>
          type === one.type &&
          status === one.status &&
          reason === one.reason &&
          message === one.message,
      ),
    );
    if (isSame && (!acceptsNames || equalJson(acceptedNames, definition.spec.names))) return;
    const { strategy } = { strategy: this.store.kind.status };
    const now = toTime(this.services.clock.now());
    const { representation } = await this.store.update(
      (current) => {
        const next = cloneJson((current ?? definition) as Definition);
        const { status } = next;
        next.status = {
          ...status,
          acceptedNames: acceptsNames
            ? cloneJson(next.spec.names)
            : (status?.acceptedNames ?? { plural: '', kind: '' }),
          conditions: withConditions(status?.conditions ?? [], wanted, now),
          storedVersions: status?.storedVersions ?? [],
        };
        return next;
      },
      {
        ...ownWrite(this.services, this.store.kind, { subresource: 'status' }),
        name: definition.metadata.name ?? '',
        subresource: 'status',
        ...(strategy ? { strategy } : {}),
      },
    );
    this.remember(representation.object as Definition);
  }

  /** Deletes every instance, then lets the definition go. */
  private async finish(definition: Definition): Promise<void> {
    const { name = '', finalizers = [] } = definition.metadata;
    if (!finalizers.includes(CLEANUP)) return;
    await this.report(definition, [terminating], false);
    const context = systemContext(this.services.clock, this.services.signal);
    const { group, names, versions } = definition.spec;
    const version = versions.find((one) => one.served)?.name ?? '';
    const resource = this.catalog.find(group, version, names.plural);
    if (resource) {
      const all = { resourceVersion: '', resourceVersionMatch: '', limit: 0, continueToken: '' };
      await resource.store.deleteCollection(all, { context, options: {} });
      const left = await resource.store.list(all);
      if (left.items.length > 0) {
        this.services.clock.after(RETRY_MS, () => void this.reconcileAll(), { unref: true });
        return;
      }
    }
    await this.store.update(
      (current) => {
        const next = cloneJson(current ?? definition);
        next.metadata.finalizers = (next.metadata.finalizers ?? []).filter(
          (one) => one !== CLEANUP,
        );
        return next;
      },
      { context, name, strategy: this.#unjudged() },
    );
  }

  /** Of writes that only take the finalizer away: what lies there may be what nobody could write any more. */
  #unjudged(): Strategy {
    return { ...this.store.kind.strategy, validateUpdate: () => [] };
  }
}
