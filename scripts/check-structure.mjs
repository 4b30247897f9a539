// The structure rules of CONTRIBUTING.md that no linter knows: layers, one door per library, folder names, depth and sizes, READMEs.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './checkout.mjs';

/** What each workspace may import of ours. */
const BASE = ['apimachinery', 'component', 'pki'];
const LAYERS = {
  apimachinery: [],
  component: [],
  pki: [],
  cel: ['apimachinery'],
  api: ['apimachinery', 'cel'],
  storage: ['apimachinery', 'component'],
  registry: ['api', 'apimachinery', 'storage', 'component'],
  client: ['api', 'apimachinery', 'component'],
  informers: ['client', 'api', 'apimachinery', 'component'],
  controller: ['informers', 'client', 'api', 'apimachinery', 'component', 'pki'],
  dataplane: ['component'],
  cri: ['component'],
  checker: ['apimachinery', 'component'],
  history: ['apimachinery'],
  network: ['component'],
  'network-policy': ['api', 'apimachinery'],
};
const APP_LIBS = [
  ...BASE,
  'api',
  'client',
  'informers',
  'controller',
  'dataplane',
  'cri',
  'network',
  'network-policy',
];
const SERVER_ONLY = {
  apiserver: ['registry', 'storage', 'cel', 'history'],
  cli: ['storage', 'history'],
};

/** Third-party packages and the workspaces that may import them. */
const DOORS = {
  etcd3: ['libs/storage'],
  rfc6902: ['libs/apimachinery'],
  yaml: ['libs/apimachinery'],
  re2js: ['libs/cel'],
  jose: ['libs/pki'],
  '@peculiar/x509': ['libs/pki'],
  pino: ['libs/component'],
  'prom-client': ['libs/component'],
  ws: ['apps/apiserver', 'apps/container-runtime'],
  'spdy-transport': ['apps/container-runtime'],
  '@lydell/node-pty': ['apps/container-runtime'],
};
const NO_NEST = [
  'libs/apimachinery',
  'libs/api',
  'libs/storage',
  'libs/client',
  'libs/dataplane',
  'libs/network',
  'libs/network-policy',
];
const BANNED_FOLDERS = /^(utils?|helpers?|common|shared|services|interfaces|misc)$/;
const MAX_FILES = 15;
const MAX_UNIFORM_FILES = 25;
const MAX_DEPTH = 3;
const README_HEADINGS = ['Purpose', 'Behaviour', 'Configuration', 'Not modelled', 'See also'];

const problems = [];
const report = (path, text) => problems.push(`${relative(root, path) || '.'}: ${text}`);
const isSpec = (file) => /\.(spec|int-spec|e2e-spec)\.ts$/.test(file);

function workspaces() {
  return ['apps', 'libs'].flatMap((dir) =>
    readdirSync(join(root, dir), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => ({ dir, name: entry.name, path: join(root, dir, entry.name) })),
  );
}

function allowedOf({ dir, name }) {
  if (name === 'testkit') return null;
  if (dir === 'libs') return LAYERS[name];
  return [...APP_LIBS, ...(SERVER_ONLY[name] ?? [])];
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]/g;

/** An import of one of our own workspaces: the layers. */
function checkOwnImport(workspace, file, from, target) {
  const isTesting = workspace.name === 'testkit';
  if (target === 'testkit') {
    if (!isSpec(file) && !isTesting)
      report(file, 'only specs and test/ may import @orrery/testkit');
    return;
  }
  const isLibrary = existsSync(join(root, 'libs', target));
  const isApp =
    target === 'dataplane-app' || (!isLibrary && existsSync(join(root, 'apps', target)));
  const allowed = allowedOf(workspace);
  if (isApp) {
    if (workspace.name !== 'cli' && !isTesting)
      report(file, `an app may not import another app (${from})`);
  } else if (allowed && !isSpec(file) && !allowed.includes(target))
    report(file, `layer rule: ${workspace.dir}/${workspace.name} may not import ${from}`);
}

/** An import of a package: the doors. */
function checkPackageImport(workspace, file, from) {
  const home = `${workspace.dir}/${workspace.name}`;
  if (from.startsWith('@nestjs/') && NO_NEST.includes(home))
    report(file, `${home} may not import ${from}`);
  if (isSpec(file) || workspace.name === 'testkit') return;
  for (const [door, homes] of Object.entries(DOORS))
    if ((from === door || from.startsWith(`${door}/`)) && !homes.includes(home))
      report(file, `${door} has one door: ${homes.join(', ')}`);
}

function checkImport(workspace, file, from) {
  const own = /^@orrery\/([^/]+)(\/.*)?$/.exec(from);
  if (own?.[2]) report(file, `deep import ${from}: a library has one door`);
  if (own) checkOwnImport(workspace, file, from, own[1]);
  else if (!from.startsWith('.')) checkPackageImport(workspace, file, from);
  else if (!/\.(ts|js)$/.test(from)) report(file, `relative import ${from} must end in .js`);
}

function checkFile(workspace, file) {
  const text = readFileSync(file, 'utf8');
  for (const match of text.matchAll(IMPORT))
    checkImport(workspace, file, match[1] ?? match[2] ?? match[3]);
  if (/(?:^|\n)\s*(?:export\s+)?(?:const\s+)?enum\s/.test(text))
    report(file, 'no enums: use a string-literal union');
  if (/\b(?:describe|it|test)\.(?:skip|only|todo)\b|\bx(?:it|describe)\(/.test(text))
    report(file, 'no skipped or focused tests');
  if (!isSpec(file) && workspace.name !== 'testkit' && !file.includes('/libs/component/')) {
    if (/\b(?:Date\.now|Math\.random)\(/.test(text))
      report(file, 'time and chance are injected (Clock, Random)');
    if (/(?<![.\w])(?:setTimeout|setInterval)\(/.test(text)) report(file, 'timers come from Clock');
  }
}

function checkFolder(workspace, dir, depth) {
  const entries = readdirSync(dir, { withFileTypes: true });
  const files = entries.filter((e) => e.isFile() && e.name.endsWith('.ts'));
  const sources = files.filter((e) => !isSpec(e.name));
  const suffixes = new Set(sources.map((e) => e.name.split('.').slice(1).join('.')));
  const limit = suffixes.size <= 2 ? MAX_UNIFORM_FILES : MAX_FILES;
  if (sources.length > limit)
    report(dir, `${sources.length} source files in one folder (at most ${limit})`);
  if (depth > MAX_DEPTH) report(dir, `deeper than ${MAX_DEPTH} folders below src`);
  for (const file of files) checkFile(workspace, join(dir, file.name));
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name === 'gen' || entry.name === 'testdata') continue;
    if (BANNED_FOLDERS.test(entry.name))
      report(join(dir, entry.name), 'a folder is a word of the field, not a technical role');
    checkFolder(workspace, join(dir, entry.name), depth + 1);
  }
}

function checkReadme(path) {
  const file = join(path, 'README.md');
  if (!existsSync(file)) {
    report(path, 'README.md is missing');
    return;
  }
  const text = readFileSync(file, 'utf8');
  for (const heading of README_HEADINGS)
    if (!new RegExp(`^#+ ${heading}$`, 'm').test(text))
      report(file, `heading "${heading}" is missing`);
}

/** Folders whose every subfolder is a plugin, a controller or the like, with a page of its own. */
const PAGED = [
  'apps/apiserver/src/admission',
  'apps/controller-manager/src/controllers',
  'apps/scheduler/src/plugins',
];

for (const workspace of workspaces()) {
  const src = join(workspace.path, 'src');
  if (!existsSync(src)) continue;
  checkFolder(workspace, src, 0);
  if (workspace.dir === 'apps') checkReadme(workspace.path);
  else if (!readFileSync(join(src, 'index.ts'), 'utf8').startsWith('/**'))
    report(join(src, 'index.ts'), 'must open with a doc paragraph');
}
for (const folder of PAGED) {
  const path = join(root, folder);
  if (!existsSync(path)) continue;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) checkReadme(join(path, entry.name));
}

/** nest-cli.json names every workspace, so that Nest's generators find them. */
function checkNestProjects() {
  const file = join(root, 'nest-cli.json');
  const { projects } = JSON.parse(readFileSync(file, 'utf8'));
  const roots = Object.values(projects).map((project) => project.sourceRoot);
  const wanted = workspaces()
    .filter(({ path }) => existsSync(join(path, 'src')))
    .map(({ dir, name }) => `${dir}/${name}/src`);
  for (const one of wanted) if (!roots.includes(one)) report(file, `no project for ${one}`);
  for (const one of roots) if (!wanted.includes(one)) report(file, `there is no ${one}`);
}
checkNestProjects();

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
