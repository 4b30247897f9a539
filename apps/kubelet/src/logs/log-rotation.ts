import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock, Logger } from '@orrery/component';
import type { PodCache } from '../pleg/pod-cache.js';
import type { Runtime } from '../runtime/runtime.js';

export interface LogRotationParts {
  readonly cache: Pick<PodCache, 'all'>;
  readonly runtime: Pick<Runtime, 'reopenLog'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes: number;
  /** With the one being written. */
  readonly maxFiles: number;
  readonly periodMs: number;
}

const stampOf = (ms: number): string =>
  new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/**
 * Puts aside the logs of running containers that have grown too large: `0.log` becomes `0.log.20260102-030405`, which is
 * packed at the next rotation; the oldest go (k8s pkg/kubelet/logs/container_log_manager.go).
 */
export class LogRotation {
  constructor(private readonly parts: LogRotationParts) {}

  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.parts.clock.sleep(this.parts.periodMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.rotateAll();
    }
  }

  async rotateAll(): Promise<void> {
    const running = this.parts.cache
      .all()
      .flatMap((pod) => pod.containers.filter((one) => one.state === 'running' && one.logPath));
    for (const { id, logPath } of running)
      try {
        const { size } = await stat(logPath);
        if (size >= this.parts.maxBytes) await this.rotate(id, logPath);
      } catch (error) {
        this.parts.logger.warn('log not rotated', { path: logPath, error: String(error) });
      }
  }

  private async rotate(id: string, path: string): Promise<void> {
    const old = await this.rotatedLogs(path);
    for (const file of old) if (!file.endsWith('.gz')) await compress(file);
    const kept = Math.max(0, this.parts.maxFiles - 2);
    const packed = await this.rotatedLogs(path);
    for (const file of packed.slice(0, Math.max(0, packed.length - kept))) await rm(file);
    const aside = `${path}.${stampOf(this.parts.clock.now())}`;
    await rename(path, aside);
    try {
      await this.parts.runtime.reopenLog(id);
    } catch (error) {
      await rename(aside, path);
      throw error;
    }
  }

  /** Oldest first. */
  private async rotatedLogs(path: string): Promise<string[]> {
    const names = await readdir(dirname(path));
    return names
      .filter((name) => name.startsWith(`${basename(path)}.`) && !name.endsWith('.tmp'))
      .sort()
      .map((name) => join(dirname(path), name));
  }
}

async function compress(file: string): Promise<void> {
  const target = `${file}.gz`;
  await pipeline(createReadStream(file), createGzip(), createWriteStream(`${target}.tmp`));
  await rename(`${target}.tmp`, target);
  await rm(file);
}
