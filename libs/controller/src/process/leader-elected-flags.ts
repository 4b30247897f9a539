import { ConfigError, Flag, IsDuration, parseDuration } from '@orrery/component';
import { IsBoolean, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

import { UpstreamFlags } from './upstream-flags.js';

/** The flags that every process behind a lease has, with upstream's names and defaults. */
export class LeaderElectedFlags extends UpstreamFlags {
  @Flag('Kubeconfig with the address and the credentials of the API server')
  @IsString()
  kubeconfig: string = '';

  @Flag('Contend for the lease before acting')
  @IsBoolean()
  leaderElect: boolean = true;

  @Flag('How long others wait after the last renewal of the lease')
  @IsDuration()
  leaderElectLeaseDuration: string = '15s';

  @Flag('How long after its last renewal a leader still acts')
  @IsDuration()
  leaderElectRenewDeadline: string = '10s';

  @Flag('Time between tries to take or renew the lease')
  @IsDuration()
  leaderElectRetryPeriod: string = '2s';

  @Flag('Have the API server refuse writes once the lease has passed on (header Fencing-Lease)')
  @IsBoolean()
  leaderElectFencedWrites: boolean = true;

  @Flag('Namespace of the lease')
  @IsString()
  leaderElectResourceNamespace: string = 'kube-system';

  @Flag('Name of the lease')
  @IsString()
  leaderElectResourceName: string = '';

  @Flag('Address of /healthz and /metrics, over HTTPS; none = not served')
  @IsOptional()
  @IsString()
  bindAddress: string = '';

  @Flag('Port of /healthz and /metrics; 0 = not served')
  @IsInt()
  @Min(0)
  @Max(65_535)
  securePort: number = 0;
}

/** How a process takes its lease; times in milliseconds. */
export interface ElectionOptions {
  readonly leaderElect: boolean;
  /** Address of the API server, before that of the kubeconfig; '' = that one. */
  readonly master: string;
  readonly verbosity: number;
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
  readonly fencedWrites: boolean;
}

/** How many requests a process sends; undefined = as many as the API server takes. */
export interface RequestLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** client-go's, where nothing is said (rest/config.go:DefaultBurst). */
const DEFAULT_BURST = 10;

/** What a file sets goes before its flag; 0 says nothing, below it there is no limit. */
export function toRequestLimit(
  flags: Pick<LeaderElectedFlags, 'kubeApiQps' | 'kubeApiBurst'>,
  file: { readonly qps?: number; readonly burst?: number } = {},
): RequestLimit | undefined {
  const perSecond = file.qps || flags.kubeApiQps;
  const burst = file.burst || flags.kubeApiBurst;
  return perSecond > 0 ? { perSecond, burst: burst > 0 ? burst : DEFAULT_BURST } : undefined;
}

/** What a configuration file may say instead of the flags (LeaderElectionConfiguration). */
export interface ElectionFile {
  readonly leaderElect?: boolean;
  readonly resourceNamespace?: string;
  readonly resourceName?: string;
  readonly leaseDuration?: string;
  readonly renewDeadline?: string;
  readonly retryPeriod?: string;
}

/**
 * Flags and file together: what the file sets goes before its flag. Throws ConfigError when a leader could still act
 * while another takes over (k8s client-go tools/leaderelection:NewLeaderElector).
 */
export function toElection(flags: LeaderElectedFlags, file: ElectionFile = {}): ElectionOptions {
  const ms = (fromFile: string | undefined, fromFlag: string): number =>
    parseDuration(fromFile ?? fromFlag) ?? 0;
  const leaseDurationMs = ms(file.leaseDuration, flags.leaderElectLeaseDuration);
  const renewDeadlineMs = ms(file.renewDeadline, flags.leaderElectRenewDeadline);
  const retryPeriodMs = ms(file.retryPeriod, flags.leaderElectRetryPeriod);
  if (leaseDurationMs <= renewDeadlineMs)
    throw new ConfigError(
      '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline',
    );
  if (renewDeadlineMs <= retryPeriodMs * 1.2)
    throw new ConfigError(
      '--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period',
    );
  return {
    leaderElect: file.leaderElect ?? flags.leaderElect,
    master: flags.master,
    verbosity: flags.verbosity,
    lease: {
      namespace: file.resourceNamespace ?? flags.leaderElectResourceNamespace,
      name: file.resourceName ?? flags.leaderElectResourceName,
    },
    leaseDurationMs,
    renewDeadlineMs,
    retryPeriodMs,
    fencedWrites: flags.leaderElectFencedWrites,
  };
}
