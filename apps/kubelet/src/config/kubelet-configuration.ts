import { Type } from 'class-transformer';
import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Min,
  ValidateNested,
} from 'class-validator';

import { VERIFICATION_POLICIES } from '../images/image-access.js';
import type { Verification } from '../images/image-access.js';

/** How long pods of a priority, up to the next one named, have at a shutdown. */
class ShutdownGracePeriod {
  @IsInt()
  priority = 0;

  @IsInt()
  @Min(0)
  shutdownGracePeriodSeconds = 0;
}

/** How long containers that end again and again wait at most. */
class CrashLoopBackOff {
  @IsOptional()
  @IsString()
  maxContainerRestartPeriod?: string;
}

/** The fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that this kubelet reads; others are refused. */
export class KubeletConfiguration {
  @IsIn(['kubelet.config.k8s.io/v1beta1'])
  apiVersion = '';

  @IsIn(['KubeletConfiguration'])
  kind = '';

  @IsOptional()
  @IsString()
  address?: string;

  @IsOptional()
  @IsInt()
  port?: number;

  @IsOptional()
  @IsString()
  healthzBindAddress?: string;

  @IsOptional()
  @IsInt()
  healthzPort?: number;

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  clusterDNS?: string[];

  @IsOptional()
  @IsString()
  clusterDomain?: string;

  @IsOptional()
  @IsString()
  staticPodPath?: string;

  @IsOptional()
  @IsString()
  podLogsDir?: string;

  @IsOptional()
  @IsBoolean()
  enableSystemLogHandler?: boolean;

  @IsOptional()
  @IsInt()
  maxPods?: number;

  @IsOptional()
  @IsString()
  containerRuntimeEndpoint?: string;

  @IsOptional()
  @IsString()
  nodeStatusUpdateFrequency?: string;

  @IsOptional()
  @IsInt()
  @Min(1)
  nodeLeaseDurationSeconds?: number;

  @IsOptional()
  @IsString()
  tlsCertFile?: string;

  @IsOptional()
  @IsString()
  tlsPrivateKeyFile?: string;

  @IsOptional()
  @IsObject()
  evictionHard?: Record<string, string>;

  @IsOptional()
  @IsObject()
  evictionSoft?: Record<string, string>;

  @IsOptional()
  @IsObject()
  evictionSoftGracePeriod?: Record<string, string>;

  @IsOptional()
  @IsObject()
  evictionMinimumReclaim?: Record<string, string>;

  @IsOptional()
  @IsObject()
  systemReserved?: Record<string, string>;

  @IsOptional()
  @IsObject()
  kubeReserved?: Record<string, string>;

  @IsOptional()
  @IsString()
  evictionPressureTransitionPeriod?: string;

  @IsOptional()
  @IsString()
  imageMinimumGCAge?: string;

  @IsOptional()
  @IsString()
  imageMaximumGCAge?: string;

  @IsOptional()
  @IsIn(VERIFICATION_POLICIES)
  imagePullCredentialsVerificationPolicy?: Verification['policy'];

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  preloadedImagesVerificationAllowlist?: string[];

  @IsOptional()
  @ValidateNested()
  @Type(() => CrashLoopBackOff)
  crashLoopBackOff?: CrashLoopBackOff;

  @IsOptional()
  @IsString()
  containerLogMaxSize?: string;

  @IsOptional()
  @IsString()
  containerLogMonitorInterval?: string;

  @IsOptional()
  @IsString()
  shutdownGracePeriod?: string;

  @IsOptional()
  @IsString()
  shutdownGracePeriodCriticalPods?: string;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ShutdownGracePeriod)
  shutdownGracePeriodByPodPriority?: ShutdownGracePeriod[];

  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  allowedUnsafeSysctls?: string[];

  @IsOptional()
  @IsInt()
  @Min(0)
  evictionMaxPodGracePeriod?: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  imageGCHighThresholdPercent?: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  imageGCLowThresholdPercent?: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  containerLogMaxFiles?: number;
}
