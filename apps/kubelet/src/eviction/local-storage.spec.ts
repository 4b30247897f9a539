import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Container, Pod } from '@orrery/api';
import { podOf, usageOf } from '../../test/builders.js';
import { exceededLimit, hasStorageLimit, measureStorage, totalOf } from './local-storage.js';
import type { PodStorage } from './local-storage.js';

const MI = 1024 * 1024;

const container = (name: string, limit?: string): Container => ({
  name,
  image: 'i',
  ...(limit === undefined ? {} : { resources: { limits: { 'ephemeral-storage': limit } } }),
});

const storage = (
  containers: Record<string, number>,
  volumes: Record<string, number> = {},
): PodStorage => ({
  inodes: 0,
  containers: new Map(Object.entries(containers)),
  volumes: new Map(Object.entries(volumes)),
});

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly storage: PodStorage;
  readonly want: string | undefined;
}

describe('exceededLimit()', () => {
  const scratch = (medium?: string): Pod['spec']['volumes'] => [
    { name: 'v', emptyDir: { sizeLimit: '5Mi', ...(medium === undefined ? {} : { medium }) } },
  ];

  it.each<Case>([
    {
      name: 'is none within the limits',
      pod: podOf('p', { containers: [container('c', '10Mi')], volumes: scratch() }),
      storage: storage({ c: 5 * MI }, { v: 5 * MI }),
      want: undefined,
    },
    {
      name: "is an emptyDir's",
      pod: podOf('p', { volumes: scratch('Memory') }),
      storage: storage({ c: 0 }, { v: 5 * MI + 1 }),
      want: 'Usage of EmptyDir volume "v" exceeds the limit "5Mi". ',
    },
    {
      name: "is the pod's, by all that it holds, even when a container has none",
      pod: podOf('p', {
        containers: [container('c', '4Mi'), container('d', '1Mi'), container('e')],
      }),
      storage: storage({ c: MI, d: MI, e: 4 * MI }),
      want: 'Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ',
    },
    {
      name: "counts volumes of the disk for the pod's",
      pod: podOf('p', {
        containers: [container('c', '4Mi')],
        volumes: [{ name: 'v', emptyDir: {} }],
      }),
      storage: storage({ c: MI }, { v: 4 * MI }),
      want: 'Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. ',
    },
    {
      name: 'counts no volumes in memory for it',
      pod: podOf('p', {
        containers: [container('c', '4Mi')],
        volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
      }),
      storage: storage({ c: MI }, { v: 40 * MI }),
      want: undefined,
    },
    {
      name: "is a container's while the pod as a whole is within",
      pod: podOf('p', { containers: [container('c', '4Mi'), container('d', '1Mi')] }),
      storage: storage({ c: MI, d: 2 * MI }),
      want: 'Container d exceeded its local ephemeral storage limit "1Mi". ',
    },
  ])('$name', ({ pod, storage: held, want }) => {
    expect(exceededLimit(pod, held)?.message).toBe(want);
    expect(hasStorageLimit(pod)).toBe(
      pod.spec.containers.some(({ resources }) => resources) ||
        pod.spec.volumes?.some(({ emptyDir }) => emptyDir?.sizeLimit),
    );
  });
});

describe('measureStorage()', () => {
  it('adds written layers and logs, and looks into volumes of the disk', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'storage-'));
    const pod = podOf('p', {
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'host', hostPath: { path: dir } },
      ],
    });
    const volume = join(dir, 'v');
    await mkdir(join(dir, 'logs', 'c'), { recursive: true });
    await mkdir(volume);
    await writeFile(join(dir, 'logs', 'c', '0.log'), 'x'.repeat(64 * 1024));
    await writeFile(join(volume, 'data'), 'x'.repeat(128 * 1024));
    const mounted = (path: string) => ({ path, readOnly: false });
    const held = await measureStorage(pod, {
      usage: [usageOf(pod, 0, { writableLayerBytes: MI, writableLayerInodes: 7 })],
      logDir: join(dir, 'logs'),
      mounts: new Map([
        ['v', mounted(volume)],
        ['host', mounted(dir)],
      ]),
    });
    await rm(dir, { recursive: true });
    expect([...held.containers]).toEqual([['c', MI + 64 * 1024]]);
    expect([...held.volumes]).toEqual([['v', 128 * 1024]]);
    expect(totalOf(pod, held)).toBe(MI + 192 * 1024);
    expect(held.inodes).toBe(7 + 2 + 2);
  });
});
