// A client that writes and a client that calls a Service, while containers are taken away.
import { setTimeout as sleep } from 'node:timers/promises';
import { answers } from './api-client.mjs';

const PAUSE_MS = 25;

/** Writes ConfigMaps and calls `url` until stopped; knows what was acknowledged and what was answered. */
export class Load {
  acknowledged = [];
  calls = 0;
  answered = 0;
  #client;
  #url;
  #stopping = false;
  #done;

  constructor(client, url) {
    this.#client = client;
    this.#url = url;
    this.#done = Promise.all([this.#write(), this.#call()]);
  }

  async stop() {
    this.#stopping = true;
    await this.#done;
  }

  /** Names of acknowledged objects that a list does not have. */
  async lost() {
    const { text } = await this.#client.get('/api/v1/namespaces/default/configmaps');
    const there = new Set(JSON.parse(text).items.map((item) => item.metadata.name));
    return this.acknowledged.filter((name) => !there.has(name));
  }

  async #write() {
    for (let i = 0; !this.#stopping; i++) {
      const name = `written-${i}`;
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
      const answer = await this.#client
        .post('/api/v1/namespaces/default/configmaps', object)
        .catch(() => undefined);
      if (answer?.code === 201) this.acknowledged.push(name);
      await sleep(PAUSE_MS);
    }
  }

  async #call() {
    while (!this.#stopping) {
      this.calls += 1;
      if (await answers(this.#url)) this.answered += 1;
      await sleep(PAUSE_MS);
    }
  }
}
