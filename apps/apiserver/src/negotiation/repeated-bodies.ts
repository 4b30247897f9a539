import type { KubeObject } from '@orrery/apimachinery';
import { cloneJson } from '@orrery/registry';

/** Bodies that are remembered, the oldest of which gives way, and the longest that is. */
const MOST = 16;
const LONGEST = 8 * 1024;

interface Known {
  readonly body: Buffer;
  /** Set when the body has come a second time. */
  object?: KubeObject;
}

/**
 * What the newest bodies of one kind of request were read as. A controller that makes a thousand pods of one template sends the same
 * bytes a thousand times: they are decoded, checked and normalized twice, and copied from then on.
 */
export class RepeatedBodies {
  readonly #known: Known[] = [];
  #next = 0;

  /** An object that shares nothing with any other, as `read` makes it of the body alone; undefined = it is to be read. */
  find(body: Buffer): KubeObject | undefined {
    const object = this.#entryOf(body)?.object;
    return object && cloneJson(object);
  }

  /** Remembers what a body without anything to be said about it was read as. */
  note(body: Buffer, object: KubeObject): void {
    if (body.length > LONGEST) return;
    const known = this.#entryOf(body);
    if (known) known.object = cloneJson(object);
    else {
      this.#known[this.#next] = { body: Buffer.from(body) };
      this.#next = (this.#next + 1) % MOST;
    }
  }

  #entryOf(body: Buffer): Known | undefined {
    return this.#known.find((known) => known.body.equals(body));
  }
}
