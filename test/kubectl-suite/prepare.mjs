// node test/kubectl-suite/prepare.mjs [FOLDER]: builds kubectl 1.20.2 from Debian's source package into FOLDER (default
// .cache/kube-bin), with upstream's tests of it in FOLDER/test-cmd; then KUBE_BIN_DIR=FOLDER npm run test:kubectl. Needs Debian or
// Ubuntu with apt-get and root for golang-1.19-go, 2 GB of disk and some minutes. KUBE_SOURCE=GOPATH/src/k8s.io/kubernetes uses a
// tree that is there.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchSource, goEnvironment, must, versionFlags } from '../swap/source.mjs';

/** What the tests read. */
const PARTS = ['hack', 'third_party/forked', 'test/cmd', 'test/fixtures', 'test/e2e'];

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const target = resolve(process.argv[2] ?? join(root, '.cache', 'kube-bin'));
const work = mkdtempSync(join(tmpdir(), 'orrery-kubectl-suite-'));
try {
  const source = process.env.KUBE_SOURCE ?? fetchSource(work);
  mkdirSync(target, { recursive: true });
  for (const part of PARTS)
    cpSync(join(source, part), join(target, 'test-cmd', part), {
      recursive: true,
      verbatimSymlinks: true,
    });
  const program = join(target, 'kubectl');
  const args = ['build', '-p', '2', '-o', program, '-ldflags', versionFlags];
  const env = { ...goEnvironment(source, join(work, 'cache')), CGO_ENABLED: '0' };
  must('nice', ['go', ...args, 'k8s.io/kubernetes/cmd/kubectl'], { cwd: source, env });
  process.stderr.write(`prepare: ${program} is built\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
