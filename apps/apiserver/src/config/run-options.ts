import { IsIn, IsInt, IsNumber, Max, Min } from 'class-validator';
import { Flag, IsDuration } from '@orrery/component';
import { FixedOptions } from './fixed-options.js';

/** Flags of how the server runs: its start and end, its listener, what it tells of itself. */
export class RunOptions extends FixedOptions {
  @Flag('file that says how what is stored is encrypted')
  encryptionProviderConfig: string = '';

  @Flag('read that file again when it changes')
  encryptionProviderConfigAutomaticReload: boolean = false;

  @Flag('print the version and end')
  version: boolean = false;

  @Flag('verbosity of the log; from 4 on it tells more', 'v')
  @IsInt()
  @Min(0)
  verbosity: number = 0;

  @Flag(
    'regular expressions of origins that scripts of web pages may come from',
    undefined,
    'whole',
  )
  corsAllowedOrigins: string[] = [];

  @Flag('host name in documents for others, such as the one of OpenID Connect')
  externalHostname: string = '';

  @Flag('chance that a request of HTTP/2 ends its connection, so that clients spread; at most 0.02')
  @IsNumber()
  @Min(0)
  @Max(0.02)
  goawayChance: number = 0;

  @Flag('how long /livez believes a start that is not done')
  @IsDuration()
  livezGracePeriod: string = '0s';

  @Flag('how long the server goes on serving, and is not ready, before it ends')
  @IsDuration()
  shutdownDelayDuration: string = '0s';

  @Flag('answer 429 with Retry-After while the last requests end')
  shutdownSendRetryAfter: boolean = false;

  @Flag('time over which watches are ended; 0 = at once')
  @IsDuration()
  shutdownWatchTerminationGracePeriod: string = '0s';

  @Flag('directives of the header Strict-Transport-Security')
  strictTransportSecurityDirectives: string[] = [];

  @Flag('objects of a collection that are deleted at the same time')
  @IsInt()
  @Min(1)
  deleteCollectionWorkers: number = 8;

  @Flag('time between two counts of objects; they are counted when the metrics are read')
  @IsDuration()
  etcdCountMetricPollPeriod: string = '1m0s';

  @Flag('time between two looks at the size of etcd, for the metrics')
  @IsDuration()
  etcdDbMetricPollInterval: string = '30s';

  @Flag('how long /healthz and /livez wait for etcd')
  @IsDuration()
  etcdHealthcheckTimeout: string = '2s';

  @Flag('how long /readyz waits for etcd')
  @IsDuration()
  etcdReadycheckTimeout: string = '2s';

  @Flag('how long the server waits for etcd before it gives up; 0 = for ever')
  @IsDuration()
  storageInitializationTimeout: string = '0s';

  @Flag('serve reads from memory; false = --reads=quorum')
  watchCache: boolean = true;

  @Flag('sizes of watch caches as <resource>#<size>; only 0 means something to upstream, too')
  watchCacheSizes: string[] = [];

  @Flag('default size of watch caches; only 0 means something')
  @IsInt()
  @Min(1)
  defaultWatchCacheSize: number = 100;

  @Flag(
    'folder of apiserver.crt and apiserver.key, which are made when --tls-cert-file is not given',
  )
  certDir: string = '';

  @Flag('bind an address that others have bound in part (SO_REUSEADDR), as Node always does')
  permitAddressSharing: boolean = false;

  @Flag('share the port with other processes (SO_REUSEPORT)')
  permitPortSharing: boolean = false;

  @Flag('cipher suites of TLS 1.2, by the names of IANA')
  tlsCipherSuites: string[] = [];

  @Flag('oldest version of TLS')
  @IsIn(['VersionTLS12', 'VersionTLS13'])
  tlsMinVersion: string = 'VersionTLS12';

  @Flag('curves by the numbers of IANA')
  tlsCurvePreferences: string[] = [];

  @Flag('more certificates as <cert>,<key>[:<host>,…]', undefined, 'whole')
  tlsSniCertKey: string[] = [];

  @Flag('compress old audit log files')
  auditLogCompress: boolean = false;

  @Flag('events of audit that may wait for the webhook')
  @IsInt()
  @Min(1)
  auditWebhookBatchBufferSize: number = 10_000;

  @Flag('wait before a batch is sent again')
  @IsDuration()
  auditWebhookInitialBackoff: string = '10s';

  @Flag('older name of --audit-webhook-initial-backoff')
  @IsDuration()
  auditWebhookBatchInitialBackoff: string = '0s';

  @Flag('seconds that pods stay on a node that is not ready, where they say nothing')
  @IsInt()
  defaultNotReadyTolerationSeconds: number = 300;

  @Flag('seconds that pods stay on a node that is unreachable, where they say nothing')
  @IsInt()
  defaultUnreachableTolerationSeconds: number = 300;

  @Flag('port of kubelets whose node names none')
  @IsInt()
  @Min(1)
  @Max(65535)
  kubeletPort: number = 10_250;

  @Flag('how long a connection to a kubelet may take to come about')
  @IsDuration()
  kubeletTimeout: string = '30s';

  @Flag('node port of the Service kubernetes; 0 = none')
  @IsInt()
  @Min(0)
  @Max(65535)
  kubernetesServiceNodePort: number = 0;

  @Flag('who keeps the Endpoints of the Service kubernetes: lease = the servers, none = nobody')
  @IsIn(['lease', 'none'])
  endpointReconcilerType: string = 'lease';

  @Flag('believe service-account tokens only while their account, pod, Secret and node exist')
  serviceAccountLookup: boolean = true;

  @Flag('give pods whose client cannot renew tokens longer ones that warn')
  serviceAccountExtendTokenExpiration: boolean = true;

  @Flag('longest life of service-account tokens; 0 = no limit')
  @IsDuration()
  serviceAccountMaxTokenExpiration: string = '0s';

  @Flag('where others find the keys of service-account tokens')
  serviceAccountJwksUri: string = '';

  @Flag('metrics that are not served')
  disabledMetrics: string[] = [];
}
