// npm run test:testcontainers: packs the npm packages, installs the tarballs into an empty project and runs the README's
// suites there in containers of a real docker engine. One last line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectNode, root } from '../../scripts/checkout.mjs';
import { ensureTestTools } from '../../scripts/test-tools.mjs';
import { ensureDocker, startEngine } from '../compose/engine.mjs';
import { ensureImage } from '../compose/image.mjs';
import { runLanguages } from './languages.mjs';

const outcomes = { passed: 0, failed: 0 };

function run(command, args, cwd, more = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    // The reaper's image cannot be pulled everywhere; the suites stop what they start.
    env: { ...process.env, TESTCONTAINERS_RYUK_DISABLED: 'true', ...more },
    timeout: 900_000,
  });
  return { ok: status === 0, text: `${error ?? ''}${stdout}${stderr}` };
}

function check(name, { ok, text }) {
  outcomes[ok ? 'passed' : 'failed'] += 1;
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}  ${name}\n`);
  if (!ok) process.stdout.write(`${text}\n`);
  return ok;
}

function skip(name) {
  process.stdout.write(`skipped  ${name}\n`);
}

/** The code blocks of the README that begin with a comment of their file's name. */
function examples() {
  const readme = readFileSync(join(root, 'packages', 'testcontainers', 'README.md'), 'utf8');
  return [...readme.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, file, code]) => ({
    file,
    code,
  }));
}

/** What a start that cannot succeed says: one line, and no stack. */
const REFUSALS = [
  {
    name: 'no engine',
    code: 'new OrreryContainer().start()',
    env: { DOCKER_HOST: 'unix:///nowhere/docker.sock', HOME: '/nowhere' },
    wanted: /^no Docker engine answers: start one, or name it in DOCKER_HOST/,
  },
  {
    name: 'an image that is not built',
    code: "new OrreryContainer('orrery:missing').start()",
    wanted: /^the image orrery:missing is not there and cannot be pulled: build it/,
  },
  {
    name: 'an old engine',
    prelude: `
      import { once } from 'node:events';
      import { createServer } from 'node:http';
      const engine = createServer((asked, answer) => {
        const facts = asked.url.endsWith('/version')
          ? { Version: '1.12.6', ApiVersion: '1.24' }
          : { ServerVersion: '1.12.6', OSType: 'linux', OperatingSystem: 'Debian', Architecture: 'x86_64', NCPU: 1, MemTotal: 1 };
        answer.setHeader('content-type', 'application/json').end(JSON.stringify(facts));
      }).listen(0, '127.0.0.1');
      await once(engine, 'listening');
      process.env.DOCKER_HOST = 'tcp://127.0.0.1:' + engine.address().port;`,
    code: 'new OrreryContainer().start()',
    wanted: /^the Docker engine is too old: 1\.12\.6 \(API 1\.24\), Docker 19\.03/,
  },
  {
    name: 'a port that is taken',
    prelude: `
      import { once } from 'node:events';
      import { createServer } from 'node:net';
      const taken = createServer().listen(0);
      await once(taken, 'listening');
      const host = taken.address().port;`,
    code: 'new OrreryContainer().withExposedPorts({ container: 30001, host }).start()',
    wanted: /^\S+:\d+ is taken on the engine's host: stop what listens there/,
  },
  {
    name: 'a number of nodes that cannot be',
    code: 'new OrreryContainer().withNodes(0)',
    wanted: /^withNodes\(0\): a cluster has 1 to 64 nodes/,
  },
];

const START_TIMES = `
import { OrreryContainer } from '@orrery/testcontainers';
const times = [];
for (let i = 0; i < 5; i++) {
  const before = performance.now();
  const cluster = await new OrreryContainer().start();
  times.push(Math.round(performance.now() - before));
  await cluster.stop();
}
times.sort((a, b) => a - b);
console.log(\`start of a container with one node, n=5: min \${times[0]} median \${times[2]} max \${times[4]} ms\`);
`;

function runSuites(project) {
  for (const { file, code } of examples()) {
    writeFileSync(join(project, file), code);
    const flags = ['--experimental-vm-modules', join('node_modules', 'jest', 'bin', 'jest.js')];
    const config = ['--testMatch', `**/${file}`];
    check(`the README's ${file}`, run(projectNode(), [...flags, ...config], project));
  }
  for (const { name, prelude = '', code, env, wanted } of REFUSALS) {
    const script = `import { OrreryContainer } from '@orrery/testcontainers'; ${prelude}; try { await ${code}; } catch (e) { console.log(e.message); process.exit(3); }`;
    const { text } = run(process.execPath, ['--input-type=module', '-e', script], project, env);
    check(`${name} is one clear line`, { ok: wanted.test(text.trim()), text });
  }
  const timed = run(process.execPath, ['--input-type=module', '-e', START_TIMES], project);
  if (check('starts five times', timed)) process.stdout.write(`    ${timed.text.trim()}\n`);
  runLanguages(work, check, skip);
  const left = run('docker', ['ps', '-aq'], project).text.trim();
  check('leaves no container', { ok: left === '', text: left });
}

ensureTestTools();
const compose = ensureDocker();
/** Shared with the compose test: one build for both. */
const folder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'orrery',
  'compose',
  'engine',
);
mkdirSync(folder, { recursive: true });
const engine = await startEngine(folder);
process.env.DOCKER_HOST = engine.host;
const work = mkdtempSync(join(tmpdir(), 'orrery-testcontainers-'));
try {
  if (!process.argv.includes('--no-build'))
    ensureImage(() => {
      const built = run(compose[0], [...compose.slice(1), 'build', 'pki'], root);
      if (!built.ok) throw new Error(built.text);
    });
  const tarballs = join(work, 'tarballs');
  const project = join(work, 'project');
  mkdirSync(project);
  if (check('pack', run(process.execPath, [join(root, 'scripts', 'pack.mjs'), tarballs], root))) {
    writeFileSync(join(project, 'package.json'), '{"name":"user","private":true}\n');
    const files = readdirSync(tarballs).map((name) => join(tarballs, name));
    const others = ['jest@30', 'testcontainers@11', '@kubernetes/client-node@2'];
    const install = ['install', '--no-audit', '--no-fund', '--save-dev', ...files, ...others];
    if (check('install into an empty project', run('npm', install, project))) runSuites(project);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
  await engine.stop();
}
process.stdout.write(`${outcomes.passed} passed, ${outcomes.failed} failed\n`);
process.exitCode = outcomes.failed > 0 ? 1 : 0;
