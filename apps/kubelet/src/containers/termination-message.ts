import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { TERMINATION_PATH_ANNOTATION, TERMINATION_POLICY_ANNOTATION } from '../runtime/labels.js';
import type { RuntimeContainer } from '../runtime/runtime.js';

/** Longest message from the file, and from the end of the log: bytes and lines (k8s pkg/kubelet/container/runtime.go). */
const MAX_FILE = 4096;
const MAX_LOG = 2048;
const MAX_LINES = 80;

/** The first or last `limit` bytes of a file; undefined when it cannot be read. */
function readPart(path: string, limit: number, tail: boolean): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, limit);
    const buffer = Buffer.alloc(length);
    readSync(fd, buffer, 0, length, tail ? size - length : 0);
    return buffer.toString('utf8');
  } finally {
    closeSync(fd);
  }
}

function logTail(path: string): string | undefined {
  const text = readPart(path, MAX_LOG * 4, true);
  if (text === undefined) return undefined;
  const lines = text
    .split('\n')
    .slice(-MAX_LINES - 1)
    .map((line) => {
      const [, tag, said] = /^\S+ (?:stdout|stderr) ([FP]) (.*)$/.exec(line) ?? [];
      return tag === undefined ? line : `${said ?? ''}${tag === 'F' ? '\n' : ''}`;
    });
  return lines.join('').slice(-MAX_LOG);
}

const cache = new WeakMap<RuntimeContainer, string>();

/** What the container left behind: its message file, or the end of its log when the policy says so and it failed. */
export function terminationMessage(container: RuntimeContainer): string | undefined {
  const known = cache.get(container);
  if (known !== undefined) return known || undefined;
  const path = container.annotations[TERMINATION_PATH_ANNOTATION];
  const mount = container.mounts.find((one) => one.containerPath === path);
  let message = mount ? readPart(mount.hostPath, MAX_FILE, false) : undefined;
  const useLog = container.annotations[TERMINATION_POLICY_ANNOTATION] === 'FallbackToLogsOnError';
  if (!message && useLog && container.exitCode !== 0) message = logTail(container.logPath);
  cache.set(container, message ?? '');
  return message || undefined;
}
