// node test/swap/prepare.mjs [FOLDER]: builds upstream's kube-apiserver, kube-controller-manager and kube-scheduler 1.20.2 from
// Debian's source package into FOLDER (default .cache/kube-bin); then KUBE_BIN_DIR=FOLDER npm run test:swap. Needs Debian or
// Ubuntu with apt-get and root for golang-1.19-go, 2 GB of disk and about ten minutes.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const target = resolve(process.argv[2] ?? join(root, '.cache', 'kube-bin'));
const PROGRAMS = ['kube-controller-manager', 'kube-scheduler', 'kube-apiserver'];
const GO = '/usr/lib/go-1.19/bin';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

function fail(text) {
  process.stderr.write(`prepare: ${text}\n`);
  process.exit(1);
}

function must(command, args, options = {}) {
  process.stderr.write(`prepare: ${command} ${args.join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) fail(`${command} cannot be run: ${error.message}`);
  if (status !== 0) fail(`${command} ended with ${status}`);
}

/** The sources of apt beside those of the machine, which often name no source packages. */
function aptSources(work) {
  const list = join(work, 'sources.list');
  mkdirSync(join(work, 'lists', 'partial'), { recursive: true });
  writeFileSync(
    list,
    `deb-src [signed-by=${KEYRING}] http://deb.debian.org/debian bookworm main\n`,
  );
  return [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(work, 'lists')}`,
  ].flatMap((option) => ['-o', option]);
}

function edit(file, change) {
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) fail(`${file} is not as expected`);
  writeFileSync(file, after);
}

/** Since Go 1.18 the runtime takes the iterator of a map from its caller, where this library still expects to be given one. */
function mendMapIterator(source) {
  const reflect2 = join(source, 'vendor', 'github.com', 'modern-go', 'reflect2');
  edit(join(reflect2, 'unsafe_link.go'), (text) =>
    text
      .replace(/^func mapiterinit\(.*$/m, 'func mapiterinit(rtype, m unsafe.Pointer, it *hiter)')
      .replace(
        /type hiter struct \{[^}]*\}/,
        'type hiter struct {\n\tkey, value unsafe.Pointer\n\trest [14]uintptr\n}',
      ),
  );
  edit(join(reflect2, 'unsafe_map.go'), (text) =>
    text.replace(
      /return &UnsafeMapIterator\{\s*hiter:\s*mapiterinit\((.*)\),/,
      'it := &hiter{}\n\tmapiterinit($1, it)\n\treturn &UnsafeMapIterator{\n\t\thiter: it,',
    ),
  );
}

/** The packages of the tree whose types are told in OpenAPI (k8s build/root/Makefile.generated_files:KUBE_OPENAPI_DIRS). */
function openApiPackages(source) {
  const vendored = readdirSync(join(source, 'vendor', 'k8s.io'))
    .filter(
      (name) => !['code-generator', 'sample-apiserver', 'gengo', 'kube-openapi'].includes(name),
    )
    .map((name) => `vendor/k8s.io/${name}/`);
  const { stdout } = spawnSync(
    'grep',
    ['-RIl', '--include=*.go', '^// +k8s:openapi-gen=', 'cmd', 'pkg', 'plugin', ...vendored],
    { cwd: source, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const folders = new Set(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((file) => dirname(file)),
  );
  return [...folders].sort().map((folder) => `k8s.io/kubernetes/${folder.replaceAll('//', '/')}`);
}

/** pkg/generated/openapi is made by the build, not kept in the tree; the API server needs it. */
function generateOpenApi(source, env) {
  const generator = join(dirname(source), 'openapi-gen');
  const options = { cwd: source, env };
  must(
    'go',
    ['build', '-o', generator, 'k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen'],
    options,
  );
  must(
    generator,
    [
      '--logtostderr',
      '-i',
      openApiPackages(source).join(),
      '-p',
      'k8s.io/kubernetes/pkg/generated/openapi',
      '-O',
      'zz_generated.openapi',
      '-h',
      'vendor/k8s.io/code-generator/hack/boilerplate.go.txt',
      '-r',
      join(dirname(source), 'violations.report'),
    ],
    options,
  );
}

const work = mkdtempSync(join(tmpdir(), 'orrery-swap-'));
try {
  if (!existsSync(join(GO, 'go'))) must('apt-get', ['install', '-y', 'golang-1.19-go']);
  const apt = aptSources(work);
  must('apt-get', [...apt, 'update']);
  must('apt-get', [...apt, 'source', '--download-only', 'kubernetes'], { cwd: work });
  const tarball = readdirSync(work).find((name) => name.endsWith('.orig.tar.gz'));
  if (!tarball) fail('the source package has no .orig.tar.gz');
  const home = join(work, 'gopath', 'src', 'k8s.io');
  mkdirSync(home, { recursive: true });
  must('tar', ['xzf', join(work, tarball), '-C', home]);
  const source = join(home, 'kubernetes');
  renameSync(join(home, readdirSync(home)[0]), source);
  mendMapIterator(source);
  mkdirSync(target, { recursive: true });
  const env = {
    ...process.env,
    PATH: `${GO}:${process.env.PATH}`,
    // The package's own layout: dependencies in vendor/, no modules.
    GO111MODULE: 'off',
    GOFLAGS: '',
    GOPATH: join(work, 'gopath'),
    GOCACHE: process.env.GOCACHE ?? join(work, 'cache'),
  };
  generateOpenApi(source, env);
  const set = 'k8s.io/kubernetes/vendor/k8s.io/component-base/version';
  const version = ['gitVersion=v1.20.2', 'gitMajor=1', 'gitMinor=20']
    .map((value) => `-X ${set}.${value}`)
    .join(' ');
  for (const program of PROGRAMS)
    must(
      'go',
      [
        'build',
        '-o',
        join(target, program),
        '-ldflags',
        version,
        `k8s.io/kubernetes/cmd/${program}`,
      ],
      {
        cwd: source,
        env,
      },
    );
  process.stderr.write(`prepare: ${PROGRAMS.join(', ')} are in ${target}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
