// npm run test:packages: packs the npm packages, installs the tarballs into an empty project and runs the README's examples there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const outcomes = { passed: 0, failed: 0 };

/** A user's environment: nothing of this checkout on the PATH. */
const env = Object.fromEntries(
  Object.entries(process.env).map(([name, value]) => [
    name,
    name === 'PATH'
      ? value
          .split(':')
          .filter((dir) => !dir.startsWith(root))
          .join(':')
      : value,
  ]),
);

function run(command, args, cwd, more = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...env, ...more },
    timeout: 300_000,
  });
  return { ok: status === 0, text: `${stdout}${stderr}` };
}

function check(name, { ok, text }) {
  outcomes[ok ? 'passed' : 'failed'] += 1;
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}  ${name}\n`);
  if (!ok) process.stdout.write(`${text}\n`);
  return ok;
}

/** The code blocks of a README that begin with a comment of their file's name. */
function examples(readme) {
  return [...readFileSync(readme, 'utf8').matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(
    ([, file, code]) => ({ file, code }),
  );
}

/** Every Node that a user may have here: the one on PATH, and the project's. */
function nodes() {
  const version = (node) => run(node, ['--version'], root).text.trim();
  const found = new Map([process.execPath, 'node'].map((node) => [version(node), node]));
  return [...found];
}

const TYPES = `import { createCluster } from '@orrery/testing';
import '@orrery/testing/jest';
export async function check(): Promise<number> {
  await using cluster = await createCluster({ nodes: 0 });
  const { metadata } = await cluster.get('namespace/default');
  await expect(cluster).toReach('namespace/default', (n) => n.status.phase === 'Active');
  return (await cluster.clock.now()).getTime() + metadata.name.length;
}
`;

const VITEST_TYPES = `import { createCluster } from '@orrery/testing';
import '@orrery/testing/vitest';
import { expect } from 'vitest';
export async function check(): Promise<void> {
  await using cluster = await createCluster({ nodes: 0 });
  await expect(cluster).toReach('namespace/default', (n) => n.status.phase === 'Active');
}
`;

function checkTypes(project) {
  const strict = '--noEmit --strict --target es2022 --lib es2023,esnext.disposable';
  const flags = `${strict} --types node,jest`;
  writeFileSync(join(project, 'vitest-check.mts'), VITEST_TYPES);
  check(
    'types for Vitest',
    run(
      'npx',
      [
        'tsc',
        ...`${strict} --skipLibCheck --types node --module nodenext`.split(' '),
        'vitest-check.mts',
      ],
      project,
    ),
  );
  for (const file of ['check.cts', 'check.mts']) {
    writeFileSync(join(project, file), TYPES);
    const args = ['tsc', ...flags.split(' '), '--module', 'nodenext', file];
    check(`types for ${file}`, run('npx', args, project));
  }
  const bundler = '--module preserve --moduleResolution bundler check.mts';
  const args = ['tsc', ...flags.split(' '), ...bundler.split(' ')];
  check('types for a bundler', run('npx', args, project));
}

const work = mkdtempSync(join(tmpdir(), 'orrery-packages-'));
try {
  const tarballs = join(work, 'tarballs');
  const project = join(work, 'project');
  mkdirSync(project);
  if (check('pack', run(process.execPath, [join(root, 'scripts', 'pack.mjs'), tarballs], root))) {
    writeFileSync(join(project, 'package.json'), '{"name":"user","private":true}\n');
    const files = readdirSync(tarballs).map((name) => join(tarballs, name));
    const others = ['jest@30', '@types/jest@30', '@types/node@24', 'typescript@6.0', 'vitest@4'];
    const install = ['install', '--no-audit', '--no-fund', '--save-dev', ...files, ...others];
    if (check('install into an empty project', run('npm', install, project))) {
      for (const { file, code } of examples(join(root, 'packages', 'testing', 'README.md')))
        writeFileSync(join(project, file), code);
      for (const [version, node] of nodes()) {
        const path = { PATH: `${dirname(node)}:${env.PATH}` };
        const jest = [join('node_modules', 'jest', 'bin', 'jest.js'), 'deployment'];
        check(`the README's Jest example on ${version}`, run(node, jest, project, path));
        check(
          `the README's node:test example on ${version}`,
          run(node, ['--test', 'operator.test.mjs'], project, path),
        );
        const vitest = [join('node_modules', 'vitest', 'vitest.mjs'), 'run'];
        check(`the README's Vitest example on ${version}`, run(node, vitest, project, path));
      }
      check('the program', run('npx', ['orrery', 'version'], project));
      checkTypes(project);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.stdout.write(`${outcomes.passed} passed, ${outcomes.failed} failed\n`);
process.exitCode = outcomes.failed > 0 ? 1 : 0;
