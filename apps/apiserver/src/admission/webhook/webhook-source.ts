import type { KubeObject } from '@orrery/apimachinery';
import type { MutatingWebhook, ValidatingWebhook } from '@orrery/api';
import type { LiveReader } from '../../live-view/live-view.js';

/** One webhook of one configuration. */
export interface ConfiguredWebhook<T extends MutatingWebhook | ValidatingWebhook> {
  readonly configuration: string;
  readonly webhook: T;
  /** Tells it from others of the same name. */
  readonly uid: string;
}

interface Configuration<T> extends KubeObject {
  webhooks?: T[];
}

/** Every webhook in the order in which they are asked: by the name of their configuration, then as listed there. */
export class WebhookSource<T extends MutatingWebhook | ValidatingWebhook> {
  #madeAt = -1;
  #made: readonly ConfiguredWebhook<T>[] = [];

  constructor(private readonly view: Pick<LiveReader<Configuration<T>>, 'values' | 'version'>) {}

  all(): readonly ConfiguredWebhook<T>[] {
    if (this.#madeAt === this.view.version) return this.#made;
    this.#madeAt = this.view.version;
    const nameOf = (one: KubeObject): string => one.metadata.name ?? '';
    this.#made = [...this.view.values()]
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .flatMap((one) => {
        const seen = new Map<string, number>();
        return (one.webhooks ?? []).map((webhook) => {
          const nth = seen.get(webhook.name) ?? 0;
          seen.set(webhook.name, nth + 1);
          const configuration = nameOf(one);
          return { configuration, webhook, uid: `${configuration}/${webhook.name}/${nth}` };
        });
      });
    return this.#made;
  }
}
