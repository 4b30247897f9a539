import { ConfigError } from '@orrery/component';
import type { Level, LevelVersion, Policy } from './policy.js';
import { LEVELS, parseLevel, parseVersion } from './policy.js';

export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: readonly string[];
    readonly namespaces: readonly string[];
    readonly runtimeClasses: readonly string[];
  };
}

type Mapping = Readonly<Record<string, unknown>>;

const mappingOf = (value: unknown): Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};

const KNOWN = [
  'pod-security.admission.config.k8s.io/v1',
  'pod-security.admission.config.k8s.io/v1beta1',
];

function levelOf(defaults: Mapping, mode: string, source: string): LevelVersion {
  const given = (field: string, fallback: string): string => {
    const value = defaults[field];
    return typeof value === 'string' && value !== '' ? value : fallback;
  };
  const level: Level | undefined = parseLevel(given(mode, 'privileged'));
  if (!level)
    throw new ConfigError(`${source}: defaults.${mode}: must be one of ${LEVELS.join(', ')}`);
  const version = parseVersion(given(`${mode}-version`, 'latest'));
  if (version === undefined)
    throw new ConfigError(`${source}: defaults.${mode}-version: must be "latest" or "v1.x"`);
  return { level, version };
}

function stringsOf(from: Mapping, field: string, source: string): string[] {
  const value = from[field] ?? [];
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string'))
    return value;
  throw new ConfigError(`${source}: exemptions.${field}: must be a list of strings`);
}

/** PodSecurityConfiguration of --admission-control-config-file; without one everything is privileged. */
export function readPodSecurityConfiguration(
  given: unknown,
  source: string,
): PodSecurityConfiguration {
  const root = mappingOf(given);
  const { apiVersion } = root;
  if (apiVersion !== undefined && !KNOWN.includes(String(apiVersion as string)))
    throw new ConfigError(`${source}: PodSecurity: apiVersion must be one of ${KNOWN.join(', ')}`);
  const defaults = mappingOf(root['defaults']);
  const exemptions = mappingOf(root['exemptions']);
  return {
    defaults: {
      enforce: levelOf(defaults, 'enforce', source),
      audit: levelOf(defaults, 'audit', source),
      warn: levelOf(defaults, 'warn', source),
    },
    exemptions: {
      usernames: stringsOf(exemptions, 'usernames', source),
      namespaces: stringsOf(exemptions, 'namespaces', source),
      runtimeClasses: stringsOf(exemptions, 'runtimeClasses', source),
    },
  };
}
