import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KUBERNETES_VERSION, toTime } from '@orrery/component';
import type { StoredObject } from '@orrery/storage';
import { cacheFolder } from './cache-folder.js';

/**
 * What a new API server writes before it is ready, as it was written by an earlier one of the same build: a cluster
 * that finds it in its keyspace is ready at once.
 */
export class BootstrapCache {
  private readonly file: string;

  constructor(bundle: string, shape: string) {
    const { size, mtimeMs } = statSync(bundle);
    const build = `${KUBERNETES_VERSION}-${size}-${Math.round(mtimeMs)}`;
    this.file = join(cacheFolder(), `bootstrap-${shape}-${build}.json`);
  }

  /** The objects, made at `now`; undefined when there are none or the file is damaged. */
  read(now: number): StoredObject[] | undefined {
    if (!existsSync(this.file)) return undefined;
    try {
      const text = readFileSync(this.file, 'utf8');
      return JSON.parse(text.replaceAll(CREATED, toTime(now))) as StoredObject[];
    } catch {
      return undefined;
    }
  }

  write(objects: readonly StoredObject[]): void {
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const draft = `${this.file}.${process.pid}`;
    const text = JSON.stringify(objects).replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, CREATED);
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, this.file);
    this.forgetOthers();
  }

  /** Those of other builds. */
  private forgetOthers(): void {
    const folder = dirname(this.file);
    const mine = basename(this.file);
    const prefix = mine.slice(0, mine.indexOf(KUBERNETES_VERSION));
    for (const name of readdirSync(folder))
      if (name.startsWith(prefix) && name !== mine) rmSync(join(folder, name), { force: true });
  }
}

/** Stands for every time in the cached objects. */
const CREATED = '{now}';
