import type { KubeObject } from '@orrery/apimachinery';
import { HistoryGone, dependentKindOf, isOwnedBy, toWrite } from '@orrery/history';
import type { ChainReader, LoggedWrite, RelatedObject } from '@orrery/history';
import { isStorageError } from '@orrery/storage';
import type { CauseReader, KeyChange, RevisionRecord, WriteLog } from '@orrery/storage';
import type { KeyCatalog } from './key-catalog.js';

export interface WriteReaderDeps {
  readonly log: WriteLog;
  readonly causes: CauseReader;
  readonly catalog: KeyCatalog;
  readonly signal: AbortSignal;
}

/** How many revisions before a write the deletion of what it depended on is looked for. */
const DELETION_SPAN = 5000;

/** The object of a stored value; undefined for what is none. */
export function parseState(
  value: Buffer | undefined,
  revision: number | undefined,
): KubeObject | undefined {
  if (!value) return undefined;
  try {
    const object = JSON.parse(value.toString('utf8')) as Partial<KubeObject> | null;
    if (typeof object?.metadata !== 'object') return undefined;
    const metadata = { ...object.metadata, resourceVersion: String(revision ?? '') };
    return { ...object, metadata } as KubeObject;
  } catch {
    // Encrypted, or not ours: who wrote it and when is told all the same.
    return undefined;
  }
}

/** Reads writes with the states around them; throws HistoryGone for what is compacted away. */
export class WriteReader implements ChainReader {
  constructor(private readonly deps: WriteReaderDeps) {}

  /** One change of a revision as a write. */
  toWrite({ revision, cause, isCompacted }: RevisionRecord, change: KeyChange): LoggedWrite {
    const { key, type, value, previous, previousRevision } = change;
    return toWrite({
      revision,
      type,
      object: this.deps.catalog.nameOf(key),
      before: parseState(previous, previousRevision),
      after: parseState(value, revision),
      cause: cause?.key === key ? cause : undefined,
      isCompacted,
    });
  }

  async write(revision: number): Promise<LoggedWrite | undefined> {
    const { causes, log, signal } = this.deps;
    return gone(async () => {
      const cause = await causes.of(revision, signal);
      if (cause) return this.writeOf(cause.key, revision);
      const record = await log.at(revision, signal);
      const [change] = record?.changes ?? [];
      return record && change && this.toWrite(record, change);
    });
  }

  async newestBefore(target: RelatedObject, revision: number): Promise<LoggedWrite | undefined> {
    const { catalog, log, signal } = this.deps;
    const key = catalog.keyOf(target);
    if (key === undefined || revision <= 1) return undefined;
    return gone(async () => {
      const record = await log.newest(key, revision - 1, signal);
      const [change] = record?.changes ?? [];
      const write = record && change && this.toWrite(record, change);
      const isMeant = !target.uid || write?.after?.metadata.uid === target.uid;
      return write && isMeant ? write : this.deletionBefore(key, revision, target.uid);
    });
  }

  async newestDependent(
    owner: KubeObject,
    { after, before }: { readonly after: number; readonly before: number },
  ): Promise<LoggedWrite | undefined> {
    const { catalog, log, signal } = this.deps;
    const dependent = dependentKindOf(owner.kind ?? '');
    const kind = dependent && catalog.kind(dependent.group, dependent.kind);
    if (!kind || before - 1 <= after) return undefined;
    return gone(async () => {
      const prefix = catalog.prefixOf(kind, owner.metadata.namespace);
      const changed = await log.changed(prefix, { after, to: before - 1 }, signal);
      const newest = changed.findLast(({ value, revision }) => {
        const object = parseState(value, revision);
        return object !== undefined && isOwnedBy(object, owner.metadata.uid);
      });
      return newest && this.writeOf(newest.key, newest.revision);
    });
  }

  /** What a revision did to a key, where it is known that it did something. */
  async writeOf(key: string, revision: number): Promise<LoggedWrite | undefined> {
    const { log, causes, signal } = this.deps;
    const record = await log.newest(key, revision, signal);
    const [change] = record?.changes ?? [];
    if (record && change && record.revision === revision) return this.toWrite(record, change);
    const [cause, last] = await Promise.all([
      causes.of(revision, signal),
      log.state(key, revision - 1, signal),
    ]);
    const deletion: KeyChange = {
      key,
      type: 'DELETED',
      ...(last ? { previous: last.value, previousRevision: last.revision } : {}),
    };
    return this.toWrite({ revision, changes: [deletion], ...(cause ? { cause } : {}) }, deletion);
  }

  /** The deletion of an object that is no more, if it is recent. */
  private async deletionBefore(
    key: string,
    revision: number,
    uid: string | undefined,
  ): Promise<LoggedWrite | undefined> {
    const { log, signal } = this.deps;
    const span = { after: Math.max(0, revision - DELETION_SPAN), to: revision - 1 };
    const cause = await log.lastCauseOf(key, span, signal).catch((error: unknown) => {
      if (isStorageError(error, 'compacted')) return undefined;
      throw error;
    });
    const write = cause && (await this.writeOf(key, cause.revision));
    const isMeant = !uid || (write?.before ?? write?.after)?.metadata.uid === uid;
    return isMeant ? write : undefined;
  }
}

/** Makes what the storage says of compacted history into the words of libs/history. */
export async function gone<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isStorageError(error, 'compacted')) throw error;
    throw new HistoryGone('compacted', { cause: error });
  }
}
