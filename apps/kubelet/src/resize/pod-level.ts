import { isDeepStrictEqual } from 'node:util';
import { podAmounts } from '@orrery/api';
import type { Pod, PodStatus, ResourceRequirements } from '@orrery/api';
import { formatQuantity } from '@orrery/apimachinery';
import { podResources } from '../containers/resources.js';
import { uidOf } from '../containers/visit.js';
import type { PodResources, Runtime } from '../runtime/runtime.js';

interface Actual {
  readonly sandboxId: string;
  readonly resources: PodResources;
}

/** `grow`: room for containers that get more; `fit`: what is granted, once those that get less have less. */
export type ResizeStep = 'grow' | 'fit';

/** The wider of two limits, of which 0 is none. */
const wider = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : Math.max(a, b));

const widest = (a: PodResources, b: PodResources): PodResources => ({
  cpuShares: Math.max(a.cpuShares, b.cpuShares),
  cpuQuota: wider(a.cpuQuota, b.cpuQuota),
  cpuPeriod: b.cpuPeriod,
  memoryLimitBytes: wider(a.memoryLimitBytes, b.memoryLimitBytes),
});

type Amounts = Record<string, string>;

/** Of the spec alone, whatever the status says. */
const amountsOf = (pod: Pod, field: 'requests' | 'limits'): Amounts =>
  Object.fromEntries(
    [...podAmounts({ ...pod, status: {} }, field)].map(([name, amount]) => [
      name,
      formatQuantity(amount),
    ]),
  );

const only = (amounts: Amounts, names: readonly string[]): Amounts =>
  Object.fromEntries(Object.entries(amounts).filter(([name]) => names.includes(name)));

/** What the pods' sandboxes may use as a whole, and what their statuses say of it (KEP-5419). */
export class PodLevel {
  private readonly actual = new Map<string, Actual>();

  constructor(private readonly runtime: Pick<Runtime, 'updatePodResources'>) {}

  /** A sandbox was made with what is granted. */
  made(granted: Pod, sandboxId: string): void {
    this.actual.set(uidOf(granted), { sandboxId, resources: podResources(granted) });
  }

  forget(uid: string): void {
    this.actual.delete(uid);
  }

  /** Whether the sandbox has other limits than are granted; of one made by an earlier kubelet that is not known. */
  isOpen(granted: Pod, sandboxId: string): boolean {
    const known = this.actual.get(uidOf(granted));
    if (known?.sandboxId !== sandboxId) return true;
    return !isDeepStrictEqual(known.resources, podResources(granted));
  }

  /** Whether a change is known to be under way. */
  isChanging(granted: Pod): boolean {
    const known = this.actual.get(uidOf(granted));
    return known !== undefined && !isDeepStrictEqual(known.resources, podResources(granted));
  }

  async apply(granted: Pod, sandboxId: string, step: ResizeStep): Promise<void> {
    const target = podResources(granted);
    const known = this.actual.get(uidOf(granted))?.resources;
    const resources = step === 'grow' && known ? widest(known, target) : target;
    if (step === 'grow' && isDeepStrictEqual(resources, known)) return;
    await this.runtime.updatePodResources(sandboxId, resources);
    this.actual.set(uidOf(granted), { sandboxId, resources });
  }

  /** k8s pkg/kubelet/kubelet_pods.go:convertToAPIPodLevelResourcesStatus. */
  statusOf(granted: Pod, old: PodStatus): Pick<PodStatus, 'resources' | 'allocatedResources'> {
    const requests = amountsOf(granted, 'requests');
    const allocated = Object.keys(requests).length > 0 ? { allocatedResources: requests } : {};
    if (this.isChanging(granted) && old.resources)
      return { ...allocated, resources: old.resources };
    const { cpuQuota, memoryLimitBytes } = podResources(granted);
    const { resources: own = {} } = granted.spec;
    const limited = [...(cpuQuota > 0 ? ['cpu'] : []), ...(memoryLimitBytes > 0 ? ['memory'] : [])];
    const shown: ResourceRequirements = {
      requests: { ...own.requests, ...only(requests, ['cpu', 'memory']) },
      limits: { ...own.limits, ...only(amountsOf(granted, 'limits'), limited) },
    };
    for (const field of ['requests', 'limits'] as const)
      if (Object.keys(shown[field] ?? {}).length === 0) delete shown[field];
    return { ...allocated, resources: shown };
  }
}
