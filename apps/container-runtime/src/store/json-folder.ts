import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One JSON file an entry; a reader sees the old or the new text of an entry, never half of one. */
export class JsonFolder<T> {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  load(): T[] {
    return readdirSync(this.folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(this.folder, name), 'utf8')) as T);
  }

  save(id: string, value: T): void {
    const path = join(this.folder, `${id}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(value));
    renameSync(`${path}.new`, path);
  }

  remove(id: string): void {
    rmSync(join(this.folder, `${id}.json`), { force: true });
  }
}
