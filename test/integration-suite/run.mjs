// npm run test:integration -- PACKAGE [REGEXP]: packages of Kubernetes' integration tests (`apiserver/apply`) against our API server.
// KUBE_SOURCE=FOLDER with the source of a release, which is copied. INTEGRATION_OWN=1 leaves the tests their own server.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOOKS } from './hooks.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const dist = resolve(process.env.ORRERY_DIST || join(root, 'dist'));
const folder = resolve(process.env.INTEGRATION_DIR ?? join(root, '.cache', 'integration-suite'));
const from = process.env.KUBE_SOURCE;
const [name, regexp = '.'] = process.argv.slice(2);

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) fail(`${command}: ${error.message}`);
  return status ?? 1;
}

/** A copy of the source with the hooks, made once; links instead of copies, but for what is changed. */
function prepare() {
  const source = join(folder, 'src');
  if (existsSync(join(source, 'test', 'otherserver'))) return source;
  if (!from || !existsSync(join(from, 'test', 'integration')))
    fail('KUBE_SOURCE names no folder with the source of a Kubernetes release (test/integration)');
  rmSync(source, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (run('cp', ['-al', resolve(from), source]) !== 0) cpSync(from, source, { recursive: true });
  for (const [file, change] of Object.entries(HOOKS)) {
    const path = join(source, file);
    const text = change(readFileSync(path, 'utf8'), file);
    rmSync(path);
    writeFileSync(path, text);
  }
  mkdirSync(join(source, 'test', 'otherserver'));
  cpSync(join(here, 'other_server.go'), join(source, 'test', 'otherserver', 'other_server.go'));
  return source;
}

if (!name) fail('usage: npm run test:integration -- PACKAGE [REGEXP], e.g. apiserver/apply');
const source = prepare();
const program = join(folder, `${name.replaceAll('/', '-')}.test`);
const env = { GOFLAGS: '-mod=vendor', GO111MODULE: 'on', CGO_ENABLED: '0', ...process.env };
const build = ['test', '-c', '-p', '2', '-tags', 'providerless', '-o', program];
if (run('go', [...build, `./test/integration/${name}`], { cwd: source, env }) !== 0)
  process.exit(2);

const { stdout, status, error } = spawnSync(
  program,
  ['-test.v', `-test.timeout=${process.env.INTEGRATION_TIMEOUT ?? '20m'}`, '-test.run', regexp],
  {
    cwd: join(source, 'test', 'integration', name),
    env: {
      ...env,
      OTHER_APISERVER: process.env.INTEGRATION_OWN
        ? ''
        : `${process.execPath} ${join(dist, 'kube-apiserver.js')}`,
    },
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  },
);
if (error) fail(`${program}: ${error.message}`);
const log = join(folder, `${name.replaceAll('/', '-')}.log`);
writeFileSync(log, stdout);
const results = [...String(stdout).matchAll(/^\s*--- (PASS|FAIL|SKIP): (\S+)/gmu)];
const of = (wanted) => results.filter(([, result]) => result === wanted).map(([, , test]) => test);
for (const test of of('FAIL')) process.stdout.write(`failed   ${test}\n`);
for (const test of of('SKIP')) process.stdout.write(`skipped  ${test}\n`);
process.stdout.write(
  `${name}: ${of('PASS').length} passed, ${of('FAIL').length} failed, ${of('SKIP').length} skipped; log ${log}\n`,
);
process.exit(status === 0 ? 0 : 1);
