import { optionalGroupVersions } from '@orrery/api';

/** Of several settings that apply, the most specific wins: the group version, then `api/beta`, then `api/all`. */
function settingOf(settings: ReadonlyMap<string, boolean>, groupVersion: string): boolean {
  const isOptional = optionalGroupVersions.includes(groupVersion);
  const stage = isOptional ? 'api/beta' : 'api/ga';
  return (
    settings.get(groupVersion) ?? settings.get(stage) ?? settings.get('api/all') ?? !isOptional
  );
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
