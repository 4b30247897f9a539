import type { Service } from '@orrery/api';
import type { AddressPool } from './address-pool.js';

export const POOL_CLASS = 'orrery.dev/pool';

/** What a Service's status is to say. */
export interface Assignment {
  readonly service: Service;
  /** undefined = none: it is no load balancer any more. */
  readonly ip: string | undefined;
}

export interface Refusal {
  readonly service: Service;
  readonly message: string;
}

export interface PoolPlan {
  readonly assign: readonly Assignment[];
  readonly refuse: readonly Refusal[];
}

const wantsAddress = ({ metadata, spec }: Service): boolean =>
  spec?.type === 'LoadBalancer' &&
  !metadata.deletionTimestamp &&
  [undefined, POOL_CLASS].includes(spec.loadBalancerClass);

export const addressOf = ({ status }: Service): string | undefined =>
  status?.loadBalancer?.ingress?.[0]?.ip;

const byAge = (a: Service, b: Service): number => {
  const age = ({ metadata }: Service): string => metadata.creationTimestamp ?? '';
  const id = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;
  if (age(a) !== age(b)) return age(a) < age(b) ? -1 : 1;
  return id(a) < id(b) ? -1 : 1;
};

/** Whether the address came from the pool: others' classes write their own. */
const isOurs = (service: Service, pool: AddressPool): boolean =>
  pool.has(addressOf(service) ?? '') &&
  [undefined, POOL_CLASS].includes(service.spec?.loadBalancerClass);

const asksFor = ({ spec }: Service): string => spec?.loadBalancerIP ?? '';

/** Pure: who gets which address. Who has one keeps it; of two that have the same, the older. */
export function planPool(services: readonly Service[], pool: AddressPool): PoolPlan {
  const sorted = [...services].sort(byAge);
  const taken = new Set<string>();
  const keeps = (service: Service): boolean => {
    const has = addressOf(service) ?? '';
    const asks = asksFor(service);
    if (!pool.has(has) || taken.has(has) || (asks !== '' && asks !== has)) return false;
    taken.add(has);
    return true;
  };
  const waiting = sorted.filter((service) => wantsAddress(service) && !keeps(service));
  const leaving = sorted.filter(
    (service) =>
      !wantsAddress(service) && isOurs(service, pool) && !service.metadata.deletionTimestamp,
  );
  const assign: Assignment[] = leaving.map((service) => ({ service, ip: undefined }));
  const refuse: Refusal[] = [];
  for (const service of waiting) {
    const found = choose(service, pool, taken);
    if ('ip' in found) {
      taken.add(found.ip);
      assign.push({ service, ip: found.ip });
    } else refuse.push({ service, message: found.message });
  }
  return { assign, refuse };
}

function choose(
  service: Service,
  pool: AddressPool,
  taken: ReadonlySet<string>,
): { readonly ip: string } | { readonly message: string } {
  const asks = asksFor(service);
  if (asks !== '') {
    const message = whyNot(asks, pool, taken);
    return message ? { message } : { ip: asks };
  }
  const ip = pool.next(taken, service.spec?.ipFamilies?.[0]);
  return ip ? { ip } : { message: 'no addresses are left in the pool' };
}

function whyNot(ip: string, pool: AddressPool, taken: ReadonlySet<string>): string | undefined {
  if (!pool.has(ip)) return `address ${ip} is not in the pool`;
  return taken.has(ip) ? `address ${ip} is in use by another Service` : undefined;
}
