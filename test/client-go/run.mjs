// npm run test:client-go [-- NAME …]: what Go programs do with client-go, against a cluster of its own. CLIENT_GO_DIR=FOLDER of
// prepare.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = process.env.ORRERY_DIST ?? join(root, 'dist');
const program = join(
  process.env.CLIENT_GO_DIR ?? join(root, '.cache', 'client-go'),
  'client-go-checks',
);
const BLOCK = process.env.CLIENT_GO_BLOCK ?? '231';
const orrery = join(dist, 'orrery.js');

if (!existsSync(program)) {
  process.stderr.write(
    `${program} is not there: node test/client-go/prepare.mjs builds it, or CLIENT_GO_DIR names its folder\n`,
  );
  process.exit(2);
}

const home = mkdtempSync(join(tmpdir(), 'orrery-client-go-'));
const env = { ...process.env, ORRERY_HOME: home };
const up = spawn(process.execPath, [orrery, 'up', '--name=go', `--block=${BLOCK}`], {
  env,
  stdio: ['ignore', 'ignore', 'pipe'],
});
let code = 1;
try {
  let said = '';
  await new Promise((resolve, reject) => {
    up.stderr.on('data', (text) => {
      said += String(text);
      if (said.includes('orrery: ready')) resolve();
    });
    up.once('exit', () => reject(new Error(`the cluster did not start:\n${said}`)));
  });
  const KUBECONFIG = join(home, 'go', 'admin.conf');
  const { status, error } = spawnSync(program, process.argv.slice(2), {
    env: { ...env, KUBECONFIG },
    stdio: 'inherit',
  });
  if (error) throw error;
  code = status ?? 1;
} finally {
  const gone = new Promise((resolve) => up.once('exit', resolve));
  if (up.exitCode === null && up.kill('SIGTERM')) await gone;
  rmSync(home, { recursive: true, force: true });
}
process.exit(code);
