import { newMethodNotSupported } from '@orrery/apimachinery';
import type { Entry, ListOptions, ListResult, Storage } from '@orrery/storage';
import type { ComponentProbe } from './component-probes.js';

const HEAD = '{"kind":"ComponentStatus","apiVersion":"v1",';

async function statusOf(probe: ComponentProbe): Promise<object> {
  try {
    return { type: 'Healthy', status: 'True', message: await probe.check() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { type: 'Healthy', status: 'False', message: text };
  }
}

const refuse = (): Promise<never> =>
  Promise.reject(newMethodNotSupported({ group: '', resource: 'componentstatuses' }, 'write'));

/** Holds nothing: each read asks the components. */
export class ComponentStatusStorage implements Storage {
  readonly create = refuse;
  readonly update = refuse;
  readonly delete = refuse;

  constructor(
    private readonly storage: Storage,
    private readonly prefix: string,
    private readonly probes: readonly ComponentProbe[],
  ) {}

  async get(key: string): Promise<Entry | undefined> {
    const probe = this.probes.find(({ name }) => `${this.prefix}${name}` === key);
    return probe && this.entryOf(probe);
  }

  async list(_prefix: string, options: ListOptions): Promise<ListResult> {
    const asked = [...this.probes].filter(({ name }) => this.prefix + name > (options.after ?? ''));
    const limit = options.limit ?? asked.length;
    const entries = await Promise.all(asked.slice(0, limit).map((probe) => this.entryOf(probe)));
    const revision = await this.revision();
    return { entries, revision, remaining: asked.length - entries.length };
  }

  watch(): never {
    throw newMethodNotSupported({ group: '', resource: 'componentstatuses' }, 'watch');
  }

  revision(): Promise<number> {
    return this.storage.revision();
  }

  private async entryOf(probe: ComponentProbe): Promise<Entry> {
    const rest = { metadata: { name: probe.name }, conditions: [await statusOf(probe)] };
    const text = `${HEAD}${JSON.stringify(rest).slice(1)}`;
    const value = Buffer.from(text);
    return {
      key: `${this.prefix}${probe.name}`,
      revision: 0,
      createRevision: 0,
      value,
      bytes: value,
      typeEnd: HEAD.length,
      object: JSON.parse(text) as Entry['object'],
    };
  }
}
