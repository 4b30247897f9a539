import { resources } from '@orrery/api';
import type { ConfigMap } from '@orrery/api';
import { isAlreadyExists } from '@orrery/apimachinery';
import { connect, loadKubeconfig } from '@orrery/client';

/** Creates ConfigMaps `kept-0`, `kept-1`, … all the time, and remembers each that the API server acknowledged. */
export class ConfigMapWriter {
  readonly acknowledged: string[] = [];
  refused = 0;
  private isStopping = false;
  private readonly maps;
  private readonly work: Promise<void>;

  constructor(
    kubeconfig: string,
    private readonly namespace: string,
  ) {
    this.maps = connect(loadKubeconfig(kubeconfig)).resource(resources.configmaps);
    this.work = this.run();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.work;
  }

  /** The names that were acknowledged and are not there, or hold something else. */
  async lost(): Promise<string[]> {
    const { items } = await this.maps.list({ namespace: this.namespace });
    const held = new Map(items.map(({ metadata, data }) => [metadata.name, data?.['text']]));
    return this.acknowledged.filter((name) => held.get(name) !== name);
  }

  private map(name: string): ConfigMap {
    const { namespace } = this;
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { text: name },
    };
  }

  private async run(): Promise<void> {
    for (let i = 0; !this.isStopping;) {
      const name = `kept-${i}`;
      try {
        await this.maps.create(this.map(name), { signal: AbortSignal.timeout(2000) });
      } catch (error) {
        // A create whose answer was lost may have happened: it is there then, and was not acknowledged.
        if (!isAlreadyExists(error)) this.refused += 1;
        if (isAlreadyExists(error)) i += 1;
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      this.acknowledged.push(name);
      i += 1;
    }
  }
}
