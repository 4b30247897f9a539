import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL_BYTES = 64 * 1024;
const MAX_LINE = 240;

/** The end of a log from `offset` on; '' when there is none. */
export function endOf(file: string, offset = 0): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      const from = Math.max(offset, size - TAIL_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      readSync(fd, bytes, 0, bytes.length, from);
      return bytes.toString('utf8').trimEnd();
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** A line of our programs' logs, which is JSON, or of etcd's, in words; any other line as it is. */
function inWords(line: string): string {
  try {
    const { msg, err, error } = JSON.parse(line) as {
      msg?: unknown;
      err?: { message?: unknown };
      error?: unknown;
    };
    const words = [msg, err?.message, error].filter((part) => typeof part === 'string');
    return words.length > 0 ? words.join(': ') : line;
  } catch {
    return line;
  }
}

/** The last lines of a log for a person: shortened, each once. */
export function lastLines(log: string, count: number): string {
  const lines = log
    .split('\n')
    .map(inWords)
    .filter((line) => line.trim() !== '');
  const distinct = lines.filter((line, i) => !lines.slice(i + 1).includes(line));
  return distinct
    .slice(-count)
    .map((line) => `  ${line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line}`)
    .join('\n');
}
