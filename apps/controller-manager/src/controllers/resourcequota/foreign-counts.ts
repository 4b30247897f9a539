import { isNotFound } from '@orrery/apimachinery';
import { ref } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import type { KindMapper } from '../../discovery/kind-mapper.js';

const PAGE = 500;
const COUNT = /^count\/([^./]+)\.(.+)$/;

/** Counts objects of kinds that are not built in, by asking the server; for names such as count/widgets.example.com. */
export class ForeignCounts {
  constructor(
    private readonly client: KubeClient,
    private readonly kinds: KindMapper,
  ) {}

  /** By name; names that no API serves are left out. */
  async of(namespace: string, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const name of names) {
      const count = await this.#count(namespace, name);
      if (count !== undefined) counts.set(name, count);
    }
    return counts;
  }

  async #count(namespace: string, name: string): Promise<number | undefined> {
    const [, plural, group] = COUNT.exec(name) ?? [];
    if (plural === undefined || group === undefined) return undefined;
    const [version] = await this.kinds.versionsOf(group);
    if (version === undefined) return undefined;
    const resource = ref(group, version, plural, '', true);
    try {
      const { items } = await this.client.resource(resource).list({ namespace, pageSize: PAGE });
      return items.length;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
