import { join } from 'node:path';
import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';

export type LogValue = string | number | boolean | null | undefined;

/** Structured logging: a constant lower-case message and key/values (style.md 28). */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, LogValue>>): void;
  info(message: string, fields?: Readonly<Record<string, LogValue>>): void;
  warn(message: string, fields?: Readonly<Record<string, LogValue>>): void;
  /** `error` is logged with its stack and causes. */
  error(message: string, error: unknown, fields?: Readonly<Record<string, LogValue>>): void;
  child(fields: Readonly<Record<string, LogValue>>): Logger;
}

export const LOGGER = Symbol('Logger');

class PinoBackedLogger implements Logger {
  constructor(private readonly pino: PinoLogger) {}

  debug(message: string, fields: Readonly<Record<string, LogValue>> = {}): void {
    this.pino.debug(fields, message);
  }

  info(message: string, fields: Readonly<Record<string, LogValue>> = {}): void {
    this.pino.info(fields, message);
  }

  warn(message: string, fields: Readonly<Record<string, LogValue>> = {}): void {
    this.pino.warn(fields, message);
  }

  error(message: string, error: unknown, fields: Readonly<Record<string, LogValue>> = {}): void {
    this.pino.error({ ...fields, err: error }, message);
  }

  child(fields: Readonly<Record<string, LogValue>>): Logger {
    return new PinoBackedLogger(this.pino.child(fields));
  }
}

function destinationOf(component: string): number | string {
  const dir = process.env['ORRERY_LOG_DIR'];
  return dir ? join(dir, `${component}.log`) : 2;
}

export interface LoggerOptions {
  /** Name of the component, in each line. */
  readonly component: string;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** JSON lines on standard error, or in `<component>.log` below ORRERY_LOG_DIR where several components share a process. */
export function createLogger({ component, level = 'info' }: LoggerOptions): Logger {
  return new PinoBackedLogger(
    pino(
      { level, base: { component }, timestamp: pino.stdTimeFunctions.isoTime },
      pino.destination({
        dest: level === 'silent' ? 2 : destinationOf(component),
        sync: true,
        append: true,
      }),
    ),
  );
}

/** Drops everything: for specs. */
export const silentLogger: Logger = createLogger({ component: 'test', level: 'silent' });
