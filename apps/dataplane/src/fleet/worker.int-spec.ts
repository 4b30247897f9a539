import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, silentLogger } from '@orrery/component';
import { Worker } from './worker.js';

describe('Worker.start()', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'worker-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['ends', 'process.exit(1)'],
    ['is killed', "process.kill(process.pid, 'SIGKILL')"],
  ])(
    'gives up at once on a process that %s before it answers',
    async (_, program) => {
      const script = join(folder, 'program.cjs');
      writeFileSync(script, program);
      const started = Worker.start({
        script,
        socket: join(folder, 'socket'),
        args: [],
        clock: new SystemClock(),
        logger: silentLogger,
      });
      await expect(started).rejects.toThrow('did not start');
    },
    20_000,
  );
});
