import { Flag, IsDuration, Only, Unset } from '@orrery/component';
import { IsBoolean, IsString } from 'class-validator';
import { ConcurrencyFlags } from './concurrency-flags.js';

const NO_CLOUD = 'no cloud is modelled';
const AT_ONCE = 'changes are followed at once';
const NO_RECYCLER =
  'volumes of hostPath are recycled with the timeouts and the pod of upstream, others are not';

/**
 * Flags of kube-controller-manager 1.36 that ask for what is not here, or for what is so anyway: other values are refused
 * by name.
 */
export class FixedFlags extends ConcurrencyFlags {
  @Flag('name of the cluster, for what clouds make for it', 'cluster-name')
  @IsString()
  clusterName: string = 'kubernetes';

  @Flag('the cloud', 'cloud-provider')
  @Only(['', 'external'], NO_CLOUD)
  cloudProvider: string = '';

  @Flag('configuration of the cloud', 'cloud-config')
  @Unset(NO_CLOUD)
  cloudConfig: string = '';

  @Flag('volumes of a cloud', 'external-cloud-volume-plugin')
  @Unset(NO_CLOUD)
  externalCloudVolumePlugin: string = '';

  @Flag('routes of a cloud, which has none', 'configure-cloud-routes')
  @IsBoolean()
  configureCloudRoutes: boolean = true;

  @Flag('time between looks at them', 'route-reconciliation-period')
  @IsDuration()
  routeReconciliationPeriod: string = '10s';

  @Flag('how ranges are given to nodes', 'cidr-allocator-type')
  @Only(['RangeAllocator'], NO_CLOUD)
  cidrAllocatorType: string = 'RangeAllocator';

  @Flag('time between starts of two controllers', 'controller-start-interval')
  @Only(['0', '0s'], 'all start at once')
  controllerStartInterval: string = '0s';

  @Flag('time that controllers have to stop', 'controller-shutdown-timeout')
  @Only(['10s'], 'each ends its key')
  controllerShutdownTimeout: string = '10s';

  @Flag('least time between two looks at everything', 'min-resync-period')
  @Only(['12h', '12h0m0s'], 'what changed is looked at, and what fell due')
  minResyncPeriod: string = '12h';

  @Flag('time between looks at attached volumes', 'attach-detach-reconcile-sync-period')
  @Only(['1m', '1m0s', '60s'], AT_ONCE)
  attachDetachReconcileSyncPeriod: string = '1m';

  @Flag('never compare attached volumes', 'disable-attach-detach-reconcile-sync')
  @Unset(AT_ONCE)
  disableAttachDetachReconcileSync: boolean = false;

  @Flag('time that changes of Endpoints are collected', 'endpoint-updates-batch-period')
  @Only(['0', '0s'], AT_ONCE)
  endpointUpdatesBatchPeriod: string = '0s';

  @Flag('the same of EndpointSlices', 'endpointslice-updates-batch-period')
  @Only(['0', '0s'], AT_ONCE)
  endpointsliceUpdatesBatchPeriod: string = '0s';

  @Flag('the same of mirrored ones', 'mirroring-endpointslice-updates-batch-period')
  @Only(['0', '0s'], AT_ONCE)
  mirroringEndpointsliceUpdatesBatchPeriod: string = '0s';

  @Flag('run the garbage collector', 'enable-garbage-collector')
  @Only([true], 'leave it out by --controllers=*,-garbage-collector-controller')
  enableGarbageCollector: boolean = true;

  @Flag('time between looks at all namespaces', 'namespace-sync-period')
  @Only(['5m', '5m0s'], AT_ONCE)
  namespaceSyncPeriod: string = '5m';

  @Flag('time between looks at all claims', 'pvclaimbinder-sync-period')
  @Only(['15s'], AT_ONCE)
  pvclaimbinderSyncPeriod: string = '15s';

  @Flag('make hostPath volumes', 'enable-hostpath-provisioner')
  @Unset('the local-path provisioner makes folders')
  enableHostpathProvisioner: boolean = false;

  @Flag('folder of flex volume drivers', 'flex-volume-plugin-dir')
  @Only(['/usr/libexec/kubernetes/kubelet-plugins/volume/exec/'], 'flex volumes are not modelled')
  flexVolumePluginDir: string = '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/';

  @Flag('seconds a GiB for recycling NFS', 'pv-recycler-increment-timeout-nfs')
  @Only([30], NO_RECYCLER)
  pvRecyclerIncrementTimeoutNfs: number = 30;

  @Flag('least seconds for it', 'pv-recycler-minimum-timeout-nfs')
  @Only([300], NO_RECYCLER)
  pvRecyclerMinimumTimeoutNfs: number = 300;

  @Flag('least seconds for recycling a hostPath', 'pv-recycler-minimum-timeout-hostpath')
  @Only([60], NO_RECYCLER)
  pvRecyclerMinimumTimeoutHostpath: number = 60;

  @Flag('seconds a GiB for it', 'pv-recycler-timeout-increment-hostpath')
  @Only([30], NO_RECYCLER)
  pvRecyclerTimeoutIncrementHostpath: number = 30;

  @Flag('pod that recycles NFS', 'pv-recycler-pod-template-filepath-nfs')
  @Unset(NO_RECYCLER)
  pvRecyclerPodTemplateFilepathNfs: string = '';

  @Flag('pod that recycles a hostPath', 'pv-recycler-pod-template-filepath-hostpath')
  @Unset(NO_RECYCLER)
  pvRecyclerPodTemplateFilepathHostpath: string = '';

  @Flag('move leases between programs', 'enable-leader-migration')
  @Unset('there is one program')
  enableLeaderMigration: boolean = false;

  @Flag('how they are moved', 'leader-migration-config')
  @Unset('there is one program')
  leaderMigrationConfig: string = '';
}
