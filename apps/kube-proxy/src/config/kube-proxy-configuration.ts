import { Type } from 'class-transformer';
import {
  Equals,
  IsBoolean,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import {
  ClientConnection,
  ConntrackConfiguration,
  DetectLocal,
  IptablesConfiguration,
  IpvsConfiguration,
  LoggingConfiguration,
  NftablesConfiguration,
  OptionalChoice,
  OptionalDuration,
  WinkernelConfiguration,
} from './sections.js';

const ENDPOINT = /^$|^(\d{1,3}\.){3}\d{1,3}(:\d+)?$|^\[.*\]:\d+$|^:\d+$/;
const MODES = ['iptables', 'ipvs', 'nftables'] as const;
const LOCAL_MODES = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'] as const;
export type LocalMode = (typeof LOCAL_MODES)[number];

function Section(type: () => new () => object): PropertyDecorator {
  return (target, key) => {
    IsOptional()(target, key);
    ValidateNested()(target, key);
    Type(type)(target, key);
  };
}

/**
 * kubeproxy.config.k8s.io/v1alpha1 KubeProxyConfiguration of 1.36. An unknown field is an error, as is a value that
 * validation.ts refuses; what has no meaning here is named at the start (settings.ts).
 */
export class KubeProxyConfiguration {
  @Equals('kubeproxy.config.k8s.io/v1alpha1')
  apiVersion = 'kubeproxy.config.k8s.io/v1alpha1';

  @Equals('KubeProxyConfiguration')
  kind = 'KubeProxyConfiguration';

  @OptionalChoice(
    MODES,
    'mode must be iptables, ipvs or nftables (userspace and kernelspace are not modelled)',
  )
  mode?: (typeof MODES)[number] | '' = '';

  @Section(() => IpvsConfiguration) ipvs?: IpvsConfiguration;
  @Section(() => IptablesConfiguration) iptables?: IptablesConfiguration;
  @Section(() => NftablesConfiguration) nftables?: NftablesConfiguration;
  @Section(() => ConntrackConfiguration) conntrack?: ConntrackConfiguration;
  @Section(() => ClientConnection) clientConnection?: ClientConnection;
  @Section(() => DetectLocal) detectLocal?: DetectLocal;
  @Section(() => LoggingConfiguration) logging?: LoggingConfiguration;
  @Section(() => WinkernelConfiguration) winkernel?: WinkernelConfiguration;

  @IsOptional() @Matches(/^$|^[\d.]+$|^[\da-f:]+$/i) bindAddress?: string;
  @IsOptional() @IsBoolean() bindAddressHardFail?: boolean;
  @IsOptional() @IsString() clusterCIDR?: string;
  @OptionalDuration() configSyncPeriod?: string;
  @OptionalChoice(LOCAL_MODES) detectLocalMode?: LocalMode | '';
  @IsOptional() @IsBoolean() enableProfiling?: boolean;
  @IsOptional() @IsObject() featureGates?: Record<string, boolean> | null;
  @IsOptional() @Matches(ENDPOINT) healthzBindAddress?: string;
  @IsOptional() @IsString() hostnameOverride?: string;
  @IsOptional() @Matches(ENDPOINT) metricsBindAddress?: string;
  @IsOptional() @IsString({ each: true }) nodePortAddresses?: string[] | null;
  @IsOptional() @IsInt() @Min(-1000) @Max(1000) oomScoreAdj?: number | null;
  @IsOptional() @IsString() portRange?: string;
  @IsOptional() @IsString() showHiddenMetricsForVersion?: string;
  /** Of the userspace mode, which is gone upstream; older files have it. */
  @OptionalDuration() udpIdleTimeout?: string;

  @IsOptional()
  @Equals(false, { message: 'windowsRunAsService: Windows is not modelled' })
  windowsRunAsService?: boolean;
}
