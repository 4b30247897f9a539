import { readFileSync } from 'node:fs';
import { parseYaml } from '@orrery/apimachinery';
import { ConfigError, inRootfs, parseDuration, validateConfig } from '@orrery/component';
import { SchedulerFlags } from './flags.js';
import { KubeSchedulerConfiguration } from './scheduler-configuration.js';
import type { Profile } from './scheduler-configuration.js';

export { SchedulerFlags };

export interface ProfileOptions {
  readonly schedulerName: string;
  readonly plugins: Profile['plugins'];
  readonly pluginConfig: ReadonlyMap<string, unknown>;
}

/** Flags and configuration file as a program needs them. */
export interface SchedulerOptions {
  readonly kubeconfig: string;
  readonly leaderElect: boolean;
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  readonly bindAddress: string;
  readonly securePort: number;
  readonly profiles: readonly ProfileOptions[];
  readonly percentageOfNodesToScore: number;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
}

function readConfiguration(path: string): KubeSchedulerConfiguration {
  let plain: unknown;
  try {
    plain = parseYaml(readFileSync(inRootfs(path), 'utf8'));
  } catch (cause) {
    throw new ConfigError(`--config ${path}: ${(cause as Error).message}`, { cause });
  }
  return validateConfig(KubeSchedulerConfiguration, plain, path);
}

function toProfiles(config: KubeSchedulerConfiguration): ProfileOptions[] {
  const profiles = config.profiles ?? [];
  if (profiles.length === 0)
    return [{ schedulerName: 'default-scheduler', plugins: undefined, pluginConfig: new Map() }];
  const names = new Set<string>();
  return profiles.map(({ schedulerName, plugins, pluginConfig }, i) => {
    if (names.has(schedulerName))
      throw new ConfigError(`profiles[${i}].schedulerName: ${schedulerName} is there twice`);
    names.add(schedulerName);
    return {
      schedulerName,
      plugins,
      pluginConfig: new Map(pluginConfig?.map(({ name, args }) => [name, args])),
    };
  });
}

function checkElection({
  leaseDurationMs,
  renewDeadlineMs,
  retryPeriodMs,
}: SchedulerOptions): void {
  if (leaseDurationMs <= renewDeadlineMs)
    throw new ConfigError(
      '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline',
    );
  if (renewDeadlineMs <= retryPeriodMs * 1.2)
    throw new ConfigError(
      '--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period',
    );
}

/** Flags and file together: what the file sets goes before its flag. Throws ConfigError. */
export function toOptions(flags: SchedulerFlags): SchedulerOptions {
  const config =
    flags.config === '' ? new KubeSchedulerConfiguration() : readConfiguration(flags.config);
  const election = config.leaderElection ?? {};
  const kubeconfig = config.clientConnection?.kubeconfig || flags.kubeconfig;
  if (kubeconfig === '')
    throw new ConfigError('--kubeconfig or clientConnection.kubeconfig of --config must be given');
  const ms = (fromFile: string | undefined, fromFlag: string): number =>
    parseDuration(fromFile ?? fromFlag) ?? 0;
  const initialMs = (config.podInitialBackoffSeconds ?? 1) * 1000;
  const maxMs = (config.podMaxBackoffSeconds ?? 10) * 1000;
  if (maxMs < initialMs)
    throw new ConfigError('podMaxBackoffSeconds must not be less than podInitialBackoffSeconds');
  const options: SchedulerOptions = {
    kubeconfig,
    leaderElect: election.leaderElect ?? flags.leaderElect,
    lease: {
      namespace: election.resourceNamespace ?? flags.leaderElectResourceNamespace,
      name: election.resourceName ?? flags.leaderElectResourceName,
    },
    leaseDurationMs: ms(election.leaseDuration, flags.leaderElectLeaseDuration),
    renewDeadlineMs: ms(election.renewDeadline, flags.leaderElectRenewDeadline),
    retryPeriodMs: ms(election.retryPeriod, flags.leaderElectRetryPeriod),
    bindAddress: flags.bindAddress,
    securePort: flags.securePort,
    profiles: toProfiles(config),
    percentageOfNodesToScore:
      config.profiles?.[0]?.percentageOfNodesToScore ?? config.percentageOfNodesToScore ?? 0,
    backoff: { initialMs, maxMs },
  };
  checkElection(options);
  return options;
}
