import { registerDecorator } from 'class-validator';
import { Flag, Only, Unset } from '@orrery/component';
import { checkFeatureGates } from './feature-gates.js';

function KnownFeatureGates(): PropertyDecorator {
  return (target, property) => {
    let problem = '';
    registerDecorator({
      name: 'featureGates',
      target: target.constructor,
      propertyName: String(property),
      validator: {
        validate: (value: unknown) => {
          try {
            checkFeatureGates(value as string[]);
            return true;
          } catch (error) {
            problem = error instanceof Error ? error.message : String(error);
            return false;
          }
        },
        defaultMessage: () => problem.replace('--feature-gates', '$property'),
      },
    });
  };
}

const JSON_ONLY = 'objects are stored as JSON, which upstream reads too';
const NO_PEERS = 'requests are not passed on to servers of other versions';
const NO_ELECTION = 'leases of candidates are not coordinated';
const ONE_VERSION = 'the server is of one version';
const PLAIN_LOG = 'the log is lines of JSON on standard error';

/** Flags of upstream's of which this server takes what it does anyway; each other value is refused by name. */
export class FixedOptions {
  @Flag('feature gates as <name>=true|false: each may be set to what it is')
  @KnownFeatureGates()
  featureGates: string[] = [];

  @Flag('format of what is stored')
  @Only(['application/json'], JSON_ONLY)
  storageMediaType: string = 'application/json';

  @Flag('what stores objects')
  @Only(['', 'etcd3'], 'there is no other')
  storageBackend: string = '';

  @Flag('etcds of single resources')
  @Unset('all resources are in one etcd')
  etcdServersOverrides: string[] = [];

  @Flag('seconds that a lease of etcd is shared by events')
  @Only([60], 'events of a minute share a lease')
  leaseReuseDurationSeconds: number = 60;

  @Flag('the garbage collector of kube-controller-manager is on')
  @Only([true], 'objects are deleted for one that runs')
  enableGarbageCollector: boolean = true;

  @Flag('version whose behaviour is wanted')
  @Only(['1.36', 'kube=1.36'], ONE_VERSION)
  emulatedVersion: string[] = [];

  @Flag('oldest version that may join')
  @Only(['1.35', '1.36', 'kube=1.35', 'kube=1.36'], ONE_VERSION)
  minCompatibilityVersion: string[] = [];

  @Flag('serve newer versions of emulated APIs')
  @Unset(ONE_VERSION)
  emulationForwardCompatible: boolean = false;

  @Flag('the same for those of --runtime-config')
  @Unset(ONE_VERSION)
  runtimeConfigEmulationForwardCompatible: boolean = false;

  @Flag('serve profiles of Go below /debug/pprof')
  @Unset('there is no /debug/pprof; node --cpu-prof makes profiles')
  profiling: boolean = false;

  @Flag('profile of locks')
  @Unset('there are no locks')
  contentionProfiling: boolean = false;

  @Flag('socket that serves /debug')
  @Unset('there is no /debug')
  debugSocketPath: string = '';

  @Flag('file that says how servers are reached by way of others')
  @Unset('egress selectors are not modelled')
  egressSelectorConfigFile: string = '';

  @Flag('file that says where traces go')
  @Unset('traces are not modelled; /history/ tells what led to what')
  tracingConfigFile: string = '';

  @Flag('socket of a program that signs service-account tokens')
  @Unset('keys are files here')
  serviceAccountSigningEndpoint: string = '';

  @Flag('refuse redirects of extension servers')
  @Only([true], 'they would lead clients elsewhere (CVE-2022-3172)')
  aggregatorRejectForwardingRedirect: boolean = true;

  @Flag('bytes a second of a long-running request')
  @Unset('is not modelled')
  maxConnectionBytesPerSec: number = 0;

  @Flag('CA of other API servers')
  @Unset(NO_PEERS)
  peerCaFile: string = '';

  @Flag('address at which they reach this one')
  @Unset(NO_PEERS)
  peerAdvertiseIp: string = '';

  @Flag('port at which they reach this one')
  @Unset(NO_PEERS)
  peerAdvertisePort: string = '';

  @Flag('length of the leases of candidates')
  @Only(['15s'], NO_ELECTION)
  coordinatedLeadershipLeaseDuration: string = '15s';

  @Flag('deadline of their renewal')
  @Only(['10s'], NO_ELECTION)
  coordinatedLeadershipRenewDeadline: string = '10s';

  @Flag('time between two tries')
  @Only(['2s'], NO_ELECTION)
  coordinatedLeadershipRetryPeriod: string = '2s';

  @Flag('serve /logs')
  @Unset('there is no /logs')
  enableLogsHandler: boolean = false;

  @Flag('number of API servers, which nothing asks for: each has a lease of its own')
  @Only([1], 'the Endpoints name the servers that live')
  apiserverCount: number = 1;

  @Flag('the cloud')
  @Only(['', 'external'], 'no cloud is modelled')
  cloudProvider: string = '';

  @Flag('configuration of the cloud')
  @Unset('no cloud is modelled')
  cloudConfig: string = '';

  @Flag('labels of metrics that may have certain values only')
  @Unset('labels have names that the server knows, whatever clients ask')
  allowMetricLabels: string[] = [];

  @Flag('file with them')
  @Unset('labels have names that the server knows, whatever clients ask')
  allowMetricLabelsManifest: string = '';

  @Flag('version whose hidden metrics are shown')
  @Only(['', '1.35'], 'only those of the previous minor version can be; none is hidden')
  showHiddenMetricsForVersion: string = '';

  @Flag('format of the log')
  @Only(['json'], PLAIN_LOG)
  loggingFormat: string = 'json';

  @Flag('errors of a log in JSON go elsewhere than the rest')
  @Only([false], PLAIN_LOG)
  logJsonSplitStream: boolean = false;

  @Flag('bytes of a log in JSON that may wait')
  @Only(['', '0'], PLAIN_LOG)
  logJsonInfoBufferSize: string = '0';

  @Flag('errors of a log in text go elsewhere than the rest')
  @Only([false], PLAIN_LOG)
  logTextSplitStream: boolean = false;

  @Flag('bytes of a log in text that may wait')
  @Only(['', '0'], PLAIN_LOG)
  logTextInfoBufferSize: string = '0';

  @Flag('port of kubelets without TLS')
  @Only([0, 10_255], 'kubelets are asked by TLS alone')
  kubeletReadOnlyPort: number = 10_255;

  @Flag('time that lines of the log may wait')
  @Only(['5s', '0', '0s'], `${PLAIN_LOG}, each written at once`)
  logFlushFrequency: string = '5s';

  @Flag('when events of audit are written to the log')
  @Only(['blocking'], 'each is written as it comes')
  auditLogMode: string = 'blocking';

  @Flag('when they are sent to the webhook')
  @Only(['batch'], 'requests do not wait for it')
  auditWebhookMode: string = 'batch';

  @Flag('send fewer batches a second')
  @Unset('each is sent when the one before is answered')
  auditWebhookBatchThrottleEnable: boolean = false;

  @Flag('version of the events in the log')
  @Only(['audit.k8s.io/v1'], 'there is no other')
  auditLogVersion: string = 'audit.k8s.io/v1';

  @Flag('version of the events for the webhook')
  @Only(['audit.k8s.io/v1'], 'there is no other')
  auditWebhookVersion: string = 'audit.k8s.io/v1';

  @Flag('cut long events in the log short')
  @Unset('events are whole; bodies of over 3 MiB are not kept')
  auditLogTruncateEnabled: boolean = false;

  @Flag('cut long events for the webhook short')
  @Unset('events are whole; bodies of over 3 MiB are not kept')
  auditWebhookTruncateEnabled: boolean = false;

  @Flag('admission plugins, all of them, in order')
  @Unset('use --enable-admission-plugins and --disable-admission-plugins')
  admissionControl: string[] = [];

  @Flag('levels of the log by file')
  @Unset(PLAIN_LOG)
  vmodule: string = '';
}
