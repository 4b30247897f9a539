import { ConfigError, Flag, IsDuration, Only, Unset, parseDuration } from '@orrery/component';
import { IsArray, IsBoolean, IsString } from 'class-validator';

const NODES_OWN = "Node's own are used";

/** Flags of upstream's TLS, authentication and authorization of the health port. */
export class ServingFlags {
  @Flag(
    'folder in which the certificate of the health port is kept; none = a new one at each start',
  )
  @IsString()
  certDir: string = '';

  @Flag('certificate of the health port; none = one that signs itself')
  @IsString()
  tlsCertFile: string = '';

  @Flag('its key')
  @IsString()
  tlsPrivateKeyFile: string = '';

  @Flag('ciphers of the health port')
  @Unset(NODES_OWN)
  tlsCipherSuites: string[] = [];

  @Flag('key exchanges of the health port')
  @Unset(NODES_OWN)
  tlsCurvePreferences: string[] = [];

  @Flag('lowest version of TLS')
  @Only(['', 'VersionTLS12', 'VersionTLS13'], 'older ones are not spoken')
  tlsMinVersion: string = '';

  @Flag('certificates by server name')
  @Unset('the health port has one certificate')
  tlsSniCertKey: string[] = [];

  @Flag('CA of clients of the health port', 'client-ca-file')
  @IsString()
  clientCaFile: string = '';

  @Flag('kubeconfig for asking who clients are', 'authentication-kubeconfig')
  @IsString()
  authenticationKubeconfig: string = '';

  @Flag('do not read how the API server knows its clients', 'authentication-skip-lookup')
  @IsBoolean()
  authenticationSkipLookup: boolean = false;

  @Flag('bear that it cannot be read', 'authentication-tolerate-lookup-failure')
  @IsBoolean()
  authenticationTolerateLookupFailure: boolean = true;

  @Flag('time for which an answer about a token holds', 'authentication-token-webhook-cache-ttl')
  @IsDuration()
  authenticationTokenWebhookCacheTtl: string = '10s';

  @Flag('kubeconfig for asking what clients may do', 'authorization-kubeconfig')
  @IsString()
  authorizationKubeconfig: string = '';

  @Flag('paths that need no authorization', 'authorization-always-allow-paths')
  @IsArray()
  authorizationAlwaysAllowPaths: string[] = ['/healthz', '/readyz', '/livez'];

  @Flag('time for which a yes holds', 'authorization-webhook-cache-authorized-ttl')
  @IsDuration()
  authorizationWebhookCacheAuthorizedTtl: string = '10s';

  @Flag('time for which a no holds', 'authorization-webhook-cache-unauthorized-ttl')
  @IsDuration()
  authorizationWebhookCacheUnauthorizedTtl: string = '10s';

  @Flag('CA of proxies that say who asks', 'requestheader-client-ca-file')
  @IsString()
  requestheaderClientCaFile: string = '';

  @Flag('names of such proxies; none = all of that CA', 'requestheader-allowed-names')
  @IsArray()
  requestheaderAllowedNames: string[] = [];

  @Flag('headers with the name', 'requestheader-username-headers')
  @IsArray()
  requestheaderUsernameHeaders: string[] = ['x-remote-user'];

  @Flag('headers with the uid', 'requestheader-uid-headers')
  @IsArray()
  requestheaderUidHeaders: string[] = [];

  @Flag('headers with groups', 'requestheader-group-headers')
  @IsArray()
  requestheaderGroupHeaders: string[] = ['x-remote-group'];

  @Flag('prefixes of headers with more', 'requestheader-extra-headers-prefix')
  @IsArray()
  requestheaderExtraHeadersPrefix: string[] = ['x-remote-extra-'];

  @Flag('streams of an HTTP/2 connection', 'http2-max-streams-per-connection')
  @Unset('the health port speaks HTTP/1.1')
  http2MaxStreamsPerConnection: number = 0;

  @Flag('serve HTTP/1.1 alone: so it is', 'disable-http2-serving')
  @Only([false, true], '')
  disableHttp2Serving: boolean = false;

  @Flag('share the port with other processes')
  @Unset('ports are not shared')
  permitPortSharing: boolean = false;

  @Flag('share the address with connections that end')
  @Unset('Node always does')
  permitAddressSharing: boolean = false;
}

/** Proxies that say who asks: how they are known, and where they say it. */
export interface HeaderRules {
  readonly allowedNames: readonly string[];
  readonly usernames: readonly string[];
  readonly uids: readonly string[];
  readonly groups: readonly string[];
  readonly extraPrefixes: readonly string[];
}

/** How the health port is served; times in milliseconds, '' = not given. */
export interface ServingOptions {
  readonly certDir: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCaFile: string;
  readonly headerCaFile: string;
  readonly headers: HeaderRules;
  readonly authentication: {
    readonly kubeconfig: string;
    readonly skipLookup: boolean;
    readonly toleratesLookupFailure: boolean;
    readonly tokenMs: number;
  };
  readonly authorization: {
    readonly kubeconfig: string;
    readonly alwaysAllowPaths: readonly string[];
    readonly allowedMs: number;
    readonly deniedMs: number;
  };
}

/** Throws ConfigError for a certificate without key. */
export function toServing(flags: ServingFlags): ServingOptions {
  if ((flags.tlsCertFile === '') !== (flags.tlsPrivateKeyFile === ''))
    throw new ConfigError('--tls-cert-file and --tls-private-key-file go together');
  const ms = (text: string): number => parseDuration(text) ?? 0;
  return {
    certDir: flags.certDir,
    certFile: flags.tlsCertFile,
    keyFile: flags.tlsPrivateKeyFile,
    minVersion: flags.tlsMinVersion === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2',
    clientCaFile: flags.clientCaFile,
    headerCaFile: flags.requestheaderClientCaFile,
    headers: {
      allowedNames: flags.requestheaderAllowedNames,
      usernames: flags.requestheaderUsernameHeaders,
      uids: flags.requestheaderUidHeaders,
      groups: flags.requestheaderGroupHeaders,
      extraPrefixes: flags.requestheaderExtraHeadersPrefix,
    },
    authentication: {
      kubeconfig: flags.authenticationKubeconfig,
      skipLookup: flags.authenticationSkipLookup,
      toleratesLookupFailure: flags.authenticationTolerateLookupFailure,
      tokenMs: ms(flags.authenticationTokenWebhookCacheTtl),
    },
    authorization: {
      kubeconfig: flags.authorizationKubeconfig,
      alwaysAllowPaths: flags.authorizationAlwaysAllowPaths,
      allowedMs: ms(flags.authorizationWebhookCacheAuthorizedTtl),
      deniedMs: ms(flags.authorizationWebhookCacheUnauthorizedTtl),
    },
  };
}
