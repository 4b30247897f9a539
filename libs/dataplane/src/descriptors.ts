import { readFileSync, readdirSync } from 'node:fs';

/** Descriptors left for everything that is not relaying: the control socket, logs, listeners to come. */
const RESERVE = 24;
const UNKNOWN_LIMIT = 1024;

function softLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const text = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return text === undefined ? UNKNOWN_LIMIT : Number(text);
  } catch {
    return UNKNOWN_LIMIT;
  }
}

function inUse(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/**
 * The file descriptors that relaying may still take. libuv closes what it cannot accept without a word, so that running
 * out would be invisible: new connections are refused, and counted, before that.
 */
export class Descriptors {
  private left: number;

  constructor(limit = softLimit() - inUse() - RESERVE) {
    this.left = limit;
  }

  /** Takes `count`, or nothing when there are not as many. */
  take(count: number): boolean {
    if (this.left < count) return false;
    this.left -= count;
    return true;
  }

  give(count: number): void {
    this.left += count;
  }
}
