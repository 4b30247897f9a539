import { Flag, Only, Unset } from '@orrery/component';
import { IsInt, IsString, Min } from 'class-validator';

const PLAIN_HTTP =
  'the health port speaks plain HTTP and asks nobody who they are: bind it to an address of your own';
const NO_LIMIT = 'requests are not limited here, the API server limits them';
const LOG = 'the log is lines of JSON on standard error';
const ONE_VERSION = 'the program is of one version';
const NO_HIDDEN = 'only those of the previous minor version can be; none is hidden';
const ALL_METRICS = 'all metrics and labels are shown';

/** Flags of upstream's TLS, authentication and authorization of the health port: what is given is refused by name. */
class ServingFlags {
  @Flag('folder of the certificate of the health port')
  @Unset(PLAIN_HTTP)
  certDir: string = '';

  @Flag('certificate of the health port')
  @Unset(PLAIN_HTTP)
  tlsCertFile: string = '';

  @Flag('its key')
  @Unset(PLAIN_HTTP)
  tlsPrivateKeyFile: string = '';

  @Flag('ciphers of the health port')
  @Unset(PLAIN_HTTP)
  tlsCipherSuites: string[] = [];

  @Flag('key exchanges of the health port')
  @Unset(PLAIN_HTTP)
  tlsCurvePreferences: string[] = [];

  @Flag('lowest version of TLS')
  @Unset(PLAIN_HTTP)
  tlsMinVersion: string = '';

  @Flag('certificates by server name')
  @Unset(PLAIN_HTTP)
  tlsSniCertKey: string[] = [];

  @Flag('CA of clients of the health port', 'client-ca-file')
  @Unset(PLAIN_HTTP)
  clientCaFile: string = '';

  @Flag('kubeconfig for asking who clients are', 'authentication-kubeconfig')
  @Unset(PLAIN_HTTP)
  authenticationKubeconfig: string = '';

  @Flag('do not read how the API server knows its clients', 'authentication-skip-lookup')
  @Only([false, true], PLAIN_HTTP)
  authenticationSkipLookup: boolean = false;

  @Flag('bear that it cannot be read', 'authentication-tolerate-lookup-failure')
  @Only([false, true], PLAIN_HTTP)
  authenticationTolerateLookupFailure: boolean = true;

  @Flag('time for which an answer about a token holds', 'authentication-token-webhook-cache-ttl')
  @Only(['10s'], PLAIN_HTTP)
  authenticationTokenWebhookCacheTtl: string = '10s';

  @Flag('kubeconfig for asking what clients may do', 'authorization-kubeconfig')
  @Unset(PLAIN_HTTP)
  authorizationKubeconfig: string = '';

  @Flag('paths that need no authorization', 'authorization-always-allow-paths')
  @Only(['/healthz', '/readyz', '/livez'], PLAIN_HTTP)
  authorizationAlwaysAllowPaths: string[] = ['/healthz', '/readyz', '/livez'];

  @Flag('time for which a yes holds', 'authorization-webhook-cache-authorized-ttl')
  @Only(['10s'], PLAIN_HTTP)
  authorizationWebhookCacheAuthorizedTtl: string = '10s';

  @Flag('time for which a no holds', 'authorization-webhook-cache-unauthorized-ttl')
  @Only(['10s'], PLAIN_HTTP)
  authorizationWebhookCacheUnauthorizedTtl: string = '10s';

  @Flag('CA of proxies that say who asks', 'requestheader-client-ca-file')
  @Unset(PLAIN_HTTP)
  requestheaderClientCaFile: string = '';

  @Flag('names of such proxies', 'requestheader-allowed-names')
  @Unset(PLAIN_HTTP)
  requestheaderAllowedNames: string[] = [];

  @Flag('headers with the name', 'requestheader-username-headers')
  @Only(['x-remote-user'], PLAIN_HTTP)
  requestheaderUsernameHeaders: string[] = ['x-remote-user'];

  @Flag('headers with the uid', 'requestheader-uid-headers')
  @Unset(PLAIN_HTTP)
  requestheaderUidHeaders: string[] = [];

  @Flag('headers with groups', 'requestheader-group-headers')
  @Only(['x-remote-group'], PLAIN_HTTP)
  requestheaderGroupHeaders: string[] = ['x-remote-group'];

  @Flag('prefixes of headers with more', 'requestheader-extra-headers-prefix')
  @Only(['x-remote-extra-'], PLAIN_HTTP)
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

/**
 * Flags that upstream's kube-controller-manager and kube-scheduler have both and that say nothing about ours but what is
 * so anyway: other values are refused by name, so that nobody believes in what is not there.
 */
export class UpstreamFlags extends ServingFlags {
  @Flag('address of the API server, before that of the kubeconfig')
  @IsString()
  master: string = '';

  @Flag('requests a second', 'kube-api-qps')
  @Only([0, -1], NO_LIMIT)
  kubeApiQps: number = 0;

  @Flag('requests at once', 'kube-api-burst')
  @Only([0, -1], NO_LIMIT)
  kubeApiBurst: number = 0;

  @Flag('form of requests', 'kube-api-content-type')
  @Only(['application/json'], 'requests are JSON')
  kubeApiContentType: string = 'application/json';

  @Flag('kind of the lock')
  @Only(['leases'], 'a lock is a Lease')
  leaderElectResourceLock: string = 'leases';

  @Flag('serve profiles of Go below /debug/pprof')
  @Unset('there is no /debug/pprof; node --cpu-prof makes profiles')
  profiling: boolean = false;

  @Flag('profile of locks')
  @Unset('there are no locks')
  contentionProfiling: boolean = false;

  @Flag('version whose behaviour is wanted')
  @Only(['1.36', 'kube=1.36'], ONE_VERSION)
  emulatedVersion: string[] = [];

  @Flag('oldest version that may join')
  @Only(['1.35', '1.36', 'kube=1.35', 'kube=1.36'], ONE_VERSION)
  minCompatibilityVersion: string[] = [];

  @Flag('version whose hidden metrics are shown')
  @Only(['', '1.35'], NO_HIDDEN)
  showHiddenMetricsForVersion: string = '';

  @Flag('labels of metrics that may have certain values only')
  @Unset(ALL_METRICS)
  allowMetricLabels: string[] = [];

  @Flag('file with them')
  @Unset(ALL_METRICS)
  allowMetricLabelsManifest: string = '';

  @Flag('metrics that are left out')
  @Unset(ALL_METRICS)
  disabledMetrics: string[] = [];

  @Flag('verbosity of the log; from 4 on it tells more', 'v')
  @IsInt()
  @Min(0)
  verbosity: number = 0;

  @Flag('format of the log')
  @Only(['json'], LOG)
  loggingFormat: string = 'json';

  @Flag('time that lines of the log may wait')
  @Only(['5s', '0', '0s'], `${LOG}, each written at once`)
  logFlushFrequency: string = '5s';

  @Flag('severity of the log by file')
  @Unset('the log has one verbosity')
  vmodule: string = '';
}
