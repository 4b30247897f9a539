import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  zeroQuantity,
} from '@orrery/apimachinery';
import type { KubeObject, Quantity } from '@orrery/apimachinery';
import type { Amounts, Container, Pod, ResourceQuota } from '@orrery/api';
import type {
  AdmissionAttributes,
  AdmissionPlugin,
  Operation,
  ResourceStore,
} from '@orrery/registry';
import type { Clock } from '@orrery/component';
import { ownTrack } from '../../rest/field-manager.js';
import type { LiveReader } from '../../live-view/live-view.js';
import { forbiddenBy } from '../forbidden.js';
import { podOf } from '../pod-request.js';
import { addedUsage, isInScope, mayGrow, usageOf } from './usage.js';

export interface QuotaDeps {
  /** Indexed by namespace. */
  readonly quotas: Pick<LiveReader<ResourceQuota>, 'indexed'>;
  store(): ResourceStore;
  readonly clock: Clock;
}

const print = (amounts: ReadonlyMap<string, Quantity>): string =>
  [...amounts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `${name}=${formatQuantity(value)}`)
    .join(',');

const amount = (list: Readonly<Record<string, unknown>> | undefined, name: string): Quantity =>
  list?.[name] === undefined ? zeroQuantity : parseQuantity(list[name] as string);

const COMPUTE = /^(?:requests\.|limits\.)?(?:cpu|memory)$/;

const isOpen = ({ resources }: Container, name: string): boolean => {
  const field = name.startsWith('limits.') ? 'limits' : 'requests';
  return !Object.hasOwn(resources?.[field] ?? {}, name.replace(/^(requests|limits)\./, ''));
};

/**
 * Compute resources that the quota bounds but some container leaves open, with these containers
 * (k8s pkg/quota/v1/evaluator/core/pods.go:Constraints).
 */
function unspecified({ spec }: Pod, hard: readonly string[]): string[] {
  const ofPod = spec?.resources;
  const isSetForPod = [ofPod?.requests, ofPod?.limits].some(
    (list) => Object.keys(list ?? {}).length > 0,
  );
  if (isSetForPod) return [];
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return hard
    .filter((name) => COMPUTE.test(name))
    .sort()
    .flatMap((name) => {
      const open = containers.filter((one) => isOpen(one, name)).map((one) => one.name);
      return open.length === 0 ? [] : [`${name} for: ${[...new Set(open)].sort().join(',')}`];
    });
}

/**
 * Refuses what a quota of the namespace has no room for, and books the rest in the quota's status before the object
 * is stored; a write that fails afterwards is corrected by the quota controller (k8s apiserver plugin/resourcequota).
 */
export class ResourceQuotaPlugin implements AdmissionPlugin {
  readonly name = 'ResourceQuota';

  constructor(private readonly deps: QuotaDeps) {}

  handles(operation: Operation): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    const { object, oldObject, kind, namespace, subresource } = attributes;
    if (!object || !namespace || attributes.objectKind) return;
    if (oldObject ? !mayGrow(kind, subresource) : subresource !== '') return;
    const quotas = [...this.deps.quotas.indexed(namespace)].filter((quota) =>
      isInScope(quota, kind, object),
    );
    if (quotas.length === 0) return;
    const usage = oldObject ? addedUsage(kind, object, oldObject) : usageOf(kind, object);
    if (usage.size === 0) return;
    for (const quota of quotas) this.#check(attributes, quota, usage);
    if (attributes.dryRun) return;
    for (const quota of quotas) await this.#book(attributes, quota, usage);
  }

  #check(attributes: AdmissionAttributes, quota: ResourceQuota, usage: Amounts): void {
    const refuse = (why: string): never => {
      throw forbiddenBy(attributes, why);
    };
    const name = quota.metadata.name ?? '';
    const hard = Object.keys(quota.spec?.hard ?? {});
    const pod = attributes.oldObject ? undefined : podOf(attributes);
    const open = pod ? unspecified(pod, hard) : [];
    if (open.length > 0) refuse(`failed quota: ${name}: must specify ${open.join('; ')}`);
    const counted = hard.filter((resource) => usage.has(resource));
    const unknown = counted.filter((resource) => quota.status?.hard?.[resource] === undefined);
    if (unknown.length > 0)
      refuse(`status unknown for quota: ${name}, resources: ${unknown.sort().join(',')}`);
    const over = counted.filter((resource) => {
      const used = amount(quota.status?.used, resource);
      const next = addQuantities(used, usage.get(resource) ?? zeroQuantity);
      return compareQuantities(next, amount(quota.status?.hard, resource)) > 0;
    });
    if (over.length === 0) return;
    const pick = (from: (resource: string) => Quantity): string =>
      print(new Map(over.map((resource) => [resource, from(resource)])));
    refuse(
      `exceeded quota: ${name}, requested: ${pick((r) => usage.get(r) ?? zeroQuantity)}, used: ${pick((r) => amount(quota.status?.used, r))}, limited: ${pick((r) => amount(quota.status?.hard, r))}`,
    );
  }

  async #book(
    attributes: AdmissionAttributes,
    quota: ResourceQuota,
    usage: Amounts,
  ): Promise<void> {
    const { namespace = '', context } = attributes;
    const add = (stored: KubeObject | undefined): KubeObject => {
      const next = structuredClone(stored ?? quota) as ResourceQuota;
      this.#check(attributes, next, usage);
      const used: Record<string, string> = {};
      for (const resource of Object.keys(next.status?.hard ?? {}))
        used[resource] = formatQuantity(
          addQuantities(amount(next.status?.used, resource), usage.get(resource) ?? zeroQuantity),
        );
      next.status = { ...next.status, used };
      return next;
    };
    const store = this.deps.store();
    await store.update(add, {
      namespace,
      name: quota.metadata.name ?? '',
      context,
      subresource: 'status',
      strategy: {},
      track: ownTrack(this.deps.clock, store.kind, { subresource: 'status' }),
    });
  }
}
