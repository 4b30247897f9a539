// node test/conformance-suite/prepare.mjs [FOLDER]: builds upstream's e2e.test 1.20.2 from Debian's source package into FOLDER
// (default .cache/kube-bin); then KUBE_BIN_DIR=FOLDER npm run test:conformance. Needs Debian or Ubuntu with apt-get and root for
// golang-1.19-go, 3 GB of disk and about ten minutes. KUBE_SOURCE=GOPATH/src/k8s.io/kubernetes uses a tree that is there.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchSource, goEnvironment, must, versionFlags } from '../swap/source.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const target = resolve(process.argv[2] ?? join(root, '.cache', 'kube-bin'));
const VENDOR = 'k8s.io/kubernetes/vendor';

/** Of hack/generate-bindata.sh: what the suite reads of its tree while it runs. */
const DATA = [
  'test/conformance/testdata/...',
  'test/e2e/testing-manifests/...',
  'test/e2e_node/testing-manifests/...',
  'test/images/...',
  'test/fixtures/...',
];
const IGNORED = ['.jpg', '.png', '.md', String.raw`BUILD(\.bazel)?`];

const work = mkdtempSync(join(tmpdir(), 'orrery-conformance-'));
try {
  const source = process.env.KUBE_SOURCE ?? fetchSource(work);
  const env = goEnvironment(source, join(work, 'cache'));
  const options = { cwd: source, env };
  const generator = join(work, 'go-bindata');
  must(
    'go',
    ['build', '-o', generator, `${VENDOR}/github.com/go-bindata/go-bindata/go-bindata`],
    options,
  );
  must(
    generator,
    [
      '-nometadata',
      '-o',
      'test/e2e/generated/bindata.go',
      '-pkg',
      'generated',
      ...IGNORED.flatMap((pattern) => ['-ignore', pattern]),
      ...DATA,
    ],
    options,
  );
  mkdirSync(target, { recursive: true });
  const program = join(target, 'e2e.test');
  must(
    'nice',
    [
      'go',
      'test',
      '-c',
      '-p',
      '2',
      '-o',
      program,
      '-ldflags',
      versionFlags,
      'k8s.io/kubernetes/test/e2e',
    ],
    options,
  );
  process.stderr.write(`prepare: ${existsSync(program) ? program : 'nothing'} is built\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
