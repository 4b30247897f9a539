import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import {
  FIRST_BLOCK,
  IP_FAMILIES,
  LAST_BLOCK,
  MAX_ETCD_MEMBERS,
  MAX_ETCD_NUMBER,
  MAX_NODES,
} from './layout.js';
import type { ClusterFiles } from './layout.js';
import type { NamespacedNetwork } from './node-namespaces.js';
import type { PlanInput } from './plan.js';

const REMEDY = 'restore it, or start with --fresh to begin again empty';

/** What a cluster must keep between two starts. */
export interface ClusterSettings {
  readonly block: number;
  readonly etcdMembers: number;
  /** Their numbers, where they are not 1 to `etcdMembers`. */
  readonly etcdNumbers?: readonly number[];
  readonly nodes: number;
  /** Absent: loopback. */
  readonly network?: NamespacedNetwork;
}

const isBetween = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

const areNumbers = (value: unknown, count: number): boolean =>
  Array.isArray(value) &&
  value.every((each) => isBetween(each, 1, MAX_ETCD_NUMBER)) &&
  value.length === count &&
  new Set(value).size === count;

const isNetwork = ({ mode, backend, ipFamily }: Partial<NamespacedNetwork>): boolean =>
  ['routed', 'netns'].includes(mode ?? '') &&
  ['host-gw', 'vxlan', 'none'].includes(backend ?? '') &&
  IP_FAMILIES.includes(ipFamily ?? 'ipv4');

/** What is wrong with the settings; undefined when nothing is. */
function problemOf(value: unknown): string | undefined {
  const settings = value as Partial<ClusterSettings> | null;
  if (!isBetween(settings?.block, FIRST_BLOCK, LAST_BLOCK))
    return `block must be a whole number from ${FIRST_BLOCK} to ${LAST_BLOCK}`;
  if (!isBetween(settings?.etcdMembers, 1, MAX_ETCD_MEMBERS))
    return `etcdMembers must be a whole number from 1 to ${MAX_ETCD_MEMBERS}`;
  const { etcdNumbers } = settings;
  if (etcdNumbers !== undefined && !areNumbers(etcdNumbers, settings.etcdMembers))
    return 'etcdNumbers must name each etcd member once';
  if (!isBetween(settings.nodes, 1, MAX_NODES))
    return `nodes must be a whole number from 1 to ${MAX_NODES}`;
  if (settings.network !== undefined && !isNetwork(settings.network))
    return 'network must have a mode and a backend';
  return undefined;
}

/** The settings of the cluster's last start; undefined for a new cluster. Throws ConfigError for a damaged file. */
export function readSettings(files: ClusterFiles): ClusterSettings | undefined {
  if (!existsSync(files.settings)) return undefined;
  let text: string;
  try {
    text = readFileSync(files.settings, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`${files.settings} cannot be read (${code}); ${REMEDY}`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${files.settings} is not JSON; ${REMEDY}`, { cause: error });
  }
  const problem = problemOf(value);
  if (problem) throw new ConfigError(`${files.settings}: ${problem}; ${REMEDY}`);
  return value as ClusterSettings;
}

/** What of a running cluster must be kept. */
export const settingsOf = (
  input: Pick<PlanInput, 'addresses' | 'etcdMembers' | 'etcdNumbers' | 'nodes' | 'network'>,
): ClusterSettings => ({
  block: input.addresses.block,
  etcdMembers: input.etcdMembers,
  ...(input.etcdNumbers ? { etcdNumbers: input.etcdNumbers } : {}),
  nodes: input.nodes,
  ...(input.network && { network: input.network }),
});

/** Replaces the file in one step, so that a crash leaves the old or the new one. */
export function writeSettings(files: ClusterFiles, settings: ClusterSettings): void {
  const next = `${files.settings}.new`;
  writeFileSync(next, `${JSON.stringify(settings, null, 2)}\n`);
  renameSync(next, files.settings);
}
