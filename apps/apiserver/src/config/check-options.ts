import { isIP } from 'node:net';
import { ConfigError, parseDuration } from '@orrery/component';
import { regexProblem } from '@orrery/cel';
import { loadKubeconfig } from '@orrery/client';
import { splitRanges } from '@orrery/registry';
import { readAdmissionConfiguration } from '../admission/admission-configuration.js';
import { checkPluginNames } from '../admission/plugins.js';
import { checkAuthenticationFlags } from '../authn/create-authentication.js';
import { checkAuthorizationFlags } from '../authz/create-authorizer.js';
import { checkEncryption } from '../encryption/create-encryption.js';
import { kubeletTls } from '../subresources/kubelet-location.js';
import type { ApiServerOptions } from './options.js';
import { checkRuntimeConfig } from './runtime-config.js';
import { checkTls, readFlagFile } from './tls.js';

/** Bits of an address by its family. */
const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };
/** k8s pkg/controlplane/apiserver/options/options.go:ServiceIPRange: at least 8 addresses. */
const LEAST_SERVICE_BITS = 3;

/** The host bits of each range. */
function checkRanges(flag: string, cidrs: string): number[] {
  return splitRanges(cidrs).map((cidr) => {
    const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
    const bits = BITS[isIP(address)];
    if (bits === undefined || Number(length) > bits)
      throw new ConfigError(
        `--${flag}: invalid argument ${JSON.stringify(cidr)}: invalid CIDR address: ${cidr}`,
      );
    return bits - Number(length);
  });
}

function checkNetwork(options: ApiServerOptions): void {
  const services = checkRanges('service-cluster-ip-range', options.serviceClusterIpRange);
  if (services.length === 0 || services.length > 2)
    throw new ConfigError('--service-cluster-ip-range: must be one range, or one of each family');
  if (services.some((bits) => bits < LEAST_SERVICE_BITS))
    throw new ConfigError('--service-cluster-ip-range: must be at least 8 IP addresses');
  checkRanges('cluster-cidr', options.clusterCidr);
  const { serviceNodePortRange: ports, kubernetesServiceNodePort: own } = options;
  const [, first = '', last = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(ports) ?? [];
  if (first === '' || Number(first) > Number(last) || Number(last) > 65_535)
    throw new ConfigError(
      `--service-node-port-range: ${JSON.stringify(ports)} is not a valid port range: <first>-<last>, up to 65535`,
    );
  if (own !== 0 && (own < Number(first) || own > Number(last)))
    throw new ConfigError(
      `--kubernetes-service-node-port: ${own} is not in the range of --service-node-port-range, ${ports}`,
    );
}

/** Durations that say how long something lasts. */
const NOT_NEGATIVE = [
  'livezGracePeriod',
  'requestTimeout',
  'shutdownDelayDuration',
  'shutdownWatchTerminationGracePeriod',
  'storageInitializationTimeout',
  'eventTtl',
  'historyRetention',
  'etcdCompactionInterval',
] as const;

const toFlag = (property: string): string =>
  `--${property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function checkDurations(options: ApiServerOptions): void {
  for (const name of NOT_NEGATIVE)
    if ((parseDuration(options[name]) ?? 0) < 0)
      throw new ConfigError(`${toFlag(name)} can not be negative value`);
  const longest = parseDuration(options.serviceAccountMaxTokenExpiration) ?? 0;
  if (longest !== 0 && (longest < 3_600_000 || longest > 2 ** 32 * 1000))
    throw new ConfigError(
      '--service-account-max-token-expiration must be between 1 hour and 2^32 seconds',
    );
}

/** Directives of RFC 6797 (k8s apiserver pkg/server/options/server_run_options.go:validateHSTSDirectives). */
const HSTS = /^(?:max-age=\d+|includeSubDomains|preload)$/;

function checkHeaders(options: ApiServerOptions): void {
  for (const directive of options.strictTransportSecurityDirectives)
    if (!HSTS.test(directive.trim()))
      throw new ConfigError(
        '--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload',
      );
  for (const origin of options.corsAllowedOrigins) {
    const problem = regexProblem(origin);
    if (problem !== undefined)
      throw new ConfigError(
        `--cors-allowed-origins has an invalid regular expression: ${origin}: ${problem}`,
      );
    if (!/^(\^|\/\/|\(\?i\)\/\/)|\$$|:$/.test(origin))
      throw new ConfigError(
        `--cors-allowed-origins: ${origin}: regular expression does not pin to start/end of host in the origin header`,
      );
  }
  const { serviceAccountJwksUri: jwks } = options;
  if (jwks !== '' && (!URL.canParse(jwks) || new URL(jwks).protocol !== 'https:'))
    throw new ConfigError(`--service-account-jwks-uri requires https scheme, parsed as: ${jwks}`);
}

function checkCaches({ watchCacheSizes }: ApiServerOptions): void {
  for (const size of watchCacheSizes) {
    const [, count = ''] = /^[^#]+#(-?\d+)$/.exec(size) ?? [];
    if (count === '')
      throw new ConfigError(`--watch-cache-sizes: invalid value of watch cache size: ${size}`);
    if (Number(count) < 0)
      throw new ConfigError(`--watch-cache-sizes: watch cache size cannot be negative: ${size}`);
    if (Number(count) === 0)
      throw new ConfigError(
        `--watch-cache-sizes: ${size}: one cache serves all resources; --watch-cache=false turns it off`,
      );
  }
}

function checkKubeconfigs(options: ApiServerOptions): void {
  for (const [flag, path] of [
    ['audit-webhook-config-file', options.auditWebhookConfigFile],
    ['authentication-token-webhook-config-file', options.authenticationTokenWebhookConfigFile],
    ['authorization-webhook-config-file', options.authorizationWebhookConfigFile],
  ] as const) {
    if (path === '') continue;
    readFlagFile(flag, path);
    try {
      loadKubeconfig(path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`--${flag}: ${path}: ${why}`, { cause: error });
    }
  }
}

function checkFiles(options: ApiServerOptions): void {
  for (const [flag, path] of [
    ['proxy-client-cert-file', options.proxyClientCertFile],
    ['proxy-client-key-file', options.proxyClientKeyFile],
    ['kubelet-client-certificate', options.kubeletClientCertificate],
    ['kubelet-client-key', options.kubeletClientKey],
    ['kubelet-certificate-authority', options.kubeletCertificateAuthority],
    ['oidc-ca-file', options.oidcCaFile],
  ] as const)
    if (path !== '') readFlagFile(flag, path);
  kubeletTls(options);
  checkKubeconfigs(options);
}

/**
 * Refuses flags that cannot be followed, before anything is opened: whoever mistypes one is not to wait for etcd first.
 * Throws ConfigError.
 */
export function checkOptions(options: ApiServerOptions): void {
  checkNetwork(options);
  checkDurations(options);
  checkHeaders(options);
  checkCaches(options);
  checkPluginNames(options.enableAdmissionPlugins, options.disableAdmissionPlugins);
  checkRuntimeConfig(options.runtimeConfig);
  checkFiles(options);
  readAdmissionConfiguration(options.admissionControlConfigFile);
  checkAuthorizationFlags(options);
  checkAuthenticationFlags(options);
  checkTls(options);
  checkEncryption(options);
}
