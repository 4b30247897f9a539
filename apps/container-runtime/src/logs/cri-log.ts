import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '@orrery/component';

export type LogStream = 'stdout' | 'stderr';

/** A line longer than this is written in parts (containerd's max_container_log_line_size). */
const MAX_LINE = 16 * 1024;

/**
 * Writes what a container says in CRI's log format, `TIME STREAM F|P TEXT` (k8s pkg/kubelet/kuberuntime/logs).
 * A line goes to the file in one write. `reopen` follows a rotation.
 */
export class CriLog {
  private fd: number | undefined;
  private last = 0n;
  private readonly pending = {
    stdout: { text: '', decoder: new StringDecoder('utf8') },
    stderr: { text: '', decoder: new StringDecoder('utf8') },
  };

  /** An empty path drops everything. */
  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {
    this.reopen();
  }

  reopen(): void {
    if (this.path === '') return;
    const before = this.fd;
    mkdirSync(dirname(this.path), { recursive: true });
    this.fd = openSync(this.path, 'a', 0o640);
    if (before !== undefined) closeSync(before);
  }

  write(stream: LogStream, chunk: Buffer | string): void {
    const state = this.pending[stream];
    const text = state.text + (typeof chunk === 'string' ? chunk : state.decoder.write(chunk));
    const lines = text.split('\n');
    state.text = lines.pop() ?? '';
    let out = '';
    for (const line of lines) out += this.format(stream, line, 'F');
    while (state.text.length > MAX_LINE) {
      out += this.format(stream, state.text.slice(0, MAX_LINE), 'P');
      state.text = state.text.slice(MAX_LINE);
    }
    this.append(out);
  }

  /** Writes what is left as a part without its end (containerd marks it P) and closes the file. */
  close(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const state = this.pending[stream];
      if (state.text !== '') this.append(this.format(stream, state.text, 'P'));
      state.text = '';
    }
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private append(text: string): void {
    if (this.fd !== undefined && text !== '') writeSync(this.fd, text);
  }

  private format(stream: LogStream, line: string, tag: 'F' | 'P'): string {
    let head = '';
    let rest = line;
    while (rest.length > MAX_LINE) {
      head += `${this.timestamp()} ${stream} P ${rest.slice(0, MAX_LINE)}\n`;
      rest = rest.slice(MAX_LINE);
    }
    return `${head}${this.timestamp()} ${stream} ${tag} ${rest}\n`;
  }

  /** RFC 3339 with nanoseconds, strictly rising so that readers can resume by time. */
  private timestamp(): string {
    const now = BigInt(this.clock.now()) * 1_000_000n;
    this.last = now > this.last ? now : this.last + 1n;
    const seconds = new Date(Number(this.last / 1_000_000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(this.last % 1_000_000_000n).padStart(9, '0')}Z`;
  }
}
