// Upstream's sources and the Go that builds them, for what is built from them.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { aptOptions } from '../apt.mjs';

const GO = '/usr/lib/go-1.19/bin';

export function fail(text) {
  process.stderr.write(`prepare: ${text}\n`);
  process.exit(1);
}

export function must(command, args, options = {}) {
  process.stderr.write(`prepare: ${command} ${args.join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) fail(`${command} cannot be run: ${error.message}`);
  if (status !== 0) fail(`${command} ended with ${status}`);
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

/** Fetches the source package and unpacks it into a GOPATH below `work`; the tree's folder. */
export function fetchSource(work) {
  if (!existsSync(join(GO, 'go'))) must('apt-get', ['install', '-y', 'golang-1.19-go']);
  const apt = aptOptions(work, 'deb-src', 'bookworm');
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
  return source;
}

/** The package's own layout: dependencies in vendor/, no modules. */
export const goEnvironment = (source, cache) => ({
  ...process.env,
  PATH: `${GO}:${process.env.PATH}`,
  GO111MODULE: 'off',
  GOFLAGS: '',
  GOPATH: resolve(source, '..', '..', '..'),
  GOCACHE: process.env.GOCACHE ?? cache,
});

const SET = 'k8s.io/kubernetes/vendor/k8s.io/component-base/version';

/** What the linker writes into the programs. */
export const versionFlags = ['gitVersion=v1.20.2', 'gitMajor=1', 'gitMinor=20']
  .map((value) => `-X ${SET}.${value}`)
  .join(' ');
