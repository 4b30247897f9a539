// Makes the images that the Dockerfile and docker-compose.yml start from, under their very names, out of this machine's own
// files: for machines that reach no image registry. Needs Debian (the Node image is one), a docker engine and a filled npm cache.
//   node test/compose/make-base-images.mjs
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fail, projectNode, root, say } from '../../scripts/checkout.mjs';
import { LOCK_LABEL, lockHash } from './lock-hash.mjs';

const output = (program, ...args) =>
  execFileSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 2],
  });

/** The values of the .env beside docker-compose.yml. */
const settings = Object.fromEntries(
  readFileSync(join(root, '.env'), 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => line.split(/=(.*)/s).slice(0, 2)),
);

/** What debian:bookworm-slim has and this project's Dockerfile installs; dependencies follow. */
const PACKAGES = [
  'base-files base-passwd bash coreutils dash debianutils diffutils findutils grep gzip hostname libc-bin mawk',
  'libstdc++6 ncurses-bin ncurses-base sed tar util-linux',
  'binutils busybox ca-certificates curl iproute2 iptables mount',
].flatMap((line) => line.split(' '));
/** Links and files that the packages make when they are installed. */
const ALTERNATIVES = [
  '/usr/bin/awk',
  '/etc/ssl/certs/ca-certificates.crt',
  ...['iptables', 'ip6tables'].flatMap((name) =>
    ['', '-save', '-restore'].map((tool) => `/usr/sbin/${name}${tool}`),
  ),
];
const DOCUMENTATION = /^\/usr\/share\/(doc|man|info|locale|bug|lintian|bash-completion)\//;

/** What each installed package needs. */
function installed() {
  const text = output('dpkg-query', '-W', '-f', '${Package}\t${Pre-Depends}, ${Depends}\n');
  return new Map(text.split('\n').map((line) => line.split('\t')));
}

function install(names) {
  say(`installing ${names.join(' ')} (apt-get install) …`);
  spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...names], {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Packages and what they depend on, as far as installed here. */
function closure(names) {
  let needs = installed();
  if (names.some((name) => !needs.has(name))) {
    install(names.filter((name) => !needs.has(name)));
    needs = installed();
  }
  const found = new Set();
  const add = (name) => {
    if (name === '' || found.has(name) || !needs.has(name)) return;
    found.add(name);
    for (const need of (needs.get(name) ?? '').split(/[,|]/))
      add(need.trim().replace(/[ :(].*/, ''));
  };
  const lacking = names.filter((name) => !needs.has(name)).join(' ');
  if (lacking) fail(`the base images are made of installed packages: apt-get install ${lacking}`);
  for (const name of names) add(name);
  return [...found];
}

/** /bin/x -> /usr/bin/x: the folder links of the root are made once, the files go where they really are. */
const realPath = (path) => join(realpathSync(dirname(path)), basename(path));

function copy(path, target) {
  const to = join(target, path);
  mkdirSync(dirname(to), { recursive: true });
  // Also a link to a folder is copied as the link that it is.
  if (lstatSync(path).isSymbolicLink()) {
    rmSync(to, { force: true });
    symlinkSync(readlinkSync(path), to);
  } else cpSync(path, to, { force: true });
}

/** The root file system of a small Debian below `target`. */
function makeDebian(target) {
  for (const dir of [
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'usr/lib64',
    'etc',
    'proc',
    'sys',
    'dev',
    'run',
    'root',
    'home',
  ])
    mkdirSync(join(target, dir), { recursive: true });
  for (const dir of ['tmp', 'var/tmp', 'var/lib', 'var/cache', 'var/log'])
    mkdirSync(join(target, dir), { recursive: true });
  for (const dir of ['tmp', 'var/tmp']) chmodSync(join(target, dir), 0o1777);
  for (const dir of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${dir}`, join(target, dir));
  for (const path of output('dpkg', '-L', ...closure(PACKAGES)).split('\n')) {
    if (!/^\/.+\//.test(path) || path.startsWith('/var/') || DOCUMENTATION.test(path)) continue;
    if (!lstatSync(path, { throwIfNoEntry: false }) || lstatSync(path).isDirectory()) continue;
    copy(realPath(path), target);
  }
  cpSync('/etc/alternatives', join(target, 'etc/alternatives'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  for (const path of ALTERNATIVES) copy(path, target);
  writeFileSync(
    join(target, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n',
  );
  writeFileSync(join(target, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  writeFileSync(
    join(target, 'etc/nsswitch.conf'),
    'passwd: files\ngroup: files\nhosts: files dns\n',
  );
  output('ldconfig', '-r', target);
}

/** Stands in for apt-get: checks that what is asked for is there. */
const APT_GET = `#!/bin/bash
[[ $1 == update ]] && exit 0
for name in "$@"; do
  case $name in
    install|-*) ;;
    ca-certificates) [[ -s /etc/ssl/certs/ca-certificates.crt ]] || exit 100 ;;
    curl) type curl >/dev/null || exit 100 ;;
    iproute2) type ip >/dev/null || exit 100 ;;
    iptables) type iptables >/dev/null || exit 100 ;;
    binutils) type strip >/dev/null || exit 100 ;;
    busybox) type busybox >/dev/null || exit 100 ;;
    mount) type mount >/dev/null || exit 100 ;;
    util-linux) type unshare >/dev/null || exit 100 ;;
    *) echo "apt-get stand-in: no package $name" >&2; exit 100 ;;
  esac
done
`;

function makeDebianRoot(target) {
  makeDebian(target);
  writeFileSync(join(target, 'usr/bin/apt-get'), APT_GET, { mode: 0o755 });
}

function makeNodeRoot(target) {
  makeDebianRoot(target);
  mkdirSync(join(target, 'usr/local/bin'), { recursive: true });
  mkdirSync(join(target, 'usr/local/etc'), { recursive: true });
  copyFileSync(projectNode(), join(target, 'usr/local/bin/node'));
  const npm = dirname(dirname(realpathSync(output('which', 'npm').trim())));
  cpSync(npm, join(target, 'usr/local/lib/node_modules/npm'), {
    recursive: true,
    dereference: true,
  });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(target, 'usr/local/bin/npm'));
  // Stands in for the npm registry: what this machine has downloaded before.
  const cache = join(output('npm', 'config', 'get', 'cache').trim(), '_cacache');
  if (!existsSync(cache)) throw new Error(`no npm cache at ${cache}; run npm ci first`);
  cpSync(cache, join(target, 'var/cache/npm/_cacache'), { recursive: true });
  writeFileSync(join(target, 'usr/local/etc/npmrc'), 'offline=true\ncache=/var/cache/npm\n');
}

function makeEtcdRoot(target) {
  for (const dir of ['usr/local/bin', 'tmp', 'etc', 'lib64'])
    mkdirSync(join(target, dir), { recursive: true });
  writeFileSync(join(target, 'etc/passwd'), 'root:x:0:0:root:/:/bin/false\n');
  for (const program of ['etcd', 'etcdctl']) {
    const path = realpathSync(output('which', program).trim());
    copyFileSync(path, join(target, 'usr/local/bin', program));
    const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
    for (const [, library] of (stdout ?? '').matchAll(/(\/\S+) \(0x/g)) {
      mkdirSync(join(target, dirname(library)), { recursive: true });
      copyFileSync(realpathSync(library), join(target, library));
    }
  }
}

function makeImage(name, fill, ...changes) {
  say(`making ${name} from this machine's files`);
  const folder = mkdtempSync(join(tmpdir(), 'orrery-image-'));
  try {
    fill(join(folder, 'root'));
    const tar = join(folder, 'root.tar');
    output('tar', '-C', join(folder, 'root'), '-cf', tar, '.');
    output('docker', 'import', ...changes.flatMap((change) => ['--change', change]), tar, name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const PATH = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
makeImage(settings.NODE_IMAGE, makeNodeRoot, PATH, `LABEL ${LOCK_LABEL}=${lockHash()}`);
makeImage(settings.DEBIAN_IMAGE, makeDebianRoot, PATH);
makeImage(settings.ETCD_IMAGE, makeEtcdRoot, PATH);
