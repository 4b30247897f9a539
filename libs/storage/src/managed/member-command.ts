export interface MemberOptions {
  readonly binary: string;
  readonly name: string;
  /** The member's own folder. */
  readonly dataDir: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** Where the other members reach this one, when not at `peerUrl` itself (a fault relay). */
  readonly advertisePeerUrl?: string;
  /** All members, this one included: name and advertised peer URL. Default: this one alone. */
  readonly cluster?: readonly { readonly name: string; readonly peerUrl: string }[];
  /** 'existing' joins a running cluster. Default 'new'. */
  readonly clusterState?: 'new' | 'existing';
  /** Default 10 for a single member (it has nobody to wait for), else 100. */
  readonly heartbeatMs?: number;
  /** Default ten heartbeats. */
  readonly electionMs?: number;
  /** Default 8 GiB, etcd's recommended most. */
  readonly quotaBytes?: number;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  readonly extraArgs?: readonly string[];
  /** Default process.env. */
  readonly env?: NodeJS.ProcessEnv;
}

/** What a supervisor spawns. */
export interface MemberCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const QUOTA_BYTES = 8 * 1024 ** 3;

/** The command line of one etcd member; the same again restarts it on its data. */
export function memberCommand(options: MemberOptions): MemberCommand {
  const { name, clientUrl, peerUrl, advertisePeerUrl = peerUrl } = options;
  const cluster = options.cluster ?? [{ name, peerUrl: advertisePeerUrl }];
  const heartbeatMs = options.heartbeatMs ?? (cluster.length === 1 ? 10 : 100);
  const flags: Readonly<Record<string, string | number>> = {
    name,
    'data-dir': options.dataDir,
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': advertisePeerUrl,
    'initial-cluster': cluster.map((member) => `${member.name}=${member.peerUrl}`).join(','),
    'initial-cluster-state': options.clusterState ?? 'new',
    'heartbeat-interval': heartbeatMs,
    'election-timeout': options.electionMs ?? heartbeatMs * 10,
    'quota-backend-bytes': options.quotaBytes ?? QUOTA_BYTES,
    // History is the API server's to compact (architecture.md, "Storage and history").
    'auto-compaction-retention': 0,
    // 3.4 and older do not ask before an election; a member that comes back then deposes the leader.
    'pre-vote': 'true',
    logger: 'zap',
    'log-outputs': 'stderr',
    'log-level': options.logLevel ?? 'info',
  };
  return {
    command: options.binary,
    args: [
      ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
      ...(options.extraArgs ?? []),
    ],
    env: memberEnv(options.env ?? process.env),
  };
}

/** etcd takes any flag from ETCD_*: what is set for another etcd must not reach ours. */
function memberEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('ETCD_'));
  // 3.4 refuses arm64 unless it is told that one knows.
  const arch = process.arch === 'arm64' ? { ETCD_UNSUPPORTED_ARCH: 'arm64' } : {};
  return { ...Object.fromEntries(own), ...arch };
}
