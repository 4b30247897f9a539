import { readFileSync } from 'node:fs';
import { parseYaml } from '@orrery/apimachinery';
import { ConfigError, inRootfs, parseDuration, validateConfig } from '@orrery/component';
import { toElection, toRequestLimit, toServing } from '@orrery/controller';
import type { LeaderElectedOptions } from '@orrery/controller';
import { toExtenderOptions } from './extender-config.js';
import type { ExtenderOptions } from './extender-config.js';
import { SchedulerFlags } from './flags.js';
import { KubeSchedulerConfiguration } from './scheduler-configuration.js';
import { checkConfiguration } from './validate-configuration.js';
import type { Profile } from './scheduler-configuration.js';

export { SchedulerFlags };

export interface ProfileOptions {
  readonly schedulerName: string;
  /** Overrides that of all profiles. */
  readonly percentageOfNodesToScore?: number;
  readonly plugins: Profile['plugins'];
  readonly pluginConfig: ReadonlyMap<string, unknown>;
}

/** What decisions are made by. */
export interface SchedulingOptions {
  readonly profiles: readonly ProfileOptions[];
  readonly percentageOfNodesToScore: number;
  readonly extenders: readonly ExtenderOptions[];
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  /** After which a refused pod is tried again whatever happens. */
  readonly maxUnschedulableMs: number;
}

/** Flags and configuration file as a program needs them. */
export interface SchedulerOptions extends LeaderElectedOptions, SchedulingOptions {}

function readConfiguration(path: string): KubeSchedulerConfiguration {
  let plain: unknown;
  try {
    plain = parseYaml(readFileSync(inRootfs(path), 'utf8'));
  } catch (cause) {
    throw new ConfigError(`--config ${path}: ${(cause as Error).message}`, { cause });
  }
  const config = validateConfig(KubeSchedulerConfiguration, plain, path);
  const problems = checkConfiguration(config).map(({ field, message }) => `${field}: ${message}`);
  if (problems.length > 0) throw new ConfigError(`${path}: ${problems.join('; ')}`);
  return config;
}

const FIT = 'NodeResourcesFit';

/** What extenders look after is none of NodeResourcesFit's business (k8s scheduler/factory.go:create). */
function withIgnored(
  pluginConfig: ReadonlyMap<string, unknown>,
  ignored: readonly string[],
): ReadonlyMap<string, unknown> {
  if (ignored.length === 0) return pluginConfig;
  const args = (pluginConfig.get(FIT) ?? {}) as object;
  return new Map([...pluginConfig, [FIT, { ...args, ignoredResources: ignored }]]);
}

function toProfiles(config: KubeSchedulerConfiguration): ProfileOptions[] {
  const profiles = config.profiles ?? [];
  const ignored = (config.extenders ?? [])
    .flatMap(({ managedResources = [] }) => managedResources)
    .filter(({ ignoredByScheduler }) => ignoredByScheduler)
    .map(({ name }) => name);
  if (profiles.length === 0) {
    const pluginConfig = withIgnored(new Map(), ignored);
    return [{ schedulerName: 'default-scheduler', plugins: undefined, pluginConfig }];
  }
  return profiles.map((profile) => {
    const { schedulerName, plugins, pluginConfig, percentageOfNodesToScore } = profile;
    return {
      schedulerName,
      plugins,
      percentageOfNodesToScore,
      pluginConfig: withIgnored(
        new Map(pluginConfig?.map(({ name, args }) => [name, args])),
        ignored,
      ),
    };
  });
}

function toBackoff(config: KubeSchedulerConfiguration): SchedulerOptions['backoff'] {
  const { podInitialBackoffSeconds = 1, podMaxBackoffSeconds = 10 } = config;
  return { initialMs: podInitialBackoffSeconds * 1000, maxMs: podMaxBackoffSeconds * 1000 };
}

/** Flags and file together: what the file sets goes before its flag. Throws ConfigError. */
export function toOptions(flags: SchedulerFlags): SchedulerOptions {
  const config =
    flags.config === '' ? new KubeSchedulerConfiguration() : readConfiguration(flags.config);
  const kubeconfig = config.clientConnection?.kubeconfig || flags.kubeconfig;
  if (kubeconfig === '')
    throw new ConfigError('--kubeconfig or clientConnection.kubeconfig of --config must be given');
  const profiles = toProfiles(config);
  return {
    ...toElection(flags, config.leaderElection),
    kubeconfig,
    bindAddress: flags.bindAddress,
    securePort: flags.securePort,
    serving: toServing(flags),
    requestLimit: toRequestLimit(flags, config.clientConnection),
    profiles,
    electionComponent: profiles[0]?.schedulerName ?? 'default-scheduler',
    percentageOfNodesToScore: config.percentageOfNodesToScore ?? 0,
    backoff: toBackoff(config),
    maxUnschedulableMs: parseDuration(flags.podMaxInUnschedulablePodsDuration) ?? 0,
    extenders: (config.extenders ?? []).map(toExtenderOptions),
  };
}
