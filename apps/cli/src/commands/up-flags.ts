import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, Flag, IsDuration, parseDuration } from '@orrery/component';
import type { Clock } from '@orrery/component';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import type { IpFamily, NetworkMode } from '../cluster/layout.js';
import type { NamespacedNetwork, NetworkBackend } from '../cluster/node-namespaces.js';
import { FIRST_BLOCK, IP_FAMILIES, LAST_BLOCK, MAX_NODES } from '../cluster/layout.js';
import { API_PORT, PUBLISHED_NODE_PORTS } from '../cluster/plan.js';
import type { Grouping } from '../cluster/plan.js';
import type { StartLimit } from './readiness.js';

/** Where a kernel with IPv6 shows its addresses. */
const IPV6_ADDRESSES = '/proc/net/if_inet6';

/** The flags of `orrery up` (and of `npm start --`). */
export class UpFlags {
  @Flag('name of the cluster: its data, ports and 127.C.0.0/16 block are its own')
  @Matches(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/, {
    message: 'name must be lower-case letters, digits and dashes, at most 40',
  })
  name = 'orrery';

  @Flag('etcd members of a new cluster: 1, 3 or 5; later: orrery etcd member add|remove')
  @IsOptional()
  @IsIn([1, 3, 5])
  etcdMembers?: number = undefined;

  @Flag(`nodes, the first of them the control plane; at most ${MAX_NODES} (default 3)`)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_NODES)
  nodes?: number = undefined;

  @Flag('etcd program to use; default: ORRERY_ETCD_BIN, PATH, cache, distribution, download')
  @IsOptional()
  @IsString()
  etcdBin?: string = undefined;

  @Flag('C of the block 127.C.0.0/16; default: kept, else the first free one')
  @IsOptional()
  @IsInt()
  @Min(FIRST_BLOCK)
  @Max(LAST_BLOCK)
  block?: number = undefined;

  @Flag(
    'where pods and services get addresses: loopback (127.C.0.0/16, no privileges), routed or netns (root: each node a network namespace, pods in 10.244.0.0/16; with netns one for each pod); default: kept, else loopback',
  )
  @IsOptional()
  @IsIn(['loopback', 'routed', 'netns'])
  network?: NetworkMode = undefined;

  @Flag(
    "netns: how nodes reach each other's pods, vxlan or host-gw; none: by a CNI configuration that you put into nodes/NODE/cni/net.d (default vxlan)",
    'network-backend',
  )
  @IsOptional()
  @IsIn(['vxlan', 'host-gw', 'none'])
  networkBackend?: NetworkBackend = undefined;

  @Flag(
    'routed, netns: families of pods, Services and nodes: ipv4, ipv6 or dual (both); default: kept, else ipv4',
    'ip-family',
  )
  @IsOptional()
  @IsIn(IP_FAMILIES)
  ipFamily?: IpFamily = undefined;

  @Flag('start empty: remove what the cluster of this name stored')
  @IsBoolean()
  fresh = false;

  @Flag('one process a component instead of three groups')
  @IsBoolean()
  isolate = false;

  @Flag('one process for all components but etcd: starts sooner, parts cannot be killed one by one')
  @IsBoolean()
  singleProcess = false;

  @Flag(
    `address at which others than this machine reach the API server (port ${API_PORT}) and node ports ${PUBLISHED_NODE_PORTS}; auto = the first that they can`,
    'publish-address',
  )
  @IsOptional()
  @Matches(/^(auto|\d{1,3}(\.\d{1,3}){3})$/, {
    message: 'publish-address must be auto or an IPv4 address',
  })
  publishAddress?: string = undefined;

  @Flag("further names and addresses in the API server's certificate, repeated", 'tls-san')
  @IsString({ each: true })
  tlsSan: string[] = [];

  @Flag('how long the cluster may take to become ready before it is given up')
  @IsDuration()
  wait = '2m';

  @Flag('a second controller manager and scheduler that stand by')
  @IsBoolean()
  standby = false;

  @Flag('further flags of a component: COMPONENT.FLAG=VALUE, repeated', 'extra-arg', 'whole')
  @Matches(/^[a-z-]+\.[a-z0-9-]+(=.*)?$/, {
    each: true,
    message:
      'extra-arg must be COMPONENT.FLAG=VALUE, e.g. kube-controller-manager.node-monitor-grace-period=20s',
  })
  extraArg: string[] = [];
}

const COMPONENTS = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'container-runtime',
  'dataplane',
];

/** Throws ConfigError for two ways to share processes at once. */
export function groupingOf({ isolate, singleProcess }: UpFlags): Grouping {
  if (isolate && singleProcess)
    throw new ConfigError('--isolate and --single-process exclude each other');
  if (isolate) return 'isolated';
  return singleProcess ? 'single' : 'grouped';
}

/** When a start that begins now has taken too long. Throws ConfigError for a time in which nothing can start. */
export function limitOf({ wait }: Pick<UpFlags, 'wait'>, clock: Clock): StartLimit {
  const ms = parseDuration(wait) ?? 0;
  if (ms < 1000) throw new ConfigError(`--wait ${wait}: a cluster needs a second at the least`);
  return { deadline: clock.monotonic() + ms, wait };
}

/** `kubelet.max-pods=5` -> { kubelet: ['--max-pods=5'] }. Throws ConfigError for an unknown component. */
export function parseExtraArgs(args: readonly string[]): Record<string, string[]> {
  const byComponent: Record<string, string[]> = {};
  for (const arg of args) {
    const dot = arg.indexOf('.');
    const component = arg.slice(0, dot);
    if (!COMPONENTS.includes(component))
      throw new ConfigError(
        `--extra-arg ${arg}: unknown component ${component}; one of ${COMPONENTS.join(', ')}`,
      );
    (byComponent[component] ??= []).push(`--${arg.slice(dot + 1)}`);
  }
  return byComponent;
}

/** The folder of the cluster `name`: below ORRERY_HOME, else .orrery in the working folder. */
export function clusterDir(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env['ORRERY_HOME'] ?? join(process.cwd(), '.orrery'), name);
}

function modeOf(asked: NetworkMode | undefined, kept: NetworkMode | undefined): NetworkMode {
  if (asked !== undefined && kept !== undefined && asked !== kept)
    throw new ConfigError(
      `--network ${asked}: this cluster has ${kept}; start it without the flag, or with --fresh to begin again empty`,
    );
  return asked ?? kept ?? 'loopback';
}

/** Throws ConfigError where pods cannot have the families that are asked for. */
function familyOf(
  { ipFamily: asked }: UpFlags,
  mode: NetworkMode,
  kept: NamespacedNetwork | undefined,
): IpFamily {
  const before = kept && (kept.ipFamily ?? 'ipv4');
  if (asked !== undefined && asked !== 'ipv4' && mode === 'loopback')
    throw new ConfigError(
      `--ip-family ${asked} needs --network routed or netns: IPv6 has one loopback address`,
    );
  if (asked !== undefined && before !== undefined && asked !== before)
    throw new ConfigError(
      `--ip-family ${asked}: this cluster has ${before}; start it without the flag, or with --fresh to begin again empty`,
    );
  const family = asked ?? before ?? 'ipv4';
  if (family !== 'ipv4' && !existsSync(IPV6_ADDRESSES))
    throw new ConfigError(`--ip-family ${family}: the kernel of this machine has no IPv6`);
  return family;
}

/** The network that is asked for, else that of before; undefined: loopback. Throws ConfigError for what does not fit. */
export function networkOf(
  flags: UpFlags,
  before: { readonly network?: NamespacedNetwork } | undefined,
): NamespacedNetwork | undefined {
  const { network: asked, networkBackend: backend, singleProcess } = flags;
  const mode = modeOf(asked, before && (before.network?.mode ?? 'loopback'));
  if (backend !== undefined && mode !== 'netns')
    throw new ConfigError(`--network-backend ${backend} needs --network netns`);
  const ipFamily = familyOf(flags, mode, before?.network);
  if (mode === 'loopback') return undefined;
  if (singleProcess)
    throw new ConfigError(
      `--single-process cannot be had with --network ${mode}: each node has a network, and so a process, of its own`,
    );
  return {
    mode,
    backend: backend ?? before?.network?.backend ?? 'vxlan',
    ...(ipFamily !== 'ipv4' && { ipFamily }),
  };
}
