import { IsDuration, parseDuration } from '@orrery/component';
import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';

export class ExtenderTls {
  @IsOptional() @IsBoolean() insecure?: boolean;
  @IsOptional() @IsString() serverName?: string;
  @IsOptional() @IsString() certFile?: string;
  @IsOptional() @IsString() keyFile?: string;
  @IsOptional() @IsString() caFile?: string;
  @IsOptional() @IsString() certData?: string;
  @IsOptional() @IsString() keyData?: string;
  @IsOptional() @IsString() caData?: string;
}

export class ManagedResource {
  @IsString() name = '';
  @IsOptional() @IsBoolean() ignoredByScheduler?: boolean;
}

/** kubescheduler.config.k8s.io/v1 Extender. */
export class ExtenderConfig {
  @IsString() urlPrefix = '';
  @IsOptional() @IsString() filterVerb?: string;
  @IsOptional() @IsString() preemptVerb?: string;
  @IsOptional() @IsString() prioritizeVerb?: string;
  @IsOptional() @IsInt() weight?: number;
  @IsOptional() @IsString() bindVerb?: string;
  @IsOptional() @IsBoolean() enableHTTPS?: boolean;
  @IsOptional() @ValidateNested() @Type(() => ExtenderTls) tlsConfig?: ExtenderTls;
  @IsOptional() @IsDuration() httpTimeout?: string;
  @IsOptional() @IsBoolean() nodeCacheCapable?: boolean;
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => ManagedResource)
  managedResources?: ManagedResource[];
  @IsOptional() @IsBoolean() ignorable?: boolean;
}

/** An extender as the program needs it; a verb of '' = not asked. */
export interface ExtenderOptions {
  readonly urlPrefix: string;
  readonly filterVerb: string;
  readonly preemptVerb: string;
  readonly prioritizeVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly enableHTTPS: boolean;
  readonly tlsConfig: ExtenderTls | undefined;
  readonly httpTimeoutMs: number;
  readonly nodeCacheCapable: boolean;
  readonly ignorable: boolean;
  readonly managedResources: readonly ManagedResource[];
}

const DEFAULT_TIMEOUT_MS = 5000;

export function toExtenderOptions(config: ExtenderConfig): ExtenderOptions {
  const { urlPrefix, filterVerb = '', preemptVerb = '', prioritizeVerb = '' } = config;
  return {
    urlPrefix,
    filterVerb,
    preemptVerb,
    prioritizeVerb,
    bindVerb: config.bindVerb ?? '',
    weight: config.weight ?? 0,
    enableHTTPS: config.enableHTTPS ?? false,
    tlsConfig: config.tlsConfig,
    httpTimeoutMs: (config.httpTimeout && parseDuration(config.httpTimeout)) || DEFAULT_TIMEOUT_MS,
    nodeCacheCapable: config.nodeCacheCapable ?? false,
    ignorable: config.ignorable ?? false,
    managedResources: config.managedResources ?? [],
  };
}
