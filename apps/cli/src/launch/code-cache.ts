import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { cachedDataVersionTag, getHeapCodeStatistics } from 'node:v8';
import type { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** So much more code than the cache gave makes a new one worth its writing. */
const GROWTH = 1.5;
/** Checksum of the rest, and how much code there was. */
const HEAD_BYTES = 8;

/** Bytes of all code that V8 has compiled in this process. */
export type CodeBytes = () => number;
const ofThisProcess: CodeBytes = () => getHeapCodeStatistics().bytecode_and_metadata_size;

interface KeptCode {
  readonly data: Buffer;
  /** Of all code that there was when it was kept. */
  readonly bytes: number;
}

function seal({ data, bytes }: KeptCode): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(bytes, HEAD_BYTES / 2);
  const sealed = Buffer.concat([head, data]);
  sealed.writeUInt32LE(crc32(sealed.subarray(HEAD_BYTES / 2)));
  return sealed;
}

/** What `seal` made; undefined when the file is not there, or is something else. */
function readSealed(file: string): KeptCode | undefined {
  try {
    const read = readFileSync(file);
    const bytes = read.readUInt32LE(HEAD_BYTES / 2);
    if (read.readUInt32LE() !== crc32(read.subarray(HEAD_BYTES / 2))) return undefined;
    return { data: read.subarray(HEAD_BYTES), bytes };
  } catch {
    return undefined;
  }
}

/**
 * What V8 had compiled of a script when its start was over, functions at their first call among them: Node's own cache is made
 * before a module runs, without those. A cache of another V8 or of other flags has another name.
 */
export class CodeCache {
  private readonly file: string;
  private readonly others: string;
  /** How much code this role had when its own was kept; 0 = none is. */
  private known = 0;

  /**
   * `build` is the start of the files' names and stands for the script's text, `role` for what is run of it. While there is no code
   * for this role that of `other` serves.
   */
  constructor(
    build: string,
    role: string,
    other: string,
    private readonly codeBytes = ofThisProcess,
  ) {
    const tag = `${cachedDataVersionTag().toString(16)}-${process.arch}`;
    this.file = `${build}-${role}-${tag}.bin`;
    this.others = `${build}-${other}-${tag}.bin`;
  }

  /** For `new Script`, which needs it no longer when it is made: megabytes. */
  read(): Buffer | undefined {
    const own = readSealed(this.file);
    this.known = own?.bytes ?? 0;
    return (own ?? readSealed(this.others))?.data;
  }

  /** Writes what is compiled now, when that is much more than what was kept before. To count it takes V8 some 10 ms. */
  keep(script: Script): void {
    const bytes = this.codeBytes();
    if (script.cachedDataRejected === false && bytes < this.known * GROWTH) return;
    try {
      this.write(seal({ data: script.createCachedData(), bytes }));
    } catch {
      // Where nothing may be written, each start compiles for itself.
    }
  }

  /** Whole or not at all: others may start meanwhile. */
  private write(sealed: Buffer): void {
    const fresh = `${this.file}.${process.pid}`;
    mkdirSync(dirname(this.file), { recursive: true });
    try {
      writeFileSync(fresh, sealed);
      renameSync(fresh, this.file);
    } finally {
      rmSync(fresh, { force: true });
    }
  }
}
