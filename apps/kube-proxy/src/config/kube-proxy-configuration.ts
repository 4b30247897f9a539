import { Type } from 'class-transformer';
import {
  Allow,
  Equals,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { IsDuration } from '@orrery/component';

const ENDPOINT = /^$|^(\d{1,3}\.){3}\d{1,3}(:\d+)?$|^\[.*\]:\d+$/;

/** The empty string means upstream's default, as in a file that kubeadm wrote. */
const isSet = (_: unknown, value: unknown): boolean =>
  value !== undefined && value !== null && value !== '';

export class ClientConnection {
  @IsOptional() @IsString() acceptContentTypes?: string;
  @IsOptional() @IsInt() burst?: number;
  @IsOptional() @IsString() contentType?: string;
  @IsOptional() @IsString() kubeconfig?: string;
  @IsOptional() qps?: number;
}

export class IptablesConfiguration {
  @IsOptional() @IsInt() masqueradeBit?: number;
  @IsOptional() @IsBoolean() masqueradeAll?: boolean;
  @IsOptional() @IsBoolean() localhostNodePorts?: boolean;
  @ValidateIf((c: IptablesConfiguration) => isSet(c, c.syncPeriod))
  @IsDuration()
  syncPeriod?: string;
  @ValidateIf((c: IptablesConfiguration) => isSet(c, c.minSyncPeriod))
  @IsDuration()
  minSyncPeriod?: string;
}

export const IPVS_SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'sed', 'nq', 'mh'] as const;

export class IpvsConfiguration {
  @ValidateIf((c: IpvsConfiguration) => isSet(c, c.scheduler))
  @IsIn(IPVS_SCHEDULERS)
  scheduler?: (typeof IPVS_SCHEDULERS)[number] | '';

  @IsOptional() @IsBoolean() strictARP?: boolean;
  @IsOptional() @IsString({ each: true }) excludeCIDRs?: string[] | null;
  @ValidateIf((c: IpvsConfiguration) => isSet(c, c.syncPeriod)) @IsDuration() syncPeriod?: string;
  @ValidateIf((c: IpvsConfiguration) => isSet(c, c.minSyncPeriod))
  @IsDuration()
  minSyncPeriod?: string;
  @ValidateIf((c: IpvsConfiguration) => isSet(c, c.tcpTimeout)) @IsDuration() tcpTimeout?: string;
  @ValidateIf((c: IpvsConfiguration) => isSet(c, c.tcpFinTimeout))
  @IsDuration()
  tcpFinTimeout?: string;
  @ValidateIf((c: IpvsConfiguration) => isSet(c, c.udpTimeout)) @IsDuration() udpTimeout?: string;
}

/**
 * kubeproxy.config.k8s.io/v1alpha1 KubeProxyConfiguration. Fields that only concern a kernel (conntrack, winkernel,
 * masquerading) are accepted and have no effect; an unknown field is an error.
 */
export class KubeProxyConfiguration {
  @Equals('kubeproxy.config.k8s.io/v1alpha1')
  apiVersion = 'kubeproxy.config.k8s.io/v1alpha1';

  @Equals('KubeProxyConfiguration')
  kind = 'KubeProxyConfiguration';

  @ValidateIf((c: KubeProxyConfiguration) => isSet(c, c.mode))
  @IsIn(['iptables', 'ipvs'], {
    message: 'mode must be iptables or ipvs (userspace, nftables and kernelspace are not modelled)',
  })
  mode?: 'iptables' | 'ipvs' | '' = '';

  @IsOptional()
  @ValidateNested()
  @Type(() => IpvsConfiguration)
  ipvs?: IpvsConfiguration;

  @IsOptional()
  @ValidateNested()
  @Type(() => IptablesConfiguration)
  iptables?: IptablesConfiguration;

  @IsOptional()
  @ValidateNested()
  @Type(() => ClientConnection)
  clientConnection?: ClientConnection;

  @IsOptional() @IsString() bindAddress?: string;
  @IsOptional() @IsBoolean() bindAddressHardFail?: boolean;
  @IsOptional() @IsString() clusterCIDR?: string;
  @IsOptional() @IsString() configSyncPeriod?: string;
  @Allow() conntrack?: unknown;
  @Allow() detectLocal?: unknown;
  @IsOptional() @IsString() detectLocalMode?: string;
  @IsOptional() @IsBoolean() enableProfiling?: boolean;
  @Allow() featureGates?: unknown;
  @IsOptional() @Matches(ENDPOINT) healthzBindAddress?: string;
  @IsOptional() @IsString() hostnameOverride?: string;
  @Allow() logging?: unknown;
  @IsOptional() @Matches(ENDPOINT) metricsBindAddress?: string;
  @Allow() nftables?: unknown;
  @IsOptional() @IsString({ each: true }) nodePortAddresses?: string[] | null;
  @IsOptional() @IsInt() oomScoreAdj?: number | null;
  @IsOptional() @IsString() portRange?: string;
  @IsOptional() @IsString() showHiddenMetricsForVersion?: string;
  @IsOptional() @IsString() udpIdleTimeout?: string;
  @Allow() winkernel?: unknown;
  @Allow() windowsRunAsService?: unknown;
}
