import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import { IsDuration } from '@orrery/component';

/** The empty string means upstream's default, as in a file that kubeadm wrote. */
const ifSet =
  (property: string): PropertyDecorator =>
  (target, key) => {
    ValidateIf((section: Record<string, unknown>) => {
      const value = section[property];
      return value !== undefined && value !== null && value !== '';
    })(target, key);
  };

/** A duration, or nothing. */
export function OptionalDuration(): PropertyDecorator {
  return (target, key) => {
    ifSet(String(key))(target, key);
    IsDuration()(target, key);
  };
}

/** One of `values`, or nothing. */
export function OptionalChoice(values: readonly string[], message?: string): PropertyDecorator {
  return (target, key) => {
    ifSet(String(key))(target, key);
    IsIn(values, message ? { message } : {})(target, key);
  };
}

export class ClientConnection {
  @IsOptional() @IsString() acceptContentTypes?: string;
  @IsOptional() @IsInt() @Min(0) burst?: number;
  @IsOptional() @IsString() contentType?: string;
  @IsOptional() @IsString() kubeconfig?: string;
  @IsOptional() @IsNumber() qps?: number;
}

/** A bit of the packet mark. */
function MarkBit(): PropertyDecorator {
  return (target, key) => {
    IsOptional()(target, key);
    IsInt()(target, key);
    Min(0)(target, key);
    Max(31)(target, key);
  };
}

export class IptablesConfiguration {
  @MarkBit() masqueradeBit?: number | null;
  @IsOptional() @IsBoolean() masqueradeAll?: boolean;
  @IsOptional() @IsBoolean() localhostNodePorts?: boolean | null;
  @IsOptional() @IsBoolean() snatNodeInternalIP?: boolean | null;
  @OptionalDuration() syncPeriod?: string;
  @OptionalDuration() minSyncPeriod?: string;
}

export const IPVS_SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'sed', 'nq', 'mh'] as const;

export class IpvsConfiguration {
  @OptionalChoice(IPVS_SCHEDULERS) scheduler?: (typeof IPVS_SCHEDULERS)[number] | '';
  @IsOptional() @IsBoolean() strictARP?: boolean;
  @IsOptional() @IsString({ each: true }) excludeCIDRs?: string[] | null;
  @OptionalDuration() syncPeriod?: string;
  @OptionalDuration() minSyncPeriod?: string;
  @OptionalDuration() tcpTimeout?: string;
  @OptionalDuration() tcpFinTimeout?: string;
  @OptionalDuration() udpTimeout?: string;
}

export class NftablesConfiguration {
  @MarkBit() masqueradeBit?: number | null;
  @IsOptional() @IsBoolean() masqueradeAll?: boolean;
  @OptionalDuration() syncPeriod?: string;
  @OptionalDuration() minSyncPeriod?: string;
}

export class ConntrackConfiguration {
  @IsOptional() @IsInt() @Min(0) maxPerCore?: number | null;
  @IsOptional() @IsInt() @Min(0) min?: number | null;
  @OptionalDuration() tcpEstablishedTimeout?: string | null;
  @OptionalDuration() tcpCloseWaitTimeout?: string | null;
  @IsOptional() @IsBoolean() tcpBeLiberal?: boolean;
  @OptionalDuration() udpTimeout?: string;
  @OptionalDuration() udpStreamTimeout?: string;
}

export class DetectLocal {
  @IsOptional() @IsString() bridgeInterface?: string;
  @IsOptional() @IsString() interfaceNamePrefix?: string;
}

/** k8s component-base logs/api/v1 LoggingConfiguration. */
export class LoggingConfiguration {
  @IsOptional() @IsIn(['text', 'json']) format?: string;
  /** Nanoseconds or a duration. */
  @IsOptional() flushFrequency?: number | string;
  @IsOptional() @IsInt() @Min(0) verbosity?: number;
  @IsOptional() vmodule?: unknown;
  @IsOptional() @IsObject() options?: object;
}

export class WinkernelConfiguration {
  @IsOptional() @IsString() networkName?: string;
  @IsOptional() @IsString() sourceVip?: string;
  @IsOptional() @IsBoolean() enableDSR?: boolean;
  @IsOptional() @IsString() rootHnsEndpointName?: string;
  @IsOptional() @IsBoolean() forwardHealthCheckVip?: boolean;
}
