import { CriError } from '@orrery/cri';
import { JsonFolder } from './json-folder.js';

/** What is stored has an id of 64 hex digits, which any unique prefix stands for. */
export interface Identified {
  readonly id: string;
}

/** The records of one kind: in memory, and on disk so that they survive a restart. */
export class RecordStore<T extends Identified> {
  private readonly folder: JsonFolder<T>;
  private readonly records = new Map<string, T>();

  constructor(
    folder: string,
    private readonly kind: string,
  ) {
    this.folder = new JsonFolder<T>(folder);
    for (const record of this.folder.load()) this.records.set(record.id, record);
  }

  list(): T[] {
    return [...this.records.values()];
  }

  find(id: string): T | undefined {
    const exact = this.records.get(id);
    if (exact || id === '') return exact;
    const matching = this.list().filter((record) => record.id.startsWith(id));
    return matching.length === 1 ? matching[0] : undefined;
  }

  get(id: string): T {
    const found = this.find(id);
    if (found) return found;
    throw new CriError(
      'NOT_FOUND',
      `an error occurred when try to find ${this.kind} "${id}": not found`,
    );
  }

  put(record: T): void {
    this.records.set(record.id, record);
    this.folder.save(record.id, record);
  }

  delete(id: string): void {
    this.records.delete(id);
    this.folder.remove(id);
  }
}
