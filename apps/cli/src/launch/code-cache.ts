import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { cachedDataVersionTag, getHeapCodeStatistics } from 'node:v8';
import type { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** So much more code than the cache gave makes a new one worth its writing. */
const GROWTH = 1.5;
const CHECKSUM_BYTES = 4;

/** Bytes of all code that V8 has compiled in this process. */
export type CodeBytes = () => number;
const ofThisProcess: CodeBytes = () => getHeapCodeStatistics().bytecode_and_metadata_size;

function seal(data: Buffer): Buffer {
  const head = Buffer.alloc(CHECKSUM_BYTES);
  head.writeUInt32LE(crc32(data));
  return Buffer.concat([head, data]);
}

/** What `seal` made; undefined when the file is not there, or is something else. */
function readSealed(file: string): Buffer | undefined {
  try {
    const read = readFileSync(file);
    const data = read.subarray(CHECKSUM_BYTES);
    return read.readUInt32LE() === crc32(data) ? data : undefined;
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
  private isOwn = false;
  private atStart = 0;

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
    this.isOwn = own !== undefined;
    return own ?? readSealed(this.others);
  }

  /** Called when the script has been made, before it runs. */
  note(): void {
    this.atStart = this.codeBytes();
  }

  /** Writes what is compiled now, when that is much more than what was read. */
  keep(script: Script): void {
    const wasRead = this.isOwn && script.cachedDataRejected === false;
    if (wasRead && this.codeBytes() < this.atStart * GROWTH) return;
    try {
      this.write(seal(script.createCachedData()));
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
