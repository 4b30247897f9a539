// npm run release -- VERSION [--date YYYY-MM-DD]: makes a release of what is committed: versions in every package.json and in
// the lock file, the CHANGELOG's unreleased part under the version, one commit, one tag. What it does not do is said at its end.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root, say } from './checkout.mjs';

const SEMVER = /^(\d+)\.(\d+)\.(\d+)(?:-[0-9a-z]+(?:\.[0-9a-z]+)*)?$/i;
const UNRELEASED = '## [Unreleased]\n';

const git = (folder, ...args) =>
  execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const parts = (version) => version.split('-')[0].split('.').map(Number);

/** Whether `next` is later than `now`; of a version and its pre-releases the version is. */
export function isLater(next, now) {
  const [a, b] = [parts(next), parts(now)];
  const at = a.findIndex((part, i) => part !== b[i]);
  if (at >= 0) return a[at] > b[at];
  const [pre, preNow] = [next, now].map((version) => version.split('-')[1]);
  if (preNow === undefined || pre === undefined) return preNow !== undefined;
  return pre.localeCompare(preNow, 'en', { numeric: true }) > 0;
}

/** The CHANGELOG with its unreleased part under `version`, and that part empty. Throws when there is nothing in it. */
export function releaseNotes(changelog, version, date) {
  const at = changelog.indexOf(UNRELEASED);
  if (at < 0) throw new Error('CHANGELOG.md has no part "## [Unreleased]"');
  const rest = changelog.slice(at + UNRELEASED.length);
  const end = rest.search(/^## \[/m);
  const notes = (end < 0 ? rest : rest.slice(0, end)).trim();
  if (notes === '') throw new Error('CHANGELOG.md says nothing under "## [Unreleased]"');
  const later = end < 0 ? '' : `\n${rest.slice(end)}`;
  return `${changelog.slice(0, at)}${UNRELEASED}\n## [${version}] - ${date}\n\n${notes}\n${later}`;
}

/** Every package.json whose version is the release's: the root's and those of packages/. */
function manifests(folder) {
  const dir = join(folder, 'packages');
  const names = existsSync(dir) ? readdirSync(dir) : [];
  return ['package.json', ...names.map((name) => join('packages', name, 'package.json'))];
}

/** Packages of ours name each other by exact version. */
function withVersion(text, version) {
  const manifest = JSON.parse(text);
  manifest.version = version;
  for (const name of Object.keys(manifest.dependencies ?? {}))
    if (name === 'orrery' || name === '@orrery/testing') manifest.dependencies[name] = version;
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Makes the release in the checkout `folder`; answers the tag. Throws for what must be put right first; then nothing is changed. */
export function release(folder, version, date) {
  if (!SEMVER.test(version ?? ''))
    throw new Error(
      `${version ?? 'no version'}: a version is MAJOR.MINOR.PATCH[-PRE], as in 0.2.0`,
    );
  const { version: now } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const tag = `v${version}`;
  const tags = git(folder, 'tag', '--list').split('\n');
  if (tags.includes(tag)) throw new Error(`${tag} has been released`);
  if (tags.includes(`v${now}`) && !isLater(version, now))
    throw new Error(`${version} is not later than ${now}`);
  const changed = git(folder, 'status', '--porcelain').trim();
  if (changed !== '') throw new Error(`commit or remove first what is changed:\n${changed}`);
  const changelog = join(folder, 'CHANGELOG.md');
  const notes = releaseNotes(readFileSync(changelog, 'utf8'), version, date);
  for (const path of manifests(folder)) {
    const file = join(folder, path);
    writeFileSync(file, withVersion(readFileSync(file, 'utf8'), version));
  }
  const lockFile = join(folder, 'package-lock.json');
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
  lock.version = version;
  lock.packages[''].version = version;
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
  writeFileSync(changelog, notes);
  git(folder, 'commit', '--quiet', '--all', '--message', `release ${version}`);
  git(folder, 'tag', '--annotate', tag, '--message', `Orrery ${version}`);
  return tag;
}

if (process.argv[1] === import.meta.filename) {
  const [version, flag, date] = process.argv.slice(2);
  if (flag !== undefined && (flag !== '--date' || !/^\d{4}-\d\d-\d\d$/.test(date ?? '')))
    fail('usage: npm run release -- VERSION [--date YYYY-MM-DD]');
  try {
    const tag = release(root, version, date ?? new Date().toISOString().slice(0, 10));
    say(
      `${tag} is committed and tagged. Then: npm test, npm run test:compose, npm run pack, git push --follow-tags, npm publish of each tarball in dist-packages/`,
    );
  } catch (error) {
    fail(`release: ${error.message}`);
  }
}
