// node test/swap/prepare.mjs [FOLDER]: builds upstream's kube-apiserver, kube-controller-manager and kube-scheduler 1.20.2 from
// Debian's source package into FOLDER (default .cache/kube-bin); then KUBE_BIN_DIR=FOLDER npm run test:swap. Needs Debian or
// Ubuntu with apt-get and root for golang-1.19-go, 2 GB of disk and about ten minutes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchSource, goEnvironment, must, versionFlags } from './source.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const target = resolve(process.argv[2] ?? join(root, '.cache', 'kube-bin'));
const PROGRAMS = ['kube-controller-manager', 'kube-scheduler', 'kube-apiserver'];

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
  const source = fetchSource(work);
  mkdirSync(target, { recursive: true });
  const env = goEnvironment(source, join(work, 'cache'));
  generateOpenApi(source, env);
  for (const program of PROGRAMS)
    must(
      'go',
      [
        'build',
        '-o',
        join(target, program),
        '-ldflags',
        versionFlags,
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
