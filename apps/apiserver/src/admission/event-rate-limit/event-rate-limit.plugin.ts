import { StatusError } from '@orrery/apimachinery';
import type { Event } from '@orrery/api';
import type { Clock } from '@orrery/component';
import { ConfigError } from '@orrery/component';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '@orrery/registry';
import type { PluginConfiguration } from '../admission-configuration.js';

const TYPES = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const;
type LimitType = (typeof TYPES)[number];

export interface EventLimit {
  readonly type: LimitType;
  readonly qps: number;
  readonly burst: number;
  readonly cacheSize?: number;
}

/** EventRateLimit's part of --admission-control-config-file (eventratelimit.admission.k8s.io/v1alpha1). */
export function readEventLimits({ value, source }: PluginConfiguration): EventLimit[] {
  const given = (value as { limits?: unknown } | null | undefined)?.limits;
  if (!Array.isArray(given) || given.length === 0)
    throw new ConfigError(`${source}: EventRateLimit: limits: Required value: must not be empty`);
  return given.map((one: unknown, i) => {
    const limit = one as EventLimit;
    if (!TYPES.includes(limit.type))
      throw new ConfigError(`${source}: limits[${i}].type: must be one of ${TYPES.join(', ')}`);
    if (!(limit.qps > 0) || !(limit.burst > 0))
      throw new ConfigError(`${source}: limits[${i}]: qps and burst must be positive`);
    return limit;
  });
}

interface Bucket {
  tokens: number;
  at: number;
}

const CACHE = 4096;

/** A token bucket per key; the keys used last are kept. */
class Limiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly limit: EventLimit,
    private readonly clock: Clock,
  ) {}

  take(key: string): boolean {
    const { qps, burst, cacheSize = CACHE } = this.limit;
    const now = this.clock.monotonic();
    const bucket = this.buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * qps);
    bucket.at = now;
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    const [oldest] = this.buckets.keys();
    if (this.buckets.size > cacheSize && oldest !== undefined) this.buckets.delete(oldest);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

function keyOf(type: LimitType, { namespace = '', context, object }: AdmissionAttributes): string {
  if (type === 'Server') return '';
  if (type === 'Namespace') return namespace;
  if (type === 'User') return context.user.name;
  const { source, involvedObject: about } = object as Event;
  return [
    source?.component,
    source?.host,
    about?.kind,
    about?.namespace,
    about?.name,
    about?.uid,
    about?.apiVersion,
  ].join('');
}

/** Keeps floods of events from the storage (k8s plugin/pkg/admission/eventratelimit). */
export class EventRateLimit implements AdmissionPlugin {
  readonly name = 'EventRateLimit';
  private readonly limiters: readonly { type: LimitType; limiter: Limiter }[];

  constructor(limits: readonly EventLimit[], clock: Clock) {
    this.limiters = limits.map((one) => ({ type: one.type, limiter: new Limiter(one, clock) }));
  }

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  validate(attributes: AdmissionAttributes): void {
    const { kind, dryRun } = attributes;
    if (kind.kind !== 'Event' || (kind.group !== '' && kind.group !== 'events.k8s.io') || dryRun)
      return;
    const refused = this.limiters.filter(
      ({ type, limiter }) => !limiter.take(keyOf(type, attributes)),
    );
    if (refused.length === 0) return;
    const texts = refused.map(
      ({ type }) => `limit reached on type ${type} for key ${keyOf(type, attributes)}`,
    );
    const [only = ''] = texts;
    const why = texts.length === 1 ? only : `[${texts.join(', ')}]`;
    throw new StatusError(429, 'TooManyRequests', `Too many requests: ${why}`);
  }
}
