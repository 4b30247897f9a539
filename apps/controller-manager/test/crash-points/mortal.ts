import type { Interceptor, Write } from './intercepting-client.js';

/** Where a controller dies: at its `at`-th write, which was made but not answered, or was not made. */
export interface Death {
  readonly at: number;
  readonly write: 'made' | 'lost';
}

export class Died extends Error {
  constructor() {
    super('the process was killed');
    this.name = 'Died';
  }
}

/** Counts the writes of a process, and ends it at one of them. */
export class Mortal implements Interceptor {
  /** Writes that it sent. */
  writes = 0;
  /** Objects that it made, by resource. */
  readonly created = new Map<string, number>();
  #dead = false;

  constructor(
    private readonly death?: Death,
    private readonly onDeath: () => void = () => undefined,
  ) {}

  get dead(): boolean {
    return this.#dead;
  }

  async write<T>(write: Write, send: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new Died();
    this.writes++;
    if (this.writes !== this.death?.at) return this.#sent(write, send);
    this.#dead = true;
    this.onDeath();
    if (this.death.write === 'made') await this.#sent(write, send);
    throw new Died();
  }

  async #sent<T>({ verb, resource }: Write, send: () => Promise<T>): Promise<T> {
    const result = await send();
    if (verb === 'create') this.created.set(resource, (this.created.get(resource) ?? 0) + 1);
    return result;
  }
}
