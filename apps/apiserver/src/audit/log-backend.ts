import {
  createWriteStream,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import type { WriteStream } from 'node:fs';
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
}

const MB = 1024 * 1024;
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
  private size: number;

  constructor(
    private readonly options: LogFileOptions,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    const { path } = options;
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`--audit-log-path: ${path}: ${why}`, { cause: error });
    }
    this.size = sizeOf(path);
    this.stream = this.open();
  }

  write(event: AuditEvent): void {
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    const limit = (this.options.maxSize || 100) * MB;
    if (this.size > 0 && this.size + line.length > limit) this.rotate();
    this.size += line.length;
    this.stream.write(line);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.stream.end(resolve);
    });
  }

  private open(): WriteStream {
    const stream = createWriteStream(this.options.path, { flags: 'a', mode: 0o600 });
    stream.on('error', (error) => {
      this.logger.error('audit log cannot be written', error, { path: this.options.path });
    });
    return stream;
  }

  private rotate(): void {
    const { path } = this.options;
    const extension = extname(path);
    const name = basename(path, extension);
    this.stream.end();
    try {
      renameSync(path, join(dirname(path), `${name}-${stamp(this.clock.now())}${extension}`));
      this.removeOld(name, extension);
    } catch (error) {
      this.logger.error('audit log cannot be replaced', error, { path });
    }
    this.stream = this.open();
    this.size = sizeOf(path);
  }

  private removeOld(name: string, extension: string): void {
    const folder = dirname(this.options.path);
    const { maxAge, maxBackup } = this.options;
    const backups = readdirSync(folder)
      .flatMap((file) => {
        if (!file.startsWith(`${name}-`) || !file.endsWith(extension)) return [];
        const time = file.slice(name.length + 1, file.length - extension.length);
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
