import type { Random } from '@orrery/component';
import type { LogEvent } from '../history/log-event.js';
import type { Labels, ObjectVersion } from '../history/object-version.js';
import { canonicalLabels, inScope, isSelected } from '../history/object-version.js';
import type { OperationArgs } from '../history/operation.js';

/** What the store answers to a write. */
export type WriteAnswer =
  { readonly reason: string } | { readonly rv: number; readonly object: ObjectVersion };

interface StoredVersion {
  readonly rv: number;
  readonly object: ObjectVersion | undefined;
}

/** A strictly serializable store by construction: one write after the other, one revision each, every version kept. */
export class SimulatedStore {
  readonly events: LogEvent[] = [];
  private readonly versions = new Map<string, StoredVersion[]>();
  private revision = 0;

  constructor(
    private readonly random: Random,
    /** When the ground truth's watcher sees what is committed now. */
    private readonly seenAt: () => number,
  ) {}

  get rv(): number {
    return this.revision;
  }

  get(key: string, rv = this.revision): ObjectVersion | undefined {
    const versions = this.versions.get(key) ?? [];
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i];
      if (version && version.rv <= rv) return version.object;
    }
    return undefined;
  }

  list(scope: string, selector?: Labels, rv = this.revision): ObjectVersion[] {
    const items: ObjectVersion[] = [];
    for (const key of [...this.versions.keys()].sort()) {
      const object = inScope(scope, key) ? this.get(key, rv) : undefined;
      if (object && isSelected(selector, object.labels)) items.push(object);
    }
    return items;
  }

  create(key: string, { value = '', labels }: OperationArgs): WriteAnswer {
    if (this.get(key)) return { reason: 'AlreadyExists' };
    return this.put(key, { uid: this.random.uuid(), value, labels });
  }

  update(key: string, args: OperationArgs): WriteAnswer {
    const current = this.get(key);
    if (!current) return { reason: 'NotFound' };
    if (isRefused(args, current)) return { reason: 'Conflict' };
    const { value = current.value, labels = current.labels } = args;
    if (value === current.value && canonicalLabels(labels) === canonicalLabels(current.labels))
      return { rv: current.rv, object: current };
    return this.put(key, { uid: current.uid, value, labels });
  }

  delete(key: string, args: OperationArgs): WriteAnswer {
    const current = this.get(key);
    if (!current) return { reason: 'NotFound' };
    if (isRefused(args, current)) return { reason: 'Conflict' };
    const rv = ++this.revision;
    this.commit([{ rv, key, type: 'delete', prev: current, at: this.seenAt() }]);
    return { rv, object: current };
  }

  /** One transaction of somebody else over several keys: all of them at one revision. */
  putTogether(keys: readonly string[], value: string): void {
    const rv = ++this.revision;
    const at = this.seenAt();
    this.commit(
      keys.map((key) => {
        const uid = this.get(key)?.uid ?? this.random.uuid();
        return { rv, key, type: 'put', object: { key, uid, rv, value }, at };
      }),
    );
  }

  private put(
    key: string,
    { uid, value, labels }: { uid: string; value: string; labels: Labels | undefined },
  ): WriteAnswer {
    const rv = ++this.revision;
    const object = { key, uid, rv, value, ...(labels ? { labels } : {}) };
    const prev = this.get(key);
    const at = this.seenAt();
    this.commit([{ rv, key, type: 'put', object, ...(prev ? { prev } : {}), at }]);
    return { rv, object };
  }

  private commit(events: readonly LogEvent[]): void {
    for (const event of events) {
      const versions = this.versions.get(event.key) ?? [];
      if (versions.length === 0) this.versions.set(event.key, versions);
      versions.push({ rv: event.rv, object: event.object });
      this.events.push(event);
    }
  }
}

function isRefused({ rv, uid }: OperationArgs, current: ObjectVersion): boolean {
  return (rv !== undefined && rv !== current.rv) || (uid !== undefined && uid !== current.uid);
}
