// Preloaded into a measured process: at SIGUSR2 it collects garbage, twice, and writes what it then holds to MEMORY_PROBE.
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';

process.on('SIGUSR2', () => void probe());

async function probe() {
  const file = process.env.MEMORY_PROBE;
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await sleep(200);
  }
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  if (process.env.MEMORY_SNAPSHOT) writeHeapSnapshot(process.env.MEMORY_SNAPSHOT);
  writeFileSync(`${file}.new`, JSON.stringify({ before, rss, heapUsed, heapTotal, external }));
  renameSync(`${file}.new`, file);
}
