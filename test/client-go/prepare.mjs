// node test/client-go/prepare.mjs [FOLDER]: builds main.go with client-go 0.36 as Debian packages it (suite `sid`, or
// CLIENT_GO_SUITE) into FOLDER/client-go-checks (default .cache/client-go). Nothing is installed: packages are unpacked in FOLDER.
// Needs Debian or Ubuntu's apt-get and dpkg, 1.5 GB of disk and some minutes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptOptions } from '../apt.mjs';

const GO = '1.26';
const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const folder = resolve(process.argv[2] ?? join(root, '.cache', 'client-go'));
const suite = process.env.CLIENT_GO_SUITE ?? 'sid';

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1e9,
    ...options,
  });
  if (status === 0) return stdout;
  const why = error?.message ?? (stderr || stdout).slice(-2000);
  process.stderr.write(`prepare: ${command} ${args.slice(0, 3).join(' ')} …: ${why}\n`);
  process.exit(1);
}

function packagesOf(options) {
  const no = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  const flags = ['--recurse', ...no.map((kind) => `--no-${kind}`)];
  const text = run('apt-cache', [...options, 'depends', ...flags, 'golang-k8s-client-go-dev']);
  const libraries = text.split('\n').filter((line) => /^golang-[^ ]+-dev$/.test(line));
  return [...new Set(libraries), `golang-${GO}-go`, `golang-${GO}-src`];
}

for (const part of ['debs', 'root']) mkdirSync(join(folder, part), { recursive: true });
const options = aptOptions(folder, 'deb', suite);
run('apt-get', [...options, 'update']);
const debs = join(folder, 'debs');
run('apt-get', [...options, 'download', ...packagesOf(options)], { cwd: debs });
const tree = join(folder, 'root');
for (const deb of readdirSync(debs)) run('dpkg', ['-x', join(debs, deb), tree]);

const program = join(folder, 'client-go-checks');
const gocode = join(tree, 'usr/share/gocode');
const env = {
  ...process.env,
  GOROOT: join(tree, `usr/lib/go-${GO}`),
  GOPATH: gocode,
  GO111MODULE: 'off',
  GOCACHE: join(folder, 'build'),
  CGO_ENABLED: '0',
};
run('nice', [join(env.GOROOT, 'bin/go'), 'build', '-p', '2', '-o', program, '.'], {
  cwd: here,
  env,
});
const version = /k8s\.io\/api (v[\d.]+)/.exec(
  readFileSync(join(gocode, 'src/k8s.io/client-go/go.mod'), 'utf8'),
)?.[1];
process.stdout.write(`prepare: ${program}, client-go ${version ?? 'of unknown version'}\n`);
