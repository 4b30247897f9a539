import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SteppedClock, SystemClock, silentLogger } from '@orrery/component';
import { runningOf } from '../../test/builders.js';
import { LogRotation } from './log-rotation.js';

describe(LogRotation.name, () => {
  let folder = '';
  let now = 1_700_000_000_000;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'logs-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('puts a large log aside, packs older ones and keeps no more than it may', async () => {
    const path = join(folder, '0.log');
    const base = new SystemClock();
    const clock = new SteppedClock({
      now: () => now,
      monotonic: () => base.monotonic(),
      after: base.after.bind(base),
      sleep: base.sleep.bind(base),
    });
    const rotation = new LogRotation({
      cache: {
        all: () => [
          {
            uid: 'u',
            namespace: 'd',
            name: 'p',
            sandboxes: [],
            containers: [runningOf('c', { logPath: path })],
          },
        ],
      },
      runtime: { reopenLog: () => writeFile(path, '') },
      clock,
      logger: silentLogger,
      maxBytes: 10,
      maxFiles: 3,
      periodMs: 1000,
    });
    await writeFile(path, 'short');
    await rotation.rotateAll();
    expect(await readdir(folder)).toEqual(['0.log']);
    for (const round of ['first', 'second', 'third', 'fourth']) {
      await writeFile(path, `${round} log line\n`);
      await rotation.rotateAll();
      now += 1_000;
    }
    const names = (await readdir(folder)).sort();
    expect(names).toEqual(['0.log', '0.log.20231114-221322.gz', '0.log.20231114-221323']);
    expect(gunzipSync(await readFile(join(folder, names[1] ?? ''))).toString()).toBe(
      'third log line\n',
    );
  });
});
