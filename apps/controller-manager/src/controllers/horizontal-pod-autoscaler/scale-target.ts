import { parseApiVersion } from '@orrery/apimachinery';
import type { HorizontalPodAutoscaler, ResourceRef, Scale } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { KindMapper } from '../../discovery/kind-mapper.js';
import { resourcePath } from '../../discovery/kind-mapper.js';

export interface ScaleTarget {
  readonly ref: ResourceRef<Scale>;
  readonly scale: Scale;
}

/** Reads and writes the /scale of what autoscalers point at, of any kind that has one. */
export class ScaleTargets {
  constructor(
    private readonly client: KubeClient,
    private readonly kinds: KindMapper,
  ) {}

  async get({ spec, metadata }: HorizontalPodAutoscaler): Promise<ScaleTarget> {
    const { apiVersion = 'v1', kind, name } = spec.scaleTargetRef;
    const { group, version } = parseApiVersion(apiVersion);
    const ref = await this.kinds.find(group, kind, version);
    if (!ref) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
    const { namespace } = metadata;
    const path = `${resourcePath(ref, { namespace, name })}/scale`;
    const { code, body } = await this.client.raw(path);
    const answer = JSON.parse(body) as Scale & { message?: string };
    if (code !== 200) throw new Error(answer.message ?? `GET ${path}: the server answered ${code}`);
    return { ref: ref as ResourceRef<Scale>, scale: answer };
  }

  /** Fails when somebody else scaled meanwhile. */
  async set({ ref, scale }: ScaleTarget, replicas: number): Promise<void> {
    await this.client.resource(ref).updateSubresource({ ...scale, spec: { replicas } }, 'scale');
  }
}
