import { Type } from 'class-transformer';
import {
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsIP,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { FRONTEND_KINDS, POLICY_NAMES } from '@orrery/dataplane';
import type { Frontend, PolicyName, Protocol } from '@orrery/dataplane';

const MAX_PORT = 65_535;

export class FrontendRequest {
  @IsIP()
  address = '';

  @IsInt()
  @Min(1)
  @Max(MAX_PORT)
  port = 0;

  @IsIn(FRONTEND_KINDS)
  kind: Frontend['kind'] = 'clusterIP';
}

export class BackendRequest {
  @IsIP()
  address = '';

  @IsInt()
  @Min(1)
  @Max(MAX_PORT)
  port = 0;

  @IsNumber()
  @Min(0)
  weight = 1;
}

export class InsideRequest {
  @IsArray()
  @IsString({ each: true })
  sources: string[] = [];

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => BackendRequest)
  backends: BackendRequest[] = [];
}

export class ServiceRuleRequest {
  @IsString()
  @MinLength(1)
  id = '';

  @IsIn(['TCP', 'UDP'])
  protocol: Protocol = 'TCP';

  @IsArray()
  @ArrayMinSize(1)
  @ValidateNested({ each: true })
  @Type(() => FrontendRequest)
  frontends: FrontendRequest[] = [];

  @IsIn(POLICY_NAMES)
  policy: PolicyName = 'random';

  @IsInt()
  @Min(0)
  affinityMs = 0;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => BackendRequest)
  backends: BackendRequest[] = [];

  @IsOptional()
  @ValidateNested()
  @Type(() => InsideRequest)
  inside?: InsideRequest;

  @IsOptional()
  @IsBoolean()
  trusted?: boolean;

  @IsOptional()
  @IsString({ each: true })
  allowedSources?: string[];

  @IsOptional()
  @IsInt()
  @Min(1)
  maxConnections?: number;

  @IsOptional()
  @IsInt()
  @Min(1)
  udpIdleMs?: number;
}

/** `PUT /nodes/<node>/rules`: everything this node's kube-proxy wants. */
export class ReplaceRequest {
  @IsArray()
  @IsString({ each: true })
  sources: string[] = [];

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ServiceRuleRequest)
  rules: ServiceRuleRequest[] = [];
}

/** `PATCH /nodes/<node>/rules`: what changed since. */
export class ChangeRequest {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => ServiceRuleRequest)
  set: ServiceRuleRequest[] = [];

  @IsArray()
  @IsString({ each: true })
  remove: string[] = [];
}
