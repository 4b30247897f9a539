import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod, Volume } from '@orrery/api';
import { SystemClock } from '@orrery/component';
import type { MountedVolume } from '../../volumes/claims.js';
import { VolumeMeter } from './volume-stats.js';

class SetClock extends SystemClock {
  ms = 0;

  override monotonic(): number {
    return this.ms;
  }
}

const podOf = (volumes: readonly Volume[]): Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers: [], volumes: [...volumes] },
});

describe('VolumeMeter', () => {
  let folder: string;
  let clock: SetClock;
  let meter: VolumeMeter;
  const mounts = (): ReadonlyMap<string, MountedVolume> =>
    new Map(['v', 'gone'].map((name) => [name, { path: join(folder, name), readOnly: false }]));
  const statsOf = async (volume: Volume) =>
    (await meter.of([podOf([volume])], mounts)).get('u') ?? [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'volumes-'));
    mkdirSync(join(folder, 'v', 'inner'), { recursive: true });
    writeFileSync(join(folder, 'v', 'inner', 'file'), Buffer.alloc(100_000, 1));
    clock = new SetClock();
    meter = new VolumeMeter(clock);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('tells what the files of a volume take, and what its file system has', async () => {
    const [stats] = await statsOf({ name: 'v', emptyDir: {} });
    expect(stats).toMatchObject({ name: 'v', inodesUsed: 3 });
    expect(stats?.usedBytes).toBeGreaterThanOrEqual(100_000);
    expect(stats?.usedBytes).toBeLessThan(200_000);
    expect(stats?.capacityBytes).toBeGreaterThan(stats?.availableBytes ?? Infinity);
    expect(stats).not.toHaveProperty('pvcRef');
  });

  it.each<[string, Volume, string]>([
    ['a claim', { name: 'v', persistentVolumeClaim: { claimName: 'data' } }, 'data'],
    ['a claim of the pod itself', { name: 'v', ephemeral: {} }, 'p-v'],
  ])('names %s', async (_, volume, name) => {
    const [stats] = await statsOf(volume);
    expect(stats?.pvcRef).toEqual({ name, namespace: 'ns' });
    expect(stats?.usedBytes).toBeGreaterThan(200_000);
  });

  it.each<[string, Volume]>([
    ['a path of the host', { name: 'v', hostPath: { path: '/' } }],
    ['what is not mounted', { name: 'other', emptyDir: {} }],
    ['what is gone meanwhile', { name: 'gone', emptyDir: {} }],
  ])('leaves out %s', async (_, volume) => {
    expect(await statsOf(volume)).toEqual([]);
  });

  it('measures once a minute', async () => {
    const volume = { name: 'v', emptyDir: {} };
    const [first] = await statsOf(volume);
    writeFileSync(join(folder, 'v', 'more'), Buffer.alloc(500_000, 1));
    clock.ms = 59_999;
    expect(await statsOf(volume)).toEqual([first]);
    clock.ms = 60_000;
    expect((await statsOf(volume))[0]?.usedBytes).toBeGreaterThan(500_000);
  });
});
