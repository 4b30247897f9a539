import type { KubeObject, OwnerReference } from '@orrery/apimachinery';
import { controllerOf, parseApiVersion } from '@orrery/apimachinery';
import type { Pod, Scale } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { Lister } from '@orrery/informers';
import type { KindMapper } from '../../discovery/kind-mapper.js';
import { resourcePath } from '../../discovery/kind-mapper.js';

export type Scaled = KubeObject & { spec: { replicas?: number } };

/** How many pods the controllers of some pods want in all. */
export interface ExpectedScale {
  readonly replicas: number;
  /** Pods without a controller: they are not reckoned with. */
  readonly unmanaged: readonly string[];
}

/** A controller whose scale nobody can tell. */
export class NoScale extends Error {
  override readonly name = 'NoScale';
}

interface Found {
  readonly uid: string;
  readonly replicas: number;
}

/** Finds the scale of pods' controllers (k8s pkg/controller/disruption/disruption.go: getExpectedScale). */
export class ExpectedScales {
  constructor(
    /** By kind: the built-in ones, which are in caches. */
    private readonly owners: Readonly<Record<string, Lister<Scaled>>>,
    private readonly client: KubeClient,
    private readonly kinds: KindMapper,
  ) {}

  /** Throws {@link NoScale}. */
  async of(pods: readonly Pod[]): Promise<ExpectedScale> {
    const byOwner = new Map<string, number>();
    const seen = new Set<string>();
    const unmanaged: string[] = [];
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (!owner) unmanaged.push(pod.metadata.name ?? '');
      if (!owner || seen.has(owner.uid)) continue;
      seen.add(owner.uid);
      const found = await this.#find(owner, pod.metadata.namespace ?? '');
      if (!found) throw new NoScale(`found no controllers for pod "${pod.metadata.name ?? ''}"`);
      byOwner.set(found.uid, found.replicas);
    }
    const replicas = [...byOwner.values()].reduce((sum, count) => sum + count, 0);
    return { replicas, unmanaged };
  }

  /** The controller itself, or the Deployment behind a ReplicaSet; others by their /scale. */
  async #find(owner: OwnerReference, namespace: string): Promise<Found | undefined> {
    const { kind, name } = owner;
    const { group } = parseApiVersion(owner.apiVersion);
    const isBuiltIn = group === 'apps' || group === '';
    const cached = isBuiltIn ? this.owners[kind] : undefined;
    if (!cached) return this.#ask(owner, namespace);
    const object = cached.get({ namespace, name });
    if (object?.metadata.uid !== owner.uid || !object) return undefined;
    const above = controllerOf(object);
    const higher = above?.kind === 'Deployment' ? await this.#find(above, namespace) : undefined;
    return higher ?? { uid: owner.uid, replicas: object.spec.replicas ?? 1 };
  }

  async #ask(owner: OwnerReference, namespace: string): Promise<Found | undefined> {
    const { group, version } = parseApiVersion(owner.apiVersion);
    const ref = await this.kinds.find(group, owner.kind, version);
    if (!ref) throw new NoScale(`no matches for kind "${owner.kind}" in group "${group}"`);
    const path = resourcePath(ref, { namespace, name: owner.name });
    const { code, body } = await this.client.raw(`${path}/scale`);
    if (code === 404) {
      const { code: whole } = await this.client.raw(path);
      if (whole === 404) return undefined;
      const resource = group === '' ? ref.plural : `${ref.plural}.${group}`;
      throw new NoScale(`${resource} does not implement the scale subresource`);
    }
    if (code !== 200) throw new NoScale(`GET ${path}/scale: the server answered ${code}`);
    const { metadata, spec } = JSON.parse(body) as Scale;
    return metadata.uid === owner.uid
      ? { uid: owner.uid, replicas: spec.replicas ?? 0 }
      : undefined;
  }
}
