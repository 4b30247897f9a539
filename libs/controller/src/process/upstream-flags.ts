import { Flag, Only, Unset } from '@orrery/component';
import { IsInt, IsNumber, IsString, Min } from 'class-validator';
import { ServingFlags } from '../serving/serving-flags.js';

const LOG = 'the log is lines of JSON on standard error';
const ONE_VERSION = 'the program is of one version';
const NO_HIDDEN = 'only those of the previous minor version can be; none is hidden';
const ALL_METRICS = 'all metrics and labels are shown';

/**
 * Flags that upstream's kube-controller-manager and kube-scheduler have both and that say nothing about ours but what is
 * so anyway: other values are refused by name, so that nobody believes in what is not there.
 */
export class UpstreamFlags extends ServingFlags {
  @Flag('address of the API server, before that of the kubeconfig')
  @IsString()
  master: string = '';

  @Flag('requests a second; 0 = as many as the API server takes', 'kube-api-qps')
  @IsNumber()
  kubeApiQps: number = 0;

  @Flag('requests that may go at once under --kube-api-qps; 0 = 10', 'kube-api-burst')
  @IsInt()
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
