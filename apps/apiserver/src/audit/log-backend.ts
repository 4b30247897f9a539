import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import type { WriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock, Logger } from '@orrery/component';
import { ConfigError } from '@orrery/component';
import type { AuditBackend, AuditEvent } from './audit-event.js';

export interface LogFileOptions {
  readonly path: string;
  /** Days; 0 = for ever. */
  readonly maxAge: number;
  /** Files; 0 = all. */
  readonly maxBackup: number;
  /** Megabytes; 0 = 100, as upstream's. */
  readonly maxSize: number;
  /** Files that have been replaced are compressed by gzip. */
  readonly compress: boolean;
}

const MB = 1024 * 1024;
const COMPRESSED = '.gz';
const DAY_MS = 24 * 3600 * 1000;
const STAMP = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}$/;

/** `2026-01-02T03-04-05.678`: part of the name of a file that has been replaced. */
const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, 23).replaceAll(':', '-');

const sizeOf = (path: string): number => {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
};

/** One JSON line an event, in a file that is replaced when it is full. */
export class LogBackend implements AuditBackend {
  private stream: WriteStream;
  private compressing: Promise<void> = Promise.resolve();
  private size: number;

  constructor(
    private readonly options: LogFileOptions,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    const { path } = options;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.stream = this.open();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`--audit-log-path: ${path}: ${why}`, { cause: error });
    }
    this.size = sizeOf(path);
  }

  write(event: AuditEvent): void {
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    const limit = (this.options.maxSize || 100) * MB;
    if (this.size > 0 && this.size + line.length > limit) this.rotate();
    this.size += line.length;
    this.stream.write(line);
  }

  close(): Promise<void> {
    const written = new Promise<void>((resolve) => {
      this.stream.end(resolve);
    });
    return written.then(() => this.compressing);
  }

  /** Compresses a file that has been replaced, once all that was written to it is there. */
  private compress(file: string, written: Promise<void>): void {
    this.compressing = this.compressing
      .then(() => written)
      .then(async () => {
        await pipeline(
          createReadStream(file),
          createGzip(),
          createWriteStream(`${file}${COMPRESSED}`, { mode: 0o600 }),
        );
        unlinkSync(file);
      })
      .catch((error: unknown) => {
        this.logger.error('audit log cannot be compressed', error, { path: file });
      });
  }

  private open(): WriteStream {
    const { path } = this.options;
    // At once: a file that is replaced before its first write would not be there otherwise.
    const stream = createWriteStream(path, { fd: openSync(path, 'a', 0o600) });
    stream.on('error', (error) => {
      this.logger.error('audit log cannot be written', error, { path: this.options.path });
    });
    return stream;
  }

  private rotate(): void {
    const { path } = this.options;
    const extension = extname(path);
    const name = basename(path, extension);
    const written = new Promise<void>((resolve) => {
      this.stream.end(resolve);
    });
    const file = join(dirname(path), `${name}-${stamp(this.clock.now())}${extension}`);
    try {
      renameSync(path, file);
      if (this.options.compress) this.compress(file, written);
      this.removeOld(name, extension);
    } catch (error) {
      this.logger.error('audit log cannot be replaced', error, { path });
    }
    try {
      this.stream = this.open();
    } catch (error) {
      this.logger.error('audit log cannot be written', error, { path });
    }
    this.size = sizeOf(path);
  }

  private removeOld(name: string, extension: string): void {
    const folder = dirname(this.options.path);
    const { maxAge, maxBackup } = this.options;
    const backups = readdirSync(folder)
      .flatMap((file) => {
        const plain = file.endsWith(COMPRESSED) ? file.slice(0, -COMPRESSED.length) : file;
        if (!plain.startsWith(`${name}-`) || !plain.endsWith(extension)) return [];
        const time = plain.slice(name.length + 1, plain.length - extension.length);
        return STAMP.test(time) ? [{ file, time }] : [];
      })
      .sort((a, b) => (a.time < b.time ? 1 : -1));
    const oldest = maxAge > 0 ? stamp(this.clock.now() - maxAge * DAY_MS) : '';
    for (const [i, { file, time }] of backups.entries())
      if ((maxBackup > 0 && i >= maxBackup) || time < oldest) unlinkSync(join(folder, file));
  }
}

/** `--audit-log-path=-`. */
export class StandardOutputBackend implements AuditBackend {
  write(event: AuditEvent): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
