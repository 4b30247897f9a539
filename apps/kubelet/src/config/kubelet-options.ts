import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Taint } from '@orrery/api';
import { parseYaml } from '@orrery/apimachinery';
import { ConfigError, parseDuration, parseFlags, validateConfig } from '@orrery/component';
import type { KubeletPaths } from '../containers/paths.js';
import { KubeletConfiguration } from './kubelet-configuration.js';
import { KubeletFlags } from './kubelet-flags.js';
import type { HealthzAddress } from '../server/healthz-server.js';
import { tuningOf } from './node-tuning.js';
import type { NodeTuning } from './node-tuning.js';

/** Everything a kubelet is told, checked and with defaults applied. */
export interface KubeletOptions {
  readonly kubeconfig: string | undefined;
  /** Where and how it gets the certificates that it is not given. */
  readonly credentials?: {
    readonly certDir: string;
    readonly bootstrapKubeconfig: string | undefined;
    readonly clientCaFile: string | undefined;
  };
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly paths: KubeletPaths;
  readonly runtimeEndpoint: string;
  readonly manifestPath: string | undefined;
  readonly taints: readonly Taint[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly address: string;
  readonly port: number;
  /** Where /healthz is served over plain HTTP; by default at the node's own address, as nodes may share a machine. undefined = nowhere. */
  readonly healthz: HealthzAddress | undefined;
  readonly tls:
    | {
        readonly certFile: string;
        readonly keyFile: string;
        readonly clientCaFile: string | undefined;
      }
    | undefined;
  readonly nodeStatusUpdateMs: number;
  readonly nodeLeaseSeconds: number;
  readonly maxPods: number;
  readonly tuning: NodeTuning;
  /** Where granted resources are kept; without it they do not outlive the process. */
  readonly allocationFile: string | undefined;
}

function parseTaint(text: string): Taint {
  const [pair = '', effect = ''] = text.split(':');
  const [key = '', value] = pair.split('=');
  return { key, effect: effect as Taint['effect'], ...(value ? { value } : {}) };
}

function parseLabel(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

function readConfig(path: string): KubeletConfiguration {
  try {
    return validateConfig(KubeletConfiguration, parseYaml(readFileSync(path, 'utf8')), path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`--config: cannot read ${path}`, { cause: error });
  }
}

/** The file first, then the flags that were given. */
function merged(
  argv: readonly string[],
  flags: KubeletFlags,
  file: KubeletConfiguration | undefined,
): KubeletFlags {
  if (!file) return flags;
  const given = (flag: string): boolean =>
    argv.some((one) => one === `--${flag}` || one.startsWith(`--${flag}=`));
  const take = <K extends keyof KubeletFlags>(
    flag: string,
    key: K,
    value: KubeletFlags[K] | undefined,
  ): void => {
    if (value !== undefined && !given(flag)) flags[key] = value;
  };
  take('address', 'address', file.address);
  take('port', 'port', file.port);
  take('healthz-bind-address', 'healthzBindAddress', file.healthzBindAddress);
  take('healthz-port', 'healthzPort', file.healthzPort);
  take('cluster-dns', 'clusterDns', file.clusterDNS);
  take('cluster-domain', 'clusterDomain', file.clusterDomain);
  take('pod-manifest-path', 'podManifestPath', file.staticPodPath);
  take('pod-logs-dir', 'podLogsDir', file.podLogsDir);
  take('max-pods', 'maxPods', file.maxPods);
  take('container-runtime-endpoint', 'containerRuntimeEndpoint', file.containerRuntimeEndpoint);
  take('node-status-update-frequency', 'nodeStatusUpdateFrequency', file.nodeStatusUpdateFrequency);
  take('node-lease-duration-seconds', 'nodeLeaseDurationSeconds', file.nodeLeaseDurationSeconds);
  take('tls-cert-file', 'tlsCertFile', file.tlsCertFile);
  take('tls-private-key-file', 'tlsPrivateKeyFile', file.tlsPrivateKeyFile);
  return flags;
}

function pathsOf(
  { rootDir, podLogsDir, systemLogsDir }: KubeletFlags,
  file: KubeletConfiguration | undefined,
): KubeletPaths {
  return {
    rootDir,
    podLogsDir: podLogsDir ?? join(rootDir, 'pod-logs'),
    ...(file?.enableSystemLogHandler === false ? {} : { systemLogsDir }),
  };
}

/** Throws ConfigError naming every bad flag or field. */
export function parseOptions(argv: readonly string[]): KubeletOptions {
  const given = parseFlags(KubeletFlags, argv, 'kubelet');
  const file = given.config ? readConfig(given.config) : undefined;
  const flags = merged(argv, given, file);
  if ((flags.tlsCertFile === undefined) !== (flags.tlsPrivateKeyFile === undefined))
    throw new ConfigError('--tls-cert-file and --tls-private-key-file must be given together');
  if (flags.bootstrapKubeconfig !== undefined && !(flags.kubeconfig && flags.certDir))
    throw new ConfigError('--bootstrap-kubeconfig needs --kubeconfig and --cert-dir');
  const nodeStatusUpdateMs = parseDuration(flags.nodeStatusUpdateFrequency);
  if (nodeStatusUpdateMs === undefined)
    throw new ConfigError('nodeStatusUpdateFrequency must be a duration such as 10s');
  const address = flags.address ?? flags.nodeIp[0] ?? '127.0.0.1';
  return {
    kubeconfig: flags.kubeconfig,
    ...(flags.certDir === undefined
      ? {}
      : {
          credentials: {
            certDir: flags.certDir,
            bootstrapKubeconfig: flags.bootstrapKubeconfig,
            clientCaFile: flags.clientCaFile,
          },
        }),
    nodeName: flags.hostnameOverride ?? hostname().toLowerCase(),
    nodeIps: flags.nodeIp,
    paths: pathsOf(flags, file),
    runtimeEndpoint: flags.containerRuntimeEndpoint,
    manifestPath: flags.podManifestPath,
    taints: flags.registerWithTaints.map(parseTaint),
    labels: Object.fromEntries(flags.nodeLabels.map(parseLabel)),
    annotations: Object.fromEntries(flags.nodeAnnotations.map(parseLabel)),
    clusterDns: flags.clusterDns,
    clusterDomain: flags.clusterDomain,
    address,
    port: flags.port,
    healthz:
      flags.healthzPort === 0
        ? undefined
        : { host: flags.healthzBindAddress ?? address, port: flags.healthzPort },
    tls:
      flags.tlsCertFile && flags.tlsPrivateKeyFile
        ? {
            certFile: flags.tlsCertFile,
            keyFile: flags.tlsPrivateKeyFile,
            clientCaFile: flags.clientCaFile,
          }
        : undefined,
    nodeStatusUpdateMs,
    nodeLeaseSeconds: flags.nodeLeaseDurationSeconds,
    maxPods: flags.maxPods,
    tuning: tuningOf(flags, file),
    allocationFile: join(flags.rootDir, 'allocated_pods_state'),
  };
}
