import { allGroupVersions, optionalGroupVersions } from '@orrery/api';
import { ConfigError } from '@orrery/component';

/** Of several settings that apply, the most specific wins: the group version, then `api/beta`, then `api/all`. */
function settingOf(settings: ReadonlyMap<string, boolean>, groupVersion: string): boolean {
  const isOptional = optionalGroupVersions.includes(groupVersion);
  const stage = isOptional ? 'api/beta' : 'api/ga';
  return (
    settings.get(groupVersion) ?? settings.get(stage) ?? settings.get('api/all') ?? !isOptional
  );
}

/** Settings of many group versions at once. */
const STAGES = new Set(['api/all', 'api/ga', 'api/beta', 'api/alpha', 'api/legacy']);

/** Refuses what names no group version, and values that are no booleans. Throws ConfigError. */
export function checkRuntimeConfig(flags: readonly string[]): void {
  const known = new Set(
    allGroupVersions.flatMap(({ group, versions }) =>
      versions.flatMap((version) =>
        group === '' ? [version, `api/${version}`] : [`${group}/${version}`],
      ),
    ),
  );
  const groups = new Set(allGroupVersions.map(({ group }) => group));
  for (const flag of flags) {
    const fail = (why: string): never => {
      throw new ConfigError(`--runtime-config: ${why}`);
    };
    const [name = '', value = 'true'] = flag.split('=');
    if (!/^(true|false|)$/.test(value)) fail(`invalid value of ${name}: ${value}`);
    if (STAGES.has(name) || known.has(name)) continue;
    const [group = '', version = '', resource] = name.split('/');
    if (resource !== undefined)
      fail(`${name}: single resources are not turned on or off, only ${group}/${version}`);
    if (version === '') fail(`runtime-config invalid key ${name}`);
    if (!groups.has(group)) fail(`unknown api groups ${group}`);
    // Upstream takes versions of a group that it knows and does not serve, of which there are many here.
    fail(`group version ${name} that has not been registered`);
  }
}

/** Reads `--runtime-config`: `<group>/<version>=true|false`, `api/beta=…`, `api/ga=…`, `api/all=…`. */
export function servedGroupVersions(flags: readonly string[]): (groupVersion: string) => boolean {
  const settings = new Map(
    flags.map((flag) => {
      const [name = '', value = 'true'] = flag.split('=');
      return [name, value !== 'false'];
    }),
  );
  return (groupVersion) => settingOf(settings, groupVersion);
}
