import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Pod, ResourceRequirements } from '@orrery/api';
import { allContainers, uidOf } from '../containers/visit.js';

/** Granted resources by container name. */
export type Allocation = Readonly<Record<string, ResourceRequirements>>;

/** Where the resources of the pod as a whole stand: no container can be named so. */
export const WHOLE_POD = '/';

export const allocationOf = (pod: Pod): Allocation => ({
  ...(pod.spec.resources ? { [WHOLE_POD]: pod.spec.resources } : {}),
  ...Object.fromEntries(allContainers(pod).map(({ name, resources = {} }) => [name, resources])),
});

/** The pod with other resources, of its own and in its containers. */
export function withAllocation(pod: Pod, allocation: Allocation): Pod {
  const grant = <T extends { readonly name: string; readonly resources?: ResourceRequirements }>(
    list: readonly T[],
  ): T[] => list.map((one) => ({ ...one, resources: allocation[one.name] ?? one.resources ?? {} }));
  const { initContainers, containers, resources: _, ...spec } = pod.spec;
  const whole = allocation[WHOLE_POD];
  return {
    ...pod,
    spec: {
      ...spec,
      ...(whole ? { resources: whole } : {}),
      containers: grant(containers),
      ...(initContainers ? { initContainers: grant(initContainers) } : {}),
    },
  };
}

/** What this node has granted each pod; on disk, so that a restarted kubelet grants nothing twice. */
export class AllocationStore {
  private readonly pods = new Map<string, Allocation>();

  /** Without a file nothing outlives the process. */
  constructor(private readonly file: string | undefined) {
    if (file === undefined) return;
    try {
      const saved = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Allocation>;
      for (const [uid, allocation] of Object.entries(saved)) this.pods.set(uid, allocation);
    } catch {
      // The first start, or a file that was cut: the pods' specs are taken as granted.
    }
  }

  get(pod: Pod): Allocation | undefined {
    return this.pods.get(uidOf(pod));
  }

  set(pod: Pod, allocation: Allocation): void {
    this.pods.set(uidOf(pod), allocation);
    this.save();
  }

  forget(uid: string): void {
    if (this.pods.delete(uid)) this.save();
  }

  private save(): void {
    if (this.file === undefined) return;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(Object.fromEntries(this.pods)));
    renameSync(`${this.file}.new`, this.file);
  }
}
