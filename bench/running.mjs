// From `kubectl create deployment` to a pod that `kubectl get pods -w` shows Running. One cluster of its own, warm: the
// first two are not counted. RUNS=20 for another number than 12.
import { spawn, execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { printTable } from './table.mjs';

const RUNS = Number(process.env.RUNS ?? 12);
const WARM_UP = 2;
const dist =
  process.env.ORRERY_DIST ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const home = mkdtempSync(join(tmpdir(), 'orrery-bench-'));
const env = {
  ...process.env,
  ORRERY_HOME: home,
  HOME: home,
  KUBECONFIG: join(home, 'bench', 'admin.conf'),
};
const kubectl = (...args) => promisify(execFile)('kubectl', args, { env, timeout: 30_000 });

const up = spawn(
  process.execPath,
  ['--enable-source-maps', join(dist, 'orrery.js'), 'up', '--name', 'bench'],
  { env, stdio: ['ignore', 'ignore', 'pipe'] },
);
const ended = new Promise((resolve) => up.once('exit', resolve));
await new Promise((resolve, reject) => {
  createInterface({ input: up.stderr }).on('line', (line) => {
    if (line.includes('ready in')) resolve();
  });
  void ended.then((code) => reject(new Error(`orrery up ended with ${code}`)));
});

/** When the pod of each deployment was first seen Running. */
const seen = new Map();
const waiting = new Map();
const watch = spawn(
  'kubectl',
  [
    'get',
    'pods',
    '-w',
    '--no-headers',
    '-o',
    'custom-columns=APP:.metadata.labels.app,STATUS:.status.phase',
  ],
  { env, stdio: ['ignore', 'pipe', 'inherit'] },
);
createInterface({ input: watch.stdout }).on('line', (line) => {
  const [app, status] = line.trim().split(/ +/);
  if (status !== 'Running' || seen.has(app)) return;
  seen.set(app, performance.now());
  waiting.get(app)?.();
});

const times = { created: [], running: [] };
try {
  for (let i = 0; i < WARM_UP + RUNS; i++) {
    const app = `tomcat-${i}`;
    const running = new Promise((resolve) => waiting.set(app, resolve));
    const began = performance.now();
    await kubectl('create', 'deployment', app, '--image=tomcat:8');
    const created = performance.now();
    await running;
    if (i >= WARM_UP) {
      times.created.push(created - began);
      times.running.push(seen.get(app) - began);
    }
  }
} finally {
  watch.kill();
  up.kill('SIGTERM');
  await ended;
  rmSync(home, { recursive: true, force: true });
}

printTable('From kubectl create deployment to Running', [
  { name: 'kubectl create returns', unit: 'ms', samples: times.created },
  { name: 'command to Running', unit: 'ms', samples: times.running },
]);
