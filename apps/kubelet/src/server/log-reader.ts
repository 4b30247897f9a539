import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '@orrery/component';
import { renderLine } from './log-lines.js';
import type { LogOptions } from './log-lines.js';

const CHUNK = 64 * 1024;
const POLL_MS = 50;

/** Offset of the first of the last `lines` lines. */
export async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  const buffer = Buffer.alloc(CHUNK);
  let found = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      const isLast = start + i === size - 1;
      if (buffer[i] === 10 && !isLast && ++found === lines) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

export interface LogSource {
  /** Absolute path of the current file; after a rotation another file is there. */
  readonly path: string;
  /** The container may still write. */
  isRunning(): boolean;
}

/** Text of a container log as the client asked for it; survives rotation, ends with the container when following. */
export async function* readLog(
  source: LogSource,
  options: LogOptions,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let file = await open(source.path, 'r');
  let left = options.limitBytes ?? Infinity;
  try {
    let offset = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
    let rest = '';
    while (!signal.aborted) {
      const running = source.isRunning();
      const chunk = await readChunk(file, offset);
      offset += chunk.length;
      const lines = `${rest}${chunk.toString('latin1')}`.split('\n');
      rest = lines.pop() ?? '';
      for (const raw of lines) {
        const text = renderLine(Buffer.from(raw, 'latin1').toString('utf8'), options);
        if (text === undefined) continue;
        yield cut(text, left);
        left -= Buffer.byteLength(text);
        if (left <= 0) return;
      }
      if (chunk.length > 0) continue;
      const next = await rotated(file, source.path);
      if (next) {
        await file.close();
        file = next;
        offset = 0;
        continue;
      }
      if (!options.follow || !running) return;
      await clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  } finally {
    await file.close();
  }
}

function cut(text: string, bytes: number): string {
  return Buffer.byteLength(text) <= bytes ? text : Buffer.from(text).toString('utf8', 0, bytes);
}

async function readChunk(file: FileHandle, offset: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const { bytesRead } = await file.read(buffer, 0, CHUNK, offset);
  return buffer.subarray(0, bytesRead);
}

/** The new file when the path no longer names the one being read. */
async function rotated(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const [mine, current] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  if (!current || current.ino === mine.ino) return undefined;
  return open(path, 'r');
}
