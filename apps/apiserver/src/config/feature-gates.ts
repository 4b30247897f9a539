import { ConfigError } from '@orrery/component';

const words = (text: string): string[] => text.trim().split(/\s+/);

/**
 * Gates of 1.36 (k8s pkg/features/kube_features.go, apiserver pkg/features/kube_features.go) by their stage, as this server
 * behaves: what it does not have is off, whatever upstream's default.
 */
const GATES: readonly { readonly stage: string; readonly on: boolean; readonly names: string[] }[] =
  [
    {
      stage: '',
      on: true,
      names: words(`
        APIServerTracing AggregatedDiscoveryRemoveBetaType AnonymousAuthConfigurableEndpoints AnyVolumeDataSource
        AuthorizeNodeWithSelectors AuthorizeWithSelectors BtreeWatchCache CPUManagerPolicyOptions CRDValidationRatcheting
        ConsistentListFromCache CustomResourceFieldSelectors DeclarativeValidation DisableAllocatorDualWrite
        DynamicResourceAllocation ExecProbeTimeout HonorPVReclaimPolicy ImageMaximumGCAge ImageVolume InPlacePodVerticalScaling
        JobBackoffLimitPerIndex JobManagedBy JobPodReplacementPolicy JobSuccessPolicy KubeletCgroupDriverFromCRI KubeletTracing
        LogarithmicScaleDown MatchLabelKeysInPodAffinity MemoryManager MultiCIDRServiceAllocator MutatingAdmissionPolicy
        NFTablesProxyMode NodeInclusionPolicyInPodTopologySpread NodeSwap OrderedNamespaceDeletion PodLifecycleSleepAction
        PodLifecycleSleepActionAllowZero PodObservedGenerationTracking PodSchedulingReadiness PreferSameTrafficDistribution
        RecoverVolumeExpansionFailure RecursiveReadOnlyMounts RelaxedDNSSearchValidation RelaxedEnvironmentVariableValidation
        ResilientWatchCacheInitialization RetryGenerateName SchedulerQueueingHints SeparateTaintEvictionController
        ServiceAccountTokenJTI ServiceAccountTokenNodeBinding ServiceAccountTokenNodeBindingValidation
        ServiceAccountTokenPodNodeInfo ServiceTrafficDistribution SidecarContainers StreamingCollectionEncodingToJSON
        StreamingCollectionEncodingToProtobuf StructuredAuthenticationConfiguration StructuredAuthorizationConfiguration
        SupplementalGroupsPolicy SystemdWatchdog TopologyAwareHints TopologyManagerPolicyOptions UserNamespacesSupport
        VolumeAttributesClass WinDSR WinOverlay`),
    },
    {
      stage: 'BETA',
      on: true,
      names: words(`
        APIResponseCompression APIServerIdentity AllowParsingUserUIDFromCertAuth AuthorizePodWebsocketUpgradeCreatePermission
        CPUManagerPolicyBetaOptions ContainerCheckpoint ContainerRestartRules DRAAdminAccess DRAPrioritizedList
        DRAResourceClaimDeviceStatus DRASchedulerFilterTimeout DeclarativeValidationBeta DeploymentReplicaSetTerminatingReplicas
        DetectCacheInconsistency DisableCPUQuotaWithExclusiveCPUs EnvFiles GracefulNodeShutdown
        GracefulNodeShutdownBasedOnPodPriority HPAConfigurableTolerance HostnameOverride KubeletCrashLoopBackOffMax
        KubeletEnsureSecretPulledImages KubeletFineGrainedAuthz KubeletPSI KubeletPodResourcesDynamicResources
        KubeletPodResourcesGet KubeletSeparateDiskGC KubeletServiceAccountTokenForCredentialProviders ListFromCacheSnapshot
        MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge MaxUnavailableStatefulSet
        MutableCSINodeAllocatableCount NominatedNodeNameForExpectation OpenAPIEnums OpportunisticBatching PodDeletionCost
        PodLevelResources PodReadyToStartContainersCondition PodTopologyLabelsAdmission PortForwardWebsockets
        PreventStaticPodAPIReferences ProcMountType ReloadKubeletServerCertificateFile RemoteRequestHeaderUID
        RotateKubeletServerCertificate SELinuxChangePolicy SELinuxMountReadWriteOncePod SchedulerAsyncPreemption
        SchedulerPopFromBackoffQ ServiceAccountNodeAudienceRestriction StatefulSetSemanticRevisionComparison StorageVersionHash
        TokenRequestServiceAccountUIDValidation TopologyManagerPolicyBetaOptions TranslateStreamCloseWebsocketRequests
        UnauthenticatedHTTP2DOSMitigation WatchCacheInitializationPostStartHook WatchList WindowsGracefulNodeShutdown`),
    },
    {
      stage: 'BETA',
      on: false,
      names: words(`
        CRDObservedGenerationTracking ClusterTrustBundle ClusterTrustBundleProjection ConcurrentWatchObjectDecode
        ConstrainedImpersonation CoordinatedLeaderElection ExternalServiceAccountTokenSigner
        LocalStorageCapacityIsolationFSQuotaMonitoring NodeLogQuery PodCertificateRequest SELinuxMount SchedulerAsyncAPICalls
        SizeBasedListCostEstimate StorageVersionMigrator StructuredAuthenticationConfigurationEgressSelector
        StructuredAuthenticationConfigurationJWKSMetrics UnknownVersionInteroperabilityProxy`),
    },
    {
      stage: 'ALPHA',
      on: false,
      names: words(`
        APIServingWithRoutine AllowUnsafeMalformedObjectDeletion CBORServingAndStorage CPUManagerPolicyAlphaOptions
        CSIVolumeHealth ChangeContainerStatusOnKubeletRestart CloudControllerManagerWatchBasedRoutesReconciliation
        CloudControllerManagerWebhook ComponentFlagz ComponentStatusz ContainerStopSignals CrossNamespaceVolumeDataSource
        DRAConsumableCapacity DRADeviceBindingConditions DRADeviceTaintRules DRADeviceTaints DRAExtendedResource
        DRAPartitionableDevices EventedPLEG GangScheduling GenericWorkload HPAScaleToZero ImageVolumeWithDigest
        InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScalingExclusiveCPUs InPlacePodVerticalScalingExclusiveMemory
        InTreePluginPortworxUnregister KubeletInUserNamespace ManifestBasedAdmissionControlConfig MemoryQoS MutablePVNodeAffinity
        MutablePodResourcesForSuspendedJobs MutableSchedulingDirectivesForSuspendedJobs NodeDeclaredFeatures
        PodAndContainerStatsFromCRI PodLogsQuerySplitStreams QOSReserved ReduceDefaultCrashLoopBackOffDecay
        RelaxedServiceNameValidation ResourceHealthStatus RestartAllContainersOnContainerExits RuntimeClassInImageCriAPI
        ShardedListAndWatch StorageCapacityScoring StorageVersionAPI StrictIPCIDRValidation TaintTolerationComparisonOperators
        TopologyManagerPolicyAlphaOptions UserNamespacesHostNetworkSupport VolumeLimitScaling WindowsCPUAndMemoryAffinity
        AllAlpha`),
    },
    {
      stage: 'DEPRECATED',
      on: false,
      names: words(`
        AllowDNSOnlyNodeCSR AllowInsecureKubeletCertificateSigningRequests AllowOverwriteTerminationGracePeriodSeconds
        DeclarativeValidationTakeover GitRepoVolumeDriver InPlacePodVerticalScalingAllocatedStatus KMSv1
        KubeletRegistrationGetOnExistsOnly SeparateCacheWatchRPC WatchFromStorageWithoutResourceVersion WindowsHostNetwork`),
    },
    {
      stage: 'DEPRECATED',
      on: true,
      names: words(
        'DisableNodeKubeProxyVersion KubeletPodResourcesListUseActivePods StorageNamespaceIndex',
      ),
    },
  ];

export interface FeatureGate {
  readonly name: string;
  /** As kubernetes_feature_enabled says it: '' when it is generally available. */
  readonly stage: string;
  readonly on: boolean;
}

export const featureGates: readonly FeatureGate[] = GATES.flatMap(({ stage, on, names }) =>
  names.map((name) => ({ name, stage, on })),
);

const known: ReadonlyMap<string, FeatureGate> = new Map(
  featureGates.map((gate) => [gate.name, gate]),
);

/** Refuses gates that are not known, and those that would make the server another than it is. Throws ConfigError. */
export function checkFeatureGates(flags: readonly string[]): void {
  for (const flag of flags) {
    const refuse = (why: string): never => {
      throw new ConfigError(`--feature-gates: ${why}`);
    };
    const [, given = '', value] = /^(?:kube:)?([^=]*)(?:=(.*))?$/.exec(flag) ?? [];
    const name = given.trim();
    const gate = known.get(name);
    if (!gate) return refuse(`unrecognized feature gate: ${name}`);
    if (value === undefined) return refuse(`missing bool value for ${name}`);
    const isTrue = /^(1|t|T|true|TRUE|True)$/.test(value.trim());
    if (!isTrue && !/^(0|f|F|false|FALSE|False)$/.test(value.trim()))
      return refuse(`invalid value of ${name}=${value}: must be true or false`);
    if (isTrue !== gate.on)
      return refuse(
        `cannot set feature gate ${name} to ${isTrue}, feature is locked to ${gate.on}`,
      );
  }
}
