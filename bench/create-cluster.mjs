// createCluster() of @orrery/testing: how long until its API is ready, for the first cluster of a process and for further
// ones, asked for one at a time with a pause (a suite's tests) and without. ROUNDS (7) processes, CLUSTERS (12) further ones.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printTable } from './table.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const CLUSTERS = Number(process.env.CLUSTERS ?? 12);
const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.ORRERY_DIST ?? join(home, 'dist');
const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'));

/** What both programs begin with; each runs in a process of its own, as a file of tests does. */
const BOTH = `
import { createCluster } from './testing.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
const API = { nodes: 0, controllers: false, scheduler: false };
const times = {};
async function time(name, options, after = () => undefined) {
  const before = performance.now();
  const cluster = await createCluster(options);
  await after(cluster);
  (times[name] ??= []).push(performance.now() - before);
  return cluster;
}
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' },
  spec: { containers: [{ name: 'one', image: 'nginx' }] } };
const running = async (cluster) => {
  await cluster.create(pod);
  await cluster.waitFor('pod/one', (p) => p.status?.phase === 'Running', { timeoutMs: 30_000 });
};
`;
const END = `
process.stdout.write(JSON.stringify(times));
process.exit(0);
`;

const PROGRAMS = [
  `
await time('first of a process, with a node, to a pod Running', {}, running);
`,
  `
await time('first, API alone', API);
await time('second', API);
for (let i = 0; i < ${CLUSTERS}; i++) await (await time('further, at once after the last', API)).stop();
for (let i = 0; i < ${CLUSTERS}; i++) {
  await sleep(300);
  await (await time('further, 300 ms after the last', API)).stop();
}
await time('first with a node, to a pod Running', {}, running);
`,
].map((program) => BOTH + program + END);

async function run(program) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    env: { ...process.env, ORRERY_BIN: join(dist, 'orrery.js') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`a process of tests ended with ${code}`);
  return JSON.parse(text);
}

const rows = new Map();
try {
  await build({
    entryPoints: [join(home, 'packages', 'testing', 'src', 'index.ts')],
    outfile: join(folder, 'testing.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    define: { ORRERY_TESTING_FILE: 'import.meta.url' },
    banner: {
      js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);",
    },
  });
  for (let round = 0; round < ROUNDS; round++)
    for (const program of PROGRAMS)
      for (const [name, times] of Object.entries(await run(program)))
        rows.set(name, [...(rows.get(name) ?? []), ...times]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

printTable(
  `createCluster(), ${ROUNDS} processes of each kind`,
  [...rows].map(([name, samples]) => ({ name, unit: 'ms', samples })),
);
