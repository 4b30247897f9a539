// apt with sources, lists and a cache of its own: what the machine has installed or configured stays as it is.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Options of apt-get and apt-cache for one suite of Debian's archive, by the machine's own mirror; `type` is `deb` or `deb-src`.
 * Throws where apt-get is absent or knows no mirror.
 */
export function aptOptions(folder, type, suite) {
  for (const part of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, part), { recursive: true });
  const args = ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'];
  const { stdout, error } = spawnSync('apt-get', args, { encoding: 'utf8' });
  if (error) throw new Error(`apt-get cannot be run: ${error.message}`);
  const mirror = stdout.split('\n').find((site) => /\/debian\/?$/.test(site));
  if (!mirror) throw new Error('apt-get knows no mirror of Debian; add one to its sources');
  const [keyring] = globSync('/usr/share/keyrings/debian-archive-keyring.*');
  const list = join(folder, 'sources.list');
  writeFileSync(
    list,
    `${type} ${keyring ? `[signed-by=${keyring}] ` : ''}${mirror} ${suite} main\n`,
  );
  return [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}
