// The etcd versions that the storage is tested on beside the machine's own: binaries named in ORRERY_TEST_ETCD_BINS, or the
// packages of other Debian suites, unpacked into .cache/ (nothing is installed).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root, say } from './checkout.mjs';

/** Supported minor versions, and the Debian suite whose package has it. */
const VERSIONS = [
  { minor: '3.4', suite: 'bookworm' },
  { minor: '3.5', suite: 'trixie' },
  { minor: '3.6', suite: undefined },
];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const APT_MS = 120_000;

function minorOf(path) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return /etcd Version: (\d+\.\d+)\./.exec(stdout ?? '')?.[1];
}

/** The Debian mirror that this machine uses. Throws when none is configured. */
function mirror() {
  const files = ['/etc/apt/sources.list'];
  const dir = '/etc/apt/sources.list.d';
  if (existsSync(dir)) files.push(...readdirSync(dir).map((name) => join(dir, name)));
  const text = files
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const found = /https?:\/\/[^\s\]]+\/debian\/?(?=\s|$)/m.exec(text)?.[0];
  if (!found) throw new Error('no Debian mirror is configured on this machine');
  return found;
}

/** etcd, and the tool that restores its snapshots. */
const PACKAGES = ['etcd-server', 'etcd-client'];

/** Unpacks the suite's packages below `folder`, with lists of its own. Throws with the reason when it cannot be had. */
function unpack(suite, folder) {
  if (!existsSync(KEYRING)) throw new Error(`no ${KEYRING} on this machine`);
  rmSync(folder, { recursive: true, force: true });
  for (const dir of ['lists/partial', 'archives/partial'])
    mkdirSync(join(folder, dir), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(
    join(folder, 'sources.list'),
    `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`,
  );
  const options = {
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '-',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '',
    'Debug::NoLocking': 'true',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const go = (program, ...args) => {
    const child = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: APT_MS });
    if (child.error) throw child.error;
    if (child.status !== 0) throw new Error(`${child.stderr}`.trim().split('\n').at(-1));
  };
  go('apt-get', ...flags, '-q', 'update');
  go('apt-get', ...flags, '-q', 'download', ...PACKAGES);
  const debs = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  for (const deb of debs) go('dpkg', '-x', deb, 'unpacked');
  for (const name of ['lists', 'archives', 'pkgcache.bin', 'srcpkgcache.bin', ...debs])
    rmSync(join(folder, name), { recursive: true, force: true });
}

function fromPackage({ minor, suite }) {
  if (!suite) throw new Error('no Debian suite has it');
  const folder = join(root, '.cache', `etcd-${minor}`);
  const path = join(folder, 'unpacked', 'usr', 'bin', 'etcd');
  if (!existsSync(path) || !existsSync(join(folder, 'unpacked', 'usr', 'bin', 'etcdctl'))) {
    say(`orrery: fetching etcd ${minor} (the package of Debian ${suite}) …`);
    unpack(suite, folder);
  }
  if (minorOf(path) !== minor) throw new Error(`Debian ${suite} has etcd ${minorOf(path)}`);
  return path;
}

/** `{ minor, path }` of each supported version but the one that `own` is; what cannot be had is named. */
export function otherEtcds(own) {
  const named = (process.env.ORRERY_TEST_ETCD_BINS ?? '').split(delimiter).filter(Boolean);
  const known = new Map(named.map((path) => [minorOf(path), path]));
  const ownMinor = minorOf(own);
  return VERSIONS.filter(({ minor }) => minor !== ownMinor).flatMap((version) => {
    try {
      return [{ minor: version.minor, path: known.get(version.minor) ?? fromPackage(version) }];
    } catch (error) {
      say(
        `not tested on etcd ${version.minor}: ${error.message}; name a binary of it in ORRERY_TEST_ETCD_BINS`,
      );
      return [];
    }
  });
}
