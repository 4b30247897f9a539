import type { Clock } from './clock.js';
import type { LogValue, Logger } from './logger.js';

type Fields = Readonly<Record<string, LogValue>>;

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** `I0102 15:04:05.678000    1234 kube-proxy] "message" key="value"`: klog's header and structured body. */
export function formatKlog(
  severity: 'I' | 'W' | 'E',
  at: Date,
  source: { readonly pid: number; readonly component: string },
  text: { readonly message: string; readonly fields: Fields },
): string {
  const day = `${pad(at.getUTCMonth() + 1)}${pad(at.getUTCDate())}`;
  const time = at.toISOString().slice(11, 23);
  const pairs = Object.entries(text.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? JSON.stringify(value) : value}`);
  return `${severity}${day} ${time}000 ${String(source.pid).padStart(7)} ${source.component}] ${JSON.stringify(text.message)}${pairs.join('')}\n`;
}

/** Logs as upstream's components do by default, on standard error: what `kubectl logs` of kube-proxy shows. */
export class KlogLogger implements Logger {
  constructor(
    private readonly component: string,
    private readonly clock: Clock,
    private readonly fields: Fields = {},
    private readonly write: (line: string) => void = (line) => process.stderr.write(line),
  ) {}

  debug(): void {
    // As upstream at verbosity 0.
  }

  info(message: string, fields: Fields = {}): void {
    this.line('I', message, fields);
  }

  warn(message: string, fields: Fields = {}): void {
    this.line('W', message, fields);
  }

  error(message: string, error: unknown, fields: Fields = {}): void {
    this.line('E', message, {
      err: error instanceof Error ? error.message : String(error),
      ...fields,
    });
  }

  child(fields: Fields): Logger {
    return new KlogLogger(this.component, this.clock, { ...this.fields, ...fields }, this.write);
  }

  private line(severity: 'I' | 'W' | 'E', message: string, fields: Fields): void {
    const source = { pid: process.pid, component: this.component };
    const text = { message, fields: { ...this.fields, ...fields } };
    this.write(formatKlog(severity, new Date(this.clock.now()), source, text));
  }
}
