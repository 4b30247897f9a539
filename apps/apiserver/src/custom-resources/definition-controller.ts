import { isNotFound } from '@orrery/apimachinery';
import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '@orrery/api';
import type { Logger } from '@orrery/component';
import { toTime } from '@orrery/component';
import { cloneJson, systemContext } from '@orrery/registry';
import type { ResourceStore } from '@orrery/registry';
import type { ServerServices } from '../extensions.js';
import type { ResourceCatalog, ServedGroup } from '../rest/resource-catalog.js';
import { toCustomKind } from './to-custom-kind.js';

type Definition = CustomResourceDefinition;

const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';
const RETRY_MS = 1000;

const hasCondition = ({ status }: Definition, type: string): boolean =>
  (status?.conditions ?? []).some((one) => one.type === type && one.status === 'True');

const revisionOf = (definition: Definition | undefined): number =>
  Number(definition?.metadata.resourceVersion ?? 0);

/** Upstream's order of versions: stable before beta before alpha, newer first (version.CompareKubeAwareVersionStrings). */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string): readonly [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (!match) return [-1, 0, 0];
    const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [rank(a), rank(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (right[i] ?? 0) - (left[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

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
      this.publish();
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

  /** Everything whose names do not clash is served at once, before its conditions are written. */
  private publish(): void {
    const served = [...this.definitions.values()].filter((one) => this.conflict(one) === undefined);
    const versionsOf = new Map<string, Set<string>>();
    const kinds = served.flatMap((definition) => {
      const { group, versions } = definition.spec;
      return versions
        .filter((version) => version.served)
        .map((version) => {
          const known = versionsOf.get(group) ?? new Set<string>();
          versionsOf.set(group, known.add(version.name));
          return toCustomKind(definition, version);
        });
    });
    const groups: ServedGroup[] = [...versionsOf].map(([group, versions]) => ({
      group,
      versions: [...versions].sort(compareVersions),
    }));
    this.catalog.setCustom(
      kinds,
      groups.sort((a, b) => (a.group < b.group ? -1 : 1)),
    );
  }

  /** Why the names are taken: an older definition of the group has them. */
  private conflict(definition: Definition): string | undefined {
    const { group, names } = definition.spec;
    for (const other of this.definitions.values()) {
      if (other === definition || other.spec.group !== group) continue;
      if (!hasCondition(other, 'NamesAccepted') || hasCondition(definition, 'NamesAccepted'))
        continue;
      if (other.spec.names.kind === names.kind) return `"${names.kind}" is already in use`;
    }
    return undefined;
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

  private conditionsOf(definition: Definition): CustomResourceDefinitionCondition[] {
    const lastTransitionTime = toTime(this.services.clock.now());
    const clash = this.conflict(definition);
    const names: CustomResourceDefinitionCondition = clash
      ? {
          type: 'NamesAccepted',
          status: 'False',
          reason: 'KindConflict',
          message: clash,
          lastTransitionTime,
        }
      : {
          type: 'NamesAccepted',
          status: 'True',
          reason: 'NoConflicts',
          message: 'no conflicts found',
          lastTransitionTime,
        };
    const established: CustomResourceDefinitionCondition = clash
      ? {
          type: 'Established',
          status: 'False',
          reason: 'NotAccepted',
          message: 'not all names are accepted',
          lastTransitionTime,
        }
      : {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
          lastTransitionTime,
        };
    return [names, established];
  }

  private async establish(definition: Definition): Promise<void> {
    const { name = '', finalizers = [] } = definition.metadata;
    const context = systemContext(this.services.clock, this.services.signal);
    if (!finalizers.includes(CLEANUP)) {
      const { representation } = await this.store.update(
        (current) => {
          const next = cloneJson(current ?? definition);
          const present = next.metadata.finalizers ?? [];
          next.metadata.finalizers = [...present.filter((one) => one !== CLEANUP), CLEANUP];
          return next;
        },
        { context, name },
      );
      this.remember(representation.object as Definition);
    }
    const wanted = this.conditionsOf(definition);
    const isSame = wanted.every((one) =>
      (definition.status?.conditions ?? []).some(
        (has) => has.type === one.type && has.status === one.status,
      ),
    );
    const accepted = definition.status?.acceptedNames;
    if (isSame && accepted?.plural === definition.spec.names.plural) return;
    const { strategy } = { strategy: this.store.kind.status };
    const { representation } = await this.store.update(
      (current) => {
        const next = cloneJson((current ?? definition) as Definition);
        const others = (next.status?.conditions ?? []).filter(
          (has) => !wanted.some((one) => one.type === has.type),
        );
        next.status = {
          ...next.status,
          acceptedNames: cloneJson(next.spec.names),
          conditions: [...others, ...wanted],
          storedVersions: next.status?.storedVersions ?? [],
        };
        return next;
      },
      { context, name, subresource: 'status', ...(strategy ? { strategy } : {}) },
    );
    this.remember(representation.object as Definition);
  }

  /** Deletes every instance, then lets the definition go. */
  private async finish(definition: Definition): Promise<void> {
    const { name = '', finalizers = [] } = definition.metadata;
    if (!finalizers.includes(CLEANUP)) return;
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
      { context, name },
    );
  }
}
