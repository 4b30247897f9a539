import { StatusError } from '@orrery/apimachinery';
import type { StatusReason } from '@orrery/apimachinery';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import type { RequestInfo } from '../filters/request-info.js';

/** Which requests a rule is about; what it does not name matches all. */
export class FaultMatch {
  @IsOptional()
  @IsString({ each: true })
  verbs?: string[];

  @IsOptional()
  @IsString({ each: true })
  groups?: string[];

  /** `pods`, or `pods/status` for a subresource; `*` = all. */
  @IsOptional()
  @IsString({ each: true })
  resources?: string[];

  @IsOptional()
  @IsString({ each: true })
  namespaces?: string[];

  @IsOptional()
  @IsString({ each: true })
  names?: string[];

  @IsOptional()
  @IsString({ each: true })
  users?: string[];

  /** Part of the User-Agent header. */
  @IsOptional()
  @IsString()
  userAgent?: string;
}

/** What a client is told instead of an answer. */
export class FaultAnswer {
  @IsInt()
  @Min(400)
  @Max(599)
  code = 500;

  @IsOptional()
  @IsString()
  reason?: StatusReason;

  @IsOptional()
  @IsString()
  message?: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  retryAfterSeconds?: number;
}

/** What happens to a request that matches, before anything of it is done. */
export class FaultRule extends FaultMatch {
  @IsOptional()
  @ValidateNested()
  @Type(() => FaultAnswer)
  fail?: FaultAnswer;

  /** Milliseconds that it waits first. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(600_000)
  delayMs?: number;

  /** Requests that meet this rule before it is over; absent = until it is removed. */
  @IsOptional()
  @IsInt()
  @Min(1)
  times?: number;
}

/** `drop`: the connection is cut; `expire`: the watch ends with 410, as after a compaction. */
export class WatchFault extends FaultMatch {
  @IsIn(['drop', 'expire'])
  fault: 'drop' | 'expire' = 'drop';
}

/** Who asks for what. */
export interface FaultSubject {
  readonly info: RequestInfo;
  readonly user: string;
  readonly userAgent: string;
}

/** Upstream's reasons of the codes (k8s apimachinery pkg/api/errors). */
const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const names = (wanted: readonly string[] | undefined, ...found: readonly string[]): boolean =>
  wanted === undefined || wanted.includes('*') || found.some((each) => wanted.includes(each));

export function matches(match: FaultMatch, { info, user, userAgent }: FaultSubject): boolean {
  const full = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  return (
    names(match.verbs, info.verb) &&
    names(match.groups, info.group) &&
    names(match.resources, full) &&
    names(match.namespaces, info.namespace) &&
    names(match.names, info.name) &&
    names(match.users, user) &&
    (match.userAgent === undefined || userAgent.includes(match.userAgent))
  );
}

/** The answer of a rule; undefined = the request goes on. */
export function failureOf({ fail }: FaultRule): StatusError | undefined {
  if (!fail) return undefined;
  const { code, retryAfterSeconds, message = 'a fault rule refuses this request' } = fail;
  const reason = fail.reason ?? REASONS[code] ?? 'Unknown';
  const details = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } };
  return new StatusError(code, reason, message, details);
}
