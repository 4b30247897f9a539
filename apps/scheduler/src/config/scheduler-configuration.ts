import { IsDuration } from '@orrery/component';
import { Type } from 'class-transformer';
import { ExtenderConfig } from './extender-config.js';
import {
  Allow,
  Equals,
  IsBoolean,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';

export class LeaderElection {
  @IsOptional() @IsBoolean() leaderElect?: boolean;
  @IsOptional() @IsDuration() leaseDuration?: string;
  @IsOptional() @IsDuration() renewDeadline?: string;
  @IsOptional() @IsDuration() retryPeriod?: string;
  @IsOptional() @IsString() resourceLock?: string;
  @IsOptional() @IsString() resourceName?: string;
  @IsOptional() @IsString() resourceNamespace?: string;
}

export class ClientConnection {
  @IsOptional() @IsString() acceptContentTypes?: string;
  @IsOptional() @IsInt() burst?: number;
  @IsOptional() @IsString() contentType?: string;
  @IsOptional() @IsString() kubeconfig?: string;
  @IsOptional() @IsNumber() qps?: number;
}

export class PluginReference {
  @IsString()
  @MinLength(1)
  name = '';

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  weight?: number;
}

export class PluginSet {
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PluginReference)
  enabled?: PluginReference[];

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PluginReference)
  disabled?: PluginReference[];
}

/** Which plugins a profile runs; `multiPoint` or a plugin's own point may be named. */
export class ProfilePlugins {
  @IsOptional() @ValidateNested() @Type(() => PluginSet) multiPoint?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) preEnqueue?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) queueSort?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) preFilter?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) filter?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) postFilter?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) preScore?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) score?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) reserve?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) permit?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) preBind?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) bind?: PluginSet;
  @IsOptional() @ValidateNested() @Type(() => PluginSet) postBind?: PluginSet;
}

export class PluginConfig {
  @IsString()
  @MinLength(1)
  name = '';

  /** Checked by the plugin itself. */
  @Allow()
  args?: unknown;
}

export class Profile {
  @IsOptional()
  @IsString()
  schedulerName: string = 'default-scheduler';

  @IsOptional()
  @IsInt()
  percentageOfNodesToScore?: number;

  @IsOptional()
  @ValidateNested()
  @Type(() => ProfilePlugins)
  plugins?: ProfilePlugins;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PluginConfig)
  pluginConfig?: PluginConfig[];
}

/** kubescheduler.config.k8s.io/v1 KubeSchedulerConfiguration; an unknown field is an error. */
export class KubeSchedulerConfiguration {
  @Equals('kubescheduler.config.k8s.io/v1')
  apiVersion: string = '';

  @Equals('KubeSchedulerConfiguration')
  kind: string = '';

  @IsOptional()
  @ValidateNested()
  @Type(() => LeaderElection)
  leaderElection?: LeaderElection;

  @IsOptional()
  @ValidateNested()
  @Type(() => ClientConnection)
  clientConnection?: ClientConnection;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Profile)
  profiles?: Profile[];

  @IsOptional()
  @IsInt()
  percentageOfNodesToScore?: number;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => ExtenderConfig)
  extenders?: ExtenderConfig[];

  @IsOptional() @IsInt() podInitialBackoffSeconds?: number;
  @IsOptional() @IsInt() podMaxBackoffSeconds?: number;
  @IsOptional() @IsInt() parallelism?: number;
  @IsOptional() @IsBoolean() delayCacheUntilActive?: boolean;
  @IsOptional() @IsBoolean() enableProfiling?: boolean;
  @IsOptional() @IsBoolean() enableContentionProfiling?: boolean;
}
